"""Histories in bulk: what a store offers beyond `metric_history` says the same."""

from collections.abc import Sequence
from math import inf, nan
from typing import Any

from hypothesis import strategies as st

from trackstore.history import (
    columns_by_pages,
    columns_of,
    downsample,
    downsample_by_pages,
    metric_columns,
)
from trackstore.model import Batch, Metric, MetricColumns, RunChanges, RunStatus
from trackstore_conformance.bench import BackendBench
from trackstore_conformance.effort import run_property
from trackstore_conformance.outcomes import outcome, seen
from trackstore_conformance.rules import rule
from trackstore_conformance.sequential import strategies as some
from trackstore_conformance.suites import BackendSuite
from trackstore_conformance.violations import Violation

EVERY_STEP = -(2**63), 2**63 - 1
MANY = 9_000
"""More points than a store keeps in one piece, if it keeps pieces."""
ENDED = RunChanges(status=RunStatus.FINISHED)
ODD = [
    Metric("m", value, time, step)
    for step in (-(2**63), -1, 0, 1, 2**63 - 1)
    for time in (0, 2**63 - 1)
    for value in (nan, -inf, -1.5, 0.0, 5e-324, inf)
]

near = st.integers(0, 5)
points = st.builds(
    Metric, st.just("m"), some.any_float, near | st.integers(0, 2**63 - 1), near | some.steps
)
writes = st.lists(st.lists(points, max_size=30) | st.none(), max_size=6)
"""Batches, and None where the run ends: a store may keep its points in another way then."""


