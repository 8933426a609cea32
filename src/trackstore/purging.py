"""Purge what was deleted long ago, for good: rows and files, on every store.

What is about to be purged is written down, then its rows are erased, which the store refuses for
what was restored meanwhile, then its files.  So no run is ever seen without its files, and what a
kill leaves is finished by the next time, wherever it came.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from itertools import islice, takewhile
from typing import Final

from trackstore.abilities import SweepsUploads
from trackstore.artifacts import Artifacts
from trackstore.errors import InvalidRequest, InvalidState, NotFound, TrackstoreError, Unsupported
from trackstore.model import Experiment, LifecycleStage, Run
from trackstore.model_stores import LoggedModelStore
from trackstore.purge_log import Item, Kind, PurgeLog
from trackstore.tracker import DEFAULT_EXPERIMENT_ID, Tracker

DELETED = LifecycleStage.DELETED
_BATCH: Final = 100
"""Items that are written down at once."""
_PAGE: Final = 1_000
_RUN_ID: Final = 32
_ORPHANS: Final[dict[Kind, Kind]] = {"orphan run": "run", "orphan experiment": "experiment"}


class Candidates:
    """What may be purged: deleted before a time, in ms, and not in use.

    `tell` is told why something is left.
    """

    def __init__(self, tracker: Tracker, before: int, tell: Callable[[str], object]) -> None:
        self._store = tracker.store
        self._artifacts = tracker.artifacts
        self._before = before
        self._tell = tell
        self._registered = frozenset(_registered(tracker))
        self._experiments = list(_experiments(tracker))
        self._locations = sorted((f"{e.artifact_location}/", e.id) for e in self._experiments)

    def __iter__(self) -> Iterator[Item]:
        for experiment in self._experiments:
            is_deleted = experiment.lifecycle_stage == DELETED
            is_default = experiment.id == DEFAULT_EXPERIMENT_ID
            if is_deleted and not is_default and experiment.last_update_time <= self._before:
                yield from self._checked(
                    "experiment", experiment.id, self._of_experiment, experiment
                )
            else:
                yield from self._of_runs(experiment)
                yield from self._of_models(experiment)

    def _of_runs(self, experiment: Experiment) -> Iterator[Item]:
        for run in self._runs(experiment, DELETED):
            when = run.deleted_time
            if when is None and experiment.lifecycle_stage != DELETED:
                when = max(run.start_time, run.end_time or 0)
            if when is not None and when <= self._before:
                yield from self._checked("run", run.id, self._of_run, run)

    def _of_models(self, experiment: Experiment) -> Iterator[Item]:
        for ident, uri, when in self._models(experiment, DELETED):
            if when <= self._before:
                yield from self._checked("model", ident, self._own, ident, uri)

    def _checked(
        self, kind: Kind, ident: str, folders: Callable[..., tuple[str, ...]], *given: object
    ) -> Iterator[Item]:
        """Yield an item if its folders can be removed, else say why it is left."""
        try:
            item = Item(kind, ident, folders(*given))
            for folder in item.folders:
                self._check_folder(ident, folder)
        except TrackstoreError as error:
            self._tell(f"left: {kind} {ident}: {error}")
        else:
            yield item

    def _check_folder(self, ident: str, folder: str) -> None:
        self._artifacts.at(folder)
        first = bisect_left(self._locations, (f"{folder}/", ""))
        inside = takewhile(
            lambda each: each[0].startswith(f"{folder}/"), islice(self._locations, first, None)
        )
        if others := [owner for _, owner in inside if owner != ident]:
            raise InvalidState(f"the files of experiment {others[0]} lie among its own")

    def _of_run(self, run: Run) -> tuple[str, ...]:
        if run.id in self._registered:
            raise InvalidState("a version of a registered model was made from it")
        return self._own(run.id, run.artifact_uri)

    def _of_experiment(self, experiment: Experiment) -> tuple[str, ...]:
        """Return its folder if that is its alone, else those of its runs and models."""
        runs = [(run.id, run.artifact_uri) for run in self._runs(experiment, None)]
        known = [*runs, *((ident, uri) for ident, uri, _ in self._models(experiment, None))]
        if not self._registered.isdisjoint(ident for ident, _ in known):
            raise InvalidState("a version of a registered model was made from one of its runs")
        if experiment.artifact_location.endswith(f"/{experiment.id}"):
            return (experiment.artifact_location,)
        return tuple(folder for ident, uri in known for folder in self._own(ident, uri))

    def _own(self, ident: str, uri: str) -> tuple[str, ...]:
        """Return the folder that is called by an id, in or above which the files are."""
        start, found, _ = f"{uri}/".rpartition(f"/{ident}/")
        if not found:
            raise InvalidRequest("its files are not in a folder of its own")
        return (f"{start}/{ident}",)

    def _runs(self, experiment: Experiment, stage: LifecycleStage | None) -> Iterator[Run]:
        after = None
        while True:
            page = self._store.scan_runs(experiment.id, stage, after, _PAGE)
            yield from page.items
            if (after := page.next) is None:
                return

    def _models(
        self, experiment: Experiment, stage: LifecycleStage | None
    ) -> Iterator[tuple[str, str, int]]:
        if not isinstance(self._store, LoggedModelStore):
            return
        after = None
        while True:
            page = self._store.scan_logged_models(experiment.id, None, stage, after, _PAGE)
            for model in page.items:
                if stage is None or model.id not in self._registered:
                    yield model.id, model.artifact_uri, model.last_update_time
            if (after := page.next) is None:
                return


def orphans(tracker: Tracker) -> Iterator[Item]:
    """Yield folders that look like a run's or an experiment's, of which the store knows nothing.

    Under the roots alone: what clients chose as a location is anybody's.
    """
    for root in tracker.artifacts.roots():
        for name in _folders(tracker.artifacts, root):
            if not name.isdecimal():
                continue
            if not _is_known("experiment", name, tracker):
                yield Item("orphan experiment", name, (f"{root.rstrip('/')}/{name}",))
                continue
            place = f"{root.rstrip('/')}/{name}"
            for run in _folders(tracker.artifacts, place):
                looks_so = len(run) == _RUN_ID and not set(run) - set("0123456789abcdef")
                if looks_so and not _is_known("run", run, tracker):
                    yield Item("orphan run", run, (f"{place}/{run}",))


def _is_known(kind: Kind, ident: str, tracker: Tracker) -> bool:
    get = tracker.store.get_run if kind == "run" else tracker.store.get_experiment
    try:
        get(ident)
    except NotFound:
        return False
    return True


def _folders(artifacts: Artifacts, place: str) -> Iterator[str]:
    token = None
    while True:
        page = artifacts.at(place).list("", page_token=token)
        yield from (info.path for info in page.items if info.is_folder)
        if (token := page.next) is None:
            return


class Purger:
    """Purges items one by one, and writes each down before and after."""

    def __init__(self, tracker: Tracker, log: PurgeLog, tell: Callable[[str], object]) -> None:
        self._tracker = tracker
        self._log = log
        self._tell = tell
        self.purged = 0
        self.failed = 0

    def resume(self) -> None:
        """Finish what was begun and neither purged nor kept."""
        for item in self._log.unfinished():
            self._finish(item)

    def purge(self, items: Iterable[Item]) -> None:
        """Purge all; one that fails is told and written down, and the others go on."""
        left = iter(items)
        while batch := list(islice(left, _BATCH)):
            self._log.begin(batch)
            for item in batch:
                self._finish(item)

    def sweep(self, older_than_s: float) -> None:
        """Remove what cut uploads left in the stores of the roots."""
        for store in self._tracker.artifacts.stores():
            if isinstance(store, SweepsUploads):
                swept = store.sweep_uploads("", older_than_s)
                if swept:
                    self._log.write("swept", why=f"{swept} remains of uploads")
                    self._tell(f"swept: {swept} remains of uploads")

    def _finish(self, item: Item) -> None:
        try:
            self._erase_rows(item)
            for folder in item.folders:
                self._tracker.artifacts.at(folder).clear()
        except InvalidState as error:
            self._log.write("kept", item, str(error))
            self._tell(f"left: {item.kind} {item.id}: {error}")
        except TrackstoreError as error:
            self.failed += 1
            self._log.write("failed", item, str(error))
            self._tell(f"FAILED: {item.kind} {item.id}: {error}")
        else:
            self.purged += 1
            self._log.write("purged", item)
            self._tell(f"purged: {item.kind} {item.id}")

    def _erase_rows(self, item: Item) -> None:
        """Erase them, unless that was done; `InvalidState` if it is in use again."""
        if item.kind in _ORPHANS:
            if _is_known(_ORPHANS[item.kind], item.id, self._tracker):
                raise InvalidState("it is no orphan any longer")
            return
        erase = {
            "run": self._tracker.purge_run,
            "experiment": self._tracker.purge_experiment,
            "model": self._tracker.purge_logged_model,
        }[item.kind]
        try:
            erase(item.id)
        except NotFound:  # the one before was cut off between its rows and its files
            return


def _experiments(tracker: Tracker) -> Iterator[Experiment]:
    after = None
    while True:
        page = tracker.store.scan_experiments(None, after, _PAGE)
        yield from page.items
        if (after := page.next) is None:
            return


def _registered(tracker: Tracker) -> Iterator[str]:
    """Yield the runs and logged models that versions of registered models were made from."""
    try:
        registry = tracker.registry
    except Unsupported:
        return
    token = None
    while True:
        page = registry.search_versions(page_token=token)
        for version in page.items:
            yield from filter(None, (version.run_id, version.model_id))
        if (token := page.next) is None:
            return
