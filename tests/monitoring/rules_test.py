"""Goal: alert rules, dashboards, runbook, errors and metrics name the same things, and each rule does what it says.

Method: promtool runs rules.test.yaml; the rest compares texts. Needs no server.
"""

import json
import pathlib
import re
import subprocess
import unittest

from monitored import RULES, SOURCE, run, scaled

TEXT = RULES.read_text(encoding="utf-8")
CASES = (SOURCE / "tests/monitoring/rules.test.yaml").read_text(encoding="utf-8")
RUNBOOK = (SOURCE / "docs/runbook.md").read_text(encoding="utf-8")
ERRORS = (SOURCE / "docs/errors.md").read_text(encoding="utf-8")
METRICS = set(re.findall(r"\| `((?:skald|process)_[a-z_]+)`", (SOURCE / "docs/metrics.md").read_text(encoding="utf-8")))
DASHBOARDS = sorted((SOURCE / "charts/skald/files/dashboards").glob("*.json"))


def alerts():
    """{name: its lines}"""
    return {part.split("\n", 1)[0]: part for part in TEXT.split("- alert: ")[1:]}


def codes(text):
    """Those in headings; SKALD-951 to SKALD-959 stands for all between."""
    found = set()
    for heading in re.findall(r"(?m)^#+ (.*SKALD-.*)$", text):
        for first, last in re.findall(r"SKALD-(\d{3})(?: to SKALD-(\d{3}))?", heading):
            found.update(range(int(first), int(last or first) + 1))
    return found


def expressions():
    yield from re.findall(r"(?ms)^        expr: (.*?)^        (?:for|labels):", TEXT)
    for file in DASHBOARDS:
        for panel in json.loads(file.read_text(encoding="utf-8"))["panels"]:
            yield from (target["expr"] for target in panel.get("targets", []))


class Rules(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.promtool = pathlib.Path(run([str(SOURCE / "tools/prometheus")], limit=300).stdout.strip()) / "promtool"

    def test_promtool_finds_them_right_and_each_case_holds(self):
        for command in (["check", "rules", str(RULES)], ["test", "rules", str(SOURCE / "tests/monitoring/rules.test.yaml")]):
            done = subprocess.run([str(self.promtool), *command], capture_output=True, text=True, timeout=120, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_each_has_a_case_in_which_it_fires_and_one_in_which_it_is_silent(self):
        asked = re.findall(r'alertname="(\w+)".*?exp_samples: \[\{value: (\d)\}\]', CASES)
        for alert in alerts():
            self.assertEqual({value != "0" for name, value in asked if name == alert}, {True, False}, alert)

    def test_each_says_how_bad_it_is_what_it_is_and_where_its_runbook_stands(self):
        for alert, lines in alerts().items():
            self.assertRegex(lines, r"severity: (critical|warning)", alert)
            self.assertRegex(lines, r"summary: '.+'", alert)
            self.assertIn(f"runbook: docs/runbook.md#{alert.lower()}\n", lines)
            self.assertIn(f"\n### {alert}\n", RUNBOOK)

    def test_the_runbook_has_a_section_for_each_alert_and_code_and_for_no_other(self):
        self.assertEqual(set(re.findall(r"(?m)^### (Skald\w+)$", RUNBOOK)), set(alerts()))
        self.assertEqual(sorted(codes(RUNBOOK)), sorted(codes(ERRORS)))

    def test_rules_and_dashboards_use_metrics_there_are(self):
        used = set()
        for expression in expressions():
            names = re.findall(r"\b(?:skald|process)_[a-z_]+", expression)
            used.update(re.sub(r"_(bucket|sum|count)$", "", name) if name not in METRICS else name for name in names)
        self.assertEqual(used - METRICS - {"skald_namespace"}, set())
        self.assertGreater(len(used), 40)

    def test_dashboards_are_what_their_script_writes(self):
        done = run([str(SOURCE / "tools/dashboards"), "--check"])
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_scaling_for_the_test_on_a_stack_changes_times_only(self):
        def without_times(text):
            text = re.sub(r"offset \w+", "offset", text)
            return re.sub(r"\[[^\[\]]*\d[smhd][^\[\]]*\]", "[]", re.sub(r"(?m)^\s*for: \S+$", "", text))
        self.assertEqual(without_times(scaled(TEXT)), without_times(TEXT))
        self.assertNotEqual(scaled(TEXT), TEXT)


if __name__ == "__main__":
    unittest.main()
