"""Optuna's values and errors in the contract's words, and the other way round.

What Optuna has no field for is kept in one more user attribute, "trackstore".
"""

from collections.abc import Callable, Sequence
from typing import Any

import optuna
from optuna.study._frozen import FrozenStudy
from optuna.trial import FrozenTrial, TrialState, create_trial

from trackstore.errors import AlreadyExists, BackendError, InvalidState, NotFound, TrackstoreError
from trackstore.model import Experiment, Metric, Page, Run, RunStatus

REST, TAG, PARAM, METRIC = "trackstore", "tag:", "param:", "m"
STATES = {
    RunStatus.RUNNING: TrialState.RUNNING,
    RunStatus.SCHEDULED: TrialState.WAITING,
    RunStatus.FINISHED: TrialState.COMPLETE,
    RunStatus.FAILED: TrialState.FAIL,
    RunStatus.KILLED: TrialState.PRUNED,
}
STATUSES = {state: status for status, state in STATES.items()}
REFUSALS = {
    KeyError: NotFound,
    optuna.exceptions.DuplicatedStudyError: AlreadyExists,
    optuna.exceptions.UpdateFinishedTrialError: InvalidState,
}


def translated(error: Exception) -> TrackstoreError:
    return REFUSALS.get(type(error), BackendError)(f"{type(error).__name__}: {error}")


def ours(found: FrozenStudy | FrozenTrial) -> str | None:
    """Return our id, which is there once the attributes are."""
    return found.user_attrs.get(REST, [None])[0]


def attributes_of(new: Experiment | Run) -> dict[str, Any]:
    if isinstance(new, Experiment):
        rest = [new.id, new.artifact_location, new.creation_time, new.last_update_time]
    else:
        rest = [new.id, new.experiment_id, new.start_time, new.artifact_uri, new.user_id]
        rest.append(new.end_time)
    return {**{TAG + key: value for key, value in new.tags.items()}, REST: rest}


def rest(found: FrozenStudy | FrozenTrial, kept: int, last: int | None) -> list[Any]:
    """Return what is kept of ours with another last value."""
    return [*found.user_attrs[REST][:kept], last]


def part(attributes: dict[str, Any], prefix: str) -> dict[str, str]:
    found = {k: v for k, v in attributes.items() if k.startswith(prefix)}
    return {key.removeprefix(prefix): value for key, value in found.items()}


def as_experiment(study: FrozenStudy) -> Experiment:
    ident, location, created, updated = study.user_attrs[REST]
    tags = part(study.user_attrs, TAG)
    return Experiment(ident, study.study_name, location, created, updated, tags=tags)


def as_run(trial: FrozenTrial) -> Run:
    ident, home, start, uri, user, end = trial.user_attrs[REST]
    params, tags = part(trial.user_attrs, PARAM), part(trial.user_attrs, TAG)
    points = {point.key: point for point in points_of(trial)}
    status = STATUSES[trial.state]
    return Run(ident, home, start, uri, user, status, end, params=params, tags=tags, metrics=points)


def points_of(trial: FrozenTrial) -> list[Metric]:
    found = sorted(trial.intermediate_values.items())
    return [Metric(METRIC, value, 0, step) for step, value in found]


def template(run: Run) -> FrozenTrial:
    value = 0.0 if run.status is RunStatus.FINISHED else None
    return create_trial(state=STATES[run.status], value=value, user_attrs=attributes_of(run))


def page(rows: Sequence[Any], key: Callable[[Any], Any], after: Any, limit: int) -> Page[Any, Any]:
    """Cut a page from a whole list, since Optuna has no pages."""
    place = lambda row: (-key(row)[0], key(row)[1])  # noqa: E731
    ranked = sorted(rows, key=place)
    rest = [row for row in ranked if after is None or place(row) > (-after[0], after[1])]
    return Page(rest[:limit], key(rest[limit - 1]) if len(rest) > limit else None)
