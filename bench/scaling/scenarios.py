"""The simulations of docs/scaling.md: how well the model repeats what was measured, and what arithmetic cannot tell."""

from model import Run, Setup
from queueing import percentile

RECORDS_IN, MESSAGES, REPLIES = 4.2, 8.4, 3.2


def simulated_costs(costs):
    """Processor time a batch and an item of each station.

    At 20 sagas a second every batch holds one item; at saturation, `batch_records`. Two equations, two unknowns.
    """
    light, saga = costs["light"], {name: entry["value"] for name, entry in costs["saga"].items()}

    def split(name, visits, share=1.0):
        item_alone, item_in_many = light[name] * share / visits, saga[name] * share / visits
        batch = (item_alone - item_in_many) / (1 - 1 / saga["batch_records"])
        return batch, item_alone - batch

    shares = light["orchestrator_shares"]
    stations = {station: split("orchestrator_cpu_us", RECORDS_IN, share / sum(shares.values()))
                for station, share in shares.items()}
    return {**stations, "postgres": split("postgres_cpu_us", RECORDS_IN), "hop": split("kafka_cpu_us", MESSAGES),
            "participants": split("participants_cpu_us", REPLIES), "hop_wait_us": light["hop_wait_us"],
            "flush_us": light["flush_us"],
            "skip_us": saga["skip_cpu_us"]}


def measured_machine(costs, rate):
    """Everything on two cores, as in docs/performance.md."""
    return Run(Setup(simulated_costs(costs), rate=rate, shared_cores=2, seconds=max(8, 1200 / rate),
                     seed=costs["seed"])).go()


def server_cell(costs, **changes):
    """One process of four cores, with what it takes of a database and of three brokers; participants are no limit."""
    setup = {"partitions": 24, "process_cores": 4, "postgres_cores": 8, "kafka_cores": 16, "brokers": 3,
             "participant_cores": 64, "participants": 4, "bundle": 20, "warm_up": 2.0, "seconds": 4.0,
             "seed": costs["seed"]}
    setup.update(changes)
    return Setup(simulated_costs(costs), **setup)


def capacity(costs, **changes):
    """Sagas a second with 20,000 under way for each process."""
    setup = server_cell(costs, **changes)
    setup.in_flight, setup.warm_up, setup.seconds = 20_000 * setup.processes, 4.0, 6.0
    return Run(setup).go().throughput()


def check(costs):
    """Beside what was measured. Calibrated are p50 at 20/s, and processor time there and at saturation."""
    yield "| Everything on two cores | measured | simulated |"
    yield "|---|---:|---:|"
    for rate, (p50, p99) in costs["measured"]["latency"].items():
        run = measured_machine(costs, int(rate))
        fixed = " (calibrated)" if rate == "20" else ""
        yield f"| {rate}/s, p50, ms{fixed} | {p50} | {run.latency_ms(0.5):.0f} |"
        yield f"| {rate}/s, p99, ms | {p99} | {run.latency_ms(0.99):.0f} |"
        if rate != "20":
            light = costs["light"][f"cpu_us_at_{rate}"]
            spent = run.pool.busy_seconds / run.loop.now / int(rate)
            yield f"| {rate}/s, processor time a saga, ms | {light / 1000:.1f} | {spent * 1000:.1f} |"
    run = Run(Setup(simulated_costs(costs), in_flight=5000, shared_cores=2, seconds=5, seed=costs["seed"])).go()
    yield f"| saturation, sagas/s | {costs['measured']['saturation']:,} | {_round(run.throughput(), 10):,} |"


def load(costs):
    """Latency by load."""
    most = capacity(costs)
    yield "| One process of four cores | sagas/s | p50, ms | p99, ms | inputs in a batch |"
    yield "|---|---:|---:|---:|---:|"
    for share in (0.1, 0.3, 0.6, 0.8, 0.9):
        run = Run(server_cell(costs, rate=share * most, bundle=1 if share < 0.5 else 2, warm_up=1.0, seconds=1.5)).go()
        lanes = run.cells[0].processes[0].lanes
        batch = sum(lane.items for lane in lanes) / sum(lane.batches for lane in lanes)
        yield (f"| at {share:.0%} | {_round(share * most)} | {run.latency_ms(0.5):.0f} | {run.latency_ms(0.99):.0f} |"
               f" {batch:.0f} |")
    yield f"| saturated | {_round(most)} | | | |"


