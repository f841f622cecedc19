"""What so many sagas a second need, from what one was measured to cost (costs.json) and what is assumed of machines.

Every limit is a function of the figures, so that a reader can put in their own: `simulate table --assume NAME=NUMBER`.
"""

import dataclasses
import math

RATES = (100, 1_000, 10_000, 100_000, 1_000_000)
PAGE_BYTES = 8192
DAY_SECONDS = 86_400
XIDS_UNTIL_FREEZE = 200_000_000   # autovacuum_freeze_max_age


@dataclasses.dataclass
class Figures:
    """The measured costs of a saga, and the assumptions, by name."""

    saga: dict
    light: dict
    assume: dict

    @classmethod
    def of(cls, costs, changes=()):
        """`changes`: (name, number) of assumptions; KeyError for a name that is none."""
        assume = {name: entry["value"] for name, entry in costs["assumptions"].items()}
        for name, value in changes:
            if name not in assume:
                raise KeyError(name)
            assume[name] = value
        return cls({name: entry["value"] for name, entry in costs["saga"].items()}, costs["light"], assume)

    def cpu_us(self, name, batch):
        """Processor time of a saga when so many inputs share a batch: from the light load's to that at saturation."""
        full = self.saga[name]
        return (full + (self.light[name] - full) / batch) / self.assume["core"]

    @property
    def lane_share(self):
        """Of the orchestrator's processor time, what a lane's thread takes."""
        shares = self.light["orchestrator_shares"]
        return shares["lane"] / sum(shares.values())

    def kafka_cpu_us(self, records):
        """With its followers."""
        copies = 1 + (self.assume["replication"] - 1) * self.assume["follower_share"]
        return self.cpu_us("kafka_cpu_us", records) * copies


def page_images_an_insert(pages, inserts):
    """Of an index: so many inserts between two checkpoints, at random places, touch P(1 - e^(-N/P)) of its pages."""
    return pages / inserts * (1 - math.exp(-inserts / pages))


def wal_bytes_a_saga(figures):
    """With the page images of the address index. It grows with the rate as inserts do, so the rate does not count."""
    saga, assume = figures.saga, figures.assume
    pages = assume["retention_hours"] * 3600 * saga["address_index_bytes"] / PAGE_BYTES
    images = page_images_an_insert(pages, assume["checkpoint_seconds"])
    return saga["wal_bytes"] + images * saga["page_image_bytes"] * assume["random_ids"]


def database_limits(figures):
    """Sagas a second of one database, all its machine used, by what ends it."""
    saga, assume = figures.saga, figures.assume
    kept = (saga["table_bytes"] + saga["index_bytes"]) * assume["retention_hours"] * 3600
    return {
        "its cores": assume["database_cores"] * 1e6 / saga["postgres_cpu_us"] * assume["core"],
        "replay on the standby": assume["replay_megabytes"] * 1e6 / wal_bytes_a_saga(figures),
        "autovacuum": assume["vacuum_megabytes"] * 1e6 / (assume["vacuum_passes"] * saga["table_bytes"]),
        "its disk": assume["database_terabytes"] * 1e12 / kept,
    }


def process_limits(figures):
    """Sagas a second of one process whose triggers are all its own, by what ends it."""
    saga, assume = figures.saga, figures.assume
    return {
        "its cores": assume["process_cores"] * 1e6 / saga["orchestrator_cpu_us"] * assume["core"],
        "its lanes": assume["lanes"] * 1e6 * assume["core"]
        / (saga["orchestrator_cpu_us"] * figures.lane_share + saga["postgres_cpu_us"]),
        "its ingress thread": 1e6 / (saga["records_in"] * saga["record_cpu_us"]) * assume["core"],
    }


def broker_limits(figures):
    """Sagas a second of one broker of many, by what ends it."""
    saga, assume = figures.saga, figures.assume
    written = saga["kafka_bytes"] * assume["replication"]
    return {
        "its cores": assume["broker_cores"] * 1e6 / figures.kafka_cpu_us(assume["request_records"]),
        "its disk's speed": assume["broker_disk_megabytes"] * 1e6 / written,
        "its network": assume["network_gigabits"] * 1e9 / 8 / written,
        "its disk": assume["broker_terabytes"] * 1e12 / (written * assume["kafka_hours"] * 3600),
    }


def first(limits):
    """(name, rate) of what ends first."""
    return min(limits.items(), key=lambda limit: limit[1])


def needed(rate, limits, headroom, least):
    return max(least, math.ceil(rate / (first(limits)[1] * headroom)))


