"""Registered models and their versions: made, changed and erased.

As in `writes`, each function checks before it writes.  Whoever changes anything of a model locks
its row first, so that what belongs to one model is changed by one transaction after another.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from trackstore.errors import AlreadyExists
from trackstore.model import Applied
from trackstore.registered import (
    ModelVersion,
    ModelVersionChanges,
    RegisteredModel,
    RegisteredModelChanges,
    VersionStage,
)
from trackstore_backends.sql.database import Row, Session
from trackstore_backends.sql.fragments import kept
from trackstore_backends.sql.labels import Labels
from trackstore_backends.sql.registry_reads import no_model, no_version

OF_A_VERSION = ("model_version_tags", "registered_model_aliases", "model_versions")
"""The tables whose rows belong to a version."""
OF_A_MODEL = ("registered_model_tags", *OF_A_VERSION, "registered_models")


def create_model(session: Session, labels: Labels, given: RegisteredModel) -> RegisteredModel:
    _check_is_free(session, given.name)
    session.run(
        "insert into registered_models (name, description, creation_time, last_update_time, "
        "last_version) values (?, ?, ?, ?, 0)",
        (given.name, given.description, given.creation_time, given.last_update_time),
    )
    if given.tags:
        _set_tags(session, labels, _model(session, given.name)[0], given.tags)
    return given


def update_model(
    session: Session, labels: Labels, name: str, changes: RegisteredModelChanges
) -> Applied:
    model, _ = _model(session, name)
    for version in changes.aliases.values():
        _check_version(session, model, name, version)
    if changes.name not in {UNSET, name}:
        _check_is_free(session, str(changes.name))
    _set(
        session,
        "registered_models",
        {"model": model},
        name=changes.name,
        description=changes.description,
        last_update_time=changes.last_update_time,
    )
    absent = _delete_tags(session, "registered_model_tags", {"model": model}, changes.deleted_tags)
    _set_tags(session, labels, model, changes.tags)
    session.run_many(
        "insert into registered_model_aliases (model, alias, version) values (?, ?, ?) "
        "on conflict (model, alias) do update set version = excluded.version",
        [(model, alias, version) for alias, version in changes.aliases.items()],
    )
    for alias in changes.deleted_aliases:
        session.run(
            "delete from registered_model_aliases where model = ? and alias = ?", (model, alias)
        )
    return Applied(absent)


def delete_model(session: Session, name: str) -> Applied:
    model, _ = _model(session, name)
    for table in OF_A_MODEL:
        session.run(f"delete from {table} where model = ?", (model,))
    return Applied()


def create_version(session: Session, labels: Labels, given: ModelVersion) -> ModelVersion:
    model, last = _model(session, given.name)
    number = given.version or last + 1
    if number <= last:
        raise AlreadyExists(f"the registered model had a version {number} before", field="id")
    session.run(
        "insert into model_versions (model, version, creation_time, last_update_time, source, "
        "storage_location, run_id, model_id, user_id, run_link, description, stage, status, "
        "status_message) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            model,
            number,
            given.creation_time,
            given.last_update_time,
            given.source,
            given.storage_location,
            given.run_id,
            given.model_id,
            given.user_id,
            given.run_link,
            given.description,
            given.stage.value,
            given.status.value,
            given.status_message,
        ),
    )
    session.run(
        "update registered_models set last_version = ?, last_update_time = ? where model = ?",
        (number, given.last_update_time, model),
    )
    _set_version_tags(session, labels, model, number, given.tags)
    return replace(given, version=number)


def update_version(
    session: Session, labels: Labels, name: str, version: int, changes: ModelVersionChanges
) -> Applied:
    model, _ = _model(session, name)
    _check_version(session, model, name, version)
    own = {"model": model, "version": version}
    time = changes.last_update_time
    if not isinstance(changes.stage, UnsetType):
        if changes.archive_others:
            others = {"model": model, "stage": changes.stage.value}
            archived = VersionStage.ARCHIVED.value
            _set(session, "model_versions", others, stage=archived, last_update_time=time)
        _set(session, "model_versions", own, stage=changes.stage.value)
        _set(session, "registered_models", {"model": model}, last_update_time=time)
    _set(
        session,
        "model_versions",
        own,
        description=changes.description,
        status=changes.status if changes.status is UNSET else changes.status.value,
        status_message=changes.status_message,
        last_update_time=time,
    )
    absent = _delete_tags(session, "model_version_tags", own, changes.deleted_tags)
    _set_version_tags(session, labels, model, version, changes.tags)
    return Applied(absent)


def delete_version(session: Session, name: str, version: int, time: int) -> Applied:
    model, _ = _model(session, name)
    _check_version(session, model, name, version)
    for table in OF_A_VERSION:
        session.run(f"delete from {table} where model = ? and version = ?", (model, version))
    _set(session, "registered_models", {"model": model}, last_update_time=time)
    return Applied()


def _model(session: Session, name: str) -> Row:
    """Return (model, last version) of a model, which nobody else changes until the end."""
    row = session.row(
        "select model, last_version from registered_models where name = ? for update",
        (kept(name),),
    )
    if row is None:
        raise no_model(name)
    return row


def _check_is_free(session: Session, name: str) -> None:
    if session.row("select 1 from registered_models where name = ?", (name,)) is not None:
        raise AlreadyExists(f"a registered model is named {name[:64]!a}")


def _check_version(session: Session, model: int, name: str, version: int) -> None:
    found = session.row(
        "select 1 from model_versions where model = ? and version = ?", (model, version)
    )
    if found is None:
        raise no_version(name, version)


def _set(session: Session, table: str, where: Mapping[str, Any], **values: Any) -> None:
    """Set the values that are not `UNSET` in the rows that have all of `where`."""
    given = {column: value for column, value in values.items() if value is not UNSET}
    if given:
        assignments = ", ".join(f"{column} = ?" for column in given)
        session.run(
            f"update {table} set {assignments} where {_equal(where)}",
            (*given.values(), *where.values()),
        )


def _equal(where: Mapping[str, Any]) -> str:
    return " and ".join(f"{column} = ?" for column in where)


def _set_tags(session: Session, labels: Labels, model: int, tags: Mapping[str, str]) -> None:
    numbers = labels.assign(session, tags)
    session.run_many(
        "insert into registered_model_tags (model, label, value) values (?, ?, ?) "
        "on conflict (model, label) do update set value = excluded.value",
        [(model, numbers[name], value) for name, value in tags.items()],
    )


def _set_version_tags(
    session: Session, labels: Labels, model: int, version: int, tags: Mapping[str, str]
) -> None:
    numbers = labels.assign(session, tags)
    session.run_many(
        "insert into model_version_tags (model, version, label, value) values (?, ?, ?, ?) "
        "on conflict (model, version, label) do update set value = excluded.value",
        [(model, version, numbers[name], value) for name, value in tags.items()],
    )


def _delete_tags(
    session: Session, table: str, of: Mapping[str, Any], names: Sequence[str]
) -> tuple[str, ...]:
    """Delete tags and return those that were absent, which asking before could get wrong."""
    return tuple(
        name
        for name in names
        if not session.run(
            f"delete from {table} where {_equal(of)} "
            "and label = (select label from labels where name = ?)",
            (*of.values(), name),
        )
    )
