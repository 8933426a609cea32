"""The front over registered models, on a store in memory."""

import pytest

from trackstore import (
    AlreadyExists,
    Artifacts,
    InvalidRequest,
    LimitExceeded,
    ModelRegistry,
    NotFound,
    Run,
    Tracker,
    TrackstoreError,
    Unsupported,
    VersionStage,
)
from trackstore_conformance.forwarding import ForwardingBackendStore


@pytest.fixture
def m(registry: ModelRegistry, run: Run) -> str:
    """A model with three versions."""
    registry.create_model("m")
    for number in range(3):
        registry.create_version("m", f"runs:/{run.id}/{number}")
    return "m"


def test_a_model_has_its_versions_aliases_and_tags(registry: ModelRegistry, m: str) -> None:
    """What is set is there, and what is deleted is gone; deleting it twice is harmless."""
    registry.set_model_tags(m, {"a": "1"})
    registry.set_alias(m, "champion", "2")
    registry.update_model(m, description="d")
    found = registry.get_model(m)
    assert (found.tags, found.aliases, found.description) == ({"a": "1"}, {"champion": 2}, "d")
    assert [each.version for each in found.latest] == [3]
    for _ in range(2):
        registry.delete_model_tag(m, "a")
        registry.delete_alias(m, "champion")
    assert (registry.get_model(m).tags, registry.get_model(m).aliases) == ({}, {})


def test_aliases_find_versions(registry: ModelRegistry, m: str) -> None:
    """`latest` is the one of the greatest number, whatever its stage."""
    registry.set_alias(m, "champion", 1)
    registry.move_version(m, 3, "staging")
    assert registry.find_version(m, "champion").version == 1
    assert registry.find_version(m, "Latest").version == 3
    with pytest.raises(NotFound):
        registry.find_version(m, "other")
    registry.create_model("empty")
    with pytest.raises(NotFound):
        registry.find_version("empty", "latest")


def test_a_move_archives_the_others(registry: ModelRegistry, m: str) -> None:
    """Stages ignore case; only staging and production may be cleared for a move."""
    registry.move_version(m, 1, "Production")
    registry.move_version(m, 2, "PRODUCTION", archive_others=True)
    stages = [each.stage for each in registry.search_versions(order_by=["version_number"]).items]
    assert stages == [VersionStage.ARCHIVED, VersionStage.PRODUCTION, VersionStage.NONE]
    assert [each.version for each in registry.latest_versions(m, ["production"])] == [2]
    assert [each.version for each in registry.latest_versions(m)] == [1, 2, 3]
    with pytest.raises(InvalidRequest, match="not an Active stage"):
        registry.move_version(m, 1, "None", archive_others=True)


def test_renaming_and_deleting(registry: ModelRegistry, m: str) -> None:
    """A name is free once its model is renamed or deleted, and begins anew."""
    assert registry.rename_model(m, "n").name == "n"
    assert registry.get_version("n", 3).name == "n"
    registry.create_model(m)
    with pytest.raises(AlreadyExists):
        registry.rename_model("n", m)
    registry.delete_model("n")
    with pytest.raises(NotFound):
        registry.get_version("n", 3)


@pytest.mark.parametrize("name", ["", "  ", "a/b", "a:b", ".", "..", "a\0", "\ud800", None, 1])
def test_bad_names_are_refused(registry: ModelRegistry, name: str) -> None:
    """A name is not blank, and has neither / nor :, which URIs of models need."""
    with pytest.raises(InvalidRequest):
        registry.create_model(name)


@pytest.mark.parametrize("alias", ["latest", "LATEST", "v1", "V23"])
def test_reserved_aliases_cannot_be_given(registry: ModelRegistry, m: str, alias: str) -> None:
    """They mean something already; to ask for one or to delete it is no mistake."""
    with pytest.raises(InvalidRequest, match="reserved"):
        registry.set_alias(m, alias, 1)
    registry.delete_alias(m, alias)


@pytest.mark.parametrize("alias", ["", "a b", "a/b", "a.b", "a\n", "%61", None])
def test_bad_aliases_are_refused(registry: ModelRegistry, m: str, alias: str) -> None:
    """An alias has letters, digits, _ and - only."""
    for call in (lambda: registry.set_alias(m, alias, 1), lambda: registry.find_version(m, alias)):
        with pytest.raises(InvalidRequest):
            call()


@pytest.mark.parametrize("version", ["x", "1.0", "", " 1", 1.0, True, None, [1]])
def test_versions_are_integers(registry: ModelRegistry, m: str, version: str) -> None:
    """Text of digits is one too, since REST has them as text."""
    with pytest.raises(InvalidRequest):
        registry.get_version(m, version)


@pytest.mark.parametrize("version", [0, -1, 4, 2**31, 2**63, "0", "-5", "999999999999999999"])
def test_unknown_versions_are_not_found(registry: ModelRegistry, m: str, version: int) -> None:
    """Also those that no store could keep."""
    for call in (registry.get_version, registry.delete_version):
        with pytest.raises(NotFound):
            call(m, version)


def test_what_is_too_long_is_refused(registry: ModelRegistry, m: str) -> None:
    """Nothing is cut: names 256, aliases 255, tags 100,000, descriptions 65,536."""
    long = [
        lambda: registry.create_model("n" * 257),
        lambda: registry.set_alias(m, "a" * 256, 1),
        lambda: registry.set_model_tags(m, {"a": "x" * 100_001}),
        lambda: registry.set_version_tags(m, 1, {"a" * 251: "x"}),
        lambda: registry.update_version(m, 1, description="x" * 65_537),
    ]
    for call in long:
        with pytest.raises(LimitExceeded):
            call()
    registry.set_version_tags(m, 1, {"a": "x" * 100_000})


