from itertools import pairwise, permutations
from math import inf, nan

from trackstore.model import Batch, Metric, MetricLink
from trackstore_conformance.bench import BackendBench, metrics
from trackstore_conformance.outcomes import outcome, seen
from trackstore_conformance.rules import rule
from trackstore_conformance.sequential.strategies import EDGE_FLOATS
from trackstore_conformance.suites import BackendSuite

IN_ORDER = (nan, -inf, -1.7976931348623157e308, -1.0, -5e-324, 0.0, 5e-324, 1.0, inf)


class MetricTests(BackendSuite):
    __test__ = False

    @rule("B-MET-01")
    def test_points_are_only_added_and_the_same_one_only_once(self, bench: BackendBench) -> None:
        """A replayed batch changes nothing, also in parts, NaN included."""
        run = bench.run()
        points = [
            Metric("m", value, time, step)
            for value in (1.0, nan, inf)
            for time in (0, 7)
            for step in (-1, 3)
        ]
        bench.store.log(run.id, Batch(metrics=[*points, *points]))
        bench.second.log(run.id, Batch(metrics=points))
        bench.store.log(run.id, Batch(metrics=[*points[:3], Metric("m", 2.0, 0, 3)]))
        found = bench.history(run.id, "m")
        assert len(found) == len(points) + 1
        assert {repr(each) for each in found} == {
            repr(each) for each in [*points, Metric("m", 2.0, 0, 3)]
        }

    @rule("B-MET-03")
    def test_the_latest_point_is_the_greatest_whatever_came_last(self, bench: BackendBench) -> None:
        """It is the greatest by step, then time, then value: arrival never matters."""
        points = [Metric("m", 5.0, 9, 1), Metric("m", 1.0, 2, 2), Metric("m", 0.0, 3, 2)]
        home = bench.experiment()
        for order in permutations(points):
            run = bench.run(home)
            for point in order:
                bench.store.log(run.id, Batch(metrics=[point]))
            assert bench.second.get_run(run.id).metrics == {"m": Metric("m", 0.0, 3, 2)}
            together = bench.run(home)
            bench.store.log(together.id, Batch(metrics=order))
            assert bench.store.get_run(together.id).metrics == {"m": Metric("m", 0.0, 3, 2)}

    @rule("B-MET-03")
    def test_values_have_one_order_with_nan_the_least(self, bench: BackendBench) -> None:
        """Of two points at one step and time the greater value is the latest, a number over NaN."""
        home = bench.experiment()
        for lower, higher in pairwise(IN_ORDER):
            for order in ((lower, higher), (higher, lower)):
                run = bench.run(home)
                for value in order:
                    bench.store.log(run.id, Batch(metrics=[Metric("m", value, 0, 0)]))
                found = bench.store.get_run(run.id).metrics["m"].value
                assert found == higher, f"{found} and not {higher}, of {order}"

    @rule("B-MET-04")
    def test_every_double_comes_back_as_it_was(self, bench: BackendBench) -> None:
        """Infinities, NaN, the largest and the smallest, in the history and as the latest."""
        run = bench.run()
        values = [value + 0.0 for value in EDGE_FLOATS]
        bench.store.log(
            run.id, Batch(metrics=[Metric(f"m{n}", value, 0) for n, value in enumerate(values)])
        )
        latest = bench.second.get_run(run.id).metrics
        for number, value in enumerate(values):
            point = seen(Metric(f"m{number}", value, 0))
            assert seen(latest[f"m{number}"]) == point
            assert seen(bench.history(run.id, f"m{number}")) == [point]

    @rule("B-MET-05")
    def test_steps_and_times_are_int64(self, bench: BackendBench) -> None:
        """Both ends of the range are kept, in order and as the latest."""
        run = bench.run()
        steps = [-(2**63), -(2**63) + 1, -(2**53) - 1, -1, 0, 2**31, 2**53 + 1, 2**63 - 1]
        times = [0, 2**31, 2**53 + 1, 2**63 - 1]
        points = [Metric("m", 1.0, time, step) for step in steps for time in times]
        bench.store.log(run.id, Batch(metrics=points[::-1]))
        assert seen(bench.history(run.id, "m", limit=5)) == seen(points)
        assert seen(bench.second.get_run(run.id).metrics["m"]) == seen(points[-1])

    @rule("B-MET-06")
    def test_history_is_ordered_by_step_time_and_value(self, bench: BackendBench) -> None:
        """The order is that of the points, not of their arrival, and no page is too long."""
        run = bench.run()
        points = [
            Metric("m", value, time, step)
            for step in (-10, -9, 9, 10)
            for time in (0, 5)
            for value in IN_ORDER
        ]
        bench.store.log(run.id, Batch(metrics=points[::2][::-1]))
        bench.store.log(run.id, Batch(metrics=points[1::2]))
        for limit in (1, 4, 5, len(points), 1_000):
            assert seen(bench.history(run.id, "m", limit)) == seen(points), limit
        assert len(bench.store.metric_history(run.id, "m", None, 4).items) == 4

    @rule("B-MET-06")
    def test_a_key_has_a_history_of_its_own(self, bench: BackendBench) -> None:
        """Points of another key or run, however alike, are not in it; an unknown key has none."""
        home = bench.experiment()
        run, other = bench.run(home), bench.run(home)
        for number, key in enumerate(("m", "M", "m ", "é", "e\u0301", "m%", "m_")):
            bench.store.log(run.id, metrics(key, [float(number)]))
        bench.store.log(other.id, metrics("m", [9.0]))
        assert [point.value for point in bench.history(run.id, "m")] == [0.0]
        assert [point.value for point in bench.history(run.id, "e\u0301")] == [4.0]
        assert bench.history(run.id, "never") == []
        assert outcome(bench.store.metric_history, "no such run", "m", None, 1).ways == (
            "NotFound",
        )

    @rule("B-MET-06")
    def test_pages_of_a_history_stand_while_points_are_added(self, bench: BackendBench) -> None:
        """Points added behind the cursor do not shift what follows; those ahead of it are seen."""
        run = bench.run()
        bench.store.log(run.id, metrics("m", dict.fromkeys(range(0, 10, 2), 0.0)))
        first = bench.store.metric_history(run.id, "m", None, 2)
        bench.store.log(run.id, metrics("m", dict.fromkeys((-1, 1, 5), 0.0)))
        rest = bench.second.metric_history(run.id, "m", first.next, 100)
        assert [point.step for point in first.items] == [0, 2]
        assert [point.step for point in rest.items] == [4, 5, 6, 8]
        assert rest.next is None

    @rule("B-MET-08")
    def test_links_of_a_point_are_the_union_of_all_that_came_with_it(
        self, bench: BackendBench
    ) -> None:
        """They are sorted, kept apart by point, and not part of the latest value."""
        run = bench.run()
        model, data = MetricLink(model_id="m-1"), MetricLink("", "d", "1")
        both = MetricLink("m-1", "d", "1")
        for links in ((model,), (both, model), (), (data,)):
            bench.store.log(run.id, Batch(metrics=[Metric("m", nan, 0, 1, links)]))
        bench.store.log(run.id, Batch(metrics=[Metric("m", 1.0, 0, 0)]))
        found = bench.history(run.id, "m")
        assert [point.links for point in found] == [(), (data, model, both)]
        assert bench.second.get_run(run.id).metrics["m"].links == ()
