"""The letter that is a bound: memory under twice the load the machine can take, with small bounds that all bind."""

import json
import pathlib
import statistics
import time
import urllib.error
import urllib.request

from harness.machine import BenchError, say
from harness.sides import STEPS, Skald

MEBIBYTE = 1 << 20
# Counts are out of the way, so that bytes bind.
BOUNDS = {"cache_bytes": "64MiB", "queue_bytes_high": "4MiB", "queue_high": 1_000_000, "queue_urgent_high": 1_000_000,
          "maximum_batch_bytes": "1MiB", "outbox_bytes_high": "16MiB", "outbox_high": 1_000_000,
          "local_bytes_high": "4MiB"}
KEPT_SECONDS = 300  # what everybody has read, in Kafka
SLICE_SECONDS = 60
LEAST_DISK_BYTES = 10 << 30


def memory(machine, minutes, padding):
    side = Skald(machine, runtime=BOUNDS)
    side.start()
    few = 100 if padding > 10_000 else 5_000
    capacity = side.load(2 * few, in_flight=few, padding=padding).finish()["sagas_per_second"]
    for topic in (f"skald.{side.namespace}.replies", side.lifecycle, *(f"{side.namespace}.{name}"
                                                                     for name in STEPS.values())):
        machine.keep(topic, KEPT_SECONDS)
    samples = _Samples(side)
    began = time.monotonic()
    started = samples.metrics()
    produced = 0
    while time.monotonic() < began + minutes * 60 and machine.free_disk_bytes() > LEAST_DISK_BYTES:
        # What is done while more is offered is what the machine can take now.
        slice_began, before = time.monotonic(), samples.metrics()["skald_sagas_ended_total"]
        load = _OpenLoop(side, max(1, round(2 * capacity)), padding)
        while time.monotonic() < slice_began + SLICE_SECONDS:
            samples.take()
            time.sleep(1)
        produced += load.end()
        capacity = (samples.metrics()["skald_sagas_ended_total"] - before) / (time.monotonic() - slice_began)
    seconds = time.monotonic() - began
    ended = samples.metrics()
    side.stop()
    side.close()

    def counted(family):
        return round(ended[family] - started.get(family, 0))

    done = counted("skald_sagas_ended_total")
    return {"minutes": round(seconds / 60, 1), "payload_bytes": 120 + padding,
            "offered_a_second": round(produced / seconds), "done_a_second": round(done / seconds), "sagas_done": done,
            "backlog_at_end": produced - counted("skald_sagas_started_total"), **samples.result()}


class _OpenLoop:
    """Orders at a rate until it is ended, whatever becomes of them."""

    def __init__(self, side, rate, padding):
        machine = side.machine
        command = [machine.build / "examples/order/load/order-load", "--kafka", machine.kafka, "--topic", side.orders,
                   "--uuid", "--failing", 100, "--only-produce", "--rate", rate, "--orders", 100_000_000,
                   "--padding", padding]
        self._machine = machine
        self._process = machine.run("open-loop", *command)

    def end(self):
        """How many orders Kafka has."""
        self._machine.end(self._process)
        if self._process.returncode != 0:
            raise BenchError("the load failed; see .stack/bench/logs/open-loop.log")
        lines = (self._machine.logs / "open-loop.log").read_text(encoding="utf-8").splitlines()
        reports = [line for line in lines if line.startswith("{")]  # what the Kafka client says stands there as well
        return json.loads(reports[-1])["acknowledged"]


class _Samples:
    """Resident memory every second, what the metrics say every fifth."""

    def __init__(self, side):
        self.side = side
        self.statm = pathlib.Path(f"/proc/{side.processes[0].pid}/statm")
        self.page = 4096
        self.rss = []
        self.seen = []
        self.bound = self.metrics()["skald_memory_bound_bytes"]

    def metrics(self):
        """Families by name, their label sets added up; of lanes the fullest as well."""
        found = {}
        with urllib.request.urlopen(f"http://127.0.0.1:{self.side.ports[0]}/metrics", timeout=20) as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith("#"):
                    continue
                name, _, value = line.rpartition(" ")
                family = name.partition("{")[0]
                found[family] = found.get(family, 0.0) + float(value)
                if "lane=" in name:
                    found[f"{family} fullest"] = max(found.get(f"{family} fullest", 0.0), float(value))
        return found

    def take(self):
        self.rss.append(int(self.statm.read_text().split()[1]) * self.page)
        if len(self.rss) % 5 != 1:
            return
        try:
            self.seen.append(self.metrics())
        except (urllib.error.URLError, OSError):
            say("memory: no answer to /metrics within 20 s")
        if len(self.rss) % 60 == 1:
            now = self.seen[-1]
            say(f"memory, minute {len(self.rss) // 60}: {self.rss[-1] // MEBIBYTE} MiB of "
                f"{self.bound / MEBIBYTE:.0f}; cache {now.get('skald_cache_bytes', 0) / MEBIBYTE:.0f}, fullest lane "
                f"{now.get('skald_lane_queue_bytes fullest', 0) / MEBIBYTE:.1f}, outbox "
                f"{now.get('skald_outbox_backlog_bytes', 0) / MEBIBYTE:.1f} MiB, "
                f"{now.get('skald_partitions_paused', 0):.0f} partitions paused, "
                f"{now.get('skald_sagas_ended_total', 0):.0f} ended, "
                f"{self.side.machine.free_disk_bytes() >> 30} GiB of disk")

    def result(self):
        quarter = max(1, len(self.rss) // 4)
        first = statistics.mean(self.rss[quarter - quarter // 4 - 1:quarter])
        last = statistics.mean(self.rss[-quarter:])
        mebibytes = {"rss_max": max(self.rss), "rss_last": self.rss[-1], "bound": self.bound,
                     "growth_after_first_quarter": last - first}
        limits = {"cache": "skald_cache_bytes", "lane_queue": "skald_lane_queue_bytes fullest",
                  "outbox": "skald_outbox_backlog_bytes"}
        result = {f"{name}_mib": round(value / MEBIBYTE, 1) for name, value in mebibytes.items()}
        result["ratio"] = round(max(self.rss) / self.bound, 3)
        for name, family in limits.items():
            values = [seen.get(family, 0) for seen in self.seen]
            result[f"{name}_max_mib"] = round(max(values) / MEBIBYTE, 1)
            result[f"{name}_median_mib"] = round(statistics.median(values) / MEBIBYTE, 1)
        paused = [seen.get("skald_partitions_paused", 0) > 0 for seen in self.seen]
        result["paused_share"] = round(sum(paused) / len(paused), 3)
        return result
