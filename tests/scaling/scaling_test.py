"""Goal: the simulation of bench/scaling queues as queueing theory says, and its arithmetic is that of the formulas.

Method: stations fed with Poisson arrivals, against M/M/1, M/D/1, processor sharing, batch service and a fluid; the
index's page images and the latency of an idle machine against what was measured.
"""

import json
import math
import pathlib
import sys
import unittest

SCALING = pathlib.Path(__file__).resolve().parents[2] / "bench" / "scaling"
sys.path.insert(0, str(SCALING))

import arithmetic  # noqa: E402
import document  # noqa: E402
import model  # noqa: E402
import queueing  # noqa: E402
import scenarios  # noqa: E402

COSTS = {**json.loads((SCALING / "costs.json").read_text(encoding="utf-8")), "seed": 1}


class Exponential:
    """A phase of random length."""

    def __init__(self, loop, rate):
        self.loop, self.rate = loop, rate

    def serve(self, _, done):
        self.loop.after(self.loop.random.expovariate(self.rate), done)


def feed(loop, rate, arrive):
    def again():
        arrive()
        loop.after(loop.random.expovariate(rate), again)
    again()


def times_at(phase_of, rate, most, seconds, seed=7):
    """(mean time in a station fed at this rate, the station)."""
    loop = queueing.Loop(seed)
    times = []
    station = queueing.Station([phase_of(loop)], lambda item: times.append(loop.now - item[1]), most)
    feed(loop, rate, lambda: station.put((1, loop.now)))
    loop.run_until(seconds)
    return sum(times) / len(times), station


class Queues(unittest.TestCase):
    def test_one_at_a_time_with_random_service_is_m_m_1(self):
        mean, _ = times_at(lambda loop: Exponential(loop, 100), rate=70, most=1, seconds=2000)
        self.assertAlmostEqual(mean, 1 / (100 - 70), delta=0.05 / 30)

    def test_one_at_a_time_with_fixed_service_is_m_d_1(self):
        mean, _ = times_at(lambda loop: queueing.Wait(loop, 0.01), rate=70, most=1, seconds=2000)
        self.assertAlmostEqual(mean, 0.01 + 0.7 * 0.01 / (2 * 0.3), delta=0.0007)

    def test_cores_shared_by_short_turns_are_processor_sharing(self):
        loop = queueing.Loop(7)
        cores, times = queueing.Cores(loop, 1, quantum=1e-4), []

        def arrive():
            born = loop.now
            cores.run(0.01, lambda: times.append(loop.now - born))
        feed(loop, 70, arrive)
        loop.run_until(100)
        self.assertAlmostEqual(sum(times) / len(times), 0.01 / (1 - 0.7), delta=0.004)
        self.assertAlmostEqual(cores.busy_seconds / loop.now, 0.7, delta=0.02)

    def test_a_batch_grows_until_its_fixed_cost_is_paid(self):
        # Of n = rate (a + b n), with 1 ms a batch and 0.1 ms an item: one at a time would end at 909 a second.
        _, station = times_at(lambda loop: queueing.Work(queueing.Cores(loop, 1), 1000, 100), rate=8000, most=500,
                              seconds=100)
        self.assertAlmostEqual(station.items / station.batches, 8000 * 0.001 / (1 - 8000 * 0.0001), delta=1.0)
        self.assertLess(station.waiting(), 500)

    def test_a_saturated_station_does_its_largest_batch_in_a_batch_s_time(self):
        _, station = times_at(lambda loop: queueing.Work(queueing.Cores(loop, 1), 1000, 100), rate=20_000, most=50,
                              seconds=20)
        self.assertAlmostEqual(station.items / 20, 50 / (0.001 + 50 * 0.0001), delta=100)

    def test_urgent_items_overtake(self):
        loop, served = queueing.Loop(1), []
        station = queueing.Station([queueing.Wait(loop, 1.0)], lambda item: served.append(item[1]), 1)
        for name, urgent in (("first", False), ("start", False), ("reply", True)):
            station.put((1, name), urgent)
        loop.run_until(10)
        self.assertEqual(served, ["first", "reply", "start"])

    def test_who_comes_during_a_flush_shares_the_next(self):
        loop, done = queueing.Loop(1), []
        disk = queueing.Disk(loop, 1.0)
        for moment in (0.0, 0.2, 0.4, 0.6):
            loop.after(moment, disk.flush, lambda: done.append(loop.now))
        loop.run_until(5)
        self.assertEqual(disk.flushes, 2)
        self.assertEqual(done, [1.0, 2.0, 2.0, 2.0])

    def test_what_piles_up_in_a_pause_is_worked_off_as_a_fluid(self):
        loop = queueing.Loop(3)
        station = queueing.Station([queueing.Work(queueing.Cores(loop, 1), 0, 1000)], lambda _: None, 500)
        feed(loop, 700, lambda: station.put((1,)))
        loop.after(10, station.pause)
        loop.after(16, station.resume)
        loop.run_until(15.99)
        self.assertAlmostEqual(station.waiting(), 5.99 * 700, delta=250)
        loop.run_until(16 + 0.9 * 14)
        self.assertGreater(station.waiting(), 0)
        loop.run_until(16 + 1.2 * 14)
        self.assertLess(station.waiting(), 100)

    def test_a_percentile_is_one_of_the_numbers(self):
        numbers = list(range(1, 101))
        self.assertEqual([queueing.percentile(numbers, share) for share in (0.5, 0.99, 1.0)], [50, 99, 100])


