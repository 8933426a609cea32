"""A part of a live store that a test has for itself: what others keep there is neither seen nor
touched.

Names get a prefix on their way in, which is taken off on their way out; artifacts are in a folder.
What is listed is what has the prefix.
"""

from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

from msgspec import UNSET, Struct
from msgspec.structs import replace

from trackstore.abilities import (
    DownsamplesHistory,
    KeepsVersions,
    ReadsColumns,
    SearchesRuns,
    SignsUploads,
    SignsURLs,
    SweepsUploads,
)
from trackstore.model import (
    Applied,
    ArtifactInfo,
    ArtifactVersion,
    Experiment,
    ExperimentChanges,
    ExperimentCursor,
    LifecycleStage,
    MetricColumns,
    MetricCursor,
    Page,
    Run,
    RunQuery,
    SearchCursor,
)
from trackstore.model_stores import LoggedModelStore, RegistryStore
from trackstore.registered import (
    ModelVersion,
    ModelVersionChanges,
    ModelVersionCursor,
    RegisteredModel,
    RegisteredModelChanges,
)
from trackstore.stores import ArtifactReader, ArtifactStore, BackendStore, Store
from trackstore_conformance.forwarding import (
    ForwardingArtifactStore,
    ForwardingBackendStore,
    Versions,
)
from trackstore_conformance.forwarding_models import (
    ForwardingLoggedModelStore,
    ForwardingRegistryStore,
)
from trackstore_conformance.namespaces_direct import (
    SweepsInFolder,
    UploadsInFolder,
    URLsInFolder,
)

S = TypeVar("S", bound=Store)

ROOT = "trackstore-conformance"
"""Begins every name, so that whoever finds one knows where it is from."""


class InNamespace(Struct, Generic[S], frozen=True):
    """Opens a part of the store that `opener` opens; other processes can be given it."""

    opener: Callable[[str], S]
    namespace: str

    def __call__(self, url: str) -> S:
        store: Any = self.opener(url)
        if isinstance(store, ArtifactStore):
            mine: Any = type("Namespace", (*forwarded(store), ArtifactNamespace), {})
            return mine(store, f"{ROOT}/{self.namespace}")  # type: ignore[no-any-return]
        kind: Any = type("Namespace", (*namespaces_of(store), *forwarded(store)), {})
        return kind(store, f"{ROOT} {self.namespace} ")  # type: ignore[no-any-return]


class BackendNamespace(ForwardingBackendStore):
    """The experiments whose names begin with a prefix."""

    def __init__(self, inner: BackendStore, prefix: str) -> None:
        super().__init__(inner)
        self.prefix = prefix

    def shown(self, experiment: Experiment) -> Experiment:
        return replace(experiment, name=experiment.name.removeprefix(self.prefix))

    def create_experiment(self, experiment: Experiment) -> Experiment:
        named = replace(experiment, name=self.prefix + experiment.name)
        return self.shown(super().create_experiment(named))

    def get_experiment(self, experiment_id: str) -> Experiment:
        return self.shown(super().get_experiment(experiment_id))

    def find_experiment(self, name: str) -> Experiment:
        return self.shown(super().find_experiment(self.prefix + name))

    def update_experiment(self, experiment_id: str, changes: ExperimentChanges) -> Applied:
        if changes.name is not UNSET:
            changes = replace(changes, name=self.prefix + changes.name)
        return super().update_experiment(experiment_id, changes)

    def scan_experiments(
        self, stage: LifecycleStage | None, after: ExperimentCursor | None, limit: int
    ) -> Page[Experiment, ExperimentCursor]:
        mine: list[Experiment] = []
        while len(mine) <= limit:
            page = super().scan_experiments(stage, after, limit)
            mine += [self.shown(e) for e in page.items if e.name.startswith(self.prefix)]
            if (after := page.next) is None:
                break
        more = len(mine) > limit
        last = mine[limit - 1] if more else None
        return Page(mine[:limit], (last.creation_time, last.id) if last else None)


class LoggedModelNamespace(BackendNamespace, ForwardingLoggedModelStore):
    """Logged models are in experiments, which have the prefix."""


class RegistryNamespace(ForwardingRegistryStore):
    """The registered models whose names begin with a prefix."""

    def __init__(self, inner: Any, prefix: str) -> None:
        super().__init__(inner)
        self.prefix = prefix

    def model(self, model: RegisteredModel) -> RegisteredModel:
        name = model.name.removeprefix(self.prefix)
        return replace(model, name=name, latest=tuple(map(self.version, model.latest)))

    def version(self, version: ModelVersion) -> ModelVersion:
        return replace(version, name=version.name.removeprefix(self.prefix))

    def create_registered_model(self, model: RegisteredModel) -> RegisteredModel:
        named = replace(model, name=self.prefix + model.name)
        return self.model(super().create_registered_model(named))

    def get_registered_model(self, name: str) -> RegisteredModel:
        return self.model(super().get_registered_model(self.prefix + name))

    def update_registered_model(self, name: str, changes: RegisteredModelChanges) -> Applied:
        if changes.name is not UNSET:
            changes = replace(changes, name=self.prefix + changes.name)
        return super().update_registered_model(self.prefix + name, changes)

    def delete_registered_model(self, name: str) -> None:
        super().delete_registered_model(self.prefix + name)

    def scan_registered_models(self, after: str | None, limit: int) -> Page[RegisteredModel, str]:
        page = super().scan_registered_models(self.prefix + (after or ""), limit + 1)
        mine = [self.model(each) for each in page.items if each.name.startswith(self.prefix)]
        return Page(mine[:limit], mine[limit - 1].name if len(mine) > limit else None)

    def create_model_version(self, version: ModelVersion) -> ModelVersion:
        named = replace(version, name=self.prefix + version.name)
        return self.version(super().create_model_version(named))

    def get_model_version(self, name: str, version: int) -> ModelVersion:
        return self.version(super().get_model_version(self.prefix + name, version))

    def find_model_version(self, name: str, alias: str) -> ModelVersion:
        return self.version(super().find_model_version(self.prefix + name, alias))

    def update_model_version(
        self, name: str, version: int, changes: ModelVersionChanges
    ) -> Applied:
        return super().update_model_version(self.prefix + name, version, changes)

    def delete_model_version(self, name: str, version: int, time: int) -> None:
        super().delete_model_version(self.prefix + name, version, time)

    def scan_model_versions(
        self, name: str | None, run_id: str | None, after: ModelVersionCursor | None, limit: int
    ) -> Page[ModelVersion, ModelVersionCursor]:
        begin = (self.prefix, 0) if after is None else (self.prefix + after[0], after[1])
        named = None if name is None else self.prefix + name
        page = super().scan_model_versions(named, run_id, begin, limit + 1)
        mine = [self.version(each) for each in page.items if each.name.startswith(self.prefix)]
        last = mine[limit - 1] if len(mine) > limit else None
        return Page(mine[:limit], (last.name, last.version) if last else None)


