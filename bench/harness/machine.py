"""The machine under test: a private PostgreSQL and Kafka, processes, and what they cost in processor time."""

import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import time

TICKS = os.sysconf("SC_CLK_TCK")


def say(text):
    print(text, file=sys.stderr, flush=True)


class BenchError(Exception):
    """Ends the run with a message and exit code 1."""


def free_port():
    for _ in range(200):
        port = random.randrange(20000, 32000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise BenchError("found no free port")


def cpu_seconds(pid, with_children=False):
    """User and system time of a process; of the children it has waited for as well, if asked."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    return sum(int(field) for field in fields[11 : 15 if with_children else 13]) / TICKS


def children(pid):
    tasks = pathlib.Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


class Machine:
    """PostgreSQL and Kafka in a folder of this run's, and every process started on them."""

    def __init__(self, root, build):
        self.root = root
        self.build = build
        self.folder = root / ".stack" / "bench"
        self.logs = self.folder / "logs"
        self.processes = []
        self.environment = {}

    def start(self):
        self._stack("remove")
        self.logs.mkdir(parents=True)
        say("starting PostgreSQL and Kafka")
        self._stack("start")
        for line in (self.folder / "stack.env").read_text().splitlines():
            name, _, value = line.partition("=")
            self.environment[name] = value
        self.postgres = self.environment["SKALD_POSTGRES"]
        self.kafka = self.environment["SKALD_KAFKA"]

    def stop(self):
        for process in list(self.processes):
            self.end(process)
        self._stack("stop")

    def _stack(self, verb):
        subprocess.run([self.root / "tools" / "stack", verb, self.folder], check=True)

    def run(self, name, *command):
        """Starts a process whose output goes to logs/NAME.log."""
        with open(self.logs / f"{name}.log", "a", encoding="utf-8") as log:
            process = subprocess.Popen(
                [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def end(self, process, how=signal.SIGTERM):
        if process.poll() is None:
            process.send_signal(how)
        process.wait()
        self.processes.remove(process)

    def ask(self, sql):
        """The answer of one statement, unaligned."""
        done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql, self.postgres],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise BenchError(f"psql: {done.stderr.strip()}")
        return done.stdout.strip()

    def postgres_cpu(self):
        postmaster = int(self.environment["SKALD_POSTGRES_PID"])
        return cpu_seconds(postmaster, with_children=True) + sum(cpu_seconds(pid) for pid in children(postmaster))

    def kafka_cpu(self):
        return cpu_seconds(int(self.environment["SKALD_KAFKA_PID"]))

    def kafka_bytes(self):
        return sum(log.stat().st_size for log in (self.folder / "kafka" / "data").rglob("*.log"))

    def keep(self, topic, seconds):
        """Kafka forgets what is older, a segment at a time."""
        jars = pathlib.Path(f"/proc/{self.environment['SKALD_KAFKA_PID']}/cmdline").read_bytes().split(b"\0")
        jars = jars[jars.index(b"-cp") + 1].decode()
        kept = f"retention.ms={seconds * 1000},segment.bytes={64 << 20},segment.ms={seconds * 500}"
        done = subprocess.run(["java", "-cp", jars, "kafka.admin.ConfigCommand", "--bootstrap-server", self.kafka,
                               "--alter", "--entity-type", "topics", "--entity-name", topic, "--add-config", kept],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise BenchError(f"topic {topic}: {done.stdout.strip()} {done.stderr.strip()}")

    def free_disk_bytes(self):
        return shutil.disk_usage(self.folder).free

    def describe(self):
        settings = self.ask(
            "SELECT string_agg(name || ' ' || setting || coalesce(unit, ''), ', ' ORDER BY name) FROM pg_settings"
            " WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes', 'checkpoint_timeout', 'max_wal_size',"
            " 'shared_buffers', 'wal_compression')")
        return {"cores": os.cpu_count(), "load_average": os.getloadavg()[0], "postgres": settings}


def wait_for(what, condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise BenchError(f"{what}: not within {seconds} s; see .stack/bench/logs")
        time.sleep(0.05)
