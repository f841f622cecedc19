"""What is measured: Skald, and the floor beside it. Both are started, given orders, and stopped the same way."""

import json
import subprocess
import threading
import time
import urllib.error
import urllib.request

from harness.machine import BenchError, cpu_seconds, free_port, wait_for

PARTITIONS = 8
SESSION_TIMEOUT_MS = 6000
STEPS = {"reserve-stock": "inventory", "charge-card": "payments", "ship-order": "shipping"}


class Load:
    """order-load under way: its progress by time, at the end its report."""

    def __init__(self, machine, topic, lifecycle, options):
        command = [machine.build / "examples/order/load/order-load", "--kafka", machine.kafka, "--topic", topic,
                   "--lifecycle", lifecycle, "--uuid", "--only-at-shipping", "--timeout", "60", *options]
        self._process = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL,
                                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.progress = [(time.monotonic(), 0)]
        self._last = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._process.stdout:
            self._last = line
            words = line.split()
            if words[:2] == ["progress", "sent"]:
                self.progress.append((time.monotonic(), int(words[4])))

    def rate(self, begin, end):
        """Outcomes a second between two moments, from the progress lines within."""
        points = [point for point in self.progress if begin <= point[0] <= end]
        if len(points) < 2:
            return 0.0
        return (points[-1][1] - points[0][1]) / (points[-1][0] - points[0][0])

    def finish(self):
        self._reader.join()
        errors = self._process.stderr.read()
        if self._process.wait() != 0:
            raise BenchError(f"the load failed: {self._last.strip()} {errors.strip()}")
        return json.loads(self._last)


class Side:
    """One of the two; `schema` holds its tables, `processes` are its orchestrators."""

    def __init__(self, machine):
        self.machine = machine
        self.processes = []
        self.participants = None

    def load(self, orders, in_flight=5000, warm_up=0, rate=0, padding=0):
        options = ["--orders", orders, "--warm-up", warm_up, "--padding", padding]
        options += ["--rate", rate] if rate else ["--in-flight", in_flight]
        return Load(self.machine, self.orders, self.lifecycle, options)

    def cpu(self):
        return {"orchestrator": sum(cpu_seconds(process.pid) for process in self.processes),
                "participants": cpu_seconds(self.participants.pid) if self.participants else 0.0,
                "postgres": self.machine.postgres_cpu(), "kafka": self.machine.kafka_cpu()}

    def stop(self):
        for process in self.processes:
            self.machine.end(process)
        self.processes = []


class Floor(Side):
    """The same messages and rows without saga logic; every start has topics and a schema of its own."""

    name = "floor"
    made = 0

    def __init__(self, machine, linger_ms):
        """Messages that linger cost a loaded floor less and an idle one time: each benchmark gives it what is best."""
        super().__init__(machine)
        self.linger_ms = linger_ms

    def start(self):
        machine = self.machine
        Floor.made += 1
        run = self.schema = f"floor{Floor.made}"
        self.orders, self.lifecycle = f"{run}.orders", f"{run}.lifecycle"
        tables = "".join(path.read_text() for path in sorted((machine.root / "migrations").glob("V*.sql")))
        machine.ask(f"CREATE SCHEMA {run}")
        machine.ask(f"SET search_path = {run}; {tables}")
        topics = ",".join(f"{run}.{topic}"
                          for topic in ("orders", "replies", "lifecycle", "inventory", "payments", "shipping"))
        subprocess.run([machine.build / "examples/order/load/order-load", "--kafka", machine.kafka, "--partitions",
                        str(PARTITIONS), "--create", topics], check=True)
        program = [machine.build / "bench/floor", "--kafka", machine.kafka, "--name", run, "--linger-ms",
                   self.linger_ms]
        self.participants = machine.run("floor-participants", *program, "participants")
        self.processes = [machine.run("floor", *program, "orchestrate", "--postgres", machine.postgres)]

    def stop(self):
        super().stop()
        self.machine.end(self.participants)