class HistoryTests(BackendSuite):
    __test__ = False

    @rule("B-COL-01")
    def test_columns_are_the_history(self, bench: BackendBench) -> None:
        """In its order, page by page, whatever the numbers are, and of one key alone."""
        run = bench.run()
        bench.store.log(run.id, Batch(ODD[::-1]))
        bench.store.log(run.id, Batch([Metric("M", 1.0, 0, 0)]))
        for limit in (1, 7, len(ODD), 1_000):
            found = self.all_columns(bench, run.id, limit)
            assert seen(found) == seen(columns_of(ODD)), limit
        page = metric_columns(bench.store, run.id, "m", None, 4)
        codes = [column.typecode for column in (page.steps, page.timestamps, page.values)]
        assert codes == ["q", "q", "d"]
        nothing = metric_columns(bench.second, run.id, "never", None, 5)
        assert seen(nothing) == seen(columns_of([]))
        unknown = outcome(metric_columns, bench.store, "no such run", "m", None, 5)
        assert unknown.ways == ("NotFound",)

    def all_columns(self, bench: BackendBench, run_id: str, limit: int) -> MetricColumns[Any]:
        whole, after = columns_of([]), None
        for _ in range(100_000):
            page = metric_columns(bench.second, run_id, "m", after, limit)
            whole.steps.extend(list(page.steps))
            whole.timestamps.extend(list(page.timestamps))
            whole.values.extend(list(page.values))
            if (after := page.next) is None:
                return whole
        raise Violation("B-COL-01", witness="the pages never end")

    @rule("B-COL-02")
    def test_a_chart_has_the_ends_and_the_extremes(self, bench: BackendBench) -> None:
        """Each bucket has as many points; NaN is no extreme, and of equal values the first is."""
        run = bench.run()
        values = [nan, 3.0, -inf, nan, 2.0, 2.0, 1.0, 1.0, nan, nan, nan, nan, 7.0, 5.0, 6.0, nan]
        bench.store.log(run.id, Batch([Metric("m", v, 9, n**3) for n, v in enumerate(values)]))
        for most, places in {
            2: [0, 15],
            3: [0, 15],
            5: [0, 2, 12, 15],
            10: [0, 1, 2, 4, 6, 8, 12, 13, 15],
            11: [0, 1, 2, 4, 6, 8, 12, 13, 15],
            16: range(16),
            99: range(16),
        }.items():
            found = downsample(bench.store, run.id, "m", EVERY_STEP, most)
            assert list(found.steps) == [place**3 for place in places], most
            expected = [Metric("m", values[place], 9, place**3) for place in places]
            assert seen(found) == seen(columns_of(expected)), most

    @rule("B-COL-02")
    def test_a_chart_keeps_to_its_steps(self, bench: BackendBench) -> None:
        """Both ends of the range are in it; outside of it there is nothing."""
        run = bench.run()
        bench.store.log(run.id, Batch(ODD))
        for first, last in ((-1, 1), (0, 0), EVERY_STEP, (-(2**63), -2), (2, 2**63 - 1), (2, 1)):
            inside = [point for point in ODD if first <= point.step <= last]
            found = downsample(bench.store, run.id, "m", (first, last), 1_000)
            assert seen(found) == seen(columns_of(inside)), (first, last)
        unknown = outcome(downsample, bench.store, "no such run", "m", EVERY_STEP, 5)
        assert unknown.ways == ("NotFound",)
        assert not downsample(bench.store, run.id, "never", EVERY_STEP, 5).steps

    @rule("B-COL-01", "B-COL-02")
    def test_any_history_is_the_same_in_bulk(self, bench: BackendBench) -> None:
        """Generated points, late and repeated ones too, of runs that end and go on."""

        def check(data: st.DataObject) -> None:
            bench.evidence.examples += 1
            run = bench.run(self.home(bench))
            self.write(bench, run.id, data.draw(writes, label="writes"))
            limit, most = data.draw(st.integers(1, 40)), data.draw(st.integers(2, 30))
            steps = data.draw(some.steps), data.draw(some.steps)
            self.compare(bench, run.id, limit, most, [EVERY_STEP, (min(steps), max(steps))])

        run_property(check, bench.profile, bench.profile.examples, bench.seed)

    def home(self, bench: BackendBench) -> Any:
        found = bench.store.scan_experiments(None, None, 1).items
        return found[0] if found else bench.experiment()

    def write(self, bench: BackendBench, run_id: str, work: Sequence[list[Metric] | None]) -> None:
        for batch in work:
            if batch is None:
                bench.store.update_run(run_id, ENDED)
            else:
                bench.store.log(run_id, Batch(batch))

    def compare(
        self,
        bench: BackendBench,
        run_id: str,
        limit: int,
        most: int,
        ranges: Sequence[tuple[int, int]],
    ) -> None:
        """Compare all pages, and charts of some ranges, with those that are made of the history."""
        after = None
        while True:
            expected = columns_by_pages(bench.second, run_id, "m", after, limit)
            found = metric_columns(bench.store, run_id, "m", after, limit)
            if seen(found) != seen(expected):
                raise Violation("B-COL-01", witness=f"after {after}: {found}, not {expected}")
            if (after := expected.next) is None:
                break
        for steps in ranges:
            expected = downsample_by_pages(bench.second, run_id, "m", steps, most)
            found = downsample(bench.store, run_id, "m", steps, most)
            if seen(found) != seen(expected):
                raise Violation(
                    "B-COL-02", witness=f"{most} points of {steps}: {found}, not {expected}"
                )

    @rule("B-COL-01", "B-COL-02")
    def test_a_long_history_is_the_same_in_bulk(self, bench: BackendBench) -> None:
        """So long that a store may keep it in pieces, with points that come late or again."""
        run = bench.run()
        values = [float(n * 7919 % 1_000) if n % 100 else nan for n in range(MANY)]
        whole = [Metric("m", value, n // 3, 2 * n) for n, value in enumerate(values)]
        late = [Metric("m", 0.5, 0, step) for step in (1, MANY, MANY + 1, 2 * MANY)]
        for batch in (whole[: MANY // 2], whole[MANY // 2 :], None, late, whole[50:90], None, late):
            self.write(bench, run.id, [batch])
        expected = sorted(whole + late, key=lambda p: (p.step, p.timestamp, p.value))
        if seen(self.all_columns(bench, run.id, 2_500)) != seen(columns_of(expected)):
            raise Violation(
                "B-COL-01", witness=f"of {len(expected)} points, some are not as logged"
            )
        for most in (7, 320):
            self.compare(bench, run.id, MANY, most, [EVERY_STEP, (MANY // 3, MANY)])
