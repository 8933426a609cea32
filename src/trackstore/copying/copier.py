"""Write what a source has into a target, whole, and any number of times."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from msgspec import UNSET, Struct
from msgspec.structs import replace

from trackstore.artifacts import ArtifactFolder
from trackstore.copying.clashes import DEFAULT, clashes
from trackstore.copying.places import Leave, Move
from trackstore.copying.source import POINTS, Source, StoreSource
from trackstore.errors import AlreadyExists, Conflict, NotFound, Unsupported
from trackstore.model import (
    Batch,
    Experiment,
    ExperimentChanges,
    LifecycleStage,
    Metric,
    Run,
    RunChanges,
    order_image,
)
from trackstore.model_stores import LoggedModelStore, RegistryStore
from trackstore.registered import (
    LoggedModel,
    LoggedModelChanges,
    ModelVersion,
    ModelVersionChanges,
    RegisteredModel,
    RegisteredModelChanges,
)
from trackstore.stores import BackendStore, Store

T = TypeVar("T", bound=Store)

ACTIVE, DELETED = LifecycleStage.ACTIVE, LifecycleStage.DELETED
_SHOWN = 20
"""How many clashes a refusal names."""


class Counts(Struct):
    """What has been copied so far, or was there already."""

    experiments: int = 0
    runs: int = 0
    points: int = 0
    logged_models: int = 0
    registered_models: int = 0
    versions: int = 0
    files: int = 0
    bytes: int = 0


class Copier:
    """Copies all of a source; `tell` is called with the counts now and then."""

    def __init__(
        self,
        source: Source,
        target: BackendStore,
        places: Leave | Move,
        tell: Callable[[Counts], object] = lambda _: None,
    ) -> None:
        self._source = source
        self._target = target
        self._places = places
        self._tell = tell
        self.counts = Counts()

    def check(self) -> None:
        """Raise `Conflict` with what is in the way, if anything is; nothing is written."""
        found = list(clashes(self._source, self._target))
        if found:
            more = f"\nand {len(found) - _SHOWN:,} more" if len(found) > _SHOWN else ""
            raise Conflict(
                "nothing was copied, since the target has something else:\n"
                + "\n".join(found[:_SHOWN])
                + more
            )

    def copy(self) -> None:
        """Copy all; deleted experiments first, whose names others may have since."""
        experiments = sorted(self._source.experiments(), key=lambda each: each.lifecycle_stage)
        for experiment in reversed(experiments):
            location = self._places.learn(experiment)
            self._copy_experiment(experiment, location)
            self._count(experiments=1)
        for model in self._source.registered_models():
            self._copy_registered_model(model)
            self._count(registered_models=1)

    def _copy_experiment(self, experiment: Experiment, location: str) -> None:
        there = self._create_experiment(experiment, location)
        if there.lifecycle_stage is DELETED and not self._is_all_there(experiment, there):
            changes = ExperimentChanges(lifecycle_stage=ACTIVE)
            self._target.update_experiment(experiment.id, changes)
            there = replace(there, lifecycle_stage=ACTIVE)
        for run in self._source.runs(experiment.id):
            if not self._is_there(run, experiment, there):
                self._copy_run(run, experiment)
            self._copy_files(run.artifact_uri)
            self._count(runs=1)
        for model in self._source.logged_models(experiment.id):
            if there.lifecycle_stage is ACTIVE:
                self._copy_logged_model(model)
            self._copy_files(model.artifact_uri)
            self._count(logged_models=1)
        if experiment.lifecycle_stage is DELETED:
            self._target.update_experiment(
                experiment.id,
                ExperimentChanges(
                    lifecycle_stage=DELETED, last_update_time=experiment.last_update_time
                ),
            )

    def _create_experiment(self, experiment: Experiment, location: str) -> Experiment:
        wanted = replace(experiment, artifact_location=location, lifecycle_stage=ACTIVE)
        try:
            return self._target.create_experiment(wanted)
        except AlreadyExists as error:
            if experiment.id == DEFAULT:
                self._target.update_experiment(DEFAULT, ExperimentChanges(tags=experiment.tags))
            elif error.field == "id":
                raise
            return self._target.get_experiment(experiment.id)

    def _copy_run(self, run: Run, experiment: Experiment) -> None:
        is_deleted = is_own_deletion(run, experiment)
        uri = self._places.moved(run.artifact_uri)
        begun = self._target.create_run(
            Run(run.id, run.experiment_id, run.start_time, uri, run.user_id, tags=run.tags)
        )
        if begun.deleted_time is not None or begun.lifecycle_stage is DELETED:
            self._target.update_run(run.id, RunChanges(lifecycle_stage=ACTIVE, deleted_time=None))
        self._target.log(
            run.id,
            Batch(
                params=run.params,
                tags=run.tags,
                inputs=run.inputs,
                model_inputs=run.model_inputs,
                outputs=run.outputs,
            ),
        )
        for points in _batches(self._source.points(run)):
            self._target.log(run.id, Batch(metrics=points))
            self._count(points=len(points))
        self._target.update_run(
            run.id,
            RunChanges(
                status=run.status,
                end_time=run.end_time,
                lifecycle_stage=DELETED if is_deleted else UNSET,
                deleted_time=run.deleted_time if is_deleted else UNSET,
            ),
        )

    def _is_all_there(self, experiment: Experiment, there: Experiment) -> bool:
        """Tell whether a deleted experiment has all, since restoring it may need its name."""
        models = {each.id for each in StoreSource(self._target).logged_models(experiment.id)}
        return all(
            self._is_there(run, experiment, there) for run in self._source.runs(experiment.id)
        ) and all(each.id in models for each in self._source.logged_models(experiment.id))

    def _is_there(self, run: Run, experiment: Experiment, copied: Experiment) -> bool:
        """Tell whether a copy before this one has finished the run, of which ends are last.

        The latest point of a key is copied after all others of the key.
        """
        try:
            there = self._target.get_run(run.id)
        except NotFound:
            return False
        return (
            is_own_deletion(run, experiment) == is_own_deletion(there, copied)
            and content_of(there) == content_of(run)
            and latest_of(there) == latest_of(run)
        )

    def _copy_files(self, location: str) -> None:
        if isinstance(self._places, Leave) or not location:
            return
        old, new = self._places.folders(location)
        for info in old.walk():
            if not _has(new, info.path, info.size):
                new.put(info.path, old.get(info.path))
            self._count(files=1, bytes=info.size or 0)

    def _copy_logged_model(self, model: LoggedModel) -> None:
        target = _keeping(LoggedModelStore, self._target)
        uri = self._places.moved(model.artifact_uri)
        target.create_logged_model(
            replace(model, artifact_uri=uri, lifecycle_stage=ACTIVE, metrics=())
        )
        target.update_logged_model(
            model.id,
            LoggedModelChanges(
                lifecycle_stage=model.lifecycle_stage, last_update_time=model.last_update_time
            ),
        )

    def _copy_registered_model(self, model: RegisteredModel) -> None:
        target = _keeping(RegistryStore, self._target)
        try:
            target.create_registered_model(replace(model, aliases={}, latest=()))
        except AlreadyExists:  # by a copy before this one, as `check` has found
            target.update_registered_model(
                model.name, RegisteredModelChanges(description=model.description, tags=model.tags)
            )
        for version in self._source.versions(model.name):
            self._copy_version(target, version)
            self._count(versions=1)
        target.update_registered_model(
            model.name,
            RegisteredModelChanges(aliases=model.aliases, last_update_time=model.last_update_time),
        )

    def _copy_version(self, target: RegistryStore, version: ModelVersion) -> None:
        wanted = replace(
            version,
            source=self._places.moved(version.source),
            storage_location=self._places.moved(version.storage_location),
            aliases=(),
        )
        try:
            target.create_model_version(wanted)
        except AlreadyExists:
            target.get_model_version(version.name, version.version)
        target.update_model_version(
            version.name,
            version.version,
            ModelVersionChanges(
                description=version.description,
                stage=version.stage,
                status=version.status,
                status_message=version.status_message,
                tags=version.tags,
                last_update_time=version.last_update_time,
            ),
        )

    def _count(self, **more: int) -> None:
        for name, number in more.items():
            setattr(self.counts, name, getattr(self.counts, name) + number)
        self._tell(self.counts)


def is_own_deletion(run: Run, experiment: Experiment) -> bool:
    """Tell whether a run was deleted by itself, and not only with its experiment."""
    if run.lifecycle_stage is ACTIVE:
        return False
    return run.deleted_time is not None or experiment.lifecycle_stage is ACTIVE


def content_of(run: Run) -> tuple[object, ...]:
    """Return what a run and its copy have in common, points and places aside."""
    return (
        (run.id, run.experiment_id, run.user_id, run.status, run.start_time, run.end_time),
        {**run.params},
        {**run.tags},
        sorted((read.dataset.name, read.dataset.digest, {**read.tags}) for read in run.inputs),
        sorted(run.model_inputs),
        sorted((output.model_id, output.step) for output in run.outputs),
    )


def latest_of(run: Run) -> dict[str, tuple[int, int, int]]:
    return {
        key: (point.step, point.timestamp, order_image(point.value))
        for key, point in run.metrics.items()
    }


def _batches(chunks: Iterable[Sequence[Metric]]) -> Iterator[list[Metric]]:
    """Yield points as many at a time as are written at once."""
    batch: list[Metric] = []
    for chunk in chunks:
        batch += chunk
        if len(batch) >= POINTS:
            yield batch
            batch = []
    if batch:
        yield batch


def _has(folder: ArtifactFolder, path: str, size: int | None) -> bool:
    try:
        return folder.stat(path).size == size
    except NotFound:
        return False


def _keeping(kind: type[T], target: BackendStore) -> T:
    if not isinstance(target, kind):
        raise Unsupported("the target keeps no models")
    return target