class Model(unittest.TestCase):
    def setup(self, **changes):
        return scenarios.server_cell(COSTS, rate=2000, bundle=5, warm_up=0.5, seconds=1.0, **changes)

    def test_the_same_seed_gives_the_same_run_and_another_one_another(self):
        first, second = (model.Run(self.setup()).go() for _ in range(2))
        self.assertEqual(first.cells[0].latencies, second.cells[0].latencies)
        other = self.setup()
        other.seed = 2
        self.assertNotEqual(model.Run(other).go().cells[0].latencies, first.cells[0].latencies)

    def test_no_saga_is_lost(self):
        setup = self.setup()
        setup.warm_up, setup.seconds = 0.0, 1.5
        run = model.Run(setup)
        born = 0

        def counting(arrive=run.arrive):
            nonlocal born
            born += setup.bundle
            arrive()
        run.arrive = counting
        run.go()
        self.assertEqual(born, run.cells[0].done + run.cells[0].under_way)

    def test_calibrated_is_the_middle_latency_at_20_a_second(self):
        measured = COSTS["measured"]["latency"]["20"][0]
        self.assertAlmostEqual(scenarios.measured_machine(COSTS, 20).latency_ms(0.5), measured, delta=1.0)

    def test_costs_of_stations_give_back_what_was_measured_at_both_ends(self):
        stations = scenarios.simulated_costs(COSTS)
        for batch, costs in ((1, COSTS["light"]), (COSTS["saga"]["batch_records"]["value"], None)):
            cpu = sum(stations[name][0] / batch + stations[name][1] for name in ("ingress", "lane", "outbox"))
            wanted = costs["orchestrator_cpu_us"] if costs else COSTS["saga"]["orchestrator_cpu_us"]["value"]
            self.assertAlmostEqual(cpu * scenarios.RECORDS_IN, wanted, places=6)

    def test_an_ill_database_leaves_the_other_cells_alone(self):
        late = {}
        for ill in (1.0, 30.0):
            run = model.Run(self.setup(cells=2, slow_postgres={0: ill})).go()
            late[ill] = (run.latency_ms(0.5, 0), run.latency_ms(0.5, 1))
        self.assertGreater(late[30.0][0], 3 * late[1.0][0])
        self.assertLess(late[30.0][1], 1.2 * late[1.0][1])


class Arithmetic(unittest.TestCase):
    def setUp(self):
        self.figures = arithmetic.Figures.of(COSTS)

    def test_page_images_are_as_measured(self):
        for pages, inserts, measured in COSTS["page_images"]["runs"]:
            self.assertAlmostEqual(arithmetic.page_images_an_insert(pages, inserts), measured, delta=0.015)

    def test_ids_that_grow_with_time_write_no_page_images(self):
        in_order = arithmetic.Figures.of(COSTS, [("random_ids", 0)])
        self.assertEqual(arithmetic.wal_bytes_a_saga(in_order), COSTS["saga"]["wal_bytes"]["value"])
        self.assertGreater(arithmetic.wal_bytes_a_saga(self.figures), 1.5 * arithmetic.wal_bytes_a_saga(in_order))

    def test_the_first_limit_and_the_headroom_give_the_number_of_databases(self):
        name, rate = arithmetic.first(arithmetic.database_limits(self.figures))
        self.assertEqual(name, "replay on the standby")
        self.assertEqual(arithmetic.plan(1e6, self.figures)["databases"], math.ceil(1e6 / (rate * 0.6)))

    def test_processor_time_falls_from_the_light_load_s_to_saturation_s(self):
        self.assertAlmostEqual(self.figures.cpu_us("postgres_cpu_us", 1), COSTS["light"]["postgres_cpu_us"])
        self.assertAlmostEqual(self.figures.cpu_us("postgres_cpu_us", 1e9),
                               COSTS["saga"]["postgres_cpu_us"]["value"], delta=0.01)

    def test_an_unknown_assumption_is_refused(self):
        with self.assertRaises(KeyError):
            arithmetic.Figures.of(COSTS, [("cores", 2)])

    def test_figures_of_the_performance_page_are_those_used(self):
        page = (SCALING.parents[1] / "docs" / "performance.md").read_text(encoding="utf-8")
        for line, name in (("orchestrator cpu us", "orchestrator_cpu_us"), ("participants cpu us",
                           "participants_cpu_us"), ("postgres cpu us", "postgres_cpu_us"), ("kafka cpu us",
                           "kafka_cpu_us"), ("wal bytes", "wal_bytes"), ("table bytes", "table_bytes"),
                           ("index bytes", "index_bytes"), ("kafka messages", "kafka_messages"),
                           ("kafka bytes", "kafka_bytes")):
            self.assertIn(f"| a saga: {line} | {COSTS['saga'][name]['value']:,} |", page)
        self.assertIn(f"| saturation, sagas/s | {COSTS['measured']['saturation']:,} ", page)
        for rate, (p50, p99) in COSTS["measured"]["latency"].items():
            self.assertIn(f"| latency at {rate}/s, p50, ms | {p50} ", page)
            self.assertIn(f"| latency at {rate}/s, p99, ms | {p99} ", page)


class Page(unittest.TestCase):
    PAGE = "Text.\n<!-- simulate: a -->\n| 1 |\n<!-- end of a -->\nMore.\n"

    def test_a_number_that_is_not_the_program_s_is_found(self):
        same = document.with_tables(self.PAGE, {"a": lambda: ["| 1 |"]})
        self.assertEqual(same, self.PAGE)
        other = document.with_tables(self.PAGE, {"a": lambda: ["| 2 |"]})
        self.assertIn("-| 1 |", document.differences(self.PAGE, other))
        self.assertIn("+| 2 |", document.differences(self.PAGE, other))

    def test_a_table_without_a_place_is_an_error(self):
        with self.assertRaises(ValueError):
            document.with_tables(self.PAGE, {"b": lambda: ["| 1 |"]})


if __name__ == "__main__":
    unittest.main()