def skew(costs):
    """Hot partitions: three processes are one cell."""
    three = {"processes": 3, "postgres_cores": 24, "kafka_cores": 48, "participants": 12, "bundle": 50}
    most = capacity(costs, **three)
    yield "| Three processes are a cell | saturation | of even |"
    yield "|---|---:|---:|"
    yield f"| 24 partitions | {_round(most)} | 100% |"
    for name, partitions, hot in (("8 partitions: 3, 3 and 2", 8, 1),
                                  ("24 partitions, one with 4 times its share", 24, 4),
                                  ("24 partitions, one with 16 times its share", 24, 16)):
        rate = capacity(costs, **three, partitions=partitions, partition_shares=[hot] + [1] * (partitions - 1))
        yield f"| {name} | {_round(rate)} | {rate / most:.0%} |"


def pause(costs):
    """All processes of a cell read nothing for six seconds."""
    most = capacity(costs)
    yield "| Load before and after | piled up, sagas | worked off in, s | by arithmetic, s |"
    yield "|---|---:|---:|---:|"
    for share in (0.5, 0.7, 0.85):
        fluid = 6 * share / (1 - share)
        run = Run(server_cell(costs, rate=share * most, pause=(4, 6), bundle=100, seconds=12 + 2 * fluid)).go()
        piled, seconds = worked_off(run, 4, 6)
        yield f"| {share:.0%} | {_round(piled)} | {seconds:.0f} | {fluid:.0f} |"


def worked_off(run, begin, length):
    """(sagas under way at the end of the pause, seconds from there until they are no more than before it)."""
    usual = 1.2 * max(count for moment, count in run.samples if 2 <= moment < begin)
    after = [(moment, count) for moment, count in run.samples if moment >= begin + length - 0.05]
    for moment, count in after:
        if count <= usual:
            return after[0][1], moment - begin - length
    return after[0][1], float("inf")


def slow_database(costs):
    """Ten cells, each at 60 % of what it can do; one database is ill. Participants and brokers are shared."""
    yield "| Ten cells at 60 %; one database | its sagas/s | p50, ms | p99, ms | the other nine: p50 | p99 | all: p99 |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    most = 0.6 * capacity(costs)
    for name, changes in (("like the others", {}),
                          ("flushes in 5 ms instead of 1", {"slow_flush": {0: 0.005}}),
                          ("flushes in 20 ms", {"slow_flush": {0: 0.020}}),
                          ("flushes in 20 ms, eight lanes a process", {"slow_flush": {0: 0.020}, "lanes": 8}),
                          ("takes 10 times the processor time", {"slow_postgres": {0: 10.0}})):
        run = Run(server_cell(costs, rate=10 * most, cells=10, participants=40, participant_cores=640, bundle=50,
                              seconds=2.0, **changes)).go()
        others = sorted(number for cell in run.cells[1:] for number in cell.latencies)
        middle, late = (1000 * percentile(others, share) for share in (0.5, 0.99))
        yield (f"| {name} | {_round(run.throughput(0))} of {_round(most)} | {run.latency_ms(0.5, 0):.0f} |"
               f" {run.latency_ms(0.99, 0):.0f} | {middle:.0f} | {late:.0f} | {run.latency_ms(0.99):.0f} |")


def triggers(costs):
    """Cells with 10,000 sagas a second and three processes each share trigger topics; one of the processes."""
    yield "| Databases | sagas/s of all | triggers/s a process skips | its polls full | p50, ms | p99, ms |"
    yield "|---:|---:|---:|---:|---:|---:|"
    for databases in (1, 10, 20, 30, 40, 50, 60):
        foreign = 10_000 * (databases - 1) / 3
        run = Run(server_cell(costs, rate=10_000 / 3, foreign_rate=foreign, bundle=10)).go()
        ingress = run.cells[0].processes[0].ingress
        waits = ingress.waiting() > foreign / 10  # for more than a tenth of a second: it does not keep up
        late = ("grows", "grows") if waits else (f"{run.latency_ms(share):.0f}" for share in (0.5, 0.99))
        yield (f"| {databases} | {10_000 * databases:,} | {_round(foreign)} | "
               f"{ingress.items / ingress.batches / ingress.most:.0%} | {' | '.join(late)} |")


def _round(value, to=100):
    return int(round(value / to) * to) if to == 10 else f"{int(round(value / to) * to):,}"


ALL = {"check": check, "load": load, "skew": skew, "pause": pause, "slow_database": slow_database,
       "triggers": triggers}
