"""What in the target would contradict a copy; it is found before anything is written."""

from collections.abc import Iterator, Mapping

from trackstore.copying.source import Source
from trackstore.errors import NotFound
from trackstore.model import Experiment, LifecycleStage, Run
from trackstore.model_stores import LoggedModelStore, RegistryStore
from trackstore.registered import RegisteredModel
from trackstore.stores import BackendStore

DEFAULT = "0"
"""The default experiment is there in every store: runs join those of the target."""


def clashes(source: Source, target: BackendStore) -> Iterator[str]:
    """Yield what is in the way, each as a line for people."""
    names: dict[str, str] = {}
    owners: dict[str, str] = {}
    experiments = {experiment.id: experiment for experiment in source.experiments()}
    for experiment in experiments.values():
        yield from _of_name(experiment, names)
        yield from _of_experiment(experiment, target, experiments)
        for run in source.runs(experiment.id):
            if owners.setdefault(run.id, experiment.id) != experiment.id:
                yield f"run {run.id} is in two experiments of the source"
            yield from _of_run(run, target)
        if not isinstance(target, LoggedModelStore):
            for model in source.logged_models(experiment.id):
                yield f"logged model {model.id}: the target keeps no models"
                break
    for registered in source.registered_models():
        yield from _of_model(registered, target)


def _of_name(experiment: Experiment, names: dict[str, str]) -> Iterator[str]:
    if experiment.lifecycle_stage is LifecycleStage.ACTIVE:
        other = names.setdefault(experiment.name, experiment.id)
        if other != experiment.id:
            yield f"experiments {other} and {experiment.id} of the source have one name"


def _of_experiment(
    experiment: Experiment, target: BackendStore, experiments: Mapping[str, Experiment]
) -> Iterator[str]:
    if experiment.id == DEFAULT:
        return
    try:
        there = target.get_experiment(experiment.id)
    except NotFound:
        pass
    else:
        if not _is_copy(there, experiment):
            yield f"experiment {experiment.id} is another one in the target: {there.name!r}"
        return
    try:
        there = target.find_experiment(experiment.name)
    except NotFound:
        return
    if not _is_copy(there, experiments.get(there.id)):  # else one that is not deleted yet
        yield f"the name {experiment.name!r} is that of experiment {there.id} of the target"


def _is_copy(there: Experiment, experiment: Experiment | None) -> bool:
    return experiment is not None and (there.name, there.creation_time) == (
        experiment.name,
        experiment.creation_time,
    )


def _of_run(run: Run, target: BackendStore) -> Iterator[str]:
    try:
        there = target.get_run(run.id)
    except NotFound:
        return
    if (there.experiment_id, there.start_time) != (run.experiment_id, run.start_time):
        yield f"run {run.id} is another one in the target, in experiment {there.experiment_id}"


def _of_model(model: RegisteredModel, target: BackendStore) -> Iterator[str]:
    if not isinstance(target, RegistryStore):
        yield f"registered model {model.name!r}: the target keeps no models"
        return
    try:
        there = target.get_registered_model(model.name)
    except NotFound:
        return
    if there.creation_time != model.creation_time:
        yield f"registered model {model.name!r} is another one in the target"