def namespaces_of(store: object) -> list[type]:
    """Return the namespaces of the contracts that a store has."""
    found: list[type] = []
    if isinstance(store, LoggedModelStore):
        found.append(LoggedModelNamespace)
    elif isinstance(store, BackendStore):
        found.append(BackendNamespace)
    if isinstance(store, RegistryStore):
        found.append(RegistryNamespace)
    return found


class Searches:
    """Of a store that answers queries itself."""

    inner: Any

    def search_runs(
        self, query: RunQuery, after: SearchCursor | None, limit: int
    ) -> Page[Run, SearchCursor]:
        page: Page[Run, SearchCursor] = self.inner.search_runs(query, after, limit)
        return page


class Columns:
    """Of a store that reads histories as columns."""

    inner: Any

    def metric_columns(
        self, run_id: str, key: str, after: MetricCursor | None, limit: int
    ) -> MetricColumns[MetricCursor]:
        found: MetricColumns[MetricCursor] = self.inner.metric_columns(run_id, key, after, limit)
        return found


class Charts:
    """Of a store that thins histories out."""

    inner: Any

    def downsample_history(
        self, run_id: str, key: str, steps: tuple[int, int], most: int
    ) -> MetricColumns[MetricCursor]:
        found: MetricColumns[MetricCursor] = self.inner.downsample_history(run_id, key, steps, most)
        return found


class VersionsInFolder(Versions):
    """Of an artifact store that keeps versions."""

    hidden: Callable[[str], str]

    def scan_versions(self, path: str, after: str | None, limit: int) -> Page[ArtifactVersion, str]:
        return super().scan_versions(self.hidden(path), after, limit)

    def get_version(
        self, path: str, version: str, start: int = 0, length: int | None = None
    ) -> ArtifactReader:
        return super().get_version(self.hidden(path), version, start, length)


FORWARDED = {
    SearchesRuns: Searches,
    ReadsColumns: Columns,
    DownsamplesHistory: Charts,
    KeepsVersions: VersionsInFolder,
    SignsURLs: URLsInFolder,
    SignsUploads: UploadsInFolder,
    SweepsUploads: SweepsInFolder,
}


def forwarded(store: object) -> list[type]:
    """Return what makes a namespace offer what its store does."""
    return [mixin for ability, mixin in FORWARDED.items() if isinstance(store, ability)]


class ArtifactNamespace(ForwardingArtifactStore):
    """The files in one folder."""

    def __init__(self, inner: ArtifactStore, folder: str) -> None:
        super().__init__(inner)
        self.folder = folder

    def hidden(self, path: str) -> str:
        return f"{self.folder}/{path}" if path else self.folder

    def shown(self, info: ArtifactInfo) -> ArtifactInfo:
        return replace(info, path=info.path.removeprefix(f"{self.folder}/"))

    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        return self.shown(super().put(self.hidden(path), chunks, if_absent=if_absent))

    def get(self, path: str, start: int = 0, length: int | None = None) -> ArtifactReader:
        return super().get(self.hidden(path), start, length)

    def stat(self, path: str) -> ArtifactInfo:
        return self.shown(super().stat(self.hidden(path)))

    def scan(
        self, prefix: str, after: str | None, limit: int, *, deep: bool
    ) -> Page[ArtifactInfo, str]:
        begin = None if after is None else self.hidden(after)
        page = super().scan(self.hidden(prefix), begin, limit, deep=deep)
        following = None if page.next is None else page.next.removeprefix(f"{self.folder}/")
        return Page([self.shown(info) for info in page.items], following)

    def delete(self, path: str) -> None:
        super().delete(self.hidden(path))


def erase(store: Store) -> None:
    """Remove everything that `store` shows, for good."""
    if isinstance(store, ArtifactStore):
        while page := store.scan("", None, 1_000, deep=False).items:
            for info in page:
                store.delete(info.path)
    if isinstance(store, BackendStore):
        deletion = ExperimentChanges(lifecycle_stage=LifecycleStage.DELETED)
        while experiments := store.scan_experiments(None, None, 1_000).items:
            for experiment in experiments:
                store.update_experiment(experiment.id, deletion)
                store.purge_experiment(experiment.id)
    if isinstance(store, RegistryStore):
        while models := store.scan_registered_models(None, 1_000).items:
            for model in models:
                store.delete_registered_model(model.name)
