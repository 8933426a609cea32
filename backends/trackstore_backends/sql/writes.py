"""Experiments and runs: made, changed and erased.

Each function checks before it writes, so that one that raises has written nothing: its
transaction is shared with other callers.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar

from msgspec import UNSET, UnsetType

from trackstore.errors import AlreadyExists, InvalidState
from trackstore.model import (
    Applied,
    Experiment,
    ExperimentChanges,
    LifecycleStage,
    Run,
    RunChanges,
)
from trackstore_backends.sql import logged_writes, logs, reads
from trackstore_backends.sql.database import Row, Session
from trackstore_backends.sql.fragments import Sql, among, kept, packed
from trackstore_backends.sql.labels import Labels

T = TypeVar("T")

Lock = Literal["share", "update"]
"""What others may still do with a row: read and share it, or only read it."""


OF_A_RUN = (
    "points",
    "chunks",
    "unsealed",
    "point_links",
    "latest",
    "params",
    "tags",
    "inputs",
    "model_inputs",
    "outputs",
    "runs",
)
"""The tables whose rows belong to a run."""


def create_experiment(session: Session, labels: Labels, given: Experiment) -> Experiment:
    known = session.row("select name, creation_time from experiments where id = ?", (given.id,))
    if known == (given.name, given.creation_time):
        return reads.get_experiment(session, given.id)
    if known is not None:
        raise AlreadyExists(f"experiment id {given.id} is taken", field="id")
    deleted = _is_deleted(given.lifecycle_stage)
    if not deleted:
        _check_name_is_free(session, given.name)
    exp = session.insert(
        "insert into experiments (id, name, live_name, artifact_location, creation_time, "
        "last_update_time, deleted) values (?, ?, ?, ?, ?, ?, ?) returning exp",
        (
            given.id,
            given.name,
            None if deleted else given.name,
            given.artifact_location,
            given.creation_time,
            given.last_update_time,
            deleted,
        ),
    )
    if given.tags:
        _set_experiment_tags(session, labels, exp, given.tags)
    return given


def update_experiment(
    session: Session, labels: Labels, experiment_id: str, changes: ExperimentChanges
) -> Applied:
    exp, old_name, was_deleted = _experiment(session, experiment_id, "update")
    name = _given(changes.name, old_name)
    deleted = was_deleted
    if not isinstance(changes.lifecycle_stage, UnsetType):
        deleted = _is_deleted(changes.lifecycle_stage)
    edits = changes.name is not UNSET or changes.tags or changes.deleted_tags
    if edits and was_deleted and deleted:
        raise InvalidState(f"experiment {experiment_id} is deleted")
    if not deleted and (was_deleted or name != old_name):
        _check_name_is_free(session, name)
    values: dict[str, Any] = {
        "name": name,
        "live_name": None if deleted else name,
        "deleted": deleted,
    }
    if changes.last_update_time is not UNSET:
        values["last_update_time"] = changes.last_update_time
    _update(session, "experiments", "exp", exp, values)
    applied = _delete_experiment_tags(session, exp, changes.deleted_tags)
    _set_experiment_tags(session, labels, exp, changes.tags)
    return applied


def create_run(session: Session, labels: Labels, given: Run) -> Run:
    taken, home = session.rows_of(
        [
            Sql("select 1 from runs where id = ? for update", (given.id,)),
            _find_experiment(given.experiment_id, "share"),
        ]
    )
    if taken:
        known = reads.get_run(session, given.id)
        if _creation_fields(known) == _creation_fields(given):
            return known
        raise AlreadyExists(f"run id {given.id} is taken", field="id")
    exp, _, deleted = _the_experiment(home, given.experiment_id)
    if deleted:
        raise InvalidState(f"experiment {given.experiment_id} is deleted")
    run = session.insert(
        "insert into runs (id, exp, deleted, status, user_id, start_time, end_time, "
        "deleted_time, artifact_uri) values (?, ?, ?, ?, ?, ?, ?, ?, ?) returning run",
        (
            given.id,
            exp,
            _is_deleted(given.lifecycle_stage),
            given.status.value,
            given.user_id,
            given.start_time,
            given.end_time,
            given.deleted_time,
            given.artifact_uri,
        ),
    )
    if given.tags:
        _set_run_tags(session, labels, run, exp, given.tags)
    return given


def update_run(session: Session, labels: Labels, run_id: str, changes: RunChanges) -> int:
    """Change a run and return its number."""
    run, exp, own, home = _run(session, run_id)
    values: dict[str, Any] = {}
    if not isinstance(changes.lifecycle_stage, UnsetType):
        values["deleted"] = _is_deleted(changes.lifecycle_stage)
    if not isinstance(changes.status, UnsetType):
        values["status"] = changes.status.value
    if changes.end_time is not UNSET:
        values["end_time"] = changes.end_time
    if changes.deleted_time is not UNSET:
        values["deleted_time"] = changes.deleted_time
    edits = changes.tags or "status" in values or "end_time" in values
    if edits and (own or home) and (values.get("deleted", own) or home):
        raise InvalidState(f"run {run_id} is deleted")
    if values:
        _update(session, "runs", "run", run, values)
    if changes.tags:
        _set_run_tags(session, labels, run, exp, changes.tags)
    return int(run)


def purge_run(session: Session, run_id: str) -> Applied:
    run, _, own, home = _run(session, run_id)
    if not (own or home):
        raise InvalidState(f"run {run_id} is active: delete it before it is purged")
    _erase_runs(session, [run])
    return Applied()


def purge_experiment(session: Session, experiment_id: str) -> Applied:
    exp, _, deleted = _experiment(session, experiment_id, "update")
    if not deleted:
        raise InvalidState(f"experiment {experiment_id} is active: delete it before it is purged")
    _erase_runs(
        session, [run for (run,) in session.rows("select run from runs where exp = ?", (exp,))]
    )
    logged_writes.purge_models_of(session, exp)
    for table in ("datasets", "experiment_tags", "experiments"):
        session.run(f"delete from {table} where exp = ?", (exp,))
    return Applied()


def _erase_runs(session: Session, runs: list[int]) -> None:
    erased = (packed(runs),)
    session.run(
        f"delete from input_tags where input in (select input from inputs where {among('run')})",
        erased,
    )
    for table in OF_A_RUN:
        session.run(f"delete from {table} where {among('run')}", erased)


def _is_deleted(stage: LifecycleStage) -> int:
    return int(stage is LifecycleStage.DELETED)


def _given(new: T | UnsetType, old: T) -> T:
    return old if isinstance(new, UnsetType) else new


def _creation_fields(run: Run) -> tuple[str, int, str, str]:
    return run.experiment_id, run.start_time, run.user_id, run.name


def _experiment(session: Session, experiment_id: str, lock: Lock) -> Row:
    """Return (exp, name, deleted), which stay so until the transaction ends."""
    return _the_experiment(session.rows(*_find_experiment(experiment_id, lock)), experiment_id)


def _find_experiment(experiment_id: str, lock: Lock) -> Sql:
    return Sql(
        f"select exp, name, deleted from experiments where id = ? for {lock}",
        (kept(experiment_id),),
    )


def _the_experiment(rows: Sequence[Row], experiment_id: str) -> Row:
    if not rows:
        raise reads.no_experiment(experiment_id)
    return rows[0]


def _run(session: Session, run_id: str) -> Row:
    """Return (run, exp, its own deleted, its experiment's), which stay so."""
    ident = (kept(run_id),)
    rows, home = session.rows_of(
        [
            Sql("select run, exp, deleted from runs where id = ? for update", ident),
            Sql(
                "select deleted from experiments "
                "where exp = (select exp from runs where id = ?) for share",
                ident,
            ),
        ]
    )
    if not rows:
        raise reads.no_run(run_id)
    return (*rows[0], *(home[0] if home else (1,)))


def _check_name_is_free(session: Session, name: str) -> None:
    if session.row("select 1 from experiments where live_name = ?", (name,)) is not None:
        raise AlreadyExists(f"a living experiment is named {name[:64]!a}")


def _set_run_tags(
    session: Session, labels: Labels, run: int, exp: int, tags: Mapping[str, str]
) -> None:
    numbers = labels.assign(session, tags)
    logs.write_tags(session, [(run, numbers[name], exp, value) for name, value in tags.items()])


def _set_experiment_tags(
    session: Session, labels: Labels, exp: int, tags: Mapping[str, str]
) -> None:
    numbers = labels.assign(session, tags)
    session.run_many(
        "insert into experiment_tags (exp, label, value) values (?, ?, ?) "
        "on conflict (exp, label) do update set value = excluded.value",
        [(exp, numbers[name], value) for name, value in tags.items()],
    )


def _delete_experiment_tags(session: Session, exp: int, names: Sequence[str]) -> Applied:
    absent = [
        name
        for name in names
        if not session.run(
            "delete from experiment_tags "
            "where exp = ? and label = (select label from labels where name = ?)",
            (exp, name),
        )
    ]
    return Applied(tuple(absent))


def _update(session: Session, table: str, key: str, number: int, values: dict[str, Any]) -> None:
    assignments = ", ".join(f"{column} = ?" for column in values)
    session.run(f"update {table} set {assignments} where {key} = ?", (*values.values(), number))
