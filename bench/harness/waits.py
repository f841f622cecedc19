"""The letters that are a time: latency, recovery, long histories."""

import json
import signal
import statistics
import subprocess
import time

from harness.machine import BenchError, say
from harness.sides import SESSION_TIMEOUT_MS, Floor, Skald
from harness.throughput import saturate, spread

RATES = {20: 600, 100: 2_000, 500: 8_000}  # sagas a second: orders
PERCENTILES = ("p50_ms", "p90_ms", "p99_ms")


def latency(machine, repeats):
    """From the trigger record to the outcome record, by their clocks, which are this machine's."""
    sides = (Floor(machine, linger_ms=0.1), Skald(machine))
    found = {side.name: {rate: [] for rate in RATES} for side in sides}
    for number in range(1, repeats + 1):
        for side in sides:
            side.start()
            saturate(side, 10_000)  # the broker is warm and the plans are made
            for rate, orders in RATES.items():
                found[side.name][rate].append(side.load(orders, rate=rate, warm_up=orders // 5).finish())
            side.stop()
        say(f"latency, round {number} of {repeats}: " + ", ".join(
            f"{rate}/s {found['skald'][rate][-1]['p50_ms']} ms (floor {found['floor'][rate][-1]['p50_ms']})"
            for rate in RATES))
    sides[1].close()
    result = {}
    for rate in RATES:
        at_rate = {name: {key: spread([run[key] for run in found[name][rate]]) for key in PERCENTILES}
                   for name in found}
        ratio = {key: round(at_rate["skald"][key]["median"] / max(at_rate["floor"][key]["median"], 1), 3)
                 for key in PERCENTILES}
        result[f"{rate}_a_second"] = {**at_rate["skald"], "floor": at_rate["floor"], "ratio": ratio}
    return result


def recovery(machine, repeats):
    """SIGKILL at full load and a start at once: seconds until three in a row bring 90 % of the rate before."""
    seconds, before = [], []
    side = Skald(machine)
    for number in range(1, repeats + 1):
        side.start()
        machine.ask("CHECKPOINT")
        load = side.load(150_000)
        time.sleep(15)
        killed = time.monotonic()
        before.append(load.rate(killed - 10, killed))
        machine.end(side.processes.pop(), signal.SIGKILL)
        side.processes.append(side.launch(side.ports[0]))
        seconds.append(_recovered(load, killed, 0.9 * before[-1]))
        load.finish()
        side.stop()
        say(f"recovery, round {number} of {repeats}: {seconds[-1]:.1f} s to 90 % of {before[-1]:.0f} sagas/s")
    side.close()
    return {"seconds": spread([round(second, 2) for second in seconds]),
            "session_timeout_seconds": SESSION_TIMEOUT_MS / 1000,
            "rate_before": spread([round(rate) for rate in before])}


def _recovered(load, killed, wanted, window=3.0):
    """When such a window began."""
    while time.monotonic() < killed + 60:
        time.sleep(0.1)
        for moment, _ in list(load.progress):
            if moment > killed and load.progress[-1][0] >= moment + window:
                if load.rate(moment, moment + window) >= wanted:
                    return moment - killed
    raise BenchError("the rate did not come back within 60 s")


def long_history(machine, repeats):
    """A saga of 1,000 steps: on Kafka and PostgreSQL by the times in its history, and in the engine alone."""
    sagas = 5
    side = Skald(machine, "bench/bench-sagas", triggers=("long-order", "local-order", "nap"), steps=("reserve-stock",))
    first, last, engine = [], [], []
    for number in range(1, repeats + 1):
        side.start()
        side.load(sagas, in_flight=1).finish()
        side.stop()
        times = machine.ask(
            "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY step) FILTER (WHERE sequence <= 101), "
            "percentile_cont(0.5) WITHIN GROUP (ORDER BY step) FILTER (WHERE sequence > 901) FROM (SELECT sequence, "
            "at - lag(at) OVER (PARTITION BY saga_key ORDER BY sequence) AS step FROM (SELECT saga_key, sequence, "
            f"(split_part(events, E'\\n', 1)::json ->> 'at')::bigint AS at FROM {side.schema}.history WHERE saga_key "
            f"IN (SELECT saga_key FROM {side.schema}.saga ORDER BY saga_key DESC LIMIT {sagas})) AS times) AS steps")
        for numbers, value in zip((first, last), times.split("|")):
            numbers.append(float(value))
        program = subprocess.run([machine.build / "bench/history_bench"], capture_output=True, text=True, check=True)
        engine.append(json.loads(program.stdout))
        say(f"long_history, round {number} of {repeats}: step {first[-1]} ms, at the end {last[-1]} ms; engine "
            f"{engine[-1]['first_us']} us and {engine[-1]['last_us']} us, replay {engine[-1]['replay_ms']} ms")
    side.close()
    medians = {key: statistics.median(run[key] for run in engine) for key in ("first_us", "last_us", "replay_ms")}
    return {"steps": 1_000, "first_step_ms": spread(first), "last_step_ms": spread(last),
            "ratio": round(statistics.median(last) / statistics.median(first), 3),
            "engine": {**medians, "ratio": round(medians["last_us"] / medians["first_us"], 3)}}
