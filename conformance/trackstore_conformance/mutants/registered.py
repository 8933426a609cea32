"""Mutants of registered models and their versions."""

import time
from typing import ClassVar

from msgspec import UNSET
from msgspec.structs import replace

from trackstore.errors import AlreadyExists, BackendError, InvalidState, NotFound
from trackstore.model import Applied, Page
from trackstore.registered import (
    ModelVersion,
    ModelVersionChanges,
    ModelVersionCursor,
    RegisteredModel,
    RegisteredModelChanges,
    VersionStage,
)
from trackstore_conformance.mutants.wrapped import HIDDEN, RegistryMutant

ALL = 10_000


class WholeRowWritten(RegistryMutant):
    """Writes the description that a model had at its creation with every change."""

    killed_by = "R-MOD-01"
    made: ClassVar[dict[tuple[str, str], str]] = {}

    def create_registered_model(self, model: RegisteredModel) -> RegisteredModel:
        self.made[self.place, model.name] = model.description
        return super().create_registered_model(model)

    def update_registered_model(self, name: str, changes: RegisteredModelChanges) -> Applied:
        if changes.description is UNSET and (self.place, name) in self.made:
            changes = replace(changes, description=self.made[self.place, name])
        return super().update_registered_model(name, changes)


class ModelTakenForAnother(RegistryMutant):
    """Returns the model of the name to whoever creates it again."""

    killed_by = "R-MOD-02"

    def create_registered_model(self, model: RegisteredModel) -> RegisteredModel:
        try:
            return super().create_registered_model(model)
        except AlreadyExists:
            return super().get_registered_model(model.name)


class ModelLookedUpFirst(RegistryMutant):
    """Looks whether the name is free, and takes it a moment later from whoever has it."""

    killed_by = "R-MOD-02"

    def create_registered_model(self, model: RegisteredModel) -> RegisteredModel:
        try:
            self.inner.get_registered_model(model.name)
        except NotFound:
            time.sleep(0.002)
            try:
                return super().create_registered_model(model)
            except AlreadyExists:
                self.inner.delete_registered_model(model.name)
                return super().create_registered_model(model)
        raise AlreadyExists("the name is taken")


class RenamedByCopying(RegistryMutant):
    """Makes a model of the new name, and moves version after version."""

    killed_by = "R-MOD-03"

    def update_registered_model(self, name: str, changes: RegisteredModelChanges) -> Applied:
        if changes.name in {UNSET, name}:
            return super().update_registered_model(name, changes)
        old = self.inner.get_registered_model(name)
        new = str(changes.name)
        super().create_registered_model(replace(old, name=new, aliases={}, latest=()))
        for version in self.inner.scan_model_versions(name, None, None, ALL).items:
            super().create_model_version(replace(version, name=new, aliases=()))
        kept = replace(changes, name=UNSET, aliases={**old.aliases, **changes.aliases})
        applied = super().update_registered_model(new, kept)
        super().delete_registered_model(name)
        return applied


class AliasesLeftBehind(RegistryMutant):
    """Renames a model without its aliases."""

    killed_by = "R-MOD-03"

    def update_registered_model(self, name: str, changes: RegisteredModelChanges) -> Applied:
        if changes.name not in {UNSET, name}:
            held = self.inner.get_registered_model(name).aliases
            changes = replace(changes, deleted_aliases=[*changes.deleted_aliases, *held])
        return super().update_registered_model(name, changes)


class TagsReturn(RegistryMutant):
    """Gives a new model the tags of one that was deleted."""

    killed_by = "R-MOD-04"
    deleted: ClassVar[dict[str, dict[str, str]]] = {}

    def delete_registered_model(self, name: str) -> None:
        tags = dict(self.inner.get_registered_model(name).tags)
        super().delete_registered_model(name)
        self.deleted[f"{self.place} {name}"] = tags

    def create_registered_model(self, model: RegisteredModel) -> RegisteredModel:
        tags = self.deleted.get(f"{self.place} {model.name}", {})
        return super().create_registered_model(replace(model, tags={**tags, **model.tags}))


class UnknownVersionAliased(RegistryMutant):
    """Passes over an alias to a version that is not there."""

    killed_by = "R-MOD-05"

    def update_registered_model(self, name: str, changes: RegisteredModelChanges) -> Applied:
        known = {v.version for v in self.inner.scan_model_versions(name, None, None, ALL).items}
        aliases = {alias: held for alias, held in changes.aliases.items() if held in known}
        return super().update_registered_model(name, replace(changes, aliases=aliases))