class Skald(Side):
    """`place-order` with its defaults. `participants`: "memory" (the floor's), "sdk" (with inbox), or "none".

    Each has a namespace, topics and a schema of its own; its starts go on where it stopped.
    """

    name = "skald"
    made = 0

    def __init__(self, machine, program="examples/place-order", participants="memory", triggers=("order-placed",),
                 steps=tuple(STEPS), runtime=None):
        super().__init__(machine)
        Skald.made += 1
        self.namespace = namespace = f"bench{Skald.made}"
        self.schema = f"skald{Skald.made}"
        self.steps = {step: f"{namespace}.{STEPS[step]}" for step in steps}
        self.program = machine.build / program
        self.runtime = {"heartbeat_interval": "1s", "incarnation_lease": f"{SESSION_TIMEOUT_MS // 1000}s",
                        **(runtime or {})}
        self.with_participants = participants
        self.triggers = triggers
        self.orders = f"{namespace}.{triggers[0]}"
        self.lifecycle = f"skald.{namespace}.lifecycle"
        self.ports = []
        subprocess.run([self.program, "migrate", "--config", self._configuration(0)], check=True,
                       stdout=subprocess.DEVNULL)

    def _configuration(self, port):
        path = self.machine.folder / f"{self.namespace}-{port}.yaml"
        triggers = "".join(f"  {name}: {{topic: {self.namespace}.{name}}}\n" for name in self.triggers)
        runtime = ", ".join(f"{key}: {value}" for key, value in self.runtime.items())
        steps = "".join(f"  {name}: {{topic: {topic}}}\n" for name, topic in self.steps.items())
        path.write_text(f"""namespace: {self.namespace}
postgres: {{uri: "{self.machine.postgres}", schema: {self.schema}}}
kafka:
  bootstrap_servers: {self.machine.kafka}
  properties: {{session.timeout.ms: {SESSION_TIMEOUT_MS}}}
topics: {{create: true, partitions: {PARTITIONS}}}
runtime: {{{runtime}}}
http: {{listen: "127.0.0.1:{port or 1}"}}
triggers:
{triggers}{"steps:" if steps else "# no command steps"}
{steps}log: {{level: warning}}
""", encoding="utf-8")
        return path

    def start(self, processes=1):
        if self.with_participants == "memory":
            self._start_in_memory()
        elif self.with_participants == "sdk":
            self.participants = self.machine.run(
                "participants", self.machine.build / "examples/order/participants/order-participants", "--kafka",
                self.machine.kafka, "--postgres", self.machine.postgres, "--schema", f"{self.schema}_participants",
                "--topic", self.commands(), "--kafka-property", f"session.timeout.ms={SESSION_TIMEOUT_MS}")
        self.ports = [free_port() for _ in range(processes)]
        self.processes = [self.launch(port) for port in self.ports]
        for port in self.ports:
            wait_for("the orchestrator is ready", lambda port=port: self.is_ready(port), 60)

    def launch(self, port):
        return self.machine.run("skald", self.program, "serve", "--config", self._configuration(port))

    @staticmethod
    def is_ready(port):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def commands(self):
        return ",".join(f"{self.namespace}.{topic}" for topic in STEPS.values())

    def _start_in_memory(self):
        """Once, since they read their topics from the beginning: they answer all starts of this side."""
        if self.participants is not None:
            return
        topics = [self.machine.build / "examples/order/load/order-load", "--kafka", self.machine.kafka,
                  "--partitions", str(PARTITIONS), "--create", self.commands()]
        subprocess.run(topics, check=True)
        self.participants = self.machine.run("memory-participants", self.machine.build / "bench/floor", "--kafka",
                                             self.machine.kafka, "participants", "--commands", self.commands())

    def stop(self):
        super().stop()
        if self.with_participants == "sdk":
            self.machine.end(self.participants)

    def close(self):
        if self.with_participants == "memory" and self.participants is not None:
            self.machine.end(self.participants)
