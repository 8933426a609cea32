"""Logged models: made, changed and erased.

As in `writes`, each function checks before it writes.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import UNSET, UnsetType

from trackstore.errors import AlreadyExists, Conflict, InvalidState
from trackstore.model import Applied, LifecycleStage
from trackstore.registered import LoggedModel, LoggedModelChanges
from trackstore_backends.sql import logged_reads, reads
from trackstore_backends.sql.database import Row, Session
from trackstore_backends.sql.fragments import among, kept, packed
from trackstore_backends.sql.labels import Labels

TEXTS = ("logged_model_params", "logged_model_tags")


def create_model(session: Session, labels: Labels, given: LoggedModel) -> LoggedModel:
    if session.row("select 1 from logged_models where id = ? for update", (given.id,)) is not None:
        known = logged_reads.get_model(session, given.id)
        if _creation_fields(known) == _creation_fields(given):
            return known
        raise AlreadyExists(f"logged model id {given.id} is taken", field="id")
    exp = _active_experiment(session, given.experiment_id)
    session.run(
        "insert into logged_models (id, exp, name, artifact_uri, creation_time, last_update_time, "
        "source_run_id, model_type, status, status_message, deleted) "
        "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            given.id,
            exp,
            given.name,
            given.artifact_uri,
            given.creation_time,
            given.last_update_time,
            given.source_run_id,
            given.model_type,
            given.status.value,
            given.status_message,
            _is_deleted(given.lifecycle_stage),
        ),
    )
    logged, _ = _model(session, given.id)
    _write_texts(session, labels, "logged_model_params", logged, given.params)
    _write_texts(session, labels, "logged_model_tags", logged, given.tags)
    return logged_reads.get_model(session, given.id)  # with the points that are about it already


def update_model(
    session: Session, labels: Labels, model_id: str, changes: LoggedModelChanges
) -> Applied:
    logged, was_deleted = _model(session, model_id)
    values = _values(changes)
    edits = changes.params or changes.tags or changes.deleted_tags
    if (edits or "status" in values or "status_message" in values) and (
        was_deleted and values.get("deleted", was_deleted)
    ):
        raise InvalidState(f"logged model {model_id} is deleted")
    new = _new_params(session, logged, changes.params)
    if values:
        assignments = ", ".join(f"{column} = ?" for column in values)
        session.run(
            f"update logged_models set {assignments} where logged = ?", (*values.values(), logged)
        )
    _write_texts(session, labels, "logged_model_params", logged, new)
    absent = tuple(name for name in changes.deleted_tags if not _delete_tag(session, logged, name))
    _write_texts(session, labels, "logged_model_tags", logged, changes.tags)
    return Applied(absent)


def purge_model(session: Session, model_id: str) -> Applied:
    logged, deleted = _model(session, model_id)
    if not deleted:
        raise InvalidState(f"logged model {model_id} is active: delete it before it is purged")
    for table in (*TEXTS, "logged_models"):
        session.run(f"delete from {table} where logged = ?", (logged,))
    return Applied()


def purge_models_of(session: Session, exp: int) -> None:
    """Erase all models of an experiment."""
    for table in TEXTS:
        session.run(
            f"delete from {table} where logged in (select logged from logged_models where exp = ?)",
            (exp,),
        )
    session.run("delete from logged_models where exp = ?", (exp,))


def _active_experiment(session: Session, experiment_id: str) -> int:
    row = session.row(
        "select exp, deleted from experiments where id = ? for share", (kept(experiment_id),)
    )
    if row is None:
        raise reads.no_experiment(experiment_id)
    if row[1]:
        raise InvalidState(f"experiment {experiment_id} is deleted")
    return int(row[0])


def _model(session: Session, model_id: str) -> Row:
    """Return (logged, deleted), which nobody else changes until the end."""
    row = session.row(
        "select logged, deleted from logged_models where id = ? for update", (kept(model_id),)
    )
    if row is None:
        raise logged_reads.no_model(model_id)
    return row


def _values(changes: LoggedModelChanges) -> dict[str, Any]:
    """Return the columns to set."""
    values: dict[str, Any] = {}
    if not isinstance(changes.status, UnsetType):
        values["status"] = changes.status.value
    if not isinstance(changes.lifecycle_stage, UnsetType):
        values["deleted"] = _is_deleted(changes.lifecycle_stage)
    if changes.status_message is not UNSET:
        values["status_message"] = changes.status_message
    if changes.last_update_time is not UNSET:
        values["last_update_time"] = changes.last_update_time
    return values


def _new_params(session: Session, logged: int, params: Mapping[str, str]) -> dict[str, str]:
    """Return those that are not stored yet."""
    if not params:
        return {}
    stored: dict[str, str] = dict(
        session.rows(
            "select n.name, p.value from logged_model_params p cross join labels n "
            f"where n.label = p.label and p.logged = ? and {among('n.name')}",
            (logged, packed(params)),
        )
    )
    for name, value in params.items():
        if stored.get(name, value) != value:
            raise Conflict(f"param {name!r} has another value already; a param is written once")
    return {name: value for name, value in params.items() if name not in stored}


def _write_texts(
    session: Session, labels: Labels, table: str, logged: int, values: Mapping[str, str]
) -> None:
    numbers = labels.assign(session, values)
    session.run_many(
        f"insert into {table} (logged, label, value) values (?, ?, ?) "
        "on conflict (logged, label) do update set value = excluded.value",
        [(logged, numbers[name], value) for name, value in values.items()],
    )


def _delete_tag(session: Session, logged: int, name: str) -> int:
    return session.run(
        "delete from logged_model_tags "
        "where logged = ? and label = (select label from labels where name = ?)",
        (logged, name),
    )


def _is_deleted(stage: LifecycleStage) -> int:
    return int(stage is LifecycleStage.DELETED)


def _creation_fields(model: LoggedModel) -> tuple[str, int, str, str]:
    return model.experiment_id, model.creation_time, model.name, model.source_run_id