class ModelNamesFold(RegistryMutant):
    """Finds a model by a name in another case."""

    killed_by = "R-MOD-06"
    near = ("R-MOD-01", "R-MOD-02")

    def get_registered_model(self, name: str) -> RegisteredModel:
        for model in super().scan_registered_models(None, ALL).items:
            if model.name.lower() == name.lower():
                return model
        return super().get_registered_model(name)


class SourceNormalised(RegistryMutant):
    """Keeps the source of a version where its artifacts lie."""

    killed_by = "R-VER-01"

    def create_model_version(self, version: ModelVersion) -> ModelVersion:
        return super().create_model_version(replace(version, source=version.storage_location))


class GreatestPlusOne(RegistryMutant):
    """Asks for the greatest number, and stores its version a moment later, again if need be."""

    killed_by = "R-VER-02"

    def create_model_version(self, version: ModelVersion) -> ModelVersion:
        if version.version:
            return super().create_model_version(version)
        scanned = self.inner.scan_model_versions(version.name, None, None, ALL)
        greatest = max((each.version for each in scanned.items), default=0)
        time.sleep(0.002)
        try:
            return super().create_model_version(replace(version, version=greatest + 1))
        except AlreadyExists:
            return super().create_model_version(replace(version, version=greatest + 20))


class NumbersOfDeletedReturn(RegistryMutant):
    """Gives the number of a deleted last version to the next one."""

    killed_by = "R-VER-03"

    def create_model_version(self, version: ModelVersion) -> ModelVersion:
        made = super().create_model_version(version)
        before = self.inner.scan_model_versions(version.name, None, None, ALL).items
        greatest = max((v.version for v in before if v.version < made.version), default=0)
        return made if version.version else replace(made, version=greatest + 1)


class AliasesOutliveVersions(RegistryMutant):
    """Lets the aliases of a deleted version lead to the newest one."""

    killed_by = "R-VER-04"

    def delete_model_version(self, name: str, version: int, time: int) -> None:
        held = self.inner.get_registered_model(name).aliases
        super().delete_model_version(name, version, time)
        latest = self.inner.get_registered_model(name).latest
        moved = {
            alias: latest[-1].version for alias, at in held.items() if at == version and latest
        }
        super().update_registered_model(name, RegisteredModelChanges(aliases=moved))


class NumbersNotKept(RegistryMutant):
    """Numbers a version that is given with its number."""

    killed_by = "R-VER-05"

    def create_model_version(self, version: ModelVersion) -> ModelVersion:
        return super().create_model_version(replace(version, version=0))


class ArchivedFirst(RegistryMutant):
    """Archives the others, and moves the version in a second step."""

    killed_by = "R-STG-01"

    def update_model_version(
        self, name: str, version: int, changes: ModelVersionChanges
    ) -> Applied:
        if changes.archive_others:
            away = ModelVersionChanges(
                stage=VersionStage.ARCHIVED, last_update_time=changes.last_update_time
            )
            for other in self.inner.scan_model_versions(name, None, None, ALL).items:
                if other.stage is changes.stage and other.version != version:
                    super().update_model_version(name, other.version, away)
            changes = replace(changes, archive_others=False)
        return super().update_model_version(name, version, changes)


class ArchivesAllStages(RegistryMutant):
    """Archives every other version, in whatever stage it is."""

    killed_by = "R-STG-01"

    def update_model_version(
        self, name: str, version: int, changes: ModelVersionChanges
    ) -> Applied:
        applied = super().update_model_version(name, version, changes)
        if changes.archive_others:
            away = ModelVersionChanges(stage=VersionStage.ARCHIVED)
            for other in self.inner.scan_model_versions(name, None, None, ALL).items:
                if other.version != version:
                    super().update_model_version(name, other.version, away)
        return applied


class LastByText(RegistryMutant):
    """Takes version 9 for newer than version 11."""

    killed_by = "R-STG-02"

    def get_registered_model(self, name: str) -> RegisteredModel:
        found = super().get_registered_model(name)
        newest: dict[VersionStage, ModelVersion] = {}
        for each in self.inner.scan_model_versions(name, None, None, ALL).items:
            known = newest.get(each.stage)
            if known is None or str(known.version) < str(each.version):
                newest[each.stage] = each
        return replace(found, latest=tuple(sorted(newest.values(), key=lambda v: v.version)))


