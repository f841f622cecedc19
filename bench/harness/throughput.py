"""The letters that are a rate or its price: saturation, local steps, processes, growth, cost."""

import statistics
import subprocess
import time

from harness.machine import BenchError, say
from harness.sides import Floor, Skald

ORDERS = 40_000
WARM_UP = 8_000
WARM_ROUNDS = 10


def spread(numbers):
    return {"median": statistics.median(numbers), "lowest": min(numbers), "highest": max(numbers),
            "runs": numbers}


def compared(ours, floors):
    result = {"sagas_per_second": spread(ours), "floor": spread(floors)}
    result["ratio"] = round(result["sagas_per_second"]["median"] / result["floor"]["median"], 3)
    return result


def saturate(side, orders=ORDERS, warm_up=WARM_UP):
    """Sagas a second with 5,000 under way; the side is running."""
    side.machine.ask("CHECKPOINT")
    return side.load(orders, warm_up=warm_up).finish()["sagas_per_second"]


def warm(machine):
    """A fresh broker is slow until its code is compiled: loads it until two rounds bring no more than those before."""
    side = Skald(machine)
    side.start()
    rates = []
    while len(rates) < WARM_ROUNDS and (len(rates) < 6 or max(rates[-2:]) > 1.05 * max(rates[:-2])):
        rates.append(saturate(side, ORDERS // 2, 0))
    side.stop()
    side.close()
    say(f"warmed up the broker: {', '.join(str(round(rate)) for rate in rates)} sagas/s")


class Prices:
    """What a run took of everything, from its beginning."""

    def __init__(self, side, topics):
        self.side = side
        self.topics = topics
        self.before = self._read()

    def _read(self):
        machine, schema = self.side.machine, self.side.schema
        wal, fsyncs, tables, indexes = machine.ask(
            f"SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint, (SELECT wal_sync FROM pg_stat_wal),"
            f" pg_table_size('{schema}.saga') + pg_table_size('{schema}.history'),"
            f" pg_indexes_size('{schema}.saga') + pg_indexes_size('{schema}.history')").split("|")
        return {**self.side.cpu(), "wal_bytes": int(wal), "fsyncs": int(fsyncs), "table_bytes": int(tables),
                "index_bytes": int(indexes), "kafka_messages": self._messages(), "kafka_bytes": machine.kafka_bytes()}

    def _messages(self):
        queries = [part for topic in self.topics for number in range(8) for part in ("-t", f"{topic}:{number}:-1")]
        done = subprocess.run(["kcat", "-Q", "-b", self.side.machine.kafka, *queries], capture_output=True, text=True,
                              check=False)
        return sum(int(line.split()[-1]) for line in done.stdout.splitlines() if "offset" in line)

    def a_saga(self, sagas):
        time.sleep(1.5)  # PostgreSQL tells what a session did up to a second late
        after = self._read()
        used = {name: (after[name] - self.before[name]) / sagas for name in after}
        cpu = {f"{name}_cpu_us": round(used.pop(name) * 1e6, 1)
               for name in ("orchestrator", "participants", "postgres", "kafka")}
        return {**cpu, **{name: round(value, 3) for name, value in used.items()}}


def saturation(machine, repeats):
    """Returns the results of `saturation` and of `cost`: they are the same runs."""
    ours, floors, prices, floor_prices = [], [], [], []
    skald, floor = Skald(machine), Floor(machine, linger_ms=2)
    for number in range(1, repeats + 1):
        for side, rates, costs in ((floor, floors, floor_prices), (skald, ours, prices)):
            side.start()
            topics = ([side.orders, side.lifecycle] +
                      ([f"{side.schema}.{topic}" for topic in ("replies", "inventory", "payments", "shipping")]
                       if side is floor else [*skald.commands().split(","), f"skald.{skald.namespace}.replies"]))
            price = Prices(side, topics)
            rates.append(saturate(side))
            costs.append(price.a_saga(ORDERS))
            side.stop()
        say(f"saturation, round {number} of {repeats}: {ours[-1]} sagas/s, floor {floors[-1]}")
    skald.close()
    result = compared(ours, floors)
    result["with_sdk_participants"] = spread([_with_sdk(machine) for _ in range(max(1, repeats // 2))])

    def medians(all_of):
        return {name: statistics.median(cost[name] for cost in all_of) for name in all_of[0]}

    return result, {"a_saga": medians(prices), "floor": medians(floor_prices),
                    "ratio": round(medians(prices)["orchestrator_cpu_us"] /
                                   medians(floor_prices)["orchestrator_cpu_us"], 3)}


def _with_sdk(machine):
    side = Skald(machine, participants="sdk")
    side.start()
    rate = saturate(side, ORDERS // 2, WARM_UP // 2)
    side.stop()
    return rate


def local_steps(machine, repeats):
    """Beside it, in the same rounds, the order saga: how much faster is it without Kafka between its steps?"""
    ours, orders = [], []
    local = Skald(machine, "bench/bench-sagas", "none", ("local-order", "long-order", "nap"),
                  ("reserve-stock",))
    skald = Skald(machine)
    for number in range(1, repeats + 1):
        for side, rates in ((skald, orders), (local, ours)):
            side.start()
            rates.append(saturate(side))
            side.stop()
        say(f"local_steps, round {number} of {repeats}: {ours[-1]} sagas/s, with command steps {orders[-1]}")
    skald.close()
    result = {"sagas_per_second": spread(ours), "command_steps": spread(orders)}
    result["ratio"] = round(result["sagas_per_second"]["median"] / result["command_steps"]["median"], 3)
    return result


def processes(machine, repeats):
    totals = {1: [], 2: [], 4: []}
    side = Skald(machine)
    for number in range(1, repeats + 1):
        for count, rates in totals.items():
            side.start(count)
            time.sleep(5)  # the group settles
            rates.append(saturate(side))
            side.stop()
        say(f"processes, round {number} of {repeats}: " +
            ", ".join(f"{count}: {rates[-1]}" for count, rates in totals.items()))
    side.close()
    one = statistics.median(totals[1])
    return {"sagas_per_second": {str(count): spread(rates) for count, rates in totals.items()},
            "ratio": {str(count): round(statistics.median(totals[count]) / one, 3) for count in (2, 4)}}


# A saga like the bench's own, `ended` times: the four rows of one that has just completed stand for all histories.
FILL = """
SET synchronous_commit = off;
CREATE TEMP TABLE sample AS SELECT h.sequence, h.events FROM {schema}.history h
  WHERE h.saga_key = (SELECT saga_key FROM {schema}.saga WHERE status = 10 LIMIT 1);
CREATE TEMP TABLE kind AS SELECT definition_id FROM {schema}.definition WHERE name = 'place-order';
ALTER TABLE {schema}.saga DROP CONSTRAINT saga_definition_id_saga_id_key;
INSERT INTO {schema}.saga (saga_key, definition_id, saga_id, revision, route, sequence, status, input_hash,
                           started_at, ended_at)
  SELECT number, definition_id, gen_random_uuid()::text, 1, 7, 4, 10, 4711, now(), now()
  FROM generate_series(1, {ended}) AS number, kind ORDER BY number;
ALTER TABLE {schema}.saga ADD CONSTRAINT saga_definition_id_saga_id_key UNIQUE (definition_id, saga_id);
INSERT INTO {schema}.history
  SELECT number, sequence, events FROM generate_series(1, {ended}) AS number, sample;
"""


def growth(machine, repeats, ended=10_000_000):
    needed = ended * 2_600 + (10 << 30)
    if machine.free_disk_bytes() < needed:
        raise BenchError(f"growth needs {needed >> 30} GiB of disk")
    empty, full = Skald(machine), Skald(machine)
    full.start()
    saturate(full, 2_000, 0)
    full.stop()
    say(f"filling the tables with {ended} ended sagas")
    began = time.monotonic()
    machine.ask(FILL.format(schema=full.schema, ended=ended))
    machine.ask(f"VACUUM ANALYZE {full.schema}.saga, {full.schema}.history")
    say(f"filled in {time.monotonic() - began:.0f} s")
    rates = {empty: [], full: []}
    for number in range(1, repeats + 1):
        for side, found in rates.items():
            side.start()
            found.append(saturate(side))
            side.stop()
        say(f"growth, round {number} of {repeats}: {rates[full][-1]} sagas/s, empty tables {rates[empty][-1]}")
    result = {"ended_sagas": ended, "sagas_per_second": spread(rates[full]), "empty_tables": spread(rates[empty])}
    result["ratio"] = round(result["sagas_per_second"]["median"] / result["empty_tables"]["median"], 3)
    for side in rates:
        side.close()
    machine.ask(f"DROP SCHEMA {full.schema} CASCADE")
    return result
