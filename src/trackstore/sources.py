"""What the version of a registered model may be made from, and where that lies.

A source is `runs:/<run>/<path>`, a logged model `models:/<id>`, another version
`models:/<name>/<version>` or `models:/<name>@<alias>`, or a location under the artifact roots.
Whichever it is, what is stored is a location that `trackstore.locations` has parsed and that lies
under a root, and the same is asked of it again whenever it is used.
"""

import re
from collections.abc import Mapping

from msgspec import Struct

from trackstore import limits, locations, paths
from trackstore.artifacts import Artifacts
from trackstore.errors import InvalidRequest, Unsupported
from trackstore.limits import check_text
from trackstore.model_names import check_alias, check_model_name, check_version
from trackstore.model_search import IS_PROMPT
from trackstore.model_stores import LoggedModelStore, RegistryStore
from trackstore.stores import BackendStore
from trackstore.validation import check_id

PROMPTS = frozenset({"dummy-source", "prompt-template"})
"""The sources of MLflow's prompts, whose text is in a tag: they lead nowhere."""

_RUN = re.compile(r"runs:/([^/]+)/(.+)", re.DOTALL)
_LOGGED = re.compile(r"models:/([^/@]+)/?", re.DOTALL)
_VERSION = re.compile(r"models:/([^/]+)/(\d+)", re.DOTALL)
_ALIAS = re.compile(r"models:/([^/]+)@([^/@]+)", re.DOTALL)


class Source(Struct, frozen=True):
    """A source, resolved."""

    location: str
    """Where the artifacts lie; empty for a prompt."""
    run_id: str = ""
    model_id: str = ""


class Sources:
    """Resolves sources with the stores that they name."""

    def __init__(self, registry: RegistryStore, runs: BackendStore, artifacts: Artifacts) -> None:
        self._registry = registry
        self._runs = runs
        self._artifacts = artifacts

    def resolve(self, source: str, tags: Mapping[str, str]) -> Source:
        """Return where a source leads.

        Raises `InvalidRequest` for what is no source, `PermissionDenied` for a location under
        none of the roots, and `NotFound` for an unknown run, model or version.
        """
        check_text("the source of a model version", source, limits.MODEL_SOURCE)
        if source in PROMPTS and tags.get(IS_PROMPT) == "true":
            return Source("")
        scheme = source.partition(":")[0].lower()
        found = {"runs": self._of_run, "models": self._of_model}.get(scheme, Source)(source)
        return Source(self._artifacts.check_location(found.location), found.run_id, found.model_id)

    def logged_model(self, model_id: str) -> Source:
        """Return where a logged model lies, and its run."""
        if not isinstance(self._runs, LoggedModelStore):
            raise Unsupported("the backend store keeps no logged models")
        model = self._runs.get_logged_model(check_id("logged model", model_id))
        return Source(model.artifact_uri, model.source_run_id, model.id)

    def _of_run(self, source: str) -> Source:
        found = _RUN.fullmatch(source)
        if found is None:
            raise InvalidRequest("a source of a run must be of the form runs:/<run id>/<path>")
        run = self._runs.get_run(check_id("run", found[1]))
        path = paths.check_path(found[2].removesuffix("/"))
        return Source(locations.child(run.artifact_uri, path), run.id)

    def _of_model(self, source: str) -> Source:
        if found := _VERSION.fullmatch(source):
            return self._of_version(found[1], version=check_version(found[2]))
        if found := _ALIAS.fullmatch(source):
            return self._of_version(found[1], alias=check_alias(found[2]))
        if found := _LOGGED.fullmatch(source):
            return self.logged_model(found[1])
        raise InvalidRequest(
            "a source of a model must be of the form models:/<model id>, models:/<name>/<version> "
            "or models:/<name>@<alias>"
        )

    def _of_version(self, name: str, *, version: int = 0, alias: str = "") -> Source:
        check_model_name(name)
        found = (
            self._registry.find_model_version(name, alias)
            if alias
            else self._registry.get_model_version(name, version)
        )
        return Source(found.storage_location, found.run_id, found.model_id)