class AliasAtVersions(RegistryMutant):
    """Keeps an alias with each version that ever had it."""

    killed_by = "R-ALI-01"
    had: ClassVar[dict[tuple[str, str], dict[str, set[int]]]] = {}

    def update_registered_model(self, name: str, changes: RegisteredModelChanges) -> Applied:
        applied = super().update_registered_model(name, changes)
        held = self.had.setdefault((self.place, name), {})
        for alias, version in changes.aliases.items():
            held.setdefault(alias, set()).add(version)
        for alias in changes.deleted_aliases:
            held.pop(alias, None)
        return applied

    def scan_model_versions(
        self, name: str | None, run_id: str | None, after: ModelVersionCursor | None, limit: int
    ) -> Page[ModelVersion, ModelVersionCursor]:
        page = super().scan_model_versions(name, run_id, after, limit)
        return replace(page, items=[self.shown(each) for each in page.items])

    def shown(self, version: ModelVersion) -> ModelVersion:
        held = self.had.get((self.place, version.name), {})
        more = [alias for alias, versions in held.items() if version.version in versions]
        return replace(version, aliases=tuple(sorted({*version.aliases, *more})))


class VersionsByText(RegistryMutant):
    """Lists version 10 before version 2."""

    killed_by = "R-PAG-01"
    near = ("R-MOD-01", "R-VER-01")

    def scan_model_versions(
        self, name: str | None, run_id: str | None, after: ModelVersionCursor | None, limit: int
    ) -> Page[ModelVersion, ModelVersionCursor]:
        rows = [*self.inner.scan_model_versions(name, run_id, None, ALL).items]
        rows.sort(key=lambda each: (each.name, str(each.version)))
        begin = 0
        if after is not None:
            begin = 1 + [(each.name, each.version) for each in rows].index(after)
        page, more = rows[begin : begin + limit], len(rows) > begin + limit
        return Page(page, (page[-1].name, page[-1].version) if more else None)


class StaleRegistry(RegistryMutant):
    """Remembers what it has once read of an alias."""

    killed_by = "R-SES-01"
    near = ("R-MOD-01", "R-VER-02")

    def find_model_version(self, name: str, alias: str) -> ModelVersion:
        known: dict[tuple[str, str], ModelVersion] = self.__dict__.setdefault("known", {})
        if (name, alias) not in known:
            known[name, alias] = super().find_model_version(name, alias)
        return known[name, alias]


class RegistryReadsOn(RegistryMutant):
    """Answers reads after it was closed."""

    killed_by = "R-CON-01"

    def get_registered_model(self, name: str) -> RegisteredModel:
        try:
            return super().get_registered_model(name)
        except InvalidState:
            return RegisteredModel(name, 0, 0)


class ForeignRegistryError(RegistryMutant):
    """Lets the KeyError of its own table through."""

    killed_by = "R-ERR-01"
    near = ("R-MOD-01", "R-VER-02")

    def find_model_version(self, name: str, alias: str) -> ModelVersion:
        try:
            return super().find_model_version(name, alias)
        except NotFound:
            raise KeyError(alias) from None


class AliasLookupFails(RegistryMutant):
    """Takes an alias that is not there for a fault of its own."""

    killed_by = "R-MOD-05"

    def find_model_version(self, name: str, alias: str) -> ModelVersion:
        try:
            return super().find_model_version(name, alias)
        except NotFound as error:
            raise BackendError("no such row") from error


class HiddenInNames(RegistryMutant):
    """Trims the names of models."""

    killed_by = "R-MOD-06"
    near = ("R-VER-02", "R-ALI-01")

    def create_registered_model(self, model: RegisteredModel) -> RegisteredModel:
        name = model.name.strip() or HIDDEN
        return super().create_registered_model(replace(model, name=name))


REGISTERED = (
    WholeRowWritten,
    ModelTakenForAnother,
    ModelLookedUpFirst,
    RenamedByCopying,
    AliasesLeftBehind,
    TagsReturn,
    UnknownVersionAliased,
    AliasLookupFails,
    ModelNamesFold,
    HiddenInNames,
    SourceNormalised,
    GreatestPlusOne,
    NumbersOfDeletedReturn,
    AliasesOutliveVersions,
    NumbersNotKept,
    ArchivedFirst,
    ArchivesAllStages,
    LastByText,
    AliasAtVersions,
    VersionsByText,
    StaleRegistry,
    RegistryReadsOn,
    ForeignRegistryError,
)
