"""The front over a store of registered models: what users and servers call.

As `trackstore.tracker` does for runs, it makes times, fills in defaults and checks every value;
what it raises is of `trackstore.errors`, and then nothing was written, unless `outcome` says
"unknown".
"""

from collections.abc import Callable, Sequence

from trackstore import limits, model_filters, model_search, paging
from trackstore.artifacts import Artifacts
from trackstore.errors import InvalidRequest, NotFound
from trackstore.limits import check_page, check_text
from trackstore.model import OrderBy, Page, SearchCursor
from trackstore.model_names import (
    check_alias,
    check_description,
    check_model_name,
    check_new_alias,
    check_registry_tags,
    check_version,
    check_version_stage,
)
from trackstore.model_search import MODEL_TIES, VERSION_TIES, ModelQuery
from trackstore.model_stores import RegistryStore
from trackstore.registered import (
    ModelVersion,
    ModelVersionChanges,
    RegisteredModel,
    RegisteredModelChanges,
    VersionStage,
)
from trackstore.sources import Sources
from trackstore.stores import BackendStore
from trackstore.validation import Pairs, check_key

NEWEST_FIRST = (OrderBy("attribute", "last_updated_timestamp", descending=True),)
"""The order of a search for versions that names none."""

ACTIVE_STAGES = (VersionStage.STAGING, VersionStage.PRODUCTION)
"""Those of which a move may archive the other versions."""

Version = int | str
"""The number of a version; text of digits is one too."""


