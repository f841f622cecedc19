"""Goal: no alert fires through the demo, in which an orchestrator is killed and started again.

Method: the demo of examples/order in a folder of its own, scraped every second by a Prometheus with the chart's rules as
they are. Usage: demo_test.py BUILD_FOLDER
"""

import pathlib
import re
import shutil
import sys
import tempfile
import unittest

from monitored import RULES, SOURCE, Process, Prometheus, eventually

BUILD = pathlib.Path(sys.argv.pop(1)).resolve() if len(sys.argv) > 1 else SOURCE / "build"


class Demo(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="skald-monitored-demo-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.folder.chmod(0o755)
        for name in ("examples", "tools"):  # it keeps its stack beside these: not where another demo has it
            (self.folder / name).symlink_to(SOURCE / name)

    def test_no_alert_fires(self):
        prometheus = Prometheus(self.folder / "prometheus", RULES.read_text(encoding="utf-8"))
        self.addCleanup(prometheus.process.end)
        demo = Process([str(self.folder / "examples/order/demo"), str(BUILD), "--orders", "1000"], self.folder / "log")
        self.addCleanup(demo.end)
        configuration = self.folder / ".stack/demo/place-order.yaml"

        def listens():  # a file that is there may not be written to its end
            return configuration.exists() and re.search(r'listen: "127.0.0.1:(\d+)"', configuration.read_text(encoding="utf-8"))

        port = eventually(180, listens, demo.said).group(1)
        prometheus.targets([port])
        fired = set()
        def ended():
            fired.update(labels["alertname"] for labels in prometheus.firing())
            return not demo.is_running()
        eventually(300, ended, demo.said)
        self.assertEqual(demo.end(), 0, demo.said())
        self.assertEqual(fired, set())
        self.assertEqual(prometheus.history('ALERTS{alertstate="firing"}', 600), [])
        ended_sagas = [value for _, values in prometheus.history("sum(skald_sagas_ended_total)", 600)
                       for _, value in values]
        self.assertGreater(max(ended_sagas), 100, "it was scraped while it ran")
        self.assertGreater(len(prometheus.history("changes(process_start_time_seconds[5m]) > 0", 600)), 0,
                           "the restart was seen")


if __name__ == "__main__":
    unittest.main(verbosity=2)
