"""MLflow's model registry store on a `ModelRegistry`."""

from collections.abc import Sequence
from typing import Any

from mlflow.entities import model_registry as theirs
from mlflow.store.entities.paged_list import PagedList
from mlflow.store.model_registry.abstract_store import AbstractStore

from trackstore.errors import Unsupported
from trackstore.mlflow_plugin import places
from trackstore.mlflow_plugin.answers import store_of
from trackstore.mlflow_plugin.entities import pairs
from trackstore.mlflow_plugin.model_entities import registered_model, version_entity, versions
from trackstore.model_registry import ModelRegistry
from trackstore.tracker import Tracker

_AS_IN_MLFLOW = """
    copy_model_version create_prompt search_prompts delete_prompt set_prompt_tag delete_prompt_tag
    get_prompt create_prompt_version get_prompt_version delete_prompt_version
    get_prompt_version_by_alias set_prompt_alias delete_prompt_alias search_prompt_versions
    set_prompt_version_tag delete_prompt_version_tag link_prompts_to_trace
    link_prompt_version_to_model link_prompt_version_to_run
""".split()
"""What MLflow builds on the methods below."""

_FINDS_NOTHING = ("list_webhooks", "list_webhooks_by_event")


@store_of(AbstractStore, inherits=_AS_IN_MLFLOW, empty=_FINDS_NOTHING)
class RegistryStore(AbstractStore):
    """Registered models; made by MLflow for a URI such as `trackstore:sqlite:///runs.db`."""

    def __init__(self, store_uri: str, tracking_uri: str | None = None) -> None:
        super().__init__(store_uri, tracking_uri)
        url = places.inner_url(store_uri)
        tracked = (tracking_uri or "").startswith(places.SCHEME)
        self._tracker = places.opened(
            places.inner_url(tracking_uri or "") if tracked else url, registry=url
        )

    @property
    def tracker(self) -> Tracker:
        return self._tracker

    @property
    def _models(self) -> ModelRegistry:
        return self._tracker.registry

    @property
    def _keeps_models(self) -> bool:
        try:
            return self._models is not None
        except Unsupported:
            return False

    # Models

    def create_registered_model(
        self,
        name: str,
        tags: Any = None,
        description: str | None = None,
        deployment_job_id: str | None = None,  # noqa: ARG002 - of another service
    ) -> theirs.RegisteredModel:
        made = self._models.create_model(name, description=description or "", tags=pairs(tags))
        return registered_model(made)

    def get_registered_model(self, name: str) -> theirs.RegisteredModel:
        return registered_model(self._models.get_model(name))

    def update_registered_model(
        self,
        name: str,
        description: str | None,
        deployment_job_id: str | None = None,  # noqa: ARG002 - of another service
    ) -> theirs.RegisteredModel:
        return registered_model(self._models.update_model(name, description=description or ""))

    def rename_registered_model(self, name: str, new_name: str) -> theirs.RegisteredModel:
        return registered_model(self._models.rename_model(name, new_name))

    def delete_registered_model(self, name: str) -> None:
        self._models.delete_model(name)

    def search_registered_models(
        self,
        filter_string: str | None = None,
        max_results: int | None = None,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[theirs.RegisteredModel]:
        """Find nothing in a store that keeps none, so that pages that look here are not broken."""
        if not self._keeps_models:
            return PagedList([], None)
        page = self._models.search_models(
            filter_string or "",
            order_by=list(order_by or ()),
            page_token=page_token or None,
            **({} if max_results is None else {"limit": max_results}),
        )
        return PagedList([registered_model(each) for each in page.items], page.next)

    def set_registered_model_tag(self, name: str, tag: theirs.RegisteredModelTag) -> None:
        self._models.set_model_tags(name, [(tag.key, tag.value)])

    def delete_registered_model_tag(self, name: str, key: str) -> None:
        self._models.delete_model_tag(name, key)

    def set_registered_model_alias(self, name: str, alias: str, version: str | int) -> None:
        self._models.set_alias(name, alias, version)

    def delete_registered_model_alias(self, name: str, alias: str) -> None:
        self._models.delete_alias(name, alias)

    # Versions

    def create_model_version(  # noqa: PLR0917 - as MLflow calls it
        self,
        name: str,
        source: str,
        run_id: str | None = None,
        tags: Any = None,
        run_link: str | None = None,
        description: str | None = None,
        local_model_path: str | None = None,  # noqa: ARG002 - of the caller's machine
        model_id: str | None = None,
    ) -> theirs.ModelVersion:
        made = self._models.create_version(
            name,
            places.without_scheme(source),
            run_id=run_id or "",
            model_id=model_id or "",
            run_link=run_link or "",
            description=description or "",
            tags=pairs(tags),
        )
        return version_entity(made)

    def get_model_version(self, name: str, version: str | int) -> theirs.ModelVersion:
        return version_entity(self._models.get_version(name, version))

    def get_model_version_by_alias(self, name: str, alias: str) -> theirs.ModelVersion:
        return version_entity(self._models.find_version(name, alias))

    def get_latest_versions(
        self, name: str, stages: Sequence[str] | None = None
    ) -> list[theirs.ModelVersion]:
        return versions(self._models.latest_versions(name, list(stages or ())))

    def get_model_version_download_uri(self, name: str, version: str | int) -> str:
        return places.shown(self._models.download_location(name, version))

    def update_model_version(
        self, name: str, version: str | int, description: str | None
    ) -> theirs.ModelVersion:
        changed = self._models.update_version(name, version, description=description or "")
        return version_entity(changed)

    def transition_model_version_stage(
        self,
        name: str,
        version: str | int,
        stage: str,
        archive_existing_versions: bool,  # noqa: FBT001 - as MLflow calls it
    ) -> theirs.ModelVersion:
        moved = self._models.move_version(
            name, version, stage, archive_others=archive_existing_versions
        )
        return version_entity(moved)

    def delete_model_version(self, name: str, version: str | int) -> None:
        self._models.delete_version(name, version)

    def search_model_versions(
        self,
        filter_string: str | None = None,
        max_results: int | None = None,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[theirs.ModelVersion]:
        if not self._keeps_models:
            return PagedList([], None)
        page = self._models.search_versions(
            filter_string or "",
            order_by=list(order_by or ()),
            page_token=page_token or None,
            **({} if max_results is None else {"limit": max_results}),
        )
        return PagedList(versions(page.items), page.next)

    def set_model_version_tag(
        self, name: str, version: str | int, tag: theirs.ModelVersionTag
    ) -> None:
        self._models.set_version_tags(name, version, [(tag.key, tag.value)])

    def delete_model_version_tag(self, name: str, version: str | int, key: str) -> None:
        self._models.delete_version_tag(name, version, key)
