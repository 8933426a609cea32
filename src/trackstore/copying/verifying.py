"""Compare a copy with its source: fields, counts, and checksums of points and files."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import chain, groupby
from math import nan
from operator import attrgetter
from struct import Struct as Packed
from typing import Any

from msgspec import Struct
from msgspec.structs import astuple, replace

from trackstore.artifacts import ArtifactFolder
from trackstore.copying.clashes import DEFAULT
from trackstore.copying.copier import content_of, is_own_deletion
from trackstore.copying.places import Leave, Move
from trackstore.copying.source import Source, StoreSource
from trackstore.errors import NotFound
from trackstore.model import Experiment, Metric, Run
from trackstore.stores import BackendStore

_POINT = Packed("<qqd")


class Checked(Struct):
    """What a comparison has found."""

    differences: list[str] = []
    duplicates: int = 0
    """Points that the source has more than once, and the target once."""
    points: int = 0
    files: int = 0


class Digest:
    """Of the points of a run: for each key a count and a checksum, identical ones taken once."""

    def __init__(self, chunks: Iterable[Iterable[Metric]]) -> None:
        self._hashes: dict[str, Any] = defaultdict(sha256)
        self._last: dict[str, bytes] = {}
        self.counts: dict[str, int] = defaultdict(int)
        self.duplicates = 0
        for chunk in chunks:
            for key, points in groupby(chunk, key=attrgetter("key")):
                self._add(key, [_packed(point) for point in points])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Digest) and self.sums == other.sums

    __hash__ = None  # type: ignore[assignment]

    @property
    def sums(self) -> dict[str, tuple[int, str]]:
        return {key: (self.counts[key], each.hexdigest()) for key, each in self._hashes.items()}

    def _add(self, key: str, packed: list[bytes]) -> None:
        before = chain([self._last.get(key)], packed)
        new = [each for each, last in zip(packed, before, strict=False) if each != last]
        self._last[key] = packed[-1]
        self._hashes[key].update(b"".join(new))
        self.counts[key] += len(new)
        self.duplicates += len(packed) - len(new)


def _packed(point: Metric) -> bytes:
    """Return the same bytes for the same point: NaN has one image, and -0.0 that of 0.0."""
    value = point.value + 0.0 if point.value == point.value else nan
    packed = _POINT.pack(point.step, point.timestamp, value)
    if point.links:
        packed += repr([astuple(link) for link in point.links]).encode()
    return packed


class Verifier:
    """Reads both sides once more."""

    def __init__(self, source: Source, target: BackendStore, places: Leave | Move) -> None:
        self._source = source
        self._target = target
        self._copy = StoreSource(target)
        self._places = places
        self.found = Checked()

    def verify(self) -> Checked:
        for experiment in self._source.experiments():
            self._places.learn(experiment)
            self._verify_experiment(experiment)
        for model in self._source.registered_models():
            self._verify_registered_model(model.name)
        return self.found

    def _verify_experiment(self, experiment: Experiment) -> None:
        there = self._target.get_experiment(experiment.id)
        wanted = replace(experiment, artifact_location=there.artifact_location)
        if experiment.id != DEFAULT and wanted != there:
            self._differs(f"experiment {experiment.id}")
        for run in self._source.runs(experiment.id):
            self._verify_run(run, experiment, there)
        models = {each.id: each for each in self._copy.logged_models(experiment.id)}
        for model in self._source.logged_models(experiment.id):
            uri = self._places.moved(model.artifact_uri)
            same = models.get(model.id)
            if same is None or replace(model, artifact_uri=uri, metrics=same.metrics) != same:
                self._differs(f"logged model {model.id}")
            self._verify_files(f"logged model {model.id}", model.artifact_uri)

    def _verify_run(self, run: Run, experiment: Experiment, copied: Experiment) -> None:
        try:
            there = self._target.get_run(run.id)
        except NotFound:
            self._differs(f"run {run.id} is missing")
            return
        stages = is_own_deletion(run, experiment), is_own_deletion(there, copied)
        if content_of(run) != content_of(there) or stages[0] != stages[1]:
            self._differs(f"run {run.id}")
        mine, its = Digest(self._source.points(run)), Digest(self._copy.points(there))
        if mine != its:
            self._differs(f"the points of run {run.id}")
        self.found.duplicates += mine.duplicates
        self.found.points += sum(its.counts.values())
        self._verify_files(f"run {run.id}", run.artifact_uri)

    def _verify_registered_model(self, name: str) -> None:
        mine = [self._moved(each) for each in self._source.versions(name)]
        its = [replace(each, aliases=()) for each in self._copy.versions(name)]
        if mine != its:
            self._differs(f"the versions of registered model {name!r}")

    def _moved(self, version: Any) -> Any:
        return replace(
            version,
            source=self._places.moved(version.source),
            storage_location=self._places.moved(version.storage_location),
            aliases=(),
        )

    def _verify_files(self, what: str, location: str) -> None:
        if isinstance(self._places, Leave) or not location:
            return
        old, new = self._places.folders(location)
        mine, its = dict(_checksums(old)), dict(_checksums(new))
        if any(its.get(path) != found for path, found in mine.items()):
            self._differs(f"the files of {what}")
        self.found.files += len(mine)

    def _differs(self, what: str) -> None:
        self.found.differences.append(what)


def _checksums(folder: ArtifactFolder) -> Iterator[tuple[str, str]]:
    for info in folder.walk():
        digest = sha256()
        for chunk in folder.get(info.path):
            digest.update(chunk)
        yield info.path, digest.hexdigest()
