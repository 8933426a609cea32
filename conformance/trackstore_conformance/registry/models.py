from collections.abc import Callable

from msgspec.structs import replace

from trackstore.model_stores import RegistryStore
from trackstore.registered import ModelVersionChanges, RegisteredModelChanges
from trackstore_conformance.model_benches import RegistryBench, new_version
from trackstore_conformance.outcomes import outcome, seen
from trackstore_conformance.rules import rule
from trackstore_conformance.sequential.texts import ALL, LOOK_ALIKE
from trackstore_conformance.suites import RegistrySuite

ODD_NAMES = ("", "nAME", "\0", "a" * 2_000, "é" * 700, "%", "model'; --")
LONG = "é" * 65_536


class ModelTests(RegistrySuite):
    __test__ = False

    @rule("R-MOD-01")
    def test_a_model_is_read_as_it_was_created(self, bench: RegistryBench) -> None:
        """Every field comes back, and creation returns what is read later."""
        tags = {"owner": "ada", "note": "", "long": "é" * 100_000}
        given = bench.model(
            "é 1", description=LONG, creation_time=2**62, last_update_time=0, tags=tags
        )
        assert seen(bench.second.get_registered_model("é 1")) == seen(given)
        other = replace(given, name="other", tags={})
        assert seen(bench.second.create_registered_model(other)) == seen(other)

    @rule("R-MOD-01")
    def test_any_text_comes_back_from_a_registry(self, bench: RegistryBench) -> None:
        """As description, tag, and in a version."""
        for number, text in enumerate(ALL):
            name = f"m{number}"
            bench.model(name, description=text, tags={"t": text})
            bench.version(name, description=text, run_link=text, source=text, tags={"t": text})
            model, version = bench.second.get_registered_model(name), bench.versions(name)[0]
            assert (model.description, model.tags) == (text, {"t": text}), repr(text)
            found = (version.description, version.run_link, version.source, version.tags)
            assert found == (text, text, text, {"t": text}), repr(text)

    @rule("R-MOD-01")
    def test_only_the_given_fields_of_a_model_change(self, bench: RegistryBench) -> None:
        """And the tags that were to be deleted, and were not there, are told."""
        given = bench.model(description="d", tags={"a": "1", "b": "2"})
        bench.version()
        steps = (
            (RegisteredModelChanges(description=""), {"description": ""}),
            (RegisteredModelChanges(last_update_time=5), {"last_update_time": 5}),
            (
                RegisteredModelChanges(tags={"a": "3", "c": ""}),
                {"tags": {"a": "3", "b": "2", "c": ""}},
            ),
            (RegisteredModelChanges(deleted_tags=["b"]), {"tags": {"a": "3", "c": ""}}),
            (RegisteredModelChanges(aliases={"x": 1, "y": 1}), {"aliases": {"x": 1, "y": 1}}),
            (RegisteredModelChanges(deleted_aliases=["x", "z"]), {"aliases": {"y": 1}}),
        )
        expected = replace(given, last_update_time=2_000)
        for changes, fields in steps:
            expected = replace(expected, **fields)
            assert bench.store.update_registered_model("model", changes).absent_tags == ()
            found = replace(bench.second.get_registered_model("model"), latest=())
            assert seen(found) == seen(expected)
        changes = RegisteredModelChanges(deleted_tags=["a", "b", "x"])
        applied = bench.store.update_registered_model("model", changes)
        assert sorted(applied.absent_tags) == ["b", "x"]

    @rule("R-MOD-02")
    def test_a_name_has_one_registered_model(self, bench: RegistryBench) -> None:
        """A second one is refused, whatever it has, and so is a rename into the name."""
        given = bench.model(description="first")
        for rival in (given, replace(given, creation_time=5), replace(given, tags={"a": "1"})):
            found = outcome(bench.second.create_registered_model, rival)
            assert found.ways == ("AlreadyExists name",)
        bench.model("other")
        changes = RegisteredModelChanges(name="model", tags={"a": "1"})
        found = outcome(bench.store.update_registered_model, "other", changes)
        assert found.ways == ("AlreadyExists name",)
        assert seen(bench.store.get_registered_model("model")) == seen(given)
        assert bench.store.get_registered_model("other").tags == {}

    @rule("R-MOD-03")
    def test_a_rename_takes_everything_along(self, bench: RegistryBench) -> None:
        """Versions, aliases and tags; the old name is free for another model."""
        bench.model(tags={"a": "1"})
        for number in range(3):
            bench.version(tags={"n": str(number)})
        bench.store.update_registered_model("model", RegisteredModelChanges(aliases={"x": 2}))
        before = bench.store.get_registered_model("model")
        bench.store.update_registered_model(
            "model", RegisteredModelChanges(name="new", last_update_time=9)
        )
        found = bench.second.get_registered_model("new")
        assert (found.tags, found.aliases, found.last_update_time) == ({"a": "1"}, {"x": 2}, 9)
        assert [replace(each, name="model") for each in found.latest] == list(before.latest)
        assert [(v.name, v.version, v.tags) for v in bench.versions("new")] == [
            ("new", number + 1, {"n": str(number)}) for number in range(3)
        ]
        assert bench.second.find_model_version("new", "x").version == 2
        assert bench.versions("model") == []
        bench.model("model")
        assert bench.store.get_registered_model("model").latest == ()
        assert bench.version("new").version == 4

    @rule("R-MOD-03")
    def test_a_rename_to_its_own_name_is_harmless(self, bench: RegistryBench) -> None:
        """And changes what else is given."""
        bench.model()
        bench.store.update_registered_model(
            "model", RegisteredModelChanges(name="model", tags={"a": "1"})
        )
        assert bench.store.get_registered_model("model").tags == {"a": "1"}

    @rule("R-MOD-04")
    def test_a_deleted_model_leaves_nothing(self, bench: RegistryBench) -> None:
        """A new model of the name begins with version 1, without tags and aliases."""
        bench.model("kept")
        bench.version("kept", tags={"a": "1"})
        for _ in range(2):
            bench.model(tags={"a": "1"})
            assert bench.version(tags={"b": "2"}).version == 1
            bench.version()
            bench.store.update_registered_model("model", RegisteredModelChanges(aliases={"x": 1}))
            bench.store.delete_registered_model("model")
            assert outcome(bench.second.get_registered_model, "model").ways == ("NotFound",)
            assert outcome(bench.second.get_model_version, "model", 1).ways == ("NotFound",)
            assert [each.name for each in bench.models()] == ["kept"]
            assert [each.name for each in bench.versions()] == ["kept"]
        bench.model()
        assert bench.store.get_registered_model("model").tags == {}
        assert bench.version().tags == {}
        assert bench.store.get_registered_model("model").aliases == {}

    @rule("R-MOD-05", "R-ERR-01")
    def test_an_unknown_model_is_not_found(self, bench: RegistryBench) -> None:
        """By any call, whatever its name."""
        bench.model("name")
        for name in ODD_NAMES:
            for number, call in enumerate(calls_on_model(bench.store, name)):
                assert outcome(call).ways == ("NotFound",), f"call {number} with {name!r:.50}"
            assert bench.versions(name) == []
        assert [each.name for each in bench.models()] == ["name"]

    @rule("R-MOD-05", "R-ERR-01")
    def test_an_unknown_version_or_alias_is_not_found(self, bench: RegistryBench) -> None:
        """By any call, whatever the number; nothing of the call is done."""
        bench.model()
        bench.version()
        store = bench.store
        for number in (0, -1, 2, 2**31 - 1, -(2**31)):
            for call in calls_on_version(store, number):
                assert outcome(call).ways == ("NotFound",), number
        for alias in ("x", "", "\0", "a" * 2_000):
            assert outcome(store.find_model_version, "model", alias).ways == ("NotFound",)
        found = store.get_registered_model("model")
        assert (found.description, found.aliases, found.last_update_time) == ("", {}, 2_000)

    @rule("R-MOD-06")
    def test_names_are_compared_code_point_by_code_point_in_a_registry(
        self, bench: RegistryBench
    ) -> None:
        """Of models, aliases and tags."""
        for number, name in enumerate(LOOK_ALIKE):
            bench.model(name, description=str(number), tags={"t": name})
        found = {name: bench.second.get_registered_model(name) for name in LOOK_ALIKE}
        assert [each.description for each in found.values()] == [*map(str, range(len(LOOK_ALIKE)))]
        assert [each.name for each in found.values()] == list(LOOK_ALIKE)
        bench.model("aliased", tags={name: name for name in LOOK_ALIKE})
        for _ in LOOK_ALIKE:
            bench.version("aliased")
        aliases = {alias: number for number, alias in enumerate(LOOK_ALIKE, 1)}
        bench.store.update_registered_model("aliased", RegisteredModelChanges(aliases=aliases))
        assert bench.second.get_registered_model("aliased").aliases == aliases
        assert bench.second.get_registered_model("aliased").tags == {n: n for n in LOOK_ALIKE}
        for alias, number in aliases.items():
            assert bench.second.find_model_version("aliased", alias).version == number


def calls_on_model(store: RegistryStore, name: str) -> list[Callable[[], object]]:
    tagged, described = RegisteredModelChanges(tags={"a": "1"}), ModelVersionChanges(description="")
    return [
        lambda: store.get_registered_model(name),
        lambda: store.update_registered_model(name, tagged),
        lambda: store.delete_registered_model(name),
        lambda: store.get_model_version(name, 1),
        lambda: store.find_model_version(name, "x"),
        lambda: store.update_model_version(name, 1, described),
        lambda: store.delete_model_version(name, 1, 5),
        lambda: store.create_model_version(new_version(name)),
    ]


def calls_on_version(store: RegistryStore, number: int) -> list[Callable[[], object]]:
    aliased = RegisteredModelChanges(description="new", aliases={"x": number})
    return [
        lambda: store.get_model_version("model", number),
        lambda: store.update_model_version("model", number, ModelVersionChanges(tags={"a": ""})),
        lambda: store.delete_model_version("model", number, 5),
        lambda: store.update_registered_model("model", aliased),
    ]