def test_models_are_searched(registry: ModelRegistry) -> None:
    """By name and tags, ordered by name or time, page by page."""
    for number, name in enumerate(["b", "a", "C"]):
        registry.create_model(name, tags={"n": str(number)})
    registry.set_model_tags("a", {"mine": "yes"})

    def names(where: str = "", **options: object) -> list[str]:
        return [each.name for each in registry.search_models(where, **options).items]

    assert names() == ["C", "a", "b"]
    assert names(order_by=["last_updated_timestamp DESC"]) == ["C", "a", "b"]
    assert names(order_by=["creation_timestamp"]) == ["b", "a", "C"]
    assert names("name ILIKE 'c'") == ["C"]
    assert names("name IN ('a', 'b') AND tags.n != '0'") == ["a"]
    assert names("tags.mine = 'yes' AND tag.n = '1'") == ["a"]
    first = registry.search_models(limit=2)
    assert [each.name for each in first.items] == ["C", "a"]
    second = registry.search_models(limit=2, page_token=first.next)
    assert ([each.name for each in second.items], second.next) == (["b"], None)
    for bad in ("tags.n > 1", "creation_timestamp > 1", "name = 'a' OR name = 'b'", "version = 1"):
        with pytest.raises(InvalidRequest):
            names(bad)
    with pytest.raises(InvalidRequest):
        names(order_by=["tags.n"])
    with pytest.raises(InvalidRequest):
        registry.search_models("name = 'a'", page_token=first.next)


def test_prompts_are_left_out_unless_asked_for(registry: ModelRegistry) -> None:
    """A model without the tag is no prompt, whichever way that is asked."""
    tag = "mlflow.prompt.is_prompt"
    registry.create_model("model")
    registry.create_model("prompt", tags={tag: "true"})
    registry.create_version("prompt", "prompt-template", tags={tag: "true"})

    def found(where: str) -> list[str]:
        return [each.name for each in registry.search_models(where).items]

    for models in ("", f"tags.`{tag}` != 'true'", f"tags.`{tag}` = 'false'", "name LIKE '%'"):
        assert found(models) == ["model"]
        assert not registry.search_versions(models).items
    for prompts in (f"tags.`{tag}` = 'true'", f"tags.`{tag}` != 'false' AND name LIKE 'p%'"):
        assert found(prompts) == ["prompt"]
        assert [each.name for each in registry.search_versions(prompts).items] == ["prompt"]


def test_versions_are_searched(registry: ModelRegistry, m: str, run: Run) -> None:
    """By model, number, run, source and tags; by default the last changed one comes first."""
    registry.create_model("n")
    registry.create_version("n", f"runs:/{run.id}/n", run_id="other", tags={"k": "v"})
    registry.update_version(m, 1, description="new")

    def found(where: str = "", **options: object) -> list[tuple[str, int]]:
        page = registry.search_versions(where, **options)
        return [(each.name, each.version) for each in page.items]

    assert found() == [("m", 1), ("n", 1), ("m", 3), ("m", 2)]
    assert found(order_by=["name DESC"]) == [("n", 1), ("m", 3), ("m", 2), ("m", 1)]
    assert found("name = 'm' AND version_number >= 2") == [("m", 3), ("m", 2)]
    assert found("run_id = 'other'") == [("n", 1)]
    assert found(f"run_id IN ('{run.id}', 'x') AND source_path LIKE '%/2'") == [("m", 3)]
    assert found("tags.k = 'v' AND name != 'm'") == [("n", 1)]
    assert found("name = 'n' AND name = 'm'") == []
    page, seen = registry.search_versions(limit=1), []
    while page.next:
        seen += page.items
        page = registry.search_versions(limit=1, page_token=page.next)
    assert [(each.name, each.version) for each in [*seen, *page.items]] == found()


def test_unknown_names_are_not_found(registry: ModelRegistry) -> None:
    """Whatever is done with them."""
    calls = [
        lambda: registry.get_model("x"),
        lambda: registry.rename_model("x", "y"),
        lambda: registry.update_model("x", description=""),
        lambda: registry.delete_model("x"),
        lambda: registry.set_model_tags("x", {"a": "b"}),
        lambda: registry.delete_model_tag("x", "a"),
        lambda: registry.set_alias("x", "a", 1),
        lambda: registry.get_version("x", 1),
        lambda: registry.delete_version("x", 1),
        lambda: registry.latest_versions("x"),
        lambda: registry.create_version("x", "mlflow-artifacts:/1/a"),
    ]
    for call in calls:
        with pytest.raises(NotFound):
            call()


def test_a_store_without_models_says_so(tracker: Tracker) -> None:
    """A backend store that keeps neither kind of model is still good for runs."""
    plain = Tracker(ForwardingBackendStore(tracker.store), Artifacts("memory:"))
    home = plain.create_experiment("other").id
    calls = [
        lambda: plain.registry.get_model("m"),
        lambda: plain.create_logged_model(home),
        lambda: plain.search_logged_models([home]),
    ]
    for call in calls:
        with pytest.raises(Unsupported):
            call()


def test_a_registry_may_be_another_store(tracker: Tracker, run: Run) -> None:
    """Its versions are made from the runs of the first."""
    other = Tracker(
        ForwardingBackendStore(tracker.store),
        Artifacts("memory:"),
        registry_store=tracker.registry.store,
    )
    other.registry.create_model("m")
    assert other.registry.create_version("m", f"runs:/{run.id}/x").run_id == run.id
    with pytest.raises(TrackstoreError):
        other.registry.create_version("m", "models:/m-1")
