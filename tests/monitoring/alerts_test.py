"""Goal: every alert fires when its fault happens to a running stack, and every panel of the dashboards shows something.

Method: orchestrators on a real Kafka and PostgreSQL, scraped by a real Prometheus with the rules of the chart, scaled in
time only (monitored.py). Orders run through first, and nothing fires; then one fault after the other is caused, and the
test waits until Prometheus says that its alert fires. Usage: alerts_test.py BUILD_FOLDER [unittest arguments]
"""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

import monitored
from monitored import RULES, SOURCE, Process, Prometheus, Stack, eventually, free_port, run, scaled

BUILD = pathlib.Path(sys.argv.pop(1)).resolve() if len(sys.argv) > 1 else SOURCE / "build"
PLACE_ORDER = BUILD / "examples/place-order"
LAGGARD = BUILD / "tests/monitoring/laggard"
ALERTS = re.findall(r"- alert: (\w+)", RULES.read_text(encoding="utf-8"))
CONFIGURATION = """
namespace: {name}
postgres: {{uri: "{postgres}", schema: {name}}}
kafka:
  bootstrap_servers: {kafka}
  properties: {{session.timeout.ms: 10000}}
topics: {{create: true, partitions: 3}}
http: {{listen: "127.0.0.1:{port}"}}
runtime:
  heartbeat_interval: 500ms
  incarnation_lease: 3s
  foreign_grace: 2s
  adopt_interval: 500ms
  gauges_interval: 1s
  history_warning_transitions: 4
"""
ORDERS = """
sagas: {place-order: {objective: 30s}}
triggers: {order-placed: {topic: mon.orders}}
steps:
  reserve-stock: {topic: mon.inventory, schedule_to_close: 1h}
  charge-card: {topic: mon.payments, schedule_to_close: 1h}
  ship-order: {topic: mon.shipping, start_to_close: 5s, schedule_to_close: 5s}
"""


class Orchestrator:
    """`place-order serve` or another program on a port that stays its own."""

    def __init__(self, stack, folder, number, name="mon", program=PLACE_ORDER, more=ORDERS, environment=None):
        self.port, self.program, self.environment = free_port(), program, environment
        self.config, self.log = folder / f"{name}{number}.yaml", folder / f"{name}{number}.log"
        self.config.write_text(CONFIGURATION.format(name=name, postgres=stack.postgres, kafka=stack.kafka,
                                                    port=self.port) + more, encoding="utf-8")
        self.process = None

    def command(self, *arguments, expected=0, environment=None):
        done = run([str(self.program), *arguments, "--config", str(self.config)], environment=environment)
        if done.returncode != expected:
            raise AssertionError(f"{arguments}: {done.returncode} {done.stdout} {done.stderr}")
        return done.stdout

    def begin(self, await_ready=True, environment=None):
        self.process = Process([str(self.program), "serve", "--config", str(self.config)], self.log,
                               {**(self.environment or {}), **(environment or {})})
        if await_ready:
            eventually(60, self.is_ready, self.process.said)
        return self

    def is_ready(self):
        return run(["curl", "-fs", "-o", "/dev/null", "--max-time", "2",
                    f"http://127.0.0.1:{self.port}/readyz"]).returncode == 0

    def end(self, number=signal.SIGTERM):
        if self.process:
            self.process.end(number)
            self.process = None

    def metrics(self):
        return run(["curl", "-fs", "--max-time", "5", f"http://127.0.0.1:{self.port}/metrics"]).stdout


