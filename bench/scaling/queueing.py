"""Queues, in events of virtual time: processors shared by turns, stations that serve what waits as one batch, a disk.

Nothing here knows sagas. One thread; the same seed gives the same run. An item is a list whose first field is its
weight: a bundle of several sagas travels as one item and counts as so many.
"""

import collections
import heapq
import random

SECOND = 1.0
MICROSECOND = 1e-6


class Loop:
    """The clock and what is due."""

    def __init__(self, seed):
        self.now = 0.0
        self.random = random.Random(seed)
        self._due = []
        self._count = 0

    def after(self, seconds, action, *arguments):
        self._count += 1
        heapq.heappush(self._due, (self.now + seconds, self._count, action, arguments))

    def run_until(self, moment):
        while self._due and self._due[0][0] <= moment:
            self.now, _, action, arguments = heapq.heappop(self._due)
            action(*arguments)
        self.now = moment


class Cores:
    """Processors that serve whoever is ready, in turns of a quantum, as an operating system does."""

    def __init__(self, loop, count, quantum=1e-3):
        self.loop, self.count, self.quantum = loop, count, quantum
        self.busy_seconds = 0.0
        self._running = 0
        self._ready = collections.deque()

    def run(self, seconds, done):
        self._ready.append((seconds, done))
        self._dispatch()

    def _dispatch(self):
        while self._ready and self._running < self.count:
            seconds, done = self._ready.popleft()
            turn = min(seconds, self.quantum)
            self._running += 1
            self.busy_seconds += turn
            self.loop.after(turn, self._turn_over, seconds - turn, done)

    def _turn_over(self, left, done):
        self._running -= 1
        if left > 1e-12:
            self._ready.append((left, done))
            self._dispatch()
        else:
            self._dispatch()
            done()


class Disk:
    """One flush at a time; whoever comes meanwhile shares the next: group commit."""

    def __init__(self, loop, seconds):
        self.loop, self.seconds = loop, seconds
        self.flushes = 0
        self._waiting = []
        self._busy = False

    def flush(self, done):
        self._waiting.append(done)
        if not self._busy:
            self._start()

    def _start(self):
        self._busy, served, self._waiting = True, self._waiting, []
        self.flushes += 1
        self.loop.after(self.seconds, self._flushed, served)

    def _flushed(self, served):
        self._busy = False
        if self._waiting:
            self._start()
        for done in served:
            done()


class Work:
    """A phase of a station: processor time, so much for each batch and so much for each item."""

    def __init__(self, cores, batch_us, item_us):
        self.cores, self.batch_seconds, self.item_seconds = cores, batch_us * MICROSECOND, item_us * MICROSECOND

    def serve(self, items, done):
        self.cores.run(self.batch_seconds + self.item_seconds * items, done)


class Wait:
    """A phase without processor time: a round trip, a thread that has to be woken."""

    def __init__(self, loop, seconds):
        self.loop, self.seconds = loop, seconds

    def serve(self, _, done):
        self.loop.after(self.seconds, done)


class Flush:
    """A phase that ends when the disk has everything."""

    def __init__(self, disk):
        self.disk = disk

    def serve(self, _, done):
        self.disk.flush(done)


class Station:
    """A thread: takes what waits, at most `most`, through its phases one after the other, and hands it on.

    Urgent items go first.
    """

    def __init__(self, phases, deliver, most=500):
        self.phases, self.deliver, self.most = phases, deliver, most
        self.paused = False
        self.batches = 0
        self.items = 0
        self._urgent, self._later = collections.deque(), collections.deque()
        self._busy = False

    def put(self, item, urgent=False):
        (self._urgent if urgent else self._later).append(item)
        if not self._busy and not self.paused:
            self._start()

    def waiting(self):
        return sum(item[0] for queue in (self._urgent, self._later) for item in queue)

    def pause(self):
        self.paused = True

    def resume(self):
        self.paused = False
        if not self._busy and (self._urgent or self._later):
            self._start()

    def _start(self):
        batch, weight = [], 0
        for queue in (self._urgent, self._later):
            while queue and (not batch or weight + queue[0][0] <= self.most):
                batch.append(queue.popleft())
                weight += batch[-1][0]
        self._busy = True
        self.batches += 1
        self.items += weight
        self._next(0, batch, weight)

    def _next(self, number, batch, weight):
        if number < len(self.phases):
            self.phases[number].serve(weight, lambda: self._next(number + 1, batch, weight))
            return
        self._busy = False
        for item in batch:
            self.deliver(item)
        if not self._busy and not self.paused and (self._urgent or self._later):
            self._start()


def percentile(numbers, share):
    """The smallest of the numbers that at least this share of them does not exceed; the numbers are sorted."""
    return numbers[max(0, min(len(numbers) - 1, int(share * len(numbers) + 0.999999) - 1))]
