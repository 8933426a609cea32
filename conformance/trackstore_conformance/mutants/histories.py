"""Mutants that read histories in bulk wrongly."""

from array import array
from collections.abc import Sequence
from math import isnan

from msgspec.structs import replace

from trackstore.history import columns_by_pages, columns_of, downsample_by_pages
from trackstore.model import Metric, MetricColumns, MetricCursor
from trackstore_conformance.mutants.wrapped import Mutant, whole_history

Columns = MetricColumns[MetricCursor]


class ReadsColumnsWrongly(Mutant):
    """Gives `changed(columns)` for the columns of a page."""

    def changed(self, columns: Columns) -> Columns:
        raise NotImplementedError

    def metric_columns(
        self, run_id: str, key: str, after: MetricCursor | None, limit: int
    ) -> Columns:
        return self.changed(columns_by_pages(self.inner, run_id, key, after, limit))


class ColumnsOfOnePage(ReadsColumnsWrongly):
    """Says after the first page of columns that no other follows."""

    killed_by = "B-COL-01"

    def changed(self, columns: Columns) -> Columns:
        return replace(columns, next=None)


class ColumnsSwapped(ReadsColumnsWrongly):
    """Takes the column of steps for that of times."""

    killed_by = "B-COL-01"

    def changed(self, columns: Columns) -> Columns:
        return replace(columns, steps=columns.timestamps, timestamps=columns.steps)


class NanLeftOutOfColumns(ReadsColumnsWrongly):
    """Gives no point whose value is NaN."""

    killed_by = "B-COL-01"

    def changed(self, columns: Columns) -> Columns:
        rows = zip(columns.values, columns.timestamps, columns.steps, strict=True)
        return columns_of([Metric("", *row) for row in rows if not isnan(row[0])], columns.next)


class ColumnsOfFloats(ReadsColumnsWrongly):
    """Keeps values in arrays of 32 bits."""

    killed_by = "B-COL-01"

    def changed(self, columns: Columns) -> Columns:
        return replace(columns, values=array("f", map(clipped, columns.values)))


def clipped(value: float) -> float:
    return value if isnan(value) else min(max(value, -3e38), 3e38)


class PiecesLoseWhatCameLate(Mutant):
    """Reads columns as of the piece that the first points fill, and forgets later ones in it."""

    killed_by = "B-COL-01"
    piece = 4_096

    def metric_columns(
        self, run_id: str, key: str, after: MetricCursor | None, limit: int
    ) -> Columns:
        points = whole_history(self.inner, run_id, key)
        steps = [point.step for point in points]
        late = len(points) > self.piece and any(step % 2 for step in steps)
        found = columns_by_pages(self.inner, run_id, key, after, limit)
        if not late:
            return found
        rows = zip(found.values, found.timestamps, found.steps, strict=True)
        return columns_of([Metric("", *row) for row in rows if row[2] % 2 == 0], found.next)


class ChartsWrongly(Mutant):
    """Thins out as it should, but for `asked` and `changed`."""

    def asked(self, steps: tuple[int, int]) -> tuple[int, int]:
        return steps

    def changed(self, columns: Columns, points: Sequence[Metric], most: int) -> Columns:  # noqa: ARG002
        return columns

    def downsample_history(
        self, run_id: str, key: str, steps: tuple[int, int], most: int
    ) -> Columns:
        first, last = self.asked(steps)
        found = downsample_by_pages(self.inner, run_id, key, (first, last), most)
        points = [p for p in whole_history(self.inner, run_id, key) if first <= p.step <= last]
        return self.changed(found, points, most)


class EveryNthPoint(ChartsWrongly):
    """Takes points at even distances, as MLflow does, whatever lies between them."""

    killed_by = "B-COL-02"

    def changed(self, columns: Columns, points: Sequence[Metric], most: int) -> Columns:
        if len(points) <= most:
            return columns
        return columns_of([points[n * (len(points) - 1) // (most - 1)] for n in range(most)])


class LastPointForgotten(ChartsWrongly):
    """Leaves the last point of a chart out, unless it is an extreme."""

    killed_by = "B-COL-02"

    def changed(self, columns: Columns, points: Sequence[Metric], most: int) -> Columns:
        if len(points) <= most:
            return columns
        return replace(
            columns,
            steps=columns.steps[:-1],
            timestamps=columns.timestamps[:-1],
            values=columns.values[:-1],
        )


class LastStepExcluded(ChartsWrongly):
    """Takes the end of a range of steps for the first one outside."""

    killed_by = "B-COL-02"

    def asked(self, steps: tuple[int, int]) -> tuple[int, int]:
        return steps[0], max(steps[1] - 1, -(2**63))


class Bucketed(ChartsWrongly):
    """Thins out by buckets of its own."""

    def bucket(self, points: Sequence[Metric], place: int, buckets: int) -> int:
        return ((place + 1) * buckets - 1) // len(points)

    def least(self, points: Sequence[int], values: Sequence[float]) -> int:
        return min(points, key=lambda n: (isnan(values[n]), values[n]))

    def changed(self, columns: Columns, points: Sequence[Metric], most: int) -> Columns:
        buckets = (most - 2) // 2
        if len(points) <= most or not buckets:
            return columns
        values = [point.value for point in points]
        members: dict[int, list[int]] = {}
        for place in range(len(points)):
            members.setdefault(self.bucket(points, place, buckets), []).append(place)
        chosen = {0, len(points) - 1}
        for part in members.values():
            numbers = [n for n in part if not isnan(values[n])] or part[:1]
            chosen |= {self.least(part, values), max(numbers, key=lambda n: values[n])}
        return columns_of([points[place] for place in sorted(chosen)])


class BucketsOfEqualSteps(Bucketed):
    """Makes buckets of equally many steps, however many points each has."""

    killed_by = "B-COL-02"

    def bucket(self, points: Sequence[Metric], place: int, buckets: int) -> int:
        first, last = points[0].step, points[-1].step
        return (points[place].step - first) * buckets // (last - first + 1)


class NanIsTheLeastOfItsBucket(Bucketed):
    """Takes NaN for a number that is less than any other."""

    killed_by = "B-COL-02"

    def least(self, points: Sequence[int], values: Sequence[float]) -> int:
        return min(points, key=lambda n: (not isnan(values[n]), values[n]))


HISTORIES: tuple[type[Mutant], ...] = (
    ColumnsOfOnePage,
    ColumnsSwapped,
    NanLeftOutOfColumns,
    ColumnsOfFloats,
    PiecesLoseWhatCameLate,
    EveryNthPoint,
    LastPointForgotten,
    LastStepExcluded,
    BucketsOfEqualSteps,
    NanIsTheLeastOfItsBucket,
)
