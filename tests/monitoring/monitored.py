"""A running stack that a real Prometheus scrapes: what the tests of alerts and dashboards share.

Prometheus looks every second. Its rules may be scaled: every `for:` becomes SCALED_FOR and every window of a rate or an
increase SCALED_WINDOW, and the minute that bridges a failed scrape three seconds, so that a fault of a quarter of an hour fits into seconds; nothing else of a rule is touched.
"""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

SOURCE = pathlib.Path(__file__).resolve().parents[2]
RULES = SOURCE / "charts/skald/files/rules.yaml"
SCALED_FOR, SCALED_WINDOW = "2s", "100s"  # longer than any test stops a process


def scaled(rules):
    rules = re.sub(r"(?m)^(\s*for:) \S+$", rf"\1 {SCALED_FOR}", rules)
    rules = re.sub(r"offset \d+[smhd]", f"offset {SCALED_WINDOW}", rules)
    rules = re.sub(r"\[\d+[smhd]:\d+[smhd]\]", f"[{SCALED_WINDOW}:1s]", rules)
    return re.sub(r"\[\d+[smhd]\]", lambda found: "[3s]" if found[0] == "[1m]" else f"[{SCALED_WINDOW}]", rules)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def eventually(limit, question, what, every=0.2):
    """What `question` answers once that is true; what it says no longer counts after `limit` seconds."""
    deadline = time.monotonic() + limit
    pause = threading.Event()
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {limit} s: {what() if callable(what) else what}")
        pause.wait(every)


def run(command, stdin=None, limit=120, environment=None):
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=limit, check=False,
                          env={**os.environ, **(environment or {})})


class Process:
    """Ended with the object, by its own pid."""

    def __init__(self, command, log, environment=None):
        self.log = log
        with open(log, "ab") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL,
                                            start_new_session=True, env={**os.environ, **(environment or {})})

    def send(self, number):
        self.process.send_signal(number)

    def is_running(self):
        return self.process.poll() is None

    def end(self, number=signal.SIGTERM, limit=40):
        if self.is_running():
            self.send(number)
            if number == signal.SIGTERM:
                self.send(signal.SIGCONT)
        try:
            return self.process.wait(limit)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait(limit)

    def said(self):
        return pathlib.Path(self.log).read_text(encoding="utf-8", errors="replace")


class Stack:
    """PostgreSQL and Kafka of its own."""

    def __init__(self, folder):
        self.folder = folder
        started = run([str(SOURCE / "tools/stack"), "start", str(folder)], limit=300)
        if started.returncode != 0:
            raise RuntimeError(started.stderr)
        lines = (folder / "stack.env").read_text(encoding="utf-8").splitlines()
        values = dict(line.split("=", 1) for line in lines)
        self.postgres, self.kafka = values["SKALD_POSTGRES"], values["SKALD_KAFKA"]
        self.kafka_pid = int(values["SKALD_KAFKA_PID"])

    def remove(self):
        os.kill(self.kafka_pid, signal.SIGCONT)
        run([str(SOURCE / "tools/stack"), "remove", str(self.folder)])

    def sql(self, statement):
        done = run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statement, self.postgres])
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        return done.stdout.strip()

    def publish(self, topic, key, value, headers=()):
        command = ["kcat", "-P", "-b", self.kafka, "-t", topic, "-k", key]
        for name, text in headers:
            command += ["-H", f"{name}={text}"]
        done = run(command, stdin=value)
        if done.returncode != 0:
            raise AssertionError(done.stderr)


class Prometheus:
    """Scrapes every second what `targets` says last."""

    def __init__(self, folder, rules):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.port = folder, free_port()
        self.programs = pathlib.Path(run([str(SOURCE / "tools/prometheus")], limit=300).stdout.strip())
        (folder / "rules.yaml").write_text(rules, encoding="utf-8")
        self.targets([])
        (folder / "prometheus.yaml").write_text(
            "global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}\n"
            f"rule_files: [{folder}/rules.yaml]\n"
            "scrape_configs:\n"
            f"  - {{job_name: skald, file_sd_configs: [{{files: [{folder}/targets.json], refresh_interval: 1s}}]}}\n",
            encoding="utf-8")
        self.process = Process(
            [str(self.programs / "prometheus"), f"--config.file={folder}/prometheus.yaml",
             f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{self.port}",
             "--log.level=warn"], folder / "log")
        eventually(60, self.is_ready, self.process.said)

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=2) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def targets(self, ports):
        new = self.folder / "targets.json.new"
        new.write_text(json.dumps([{"targets": [f"127.0.0.1:{port}" for port in ports]}]), encoding="utf-8")
        new.rename(self.folder / "targets.json")

    def ask(self, path, **parameters):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=20) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters}: {error.read().decode()}") from error

    def query(self, expression):
        """[(labels, value)] now."""
        return [(one["metric"], float(one["value"][1])) for one in self.ask("query", query=expression)["result"]]

    def history(self, expression, seconds, step="1s"):
        """[(labels, [(time, value)])] of the last `seconds`."""
        now = time.time()
        answer = self.ask("query_range", query=expression, start=now - seconds, end=now, step=step)
        return [(one["metric"], [(at, float(value)) for at, value in one["values"]]) for one in answer["result"]]

    def firing(self, alert=None):
        """The labels of the alerts that fire, of this name if one is given."""
        found = [one["labels"] for one in self.ask("alerts")["alerts"] if one["state"] == "firing"]
        return [labels for labels in found if alert in (None, labels["alertname"])]