class ModelRegistry:
    """Registered models with their versions, aliases, stages and tags.

    Names are exact.  An unknown model, version or alias raises `NotFound`.  `runs` and `artifacts`
    are what sources of versions are resolved with.  Thread-safe; closing is its stores' owner's.
    """

    def __init__(
        self,
        store: RegistryStore,
        runs: BackendStore,
        artifacts: Artifacts,
        *,
        clock: Callable[[], int],
    ) -> None:
        self.store = store
        self._sources = Sources(store, runs, artifacts)
        self._clock = clock

    # Models

    def create_model(
        self, name: str, *, description: str = "", tags: Pairs[str] = ()
    ) -> RegisteredModel:
        """Create a model without versions; `AlreadyExists` if the name is taken (R-MOD-02)."""
        now = self._clock()
        return self.store.create_registered_model(
            RegisteredModel(
                check_model_name(name),
                now,
                now,
                check_description(description),
                check_registry_tags(tags),
            )
        )

    def get_model(self, name: str) -> RegisteredModel:
        """Return a model with the newest version in each stage."""
        return self.store.get_registered_model(check_model_name(name))

    def rename_model(self, name: str, new_name: str) -> RegisteredModel:
        """Give a model another name, which its versions and aliases have at once (R-MOD-03)."""
        changes = RegisteredModelChanges(
            name=check_model_name(new_name), last_update_time=self._clock()
        )
        self._change(name, changes)
        return self.get_model(new_name)

    def update_model(self, name: str, *, description: str) -> RegisteredModel:
        """Change the description of a model."""
        changes = RegisteredModelChanges(
            description=check_description(description), last_update_time=self._clock()
        )
        self._change(name, changes)
        return self.get_model(name)

    def delete_model(self, name: str) -> None:
        """Erase a model with all its versions, aliases and tags for good (R-MOD-04)."""
        self.store.delete_registered_model(check_model_name(name))

    def set_model_tags(self, name: str, tags: Pairs[str]) -> None:
        """Set tags of a model, in one step."""
        self._change(name, RegisteredModelChanges(tags=check_registry_tags(tags)))

    def delete_model_tag(self, name: str, key: str) -> None:
        """Delete a tag of a model; one that it does not have is no error."""
        self._change(name, RegisteredModelChanges(deleted_tags=(check_key(key),)))

    def set_alias(self, name: str, alias: str, version: Version) -> None:
        """Let an alias point to a version, and to no other any more (R-ALI-01).

        Raises `InvalidRequest` for `latest`, and for what looks like a version: v1.
        """
        aliases = {check_new_alias(alias): check_version(version)}
        self._change(name, RegisteredModelChanges(aliases=aliases))

    def delete_alias(self, name: str, alias: str) -> None:
        """Delete an alias; one that the model does not have is no error."""
        self._change(name, RegisteredModelChanges(deleted_aliases=(check_alias(alias),)))

    def search_models(
        self,
        filter: str = "",  # noqa: A002 - MLflow's users know it by this name
        *,
        order_by: Sequence[str] = (),
        limit: int = 100,
        page_token: str | None = None,
    ) -> Page[RegisteredModel, str]:
        """Return a page of models, by default by name; `limit` is at most 1,000.

        `filter` compares name and tags, as in "name LIKE 'vision%' AND tags.team = 'a'".  MLflow's
        prompts are left out unless the filter asks for them, by their tag.
        """
        query = ModelQuery(
            model_filters.parse_model_filter(filter), model_filters.parse_model_order(order_by)
        )
        after = paging.decode_token(page_token, query, _cursor_check(query, MODEL_TIES))
        most = check_page(limit, limits.MODELS_PAGE)
        return paging.tokened(model_search.search_models(self.store, query, after, most), query)

    # Versions

    def create_version(
        self,
        name: str,
        source: str,
        *,
        run_id: str = "",
        model_id: str = "",
        user_id: str = "",
        run_link: str = "",
        description: str = "",
        tags: Pairs[str] = (),
    ) -> ModelVersion:
        """Create the next version of a model from a source, which `trackstore.sources` resolves.

        Numbers have no gaps and are never used again (R-VER-02, R-VER-03).  The run, if it is not
        given, is that of the source or of the logged model.  Repeating the call makes another
        version: after an error of outcome "unknown" look whether it is there.
        """
        check_model_name(name)
        checked = check_registry_tags(tags)
        found = self._sources.resolve(source, checked)
        if model_id and model_id != found.model_id and not run_id:
            run_id = self._sources.logged_model(model_id).run_id
        now = self._clock()
        return self.store.create_model_version(
            ModelVersion(
                name,
                0,
                now,
                now,
                source,
                found.location,
                run_id=check_text("the id of a run", run_id or found.run_id, limits.MODEL_ID),
                model_id=check_text("a model id", model_id or found.model_id, limits.MODEL_ID),
                user_id=check_text("a user id", user_id, limits.USER_ID),
                run_link=check_text("the link of a run", run_link, limits.MODEL_SOURCE),
                description=check_description(description),
                tags=checked,
            )
        )

    def get_version(self, name: str, version: Version) -> ModelVersion:
        """Return a version with its tags and aliases."""
        return self.store.get_model_version(check_model_name(name), check_version(version))

    def find_version(self, name: str, alias: str) -> ModelVersion:
        """Return the version that an alias points to; `latest` is the one of the greatest number.

        Raises `NotFound` if there is no such alias.
        """
        check_alias(alias)
        if alias.lower() != "latest":
            return self.store.find_model_version(check_model_name(name), alias)
        latest = self.get_model(name).latest
        if not latest:
            raise NotFound("the registered model has no versions")
        return latest[-1]

    def latest_versions(self, name: str, stages: Sequence[str] = ()) -> tuple[ModelVersion, ...]:
        """Return the newest version in each of the stages, by default in all of them."""
        wanted = {check_version_stage(stage) for stage in stages} or set(VersionStage)
        return tuple(each for each in self.get_model(name).latest if each.stage in wanted)

    def update_version(self, name: str, version: Version, *, description: str) -> ModelVersion:
        """Change the description of a version."""
        changes = ModelVersionChanges(
            description=check_description(description), last_update_time=self._clock()
        )
        self._change_version(name, version, changes)
        return self.get_version(name, version)

    def move_version(
        self, name: str, version: Version, stage: str, *, archive_others: bool = False
    ) -> ModelVersion:
        """Move a version to a stage; with `archive_others` all in it are archived at once.

        Raises `InvalidRequest` if that is asked for any stage but staging and production.
        """
        found = check_version_stage(stage)
        if archive_others and found not in ACTIVE_STAGES:
            raise InvalidRequest(
                "Model version transition cannot archive existing model versions because "
                f"'{found}' is not an Active stage. Valid stages are {', '.join(ACTIVE_STAGES)}"
            )
        changes = ModelVersionChanges(
            stage=found, archive_others=archive_others, last_update_time=self._clock()
        )
        self._change_version(name, version, changes)
        return self.get_version(name, version)

    def delete_version(self, name: str, version: Version) -> None:
        """Erase a version, and the aliases that point to it, for good (R-VER-04)."""
        number = check_version(version)
        self.store.delete_model_version(check_model_name(name), number, self._clock())

    def set_version_tags(self, name: str, version: Version, tags: Pairs[str]) -> None:
        """Set tags of a version, in one step."""
        changes = ModelVersionChanges(tags=check_registry_tags(tags))
        self._change_version(name, version, changes)

    def delete_version_tag(self, name: str, version: Version, key: str) -> None:
        """Delete a tag of a version; one that it does not have is no error."""
        changes = ModelVersionChanges(deleted_tags=(check_key(key),))
        self._change_version(name, version, changes)

    def download_location(self, name: str, version: Version) -> str:
        """Return the location of a version's artifacts."""
        found = self.get_version(name, version)
        return found.storage_location or found.source

    def search_versions(
        self,
        filter: str = "",  # noqa: A002 - MLflow's users know it by this name
        *,
        order_by: Sequence[str] = (),
        limit: int = 10_000,
        page_token: str | None = None,
    ) -> Page[ModelVersion, str]:
        """Return a page of versions of all models, by default the last changed one first.

        `filter` compares name, version_number, run_id, source_path and tags; `limit` is at most
        200,000.  Versions of MLflow's prompts are left out unless the filter asks for them.
        """
        query = ModelQuery(
            model_filters.parse_version_filter(filter),
            model_filters.parse_version_order(order_by) or NEWEST_FIRST,
        )
        after = paging.decode_token(page_token, query, _cursor_check(query, VERSION_TIES))
        most = check_page(limit, limits.VERSIONS_PAGE)
        return paging.tokened(model_search.search_versions(self.store, query, after, most), query)

    def _change(self, name: str, changes: RegisteredModelChanges) -> None:
        self.store.update_registered_model(check_model_name(name), changes)

    def _change_version(self, name: str, version: Version, changes: ModelVersionChanges) -> None:
        number = check_version(version)
        self.store.update_model_version(check_model_name(name), number, changes)


def _cursor_check(query: ModelQuery, ties: Sequence[OrderBy]) -> Callable[[SearchCursor], bool]:
    return lambda cursor: model_search.is_cursor(cursor, query.order_by, ties)
