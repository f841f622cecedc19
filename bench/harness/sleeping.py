"""The letter `sleeping`: sagas that sleep, what they cost meanwhile, and many that fall due at once."""

import pathlib
import re
import subprocess
import time
import urllib.request

from harness.machine import BenchError, cpu_seconds, say, wait_for
from harness.sides import PARTITIONS, Floor, Skald
from harness.throughput import spread

MEASURED_SECONDS = 30
FAR_MS = 30 * 86_400_000

# The sleepers of one side as rows of the other: the same saga rows and the same histories, due when told.
COPY = """
CREATE TABLE {floor}.due_saga AS SELECT * FROM {skald}.saga WHERE saga_id LIKE '{prefix}-%';
CREATE TABLE {floor}.due_history AS
  SELECT h.* FROM {skald}.history h JOIN {floor}.due_saga USING (saga_key) ORDER BY h.saga_key, h.sequence;
"""
PREPARE = """
INSERT INTO {floor}.saga (saga_key, definition_id, saga_id, revision, route, sequence, status, wake_at, input_hash, started_at)
  SELECT saga_key, definition_id, saga_id, revision, route, sequence, status, to_timestamp({due} / 1000.0), input_hash,
         started_at FROM {floor}.due_saga ORDER BY saga_key;
INSERT INTO {floor}.history SELECT * FROM {floor}.due_history;
DROP TABLE {floor}.due_saga, {floor}.due_history;
"""
EARLY_AND_LATE = """
SELECT count(*), count(*) FILTER (WHERE s.ended_at < to_timestamp({due} / 1000.0)
                                     OR (split_part(h.events, E'\\n', 1)::json ->> 'at')::bigint < {due}),
       coalesce(extract(epoch FROM max(s.ended_at)) * 1000 - {due}, 0)::bigint
FROM {schema}.saga s JOIN {schema}.history h ON h.saga_key = s.saga_key AND h.sequence = 2
WHERE s.saga_id LIKE '{prefix}-%' AND s.status = 10
"""


class WakingFloor(Floor):
    """Claims, loads, writes and publishes, in a loop on each connection; its sagas are copies of Skald's."""

    def __init__(self, machine):
        super().__init__(machine, linger_ms=2)
        super().start()
        super().stop()

    def start(self):
        machine = self.machine
        self.processes = [machine.run("floor", machine.build / "bench/floor", "--kafka", machine.kafka, "--name",
                                      self.schema, "--linger-ms", self.linger_ms, "wake", "--postgres",
                                      machine.postgres)]

    def stop(self):
        for process in self.processes:
            self.machine.end(process)
        self.processes = []


def now_ms():
    return time.time_ns() // 1_000_000


def produce(side, prefix, count, until_ms):
    """As many trigger records, all of the same time."""
    command = ["kcat", "-P", "-b", side.machine.kafka, "-t", side.orders, "-K", "|", "-X", "partitioner=murmur2_random"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as process:
        for number in range(count):
            process.stdin.write(f'{prefix}-{number}|{{"until_ms":{until_ms}}}\n')
    if process.returncode != 0:
        raise BenchError("kcat failed")


def started(side):
    """How many sagas the orchestrator has started, by its metrics."""
    with urllib.request.urlopen(f"http://127.0.0.1:{side.ports[0]}/metrics", timeout=10) as answer:
        found = re.findall(r'^skald_sagas_started_total\{[^}]*\} ([0-9.e+]+)$', answer.read().decode(), re.M)
    return sum(int(float(number)) for number in found)


def resident_mib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"^VmRSS:\s+(\d+) kB", status, re.M)[1]) / 1024


def asleep(side, sleepers):
    """Creates the sleepers, then watches the orchestrator while they sleep."""
    machine = side.machine
    side.start()
    wait_for("the sleepers", lambda: started(side) >= sleepers, 120 + sleepers / 500)
    rate = float(machine.ask(f"SELECT count(*) / extract(epoch FROM max(started_at) - min(started_at)) "
                             f"FROM {side.schema}.saga"))
    awake_mib = resident_mib(side.processes[0].pid)
    machine.ask(f"VACUUM ANALYZE {side.schema}.saga, {side.schema}.history")
    machine.ask("CHECKPOINT")
    time.sleep(10)  # the last messages are published, their rows deleted
    writes = f"SELECT n_tup_ins + n_tup_upd FROM pg_stat_user_tables WHERE schemaname = '{side.schema}' AND relname = 'saga'"
    pid, written = side.processes[0].pid, machine.ask(writes)
    used, began = cpu_seconds(pid), time.monotonic()
    time.sleep(MEASURED_SECONDS)
    share = (cpu_seconds(pid) - used) / (time.monotonic() - began)
    if machine.ask(writes) != written:
        raise BenchError("a sleeping saga's row was written")
    result = {"created_per_second": round(rate), "rss_after_creation_mib": round(awake_mib),
              "rss_mib": round(resident_mib(pid)), "cpu_percent_of_a_core": round(100 * share, 2)}
    say(f"sleeping: {sleepers} sagas: {result}")
    return result


