"""Reading registered models and their versions.

A page costs the same few statements however many rows it has.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from trackstore.errors import NotFound
from trackstore.model import Page
from trackstore.registered import (
    ModelVersion,
    ModelVersionCursor,
    RegisteredModel,
    VersionStage,
    VersionStatus,
)
from trackstore_backends.sql.database import Row, Session
from trackstore_backends.sql.fragments import ALWAYS, Sql, all_of, among, kept, packed
from trackstore_backends.sql.reads import texts

_MODELS = (
    "select model, name, creation_time, last_update_time, description from registered_models where"
)
_VERSION = (
    "v.model, r.name, v.version, v.creation_time, v.last_update_time, v.source, "
    "v.storage_location, v.run_id, v.model_id, v.user_id, v.run_link, v.description, v.stage, "
    "v.status, v.status_message"
)
_BY_NAME = Sql(
    f"select {_VERSION} from registered_models r cross join model_versions v "
    "where v.model = r.model and "
)
_BY_RUN = Sql(
    f"select {_VERSION} from model_versions v cross join registered_models r "
    "where r.model = v.model and "
)
_LATEST = (
    f"select {_VERSION} from (select model, stage, max(version) as newest from model_versions "
    f"where {among('model')} group by model, stage) n "
    "cross join model_versions v cross join registered_models r "
    "where v.model = n.model and v.version = n.newest and r.model = v.model"
)
_TAGS = (
    "select t.model, n.name, t.value from registered_model_tags t "
    f"cross join labels n where n.label = t.label and {among('t.model')}"
)
_VERSION_TAGS = (
    "select t.model, t.version, n.name, t.value from model_version_tags t "
    "cross join labels n where n.label = t.label "
    f"and {among('t.model')} and {among('t.version')}"
)
_ALIASES = f"select model, alias, version from registered_model_aliases where {among('model')}"

_STAGES = {stage.value: stage for stage in VersionStage}
_STATUSES = {status.value: status for status in VersionStatus}


def no_model(name: str) -> NotFound:
    return NotFound(f"there is no registered model {name[:64]!a}")


def no_version(name: str, version: int) -> NotFound:
    return NotFound(f"registered model {name[:64]!a} has no version {version}")


def get_model(session: Session, name: str) -> RegisteredModel:
    found = _models(session, session.rows(f"{_MODELS} name = ?", (kept(name),)))
    if not found:
        raise no_model(name)
    return found[0]


def scan_models(session: Session, after: str | None, limit: int) -> Page[RegisteredModel, str]:
    passed, values = ("1 = 1", ()) if after is None else ("name > ?", (after,))
    rows = session.rows(f"{_MODELS} {passed} order by name limit ?", (*values, limit + 1))
    found = _models(session, rows[:limit])
    return Page(found, found[-1].name if len(rows) > limit else None)


def get_version(session: Session, name: str, version: int) -> ModelVersion:
    wanted = Sql("r.name = ? and v.version = ?", (kept(name), version))
    found = _versions(session, session.rows(*_BY_NAME + wanted))
    if not found:
        raise no_version(name, version)
    return found[0]


def find_version(session: Session, name: str, alias: str) -> ModelVersion:
    row = session.row(
        "select a.version from registered_models r cross join registered_model_aliases a "
        "where a.model = r.model and r.name = ? and a.alias = ?",
        (kept(name), kept(alias)),
    )
    if row is None:
        raise NotFound(f"registered model {name[:64]!a} has no alias {alias[:64]!a}")
    return get_version(session, name, row[0])


def scan_versions(
    session: Session,
    name: str | None,
    run_id: str | None,
    after: ModelVersionCursor | None,
    limit: int,
) -> Page[ModelVersion, ModelVersionCursor]:
    wanted = [ALWAYS]
    if name is not None:
        wanted.append(Sql("r.name = ?", (kept(name),)))
    if run_id is not None:
        wanted.append(Sql("v.run_id = ?", (kept(run_id),)))
    if after is not None:
        passed = "r.name >= ? and (r.name > ? or v.version > ?)"
        wanted.append(Sql(passed, (after[0], *after)))
    order = Sql(" order by r.name, v.version limit ?", (limit + 1,))
    rows = session.rows(*(_BY_NAME if run_id is None else _BY_RUN) + all_of(wanted) + order)
    found = _versions(session, rows[:limit])
    more = len(rows) > limit
    return Page(found, (found[-1].name, found[-1].version) if more else None)


def _models(session: Session, rows: Sequence[Row]) -> list[RegisteredModel]:
    wanted = (packed(row[0] for row in rows),)
    tags_found, aliases_found, latest_found = session.rows_of(
        [Sql(sql, wanted) for sql in (_TAGS, _ALIASES, _LATEST)]
    )
    tags, aliases = texts(tags_found), _aliases(aliases_found)
    latest = defaultdict(list)
    for row, version in zip(latest_found, _versions(session, latest_found), strict=True):
        latest[row[0]].append(version)
    return [
        RegisteredModel(
            name,
            created,
            updated,
            description,
            tags.get(model, {}),
            aliases.get(model, {}),
            tuple(sorted(latest[model], key=lambda version: version.version)),
        )
        for model, name, created, updated, description in rows
    ]


def _versions(session: Session, rows: Sequence[Row]) -> list[ModelVersion]:
    if not rows:
        return []
    models = packed({row[0] for row in rows})
    tags_found, aliases_found = session.rows_of(
        [
            Sql(_VERSION_TAGS, (models, packed({row[2] for row in rows}))),
            Sql(_ALIASES, (models,)),
        ]
    )
    tags = texts(((model, version), name, value) for model, version, name, value in tags_found)
    holders: dict[Any, list[str]] = defaultdict(list)
    for model, alias, version in aliases_found:
        holders[model, version].append(alias)
    found = []
    for model, *fields, stage, status, message in rows:
        place = model, fields[1]
        fields += [_STAGES[stage], _STATUSES[status], message]
        fields += [tags.get(place, {}), tuple(sorted(holders[place]))]
        found.append(ModelVersion(*fields))
    return found


def _aliases(rows: Iterable[Row]) -> dict[int, dict[str, int]]:
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for model, alias, version in rows:
        found[model][alias] = version
    return found