def plan(rate, figures):
    """What a rate needs, as numbers. Shared triggers: the processes of each cell read all of them."""
    saga, assume = figures.saga, figures.assume
    headroom, copies = assume["headroom"], assume["replication"]
    databases = needed(rate, database_limits(figures), headroom, 1)
    a_cell = needed(rate / databases, process_limits(figures), headroom, 3)
    inputs = rate / databases * saga["records_in"]
    batch = max(1.0, min(saga["batch_records"], inputs / a_cell / assume["lanes"] * assume["batch_seconds"]))
    foreign = rate * (databases - 1)
    ingress_us = inputs * saga["record_cpu_us"] + foreign / databases * saga["skip_cpu_us"]
    return {
        "databases": databases, "processes": databases * a_cell, "processes_a_cell": a_cell,
        "brokers": needed(rate, broker_limits(figures), headroom, 3),
        "orchestrator_cores": rate * figures.cpu_us("orchestrator_cpu_us", batch) / 1e6,
        "postgres_cores": rate * figures.cpu_us("postgres_cpu_us", batch) / 1e6,
        "kafka_cores": rate * figures.kafka_cpu_us(min(batch, assume["request_records"])) / 1e6,
        "participant_cores": rate * saga["sdk_cpu_us"] / 1e6 / assume["core"],
        "batch": batch,
        "commits_a_database": inputs / batch,
        "freeze_days": XIDS_UNTIL_FREEZE / (inputs / batch) / DAY_SECONDS,
        "wal_megabytes_a_database": rate / databases * wal_bytes_a_saga(figures) / 1e6,
        "terabytes_a_day": rate * (saga["table_bytes"] + saga["index_bytes"]) * DAY_SECONDS / 1e12,
        "connections_a_database": a_cell * (assume["lanes"] + saga["other_connections"]),
        "messages": rate * saga["kafka_messages"],
        "trigger_partitions": max(4 * a_cell, math.ceil(rate / assume["partition_records"])),
        "kafka_written_megabytes": rate * saga["kafka_bytes"] * copies / 1e6,
        "kafka_terabytes": rate * saga["kafka_bytes"] * copies * assume["kafka_hours"] * 3600 / 1e12,
        "network_gigabits": rate * (saga["kafka_bytes"] * (1 + copies) + wal_bytes_a_saga(figures)
                                    + saga["statement_bytes"]) * 8 / 1e9,
        "skip_cores": foreign * saga["skip_cpu_us"] / 1e6 / assume["core"],
        "skip_gigabits": foreign * saga["trigger_bytes"] * 8 / 1e9,
        "ingress_busy": ingress_us / a_cell / 1e6 / assume["core"],
    }


def _number(value):
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2g}"


ROWS = (
    ("Databases (cells)", lambda plan: str(plan["databases"])),
    ("Processes (a cell)", lambda plan: f"{plan['processes']} ({plan['processes_a_cell']})"),
    ("Brokers", lambda plan: str(plan["brokers"])),
    ("Cores busy: orchestrator", lambda plan: _number(plan["orchestrator_cores"])),
    ("… PostgreSQL", lambda plan: _number(plan["postgres_cores"])),
    ("… Kafka, with its followers", lambda plan: _number(plan["kafka_cores"])),
    ("… participants with inbox, and their databases", lambda plan: _number(plan["participant_cores"])),
    ("Inputs in a batch", lambda plan: _number(plan["batch"])),
    ("Commits/s a database", lambda plan: _number(plan["commits_a_database"])),
    ("Days until autovacuum must freeze for transaction ids", lambda plan: _number(plan["freeze_days"])),
    ("WAL a database, MB/s", lambda plan: _number(plan["wal_megabytes_a_database"])),
    ("Tables and indexes, TB a day", lambda plan: _number(plan["terabytes_a_day"])),
    ("Connections a database", lambda plan: str(plan["connections_a_database"])),
    ("Kafka messages/s", lambda plan: _number(plan["messages"])),
    ("Partitions of a trigger topic", lambda plan: str(plan["trigger_partitions"])),
    ("Kafka writes, MB/s, all copies", lambda plan: _number(plan["kafka_written_megabytes"])),
    ("Kafka keeps, TB, all copies", lambda plan: _number(plan["kafka_terabytes"])),
    ("Network, Gbit/s, everything", lambda plan: _number(plan["network_gigabits"])),
    ("Shared triggers: cores that skip", lambda plan: _number(plan["skip_cores"])),
    ("… Gbit/s more", lambda plan: _number(plan["skip_gigabits"])),
    ("… a process's ingress thread busy", lambda plan: f"{plan['ingress_busy']:.0%}"),
)


def table(figures):
    """The lines of the table of docs/scaling.md."""
    plans = [plan(rate, figures) for rate in RATES]
    yield "| Sagas a second | " + " | ".join(f"{rate:,}" for rate in RATES) + " |"
    yield "|---|" + "---:|" * len(RATES)
    for name, show in ROWS:
        yield f"| {name} | " + " | ".join(show(one) for one in plans) + " |"


def limits_table(figures):
    """What one database, process and broker can do, all of it used."""
    yield "| One | ends at, sagas/s | by |"
    yield "|---|---:|---|"
    for name, limits in (("database", database_limits(figures)), ("process", process_limits(figures)),
                         ("broker", broker_limits(figures))):
        for what, rate in sorted(limits.items(), key=lambda limit: limit[1]):
            yield f"| {name} | {_number(rate)} | {what} |"


def assumptions_table(figures, costs):
    """The assumptions as they count in `figures`."""
    yield "| Name | Value | What it is |"
    yield "|---|---:|---|"
    for name, entry in costs["assumptions"].items():
        yield f"| `{name}` | {figures.assume[name]:g} | {entry['what']} |"