def outcomes(side, prefix, count, due_ms):
    """Sagas a second, from the time they fell due to the timestamp of the last outcome record."""
    found = {}

    def all_there():
        text = subprocess.run(["kcat", "-C", "-q", "-b", side.machine.kafka, "-t", side.lifecycle, "-o", "beginning", "-e",
                               "-f", "%k %T\n"], capture_output=True, text=True, check=True).stdout
        found.update(line.split() for line in text.splitlines() if line.startswith(f"{prefix}-"))
        return len(found) >= count

    wait_for("the outcomes", all_there, 60)
    if len(found) != count:
        raise BenchError(f"{len(found)} outcomes of {count} sagas")
    return round(1000 * count / (max(int(stamp) for stamp in found.values()) - due_ms))


def work_off(side, prefix, count, due_ms):
    """Waits until those that fall due have ended; the side is running."""
    machine = side.machine
    machine.ask("CHECKPOINT")
    if now_ms() > due_ms - 1000:
        raise BenchError("they fell due before everything was ready")
    time.sleep((due_ms - now_ms()) / 1000)
    waiting = f"SELECT EXISTS (SELECT FROM {side.schema}.saga WHERE wake_at <= to_timestamp({due_ms} / 1000.0))"
    wait_for("the sleepers", lambda: time.sleep(1) or machine.ask(waiting) == "f", 120 + count / 100)
    ended, early, late_ms = (int(number) for number in machine.ask(
        EARLY_AND_LATE.format(schema=side.schema, prefix=prefix, due=due_ms)).split("|"))
    if ended != count:
        raise BenchError(f"{ended} of {count} sagas have completed")
    return outcomes(side, prefix, count, due_ms), early, late_ms


def sleeping(machine, repeats, sleepers=1_000_000):
    needed = sleepers * 6_000 + (5 << 30)
    if machine.free_disk_bytes() < needed:
        raise BenchError(f"sleeping needs {needed >> 30} GiB of disk")
    due = max(1_000, sleepers // 10)
    side = Skald(machine, "bench/bench-sagas", "none", ("nap", "local-order", "long-order"), ("reserve-stock",))
    subprocess.run([machine.build / "examples/order/load/order-load", "--kafka", machine.kafka, "--partitions",
                    str(PARTITIONS), "--create", side.orders], check=True)
    produce(side, "far", sleepers, now_ms() + FAR_MS)
    result = {"sleepers": sleepers, **asleep(side, sleepers), "due": due}
    side.stop()
    floor = WakingFloor(machine)
    for table in ("saga", "history"):
        machine.ask(f"INSERT INTO {floor.schema}.{table} SELECT * FROM {side.schema}.{table} ORDER BY 1")
    machine.ask(f"VACUUM ANALYZE {floor.schema}.saga, {floor.schema}.history")
    rates, floors, early, late = [], [], 0, 0
    for number in range(1, repeats + 1):
        prefix = f"due{number}"
        side.start()
        due_ms = now_ms() + 30_000 + due // 2
        before = started(side)
        produce(side, prefix, due, due_ms)
        wait_for("those that fall due", lambda before=before: started(side) >= before + due, 120)
        machine.ask(COPY.format(floor=floor.schema, skald=side.schema, prefix=prefix))
        rate, too_early, late_ms = work_off(side, prefix, due, due_ms)
        rates.append(rate)
        early, late = early + too_early, max(late, late_ms)
        side.stop()
        due_ms = now_ms() + 15_000 + due // 10
        machine.ask(PREPARE.format(floor=floor.schema, due=due_ms))
        floor.start()
        floors.append(work_off(floor, prefix, due, due_ms)[0])
        floor.stop()
        say(f"sleeping, round {number} of {repeats}: {rates[-1]} woken/s, floor {floors[-1]}, {early} early, "
            f"the latest after {late} ms")
    result.update(early=early, latest_after_ms=late, woken_per_second=spread(rates), floor=spread(floors))
    result["ratio"] = round(result["woken_per_second"]["median"] / result["floor"]["median"], 3)
    side.close()
    machine.ask(f"DROP SCHEMA {side.schema} CASCADE")
    machine.ask(f"DROP SCHEMA {floor.schema} CASCADE")
    return result