class Alerts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="skald-monitoring-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.folder.chmod(0o755)
        cls.stack = Stack(cls.folder / "stack")
        cls.addClassCleanup(cls.stack.remove)
        cls.prometheus = Prometheus(cls.folder / "prometheus", scaled(RULES.read_text(encoding="utf-8")))
        cls.addClassCleanup(cls.prometheus.process.end)
        cls.first = Orchestrator(cls.stack, cls.folder, 1)
        cls.second = Orchestrator(cls.stack, cls.folder, 2)
        release = cls.folder / "release"
        os.mkfifo(release)
        cls.laggard = Orchestrator(cls.stack, cls.folder, 1, "lag", LAGGARD, "", {"SKALD_TEST_RELEASE": str(release)})
        for orchestrator in (cls.first, cls.second, cls.laggard):
            cls.addClassCleanup(orchestrator.end, signal.SIGKILL)
        cls.first.command("migrate")
        cls.first.begin()
        cls.prometheus.targets([cls.first.port])
        cls.seen = set()

    # --- what the tests do ---

    def awaits(self, alert, limit=60, **labels):
        """Waits until it fires, with these labels."""
        def found():
            return [one for one in self.prometheus.firing(alert) if labels.items() <= one.items()]
        firing = eventually(limit, found, lambda: f"{alert} {labels}; firing: {self.prometheus.firing()}")
        self.seen.add(alert)
        return firing[0]

    def awaits_end(self, alert, limit=90):
        eventually(limit, lambda: not self.prometheus.firing(alert), f"{alert} still fires")

    def awaits_value(self, expression, limit=60):
        eventually(limit, lambda: self.prometheus.query(expression), f"{expression} holds")

    def start(self, name):
        order = json.dumps({"id": name, "customer": "ann", "sku": "book", "total_cents": 5})
        self.first.command("start", "place-order", "--id", name, "--input", order, "--url",
                           f"http://127.0.0.1:{self.first.port}")

    def reply(self, name, step, attempt, data):
        """`data` empty: a refusal for good."""
        how = "succeeded" if data else "failed"
        self.stack.publish("skald.mon.replies", name, data or '{"code":"no","message":"never","retryable":false}', [
            ("ce_specversion", "1.0"), ("ce_id", f"{name}/{attempt}"), ("ce_source", "/test"),
            ("ce_type", f"{step}.{how}"), ("ce_correlationid", name), ("content-type", "application/json"),
            ("ce_causationid", f"mon/place-order/{name}/{attempt}")])

    def make_stuck(self, name):
        """Charging is refused, and then giving the stock back."""
        self.start(name)
        self.reply(name, "reserve-stock", "1/action/1", '{"id":"r","warehouse":"north"}')
        self.reply(name, "charge-card", "2/action/1", "")
        eventually(20, lambda: "reserve-stock compensation" in self.first.command("show", name), "it rolls back")
        self.reply(name, "reserve-stock", "1/compensation/1", "")
        eventually(20, lambda: "STUCK" in self.first.command("show", name), "it is stuck")

    # --- in this order ---

    def test_01_orders_run_through_and_nothing_fires(self):
        participants = [
            Process([str(BUILD / f"examples/order/participants/order-{name}"), "--kafka", self.stack.kafka,
                     "--postgres", self.stack.postgres, "--schema", name, "--group", f"mon.{name}", "--topic",
                     f"mon.{name}"], self.folder / f"{name}.log") for name in ("inventory", "payments", "shipping")]
        try:
            load = run([str(BUILD / "examples/order/load/order-load"), "--kafka", self.stack.kafka, "--topic",
                        "mon.orders", "--lifecycle", "skald.mon.lifecycle", "--orders", "300", "--rate", "15",
                        "--timeout", "60", "--settle-ms", "500", "--outcomes", str(self.folder / "outcomes")])
        finally:
            for participant in participants:
                participant.end()
        self.assertEqual(load.returncode, 0, load.stdout + load.stderr)
        self.awaits_value('sum(skald_sagas_ended_total{outcome="completed"}) > 200')
        fired = self.prometheus.history('ALERTS{alertstate="firing",alertname!="SkaldHistoryLimitNear"}', 120)
        fired = [labels["alertname"] for labels, _ in fired if labels["alertname"] != "SkaldDown"]  # until it was scraped
        self.assertEqual(fired, [])

    def test_02_metrics_are_clean_and_name_no_saga(self):
        text = self.first.metrics()
        checked = run([str(self.prometheus.programs / "promtool"), "check", "metrics"], stdin=text)
        self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, ""))
        self.assertNotIn("saga_id", text)

    def test_03_a_saga_with_a_long_history(self):
        """The mark of the warning is set so low that every order passes it."""
        self.make_stuck("long-1")
        self.awaits("SkaldHistoryLimitNear", definition="place-order")

    def test_04_compensations_that_are_refused(self):
        self.make_stuck("stuck-1")
        self.make_stuck("stuck-2")
        self.awaits("SkaldCompensationsFailing", definition="place-order", step="reserve-stock")

    def test_05_stuck_sagas_and_the_oldest_one(self):
        self.awaits("SkaldSagasStuck", definition="place-order", reason="compensation-refused")
        self.awaits("SkaldSagaOverObjective", definition="place-order")
        batch = ("batch", "end", "--reason", "compensation-refused", "--who", "ann", "--why", "test", "--url",
                 f"http://127.0.0.1:{self.first.port}")
        self.first.command(*batch)
        self.awaits_end("SkaldSagasStuck")
        self.awaits_end("SkaldSagaOverObjective")

    def test_06_garbage_becomes_dead_letters(self):
        self.stack.publish("mon.orders", "junk", "this is no JSON")
        self.awaits("SkaldDeadLetters", topic="mon.orders")

    def test_07_a_duplicate_is_counted_and_no_alert(self):
        for _ in range(2):
            self.stack.publish("mon.orders", "twice-1", '{"id":"twice-1","customer":"a","sku":"b","total_cents":1}')
        self.awaits_value("sum(skald_duplicates_total) > 0")
        self.reply("stuck-1", "reserve-stock", "1/compensation/1", "{}")  # it has been ended meanwhile
        self.awaits_value("sum(skald_inputs_ignored_total) > 0")

    def test_08_a_backlog_that_grows(self):
        self.first.command("pauses", "begin", "--definition", "place-order", "--who", "ann", "--why", "test")
        self.awaits_value("sum(skald_partitions_paused) > 0")
        orders = "".join(f'{{"id":"b-{number}","customer":"a","sku":"b","total_cents":1}}\n' for number in range(400))
        def more():
            self.stack.publish("mon.orders", "backlog", orders)
            return [one for one in self.prometheus.firing("SkaldConsumerLagGrowing") if one["topic"] == "mon.orders"]
        eventually(180, more, lambda: self.prometheus.query("skald_consumer_lag_records"), every=3)
        self.seen.add("SkaldConsumerLagGrowing")
        # A reply to a saga that is paused is kept in the database.
        self.reply("twice-1", "reserve-stock", "1/action/1", '{"id":"r","warehouse":"north"}')
        self.awaits_value('sum(skald_parked_total{reason="paused"}) > 0')
        self.first.command("pauses", "end", "--definition", "place-order", "--who", "ann", "--why", "test")
        self.awaits_value("sum(skald_consumer_lag_records) == 0", limit=120)

    def test_09_transactions_that_wait_for_a_lock(self):
        holder = "BEGIN; LOCK TABLE mon.saga IN EXCLUSIVE MODE; SELECT pg_sleep(2.5); COMMIT"
        def slow():
            lock = subprocess.Popen(["psql", "-X", "-q", "-c", holder, self.stack.postgres], stdout=subprocess.DEVNULL)
            eventually(10, lambda: self.stack.sql("SELECT count(*) FROM pg_locks WHERE granted AND mode = 'ExclusiveLock' "
                                                  "AND relation = 'mon.saga'::regclass") == "1", "it is locked")
            slow.count += 1
            self.stack.publish("mon.orders", "slow", json.dumps(
                {"id": f"slow-{slow.count}", "customer": "a", "sku": "b", "total_cents": 1}))
            lock.wait(30)
            return self.prometheus.firing("SkaldCommitSlow")
        slow.count = 0
        eventually(120, slow, lambda: self.prometheus.query("skald_batch_commit_seconds_bucket"))
        self.seen.add("SkaldCommitSlow")
        self.stack.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'skald%'")

    def test_10_kafka_that_stands_still(self):
        os.kill(self.stack.kafka_pid, signal.SIGSTOP)
        try:
            self.start("outbox-1")
            self.awaits("SkaldNotReached", what="bus", limit=120)
            self.awaits("SkaldOutboxOld", limit=150)
        finally:
            os.kill(self.stack.kafka_pid, signal.SIGCONT)
        self.awaits_end("SkaldNotReached")
        self.awaits_end("SkaldOutboxOld")

    def test_11_deadlines_judged_late(self):
        """The only process is stopped while a deadline of five seconds passes."""
        eventually(60, self.first.is_ready, "ready again")
        self.start("late-1")
        self.reply("late-1", "reserve-stock", "1/action/1", '{"id":"r","warehouse":"north"}')
        self.reply("late-1", "charge-card", "2/action/1", '{"id":"p"}')
        eventually(20, lambda: "ship-order" in self.first.command("show", "late-1"), "it ships")
        self.first.process.send(signal.SIGSTOP)
        try:
            late = "SELECT count(*) FROM mon.saga WHERE saga_id = 'late-1' AND wake_at < now() - interval '63 s'"
            eventually(120, lambda: self.stack.sql(late) == "1", "the deadline has passed", every=1)
        finally:
            self.first.process.send(signal.SIGCONT)
        self.awaits("SkaldTimersLate", limit=120)

    def test_12_two_processes_that_are_not_configured_alike(self):
        self.second.begin(environment={"SKALD_LOG_LEVEL": "warning"})
        self.prometheus.targets([self.first.port, self.second.port])
        self.awaits("SkaldConfigurationDiffers")

    def test_13_a_process_taken_for_dead(self):
        self.second.process.send(signal.SIGSTOP)
        try:
            eventually(60, lambda: self.stack.sql("SELECT count(*) FROM mon.incarnation") == "1", "one is buried")
        finally:
            self.second.process.send(signal.SIGCONT)
        self.awaits("SkaldIncarnationLost", instance=f"127.0.0.1:{self.second.port}", limit=90)

    def test_14_a_process_that_dies_leaves_partitions(self):
        self.awaits_value("sum(skald_partitions_assigned) == sum(max by (topic) (skald_topic_partitions))")
        self.second.end(signal.SIGKILL)
        self.awaits("SkaldPartitionsWithoutOwner")
        self.awaits_end("SkaldPartitionsWithoutOwner")

    def test_15_a_log_that_is_not_the_one_read_before(self):
        self.first.end()
        self.stack.sql("UPDATE mon.position SET next_offset = next_offset + 100000, last_offset = last_offset + 100000 "
                       "WHERE topic = 'mon.orders' AND partition = 0")
        self.first.begin(await_ready=False)
        self.awaits("SkaldPartitionStopped", topic="mon.orders", partition="0")
        self.first.command("positions", "accept", "--topic", "mon.orders", "--partition", "0", "--offset", "0",
                           "--who", "ann", "--why", "test")
        self.awaits_end("SkaldPartitionStopped")

    def test_16_a_process_that_restarts_again_and_again(self):
        started = f'process_start_time_seconds{{instance="127.0.0.1:{self.first.port}"}}'
        for _ in range(3):
            before = self.prometheus.query(started)[0][1]
            self.first.end(signal.SIGKILL)
            self.first.begin(await_ready=False)
            self.awaits_value(f"{started} > {before}")
        self.awaits("SkaldProcessRestarting", instance=f"127.0.0.1:{self.first.port}")
        eventually(60, self.first.is_ready, "ready again")

    def test_17_local_steps_that_hang_and_fail(self):
        self.laggard.command("migrate")
        self.laggard.begin()
        self.prometheus.targets([self.first.port, self.laggard.port])
        self.awaits_value("skald_local_steps_overdue_total == 0")
        for name, fails in (("hangs", "false"), ("fails", "true")):
            self.laggard.command("start", "labour", "--id", name, "--input", f'{{"fails":{fails}}}', "--url",
                                 f"http://127.0.0.1:{self.laggard.port}")
        self.awaits("SkaldLocalStepOverdue", step="toil")
        self.awaits("SkaldBreakerOpen", step="toil")

    def test_18_panels_all_show_something(self):
        empty = []
        for file in sorted((SOURCE / "charts/skald/files/dashboards").glob("*.json")):
            for panel in json.loads(file.read_text(encoding="utf-8"))["panels"]:
                for target in panel.get("targets", []):
                    expression = target["expr"].replace("$__rate_interval", monitored.SCALED_WINDOW)
                    for variable in ("$job", "$namespace", "$database", "$definition"):
                        expression = expression.replace(variable, ".*")
                    if not self.prometheus.history(expression, 900, "2s"):
                        empty.append(f"{file.name}: {panel['title']}: {target['expr']}")
        self.assertEqual(empty, [])

    def test_19_nobody_is_there(self):
        self.first.end(signal.SIGKILL)
        self.laggard.end(signal.SIGKILL)
        self.awaits("SkaldDown")

    def test_20_no_alert_was_left_out(self):
        self.assertEqual(sorted(ALERTS), sorted(self.seen))


if __name__ == "__main__":
    unittest.main(failfast=False, verbosity=2)
