"""Registered models and their versions in memory, by the rules of the contract.

No method changes anything before it has raised what it may raise.  The caller holds a lock.
"""

from collections.abc import Iterator

from msgspec import UNSET, Struct, UnsetType, field
from msgspec.structs import replace

from trackstore.errors import AlreadyExists, NotFound
from trackstore.model import Applied, Page
from trackstore.registered import (
    ModelVersion,
    ModelVersionChanges,
    ModelVersionCursor,
    RegisteredModel,
    RegisteredModelChanges,
    VersionStage,
)
from trackstore_backends.paging import given, page


class RegisteredRow(Struct):
    """A model as stored: `fields` has no versions, whose aliases and names are not to be read."""

    fields: RegisteredModel
    last: int = 0
    """The greatest number that a version was ever given."""
    versions: dict[int, ModelVersion] = field(default_factory=dict)


_NOTHING = RegisteredRow(RegisteredModel("", 0, 0))


class RegistryState:
    """Works on the rows it is given, by name."""

    def __init__(self, rows: dict[str, RegisteredRow]) -> None:
        self._rows = rows

    def create_model(self, model: RegisteredModel) -> RegisteredModel:
        self._check_is_free(model.name)
        self._rows[model.name] = RegisteredRow(replace(model, tags=dict(model.tags)))
        return model

    def get_model(self, name: str) -> RegisteredModel:
        return _whole(self._row(name))

    def update_model(self, name: str, changes: RegisteredModelChanges) -> Applied:
        row = self._row(name)
        old = row.fields
        for version in changes.aliases.values():
            _version(row, version)
        tags = {**old.tags, **changes.tags}
        absent = tuple(key for key in changes.deleted_tags if tags.pop(key, None) is None)
        aliases = {**old.aliases, **changes.aliases}
        for alias in changes.deleted_aliases:
            aliases.pop(alias, None)
        new = replace(
            old,
            name=given(changes.name, old.name),
            description=given(changes.description, old.description),
            last_update_time=given(changes.last_update_time, old.last_update_time),
            tags=tags,
            aliases=aliases,
        )
        if new.name != name:
            self._check_is_free(new.name)
            self._rows[new.name] = self._rows.pop(name)
        row.fields = new
        return Applied(absent)

    def delete_model(self, name: str) -> None:
        self._row(name)
        del self._rows[name]

    def scan_models(self, after: str | None, limit: int) -> Page[RegisteredModel, str]:
        names, more = page(self._rows, lambda name: name, after, limit)
        return Page([self.get_model(name) for name in names], names[-1] if more else None)

    def create_version(self, version: ModelVersion) -> ModelVersion:
        row = self._row(version.name)
        number = version.version or row.last + 1
        if number <= row.last:
            raise AlreadyExists(f"the registered model had a version {number} before", field="id")
        row.last = number
        row.versions[number] = replace(version, version=number, tags=dict(version.tags))
        row.fields = replace(row.fields, last_update_time=version.last_update_time)
        return self.get_version(version.name, number)

    def get_version(self, name: str, version: int) -> ModelVersion:
        row = self._row(name)
        return _shown(row, _version(row, version))

    def find_version(self, name: str, alias: str) -> ModelVersion:
        row = self._row(name)
        if alias not in row.fields.aliases:
            raise NotFound(f"registered model {name[:100]!r} has no alias {alias[:100]!r}")
        return self.get_version(name, row.fields.aliases[alias])

    def update_version(self, name: str, version: int, changes: ModelVersionChanges) -> Applied:
        row = self._row(name)
        old = _version(row, version)
        tags = {**old.tags, **changes.tags}
        absent = tuple(key for key in changes.deleted_tags if tags.pop(key, None) is None)
        row.versions[version] = replace(
            old,
            description=given(changes.description, old.description),
            stage=given(changes.stage, old.stage),
            status=given(changes.status, old.status),
            status_message=given(changes.status_message, old.status_message),
            last_update_time=given(changes.last_update_time, old.last_update_time),
            tags=tags,
        )
        if changes.stage is not UNSET:
            _move(row, version, changes)
        return Applied(absent)

    def delete_version(self, name: str, version: int, time: int) -> None:
        row = self._row(name)
        _version(row, version)
        del row.versions[version]
        left = {alias: held for alias, held in row.fields.aliases.items() if held != version}
        row.fields = replace(row.fields, aliases=left, last_update_time=time)

    def scan_versions(
        self, name: str | None, run_id: str | None, after: ModelVersionCursor | None, limit: int
    ) -> Page[ModelVersion, ModelVersionCursor]:
        rows = self._rows if name is None else {name: self._rows.get(name, _NOTHING)}
        found = [
            (each, number)
            for each, row in rows.items()
            for number, version in row.versions.items()
            if run_id in {None, version.run_id}
        ]
        places, more = page(found, lambda place: place, after, limit)
        return Page([self.get_version(*place) for place in places], places[-1] if more else None)

    def keep(self, row: RegisteredRow) -> None:
        """Store a model that is not there yet, with its versions."""
        self._rows[row.fields.name] = row

    def _row(self, name: str) -> RegisteredRow:
        try:
            return self._rows[name]
        except KeyError:
            raise NotFound(f"there is no registered model {name[:100]!r}") from None

    def _check_is_free(self, name: str) -> None:
        if name in self._rows:
            raise AlreadyExists(f"a registered model is named {name[:100]!r}")


def _version(row: RegisteredRow, version: int) -> ModelVersion:
    try:
        return row.versions[version]
    except KeyError:
        raise NotFound(f"{row.fields.name[:100]!r} has no version {version}") from None


def _shown(row: RegisteredRow, version: ModelVersion) -> ModelVersion:
    aliases = (alias for alias, held in row.fields.aliases.items() if held == version.version)
    return replace(
        version, name=row.fields.name, tags=dict(version.tags), aliases=tuple(sorted(aliases))
    )


def _whole(row: RegisteredRow) -> RegisteredModel:
    latest = {version.stage: version for version in _in_order(row)}
    return replace(
        row.fields,
        tags=dict(row.fields.tags),
        aliases=dict(row.fields.aliases),
        latest=tuple(
            _shown(row, version)
            for version in sorted(latest.values(), key=lambda version: version.version)
        ),
    )


def _in_order(row: RegisteredRow) -> Iterator[ModelVersion]:
    yield from (row.versions[number] for number in sorted(row.versions))


def _move(row: RegisteredRow, version: int, changes: ModelVersionChanges) -> None:
    """Do what a change of the stage of a version means to its neighbours and its model."""
    time = changes.last_update_time
    others = [each for each in row.versions.values() if each.stage is changes.stage]
    for other in others if changes.archive_others else ():
        if other.version != version:
            row.versions[other.version] = replace(
                other,
                stage=VersionStage.ARCHIVED,
                last_update_time=given(time, other.last_update_time),
            )
    if not isinstance(time, UnsetType):
        row.fields = replace(row.fields, last_update_time=time)
