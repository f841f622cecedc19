"""Skald as queues: Kafka -> ingress -> lanes -> PostgreSQL -> outbox -> Kafka -> participants -> Kafka -> ingress.

A cell is a database with its processes; cells share trigger topics and participants, and nothing else. Each saga is the
order of docs/benchmarks.md: three commands, one in ten refused at the last and undone with two more.
"""

import dataclasses

import queueing

REFUSED_SHARE = 0.1
COMMANDS, COMMANDS_IF_REFUSED = 3, 5
MOST_IN_A_REQUEST = 10_000


@dataclasses.dataclass
class Setup:
    """What is simulated. Cores of 0 stand for the one pool `shared_cores`, as on a machine with everything on it."""

    costs: dict                      # see costs.json, "simulation"
    rate: float = 0.0                # sagas a second, of all cells together; or
    in_flight: int = 0               # a closed loop with so many under way
    cells: int = 1
    processes: int = 1               # of a cell
    lanes: int = 4
    partitions: int = 8
    shared_cores: int = 0
    process_cores: int = 0
    postgres_cores: int = 0
    kafka_cores: int = 0             # of a cell's share
    participant_cores: int = 0
    participants: int = 1            # processes of participants
    brokers: int = 1                 # a producer has a connection to each, which serves one request after the other
    cell_shares: list = None         # of all sagas, by cell; None: equal
    partition_shares: list = None    # of a cell's sagas, by partition; None: equal
    slow_postgres: dict = dataclasses.field(default_factory=dict)   # cell -> factor on its processor time
    slow_flush: dict = dataclasses.field(default_factory=dict)      # cell -> seconds
    foreign_rate: float = 0.0        # triggers a second that each process reads for other cells, and skips
    pause: tuple = None              # (moment, seconds): all processes stop reading
    bundle: int = 1                  # sagas that travel as one item
    warm_up: float = 2.0
    seconds: float = 10.0
    seed: int = 1


class Saga:
    """Under way: an item of the stations, whose first field is its weight."""

    __slots__ = ("weight", "born", "left", "cell", "process", "lane", "broker", "participant", "started")

    def __getitem__(self, _):
        return self.weight


class Process:
    """One orchestrator process: ingress, lanes, outbox, and its connection to Kafka."""

    def __init__(self, run, cell):
        setup, costs, loop = run.setup, run.setup.costs, run.loop
        cores = queueing.Cores(loop, setup.process_cores) if setup.process_cores else run.pool
        self.cores = cores
        self.ingress = queueing.Station([queueing.Work(cores, *costs["ingress"])], run.read)
        slow = setup.slow_postgres.get(cell.number, 1.0)
        database = queueing.Work(cell.postgres, *(cost * slow for cost in costs["postgres"]))
        self.lanes = [queueing.Station([queueing.Work(cores, *costs["lane"]), database, queueing.Flush(cell.disk)],
                                       run.committed) for _ in range(setup.lanes)]
        self.outbox = queueing.Station([queueing.Work(cores, *costs["outbox"])], run.published)
        self.hops = run.hops(cell.kafka, run.command_is_read)


class Cell:
    """A database and its processes."""

    def __init__(self, run, number):
        setup, loop = run.setup, run.loop
        self.number = number
        self.postgres = queueing.Cores(loop, setup.postgres_cores) if setup.postgres_cores else run.pool
        self.kafka = queueing.Cores(loop, setup.kafka_cores) if setup.kafka_cores else run.pool
        seconds = setup.slow_flush.get(number, setup.costs["flush_us"] * queueing.MICROSECOND)
        self.disk = queueing.Disk(loop, seconds)
        self.processes = [Process(run, self) for _ in range(setup.processes)]
        self.latencies = []
        self.under_way = 0
        self.done = 0


