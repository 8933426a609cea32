"""A new journal that says what an old one does, without what was purged."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import islice
from zlib import crc32

from trackstore_backends.records.history import points_of_run
from trackstore_backends.records.journal import HEADER, Journal, framed, new_header, write_at
from trackstore_backends.records.model_operations import KeepModel
from trackstore_backends.records.operations import Keep, KeepPoints, encoded, joined
from trackstore_backends.records.view import View

_FRAME = 2**20
"""How large a frame may be before a new one is begun, in bytes."""
_POINTS = 5_000


def rewrite(journal: Journal, view: View, file: int) -> None:
    """Write the new journal to an empty file."""
    header = new_header()
    write_at(file, header, 0)
    start, previous = HEADER, crc32(header)
    for payload in _payloads(_kept(journal, view)):
        frame, data = framed(header, start, previous, payload)
        write_at(file, data, start)
        start, previous = frame.end, frame.checksum


def _payloads(operations: Iterator[bytes]) -> Iterator[bytes]:
    group: list[bytes] = []
    size = 0
    for operation in operations:
        group.append(operation)
        size += len(operation)
        if size > _FRAME:
            yield joined(group)
            group, size = [], 0
    if group:
        yield joined(group)


def _kept(journal: Journal, view: View) -> Iterator[bytes]:
    rows = view.state.rows
    datasets = defaultdict(list)
    for (experiment_id, _, _), dataset in rows.datasets.items():
        datasets[experiment_id].append(dataset)
    for experiment in rows.experiments.values():
        yield encoded(Keep(experiment, datasets[experiment.id]))
    for run_id, row in rows.runs.items():
        yield encoded(Keep(run=row))
        points = points_of_run(journal, run_id, view.places(run_id).by_key.values())
        while some := list(islice(points, _POINTS)):
            yield encoded(KeepPoints(run_id, some))
    for model in rows.models.values():
        yield encoded(KeepModel(logged=model))
    for registered in rows.registered.values():
        yield encoded(KeepModel(registered))
