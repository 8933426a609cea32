"""Mutants that change the points of a metric on their way in or out."""

import struct
from math import inf, isinf, isnan

from msgspec.structs import replace

from trackstore.errors import InvalidRequest
from trackstore.model import (
    Applied,
    Batch,
    Metric,
    MetricCursor,
    Page,
    Run,
)
from trackstore_conformance.mutants.wrapped import Mutant, whole_history
from trackstore_conformance.mutants.writing import ChangesPoints

SMALLEST_NORMAL = 2.2250738585072014e-308


class SinglePrecision(ChangesPoints):
    """Keeps values as floats of 32 bits."""

    killed_by = "B-MET-04"

    def changed(self, point: Metric) -> Metric:
        try:
            return replace(point, value=struct.unpack("f", struct.pack("f", point.value))[0])
        except OverflowError:
            return replace(point, value=inf if point.value > 0 else -inf)


class SmallNumbersFlushed(ChangesPoints):
    """Takes denormal numbers for 0."""

    killed_by = "B-MET-04"

    def changed(self, point: Metric) -> Metric:
        return replace(point, value=0.0) if abs(point.value) < SMALLEST_NORMAL else point


class TimesInSeconds(ChangesPoints):
    """Cuts the milliseconds off the time of a point."""

    killed_by = "B-MET-05"
    near = ("B-MET-04", "B-PAR-01", "B-TAG-01")

    def changed(self, point: Metric) -> Metric:
        return replace(point, timestamp=point.timestamp // 1_000 * 1_000)


class StepsAsDoubles(ChangesPoints):
    """Loses the last bits of steps beyond 2**53."""

    killed_by = "B-MET-05"

    def changed(self, point: Metric) -> Metric:
        return replace(point, step=min(int(float(point.step)), 2**63 - 1))


class MetricKeysFolded(ChangesPoints):
    """Takes keys that differ in case for one."""

    killed_by = "B-MET-06"

    def changed(self, point: Metric) -> Metric:
        return replace(point, key=point.key.lower())


class TimeForgottenInLatest(Mutant):
    """Of the points at the last step, takes the one of the greatest value."""

    killed_by = "B-MET-03"

    def get_run(self, run_id: str) -> Run:
        run = super().get_run(run_id)
        latest = {
            key: max(
                (p for p in whole_history(self.inner, run_id, key) if p.step == point.step),
                key=lambda p: (not isnan(p.value), p.value),
            )
            for key, point in run.metrics.items()
        }
        return replace(run, metrics={k: replace(p, links=()) for k, p in latest.items()})


class NanIsTheGreatest(Mutant):
    """Prefers NaN to a number of the same step and time."""

    killed_by = "B-MET-03"

    def get_run(self, run_id: str) -> Run:
        run = super().get_run(run_id)
        latest = dict(run.metrics)
        for key, last in run.metrics.items():
            for point in whole_history(self.inner, run_id, key):
                same = (point.step, point.timestamp) == (last.step, last.timestamp)
                if same and isnan(point.value):
                    latest[key] = replace(point, links=())
        return replace(run, metrics=latest)


class LinksOfTheLatestShown(Mutant):
    """Gives the links of the latest point too."""

    killed_by = "B-MET-08"

    def get_run(self, run_id: str) -> Run:
        run = super().get_run(run_id)
        points = {key: whole_history(self.inner, run_id, key)[-1] for key in run.metrics}
        return replace(run, metrics=points)


class HistoryOfOnePage(Mutant):
    """Says after the first page that no other follows."""

    killed_by = "B-MET-06"

    def metric_history(
        self, run_id: str, key: str, after: MetricCursor | None, limit: int
    ) -> Page[Metric, MetricCursor]:
        return replace(super().metric_history(run_id, key, after, limit), next=None)


class HistoryPassesOver(Mutant):
    """Begins each page one point too late."""

    killed_by = "B-MET-06"

    def metric_history(
        self, run_id: str, key: str, after: MetricCursor | None, limit: int
    ) -> Page[Metric, MetricCursor]:
        page = super().metric_history(run_id, key, after, limit)
        return page if after is None else replace(page, items=page.items[1:])


class StepsSortedAsText(Mutant):
    """Sorts a history as its steps are written, 10 before 9."""

    killed_by = "B-MET-06"

    def metric_history(
        self, run_id: str, key: str, after: MetricCursor | None, limit: int
    ) -> Page[Metric, MetricCursor]:
        page = super().metric_history(run_id, key, after, limit)
        return replace(page, items=sorted(page.items, key=lambda point: str(point.step)))


class InfinitiesRefused(Mutant):
    """Takes no point that is infinite."""

    killed_by = "B-MET-04"

    def log(self, run_id: str, batch: Batch) -> Applied:
        if any(isinf(point.value) for point in batch.metrics):
            raise InvalidRequest("a value is infinite")
        return super().log(run_id, batch)


POINTS: tuple[type[Mutant], ...] = (
    SinglePrecision,
    SmallNumbersFlushed,
    InfinitiesRefused,
    TimesInSeconds,
    StepsAsDoubles,
    MetricKeysFolded,
    TimeForgottenInLatest,
    NanIsTheGreatest,
    LinksOfTheLatestShown,
    HistoryOfOnePage,
    HistoryPassesOver,
    StepsSortedAsText,
)