class Run:
    """One simulation. After `go` the cells hold what was found."""

    def __init__(self, setup):
        self.setup = setup
        self.loop = queueing.Loop(setup.seed)
        self.pool = queueing.Cores(self.loop, setup.shared_cores) if setup.shared_cores else None
        self.cells = [Cell(self, number) for number in range(setup.cells)]
        cores = queueing.Cores(self.loop, setup.participant_cores) if setup.participant_cores else self.pool
        kafka = self.pool or queueing.Cores(self.loop, setup.kafka_cores * setup.cells)
        self.triggers = [self.hops(kafka, self.to_ingress) for _ in range(setup.cells)]
        self.replies = [self.hops(kafka, self.to_ingress) for _ in range(setup.participants)]
        self.participants = [queueing.Station([queueing.Work(cores, *setup.costs["participants"])], self.answered)
                             for _ in range(setup.participants)]
        self.measured_from = setup.warm_up
        self.samples = []  # (moment, sagas under way) every 100 ms

    def hops(self, kafka, deliver):
        """A producer's way over Kafka to the consumer: a connection a broker."""
        costs = self.setup.costs
        wait = queueing.Wait(self.loop, costs["hop_wait_us"] * queueing.MICROSECOND)
        return [queueing.Station([wait, queueing.Work(kafka, *costs["hop"])], deliver, MOST_IN_A_REQUEST)
                for _ in range(self.setup.brokers)]

    # --- arrivals ---

    def arrive(self):
        setup, random = self.setup, self.loop.random
        saga = Saga()
        saga.weight = setup.bundle
        saga.born = self.loop.now
        saga.left = COMMANDS_IF_REFUSED if random.random() < REFUSED_SHARE else COMMANDS
        saga.started = False
        saga.cell = self.cells[_choose(random, setup.cell_shares, setup.cells)]
        partition = _choose(random, setup.partition_shares, setup.partitions)
        saga.process = saga.cell.processes[partition * setup.processes // setup.partitions]
        saga.lane = random.randrange(setup.lanes)
        saga.broker = partition % setup.brokers
        saga.participant = random.randrange(setup.participants)
        saga.cell.under_way += saga.weight
        self.triggers[saga.cell.number][saga.broker].put(saga)

    def _arrive_again(self):
        self.arrive()
        self.loop.after(self.loop.random.expovariate(self.setup.rate / self.setup.bundle), self._arrive_again)

    def _foreign(self, process):
        saga = Saga()
        saga.cell = None  # as heavy as it costs: it is decoded as far as its saga id
        saga.weight = self.setup.bundle * self.setup.costs["skip_us"] / self.setup.costs["ingress"][1]
        process.ingress.put(saga)
        self.loop.after(self.loop.random.expovariate(self.setup.foreign_rate / self.setup.bundle), self._foreign,
                        process)

    # --- the path ---

    @staticmethod
    def to_ingress(saga):
        saga.process.ingress.put(saga, urgent=saga.started)

    @staticmethod
    def read(saga):
        if saga.cell is not None:
            saga.process.lanes[saga.lane].put(saga, urgent=saga.started)

    @staticmethod
    def committed(saga):
        saga.started = True
        saga.process.outbox.put(saga)

    def published(self, saga):
        if saga.left > 0:
            saga.left -= 1
            saga.process.hops[saga.broker].put(saga)
        else:
            self.ended(saga)

    def command_is_read(self, saga):
        self.participants[saga.participant].put(saga)

    def answered(self, saga):
        self.replies[saga.participant][saga.broker].put(saga)

    def ended(self, saga):
        cell = saga.cell
        cell.under_way -= saga.weight
        if self.loop.now >= self.measured_from:
            cell.done += saga.weight
            cell.latencies.append(self.loop.now - saga.born)
        if self.setup.in_flight:
            self.arrive()

    # --- the run ---

    def go(self):
        setup, loop = self.setup, self.loop
        if setup.in_flight:
            for number in range(setup.in_flight // setup.bundle):
                loop.after(number * 1e-6, self.arrive)
        else:
            self._arrive_again()
        if setup.foreign_rate:
            for cell in self.cells:
                for process in cell.processes:
                    self._foreign(process)
        if setup.pause:
            loop.after(setup.pause[0], self._reading, queueing.Station.pause)
            loop.after(setup.pause[0] + setup.pause[1], self._reading, queueing.Station.resume)
        loop.after(0.1, self._sample)
        loop.run_until(setup.warm_up + setup.seconds)
        for cell in self.cells:
            cell.latencies.sort()
        return self

    def _reading(self, pause_or_resume):
        for cell in self.cells:
            for process in cell.processes:
                pause_or_resume(process.ingress)

    def _sample(self):
        self.samples.append((self.loop.now, sum(cell.under_way for cell in self.cells)))
        self.loop.after(0.1, self._sample)

    # --- what was found ---

    def throughput(self, cell=None):
        cells = self.cells if cell is None else [self.cells[cell]]
        return sum(one.done for one in cells) / self.setup.seconds

    def latency_ms(self, share, cell=None):
        cells = self.cells if cell is None else [self.cells[cell]]
        numbers = sorted(number for one in cells for number in one.latencies)
        return 1000 * queueing.percentile(numbers, share) if numbers else float("inf")


def _choose(random, shares, count):
    if count == 1:
        return 0
    if shares is None:
        return random.randrange(count)
    return random.choices(range(count), shares)[0]
