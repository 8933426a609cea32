"""What Prometheus reads at /metrics: counts that all workers of a server share.

Each worker counts in a file of its own, an array of doubles that it maps into memory, and the one
that is asked adds up the files of all.  The library's own counters for several processes cost a
small write several times as much as these, so only its text format is used.
"""

import mmap
import os
from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from pathlib import Path
from threading import Event, Lock, Thread
from time import perf_counter
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from trackstore.wire.failures import STATUSES as ERRORS

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""The buckets' upper ends, in seconds."""
CODES = (200, 206, 400, 403, 404, 405, 411, 415, 416, 500, 501, 503)
"""The statuses that are told apart; there is one more row for all others."""
KINDS = (*(kind.__name__ for kind in ERRORS), "unexpected")
FRESH_SECONDS = 1
"""How old another worker's counts may be."""
OTHER = ("other", "other")
"""The method and the route of what has no route."""

_IN_FLIGHT, _UP, _DOWN, _FAILED = range(4)
_SERIES = _FAILED + len(KINDS)
_SUM = len(BOUNDS) + 1
_WIDTH = _SUM + 1
_BLOCK = _WIDTH * (len(CODES) + 1)
_OF_CODE = {code: number * _WIDTH for number, code in enumerate(CODES)}
_OF_OTHERS = len(CODES) * _WIDTH
_OF_KIND = {kind: _FAILED + number for number, kind in enumerate(KINDS)}
_MOST_WAITING = 1_000
_EDGES = (*(f"{bound:g}" for bound in BOUNDS), "+Inf")


class Meters:
    """The counts of one worker, and the sum of all that share its folder.

    `routes` are the methods and paths that are told apart, the same in each worker.  Without a
    folder the counts are this process's own.
    """

    def __init__(self, routes: Iterable[tuple[str, str]], folder: Path | None = None) -> None:
        self.rows: Mapping[tuple[str, str], int] = {
            route: _SERIES + number * _BLOCK for number, route in enumerate([OTHER, *routes])
        }
        self._folder = folder
        size = 8 * (_SERIES + _BLOCK * len(self.rows))
        self._cells = memoryview(_mapped(folder, size)).cast("d")
        self._lock = Lock()
        self._begun: dict[object, float] = {}
        self._ended: dict[int, deque[float]] = {
            row + offset: deque()
            for row in self.rows.values()
            for offset in (*_OF_CODE.values(), _OF_OTHERS)
        }
        if folder is not None:
            Thread(target=self._keep_fresh, name="trackstore-meters", daemon=True).start()

    def begin(self, request: object) -> None:
        self._begun[request] = perf_counter()

    def end(self, request: object, row: int, status: int) -> float:
        """Return how many seconds the request took."""
        seconds = perf_counter() - self._begun.pop(request)
        waiting = self._ended[row + _OF_CODE.get(status, _OF_OTHERS)]
        waiting.append(seconds)
        if len(waiting) >= _MOST_WAITING:
            self._add_up()
        return seconds

    def count_up(self, size: int) -> None:
        with self._lock:
            self._cells[_UP] += size

    def count_down(self, size: int) -> None:
        with self._lock:
            self._cells[_DOWN] += size

    def count_error(self, error: Exception) -> None:
        names = (kind.__name__ for kind in type(error).__mro__)
        kind = next((name for name in names if name in _OF_KIND), "unexpected")
        with self._lock:
            self._cells[_OF_KIND[kind]] += 1

    def page(self) -> bytes:
        """Return the sums of all workers, as Prometheus reads them."""
        self._add_up()
        registry = CollectorRegistry()
        registry.register(_Sums(self.rows, self._summed()))
        return generate_latest(registry)

    def _keep_fresh(self) -> None:
        never = Event()
        while not never.wait(FRESH_SECONDS):
            self._add_up()

    def _add_up(self) -> None:
        """Count what has ended: what ends takes no lock, which would cost it more than this."""
        cells = self._cells
        with self._lock:
            for first, waiting in self._ended.items():
                for _ in range(len(waiting)):
                    seconds = waiting.popleft()
                    cells[first + bisect_left(BOUNDS, seconds)] += 1
                    cells[first + _SUM] += seconds
            cells[_IN_FLIGHT] = len(self._begun)

    def _summed(self) -> list[float]:
        if self._folder is None:
            return array("d", self._cells.tobytes()).tolist()
        files = [array("d", file.read_bytes()) for file in self._folder.glob("*.cells")]
        return [sum(cells) for cells in zip(*files, strict=True)]


class _Sums(Collector):
    def __init__(self, rows: Mapping[tuple[str, str], int], cells: list[float]) -> None:
        self._rows = rows
        self._cells = cells

    def collect(self) -> Iterator[Metric]:
        yield self._latencies()
        yield GaugeMetricFamily(
            "trackstore_requests_in_flight",
            "Requests that have begun and not ended.",
            self._cells[_IN_FLIGHT],
        )
        moved = CounterMetricFamily(
            "trackstore_artifact_bytes",
            "Bytes of files that came up to the server and went down from it.",
            labels=["direction"],
        )
        moved.add_metric(["up"], self._cells[_UP])
        moved.add_metric(["down"], self._cells[_DOWN])
        yield moved
        failed = CounterMetricFamily(
            "trackstore_errors", "Errors that calls have ended with.", labels=["kind"]
        )
        for kind, cell in _OF_KIND.items():
            failed.add_metric([kind], self._cells[cell])
        yield failed

    def _latencies(self) -> Metric:
        found = HistogramMetricFamily(
            "trackstore_request_seconds",
            "How long requests took, to the end of their replies.",
            labels=["method", "route", "status"],
        )
        codes = [*(map(str, CODES)), "other"]
        for (method, path), row in self._rows.items():
            for number, code in enumerate(codes):
                first = row + number * _WIDTH
                counts = list(accumulate(self._cells[first : first + _SUM]))
                if counts[-1]:
                    buckets = list(zip(_EDGES, counts, strict=True))
                    total = self._cells[first + _SUM]
                    found.add_metric([method, path, code], buckets, total)
        return found


def _mapped(folder: Path | None, size: int) -> Any:
    """Return zeros in memory, which are a file's if there is a folder."""
    if folder is None:
        return mmap.mmap(-1, size)
    made = folder / f"{os.getpid()}.new"
    with made.open("w+b") as file:
        file.truncate(size)
        made.rename(made.with_suffix(".cells"))
        return mmap.mmap(file.fileno(), size)
