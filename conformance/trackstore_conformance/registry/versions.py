from msgspec.structs import replace

from trackstore.registered import (
    ModelVersionChanges,
    RegisteredModelChanges,
    VersionStage,
    VersionStatus,
)
from trackstore_conformance.model_benches import RegistryBench, new_version
from trackstore_conformance.outcomes import outcome, seen
from trackstore_conformance.rules import rule
from trackstore_conformance.suites import RegistrySuite

NONE, STAGING, PRODUCTION, ARCHIVED = VersionStage
TAKE_OVER = ModelVersionChanges(stage=PRODUCTION, archive_others=True, last_update_time=9)


class VersionTests(RegistrySuite):
    __test__ = False

    @rule("R-VER-01")
    def test_a_version_is_read_as_it_was_created(self, bench: RegistryBench) -> None:
        """Every field comes back, and the model has its time."""
        bench.model()
        given = new_version(
            creation_time=2**62,
            last_update_time=2**62 + 1,
            source="models:/x/1",
            storage_location="s3://bucket/é 1" + "x" * 2_000,
            run_id="r" * 32,
            model_id="m-1",
            user_id="ada",
            run_link="http://x",
            description="é" * 65_536,
            stage=STAGING,
            status=VersionStatus.FAILED,
            status_message="no",
            tags={"a": "1", "": "x" * 100_000},
        )
        made = bench.store.create_model_version(given)
        assert seen(made) == seen(replace(given, version=1))
        assert seen(bench.second.get_model_version("model", 1)) == seen(made)
        assert bench.second.get_registered_model("model").last_update_time == 2**62 + 1

    @rule("R-VER-01")
    def test_only_the_given_fields_of_a_version_change(self, bench: RegistryBench) -> None:
        """And the tags that were to be deleted, and were not there, are told."""
        bench.model()
        expected = bench.version(description="d", tags={"a": "1", "b": "2"})
        other = bench.version()
        steps = (
            (ModelVersionChanges(description=""), {"description": ""}),
            (ModelVersionChanges(last_update_time=5), {"last_update_time": 5}),
            (
                ModelVersionChanges(status=VersionStatus.PENDING, status_message="soon"),
                {"status": VersionStatus.PENDING, "status_message": "soon"},
            ),
            (
                ModelVersionChanges(tags={"a": "3", "c": ""}),
                {"tags": {"a": "3", "b": "2", "c": ""}},
            ),
            (ModelVersionChanges(deleted_tags=["b"]), {"tags": {"a": "3", "c": ""}}),
            (ModelVersionChanges(stage=STAGING), {"stage": STAGING}),
        )
        for changes, fields in steps:
            expected = replace(expected, **fields)
            assert bench.store.update_model_version("model", 1, changes).absent_tags == ()
            assert seen(bench.second.get_model_version("model", 1)) == seen(expected)
        applied = bench.store.update_model_version(
            "model", 1, ModelVersionChanges(deleted_tags=["a", "b", "x"])
        )
        assert sorted(applied.absent_tags) == ["b", "x"]
        assert seen(bench.store.get_model_version("model", 2)) == seen(other)

    @rule("R-VER-02")
    def test_versions_are_numbered_one_by_one(self, bench: RegistryBench) -> None:
        """Of each model by itself."""
        bench.model("a")
        bench.model("b")
        for number in range(1, 13):
            assert bench.version("a").version == number
            assert bench.second.create_model_version(new_version("b")).version == number

    @rule("R-VER-03")
    def test_a_number_is_never_used_again(self, bench: RegistryBench) -> None:
        """Nor that of the last version, nor those of all."""
        bench.model()
        for number in (1, 2, 3):
            assert bench.version().version == number
        bench.store.delete_model_version("model", 3, 5)
        assert bench.version().version == 4
        for number in (1, 2, 4):
            bench.store.delete_model_version("model", number, 5)
        assert bench.version().version == 5
        assert [each.version for each in bench.versions()] == [5]

    @rule("R-VER-04")
    def test_a_deleted_version_takes_its_aliases_along(self, bench: RegistryBench) -> None:
        """The others, and their aliases and tags, stay."""
        bench.model()
        for _ in range(3):
            bench.version(tags={"a": "1"}, stage=STAGING)
        aliases = {"x": 3, "y": 3, "z": 2}
        bench.store.update_registered_model("model", RegisteredModelChanges(aliases=aliases))
        bench.store.delete_model_version("model", 3, 77)
        found = bench.second.get_registered_model("model")
        assert (found.aliases, found.last_update_time) == ({"z": 2}, 77)
        assert [each.version for each in found.latest] == [2]
        for alias in ("x", "y"):
            ways = outcome(bench.second.find_model_version, "model", alias).ways
            assert ways == ("NotFound",)
        assert outcome(bench.second.get_model_version, "model", 3).ways == ("NotFound",)
        assert [(each.version, each.tags) for each in bench.versions()] == [
            (1, {"a": "1"}),
            (2, {"a": "1"}),
        ]

    @rule("R-VER-05")
    def test_a_version_may_be_given_with_its_number(self, bench: RegistryBench) -> None:
        """One above all that there were; the next goes on from there."""
        bench.model()
        assert bench.version(version=7).version == 7
        assert bench.version().version == 8
        bench.store.delete_model_version("model", 8, 5)
        for number in (1, 7, 8):
            found = outcome(bench.store.create_model_version, new_version(version=number))
            assert found.ways == ("AlreadyExists id",), number
        assert bench.version(version=9).version == 9
        assert [each.version for each in bench.versions()] == [7, 9]

    @rule("R-STG-01")
    def test_a_stage_is_taken_over_in_one_step(self, bench: RegistryBench) -> None:
        """All others in it are archived, and nothing else is."""
        bench.model()
        for stage in (PRODUCTION, STAGING, PRODUCTION, NONE, ARCHIVED):
            bench.version(stage=stage)
        bench.model("other")
        bench.version("other", stage=PRODUCTION)
        bench.store.update_model_version("model", 4, TAKE_OVER)
        assert [(each.stage, each.last_update_time) for each in bench.versions("model")] == [
            (ARCHIVED, 9),
            (STAGING, 2_000),
            (ARCHIVED, 9),
            (PRODUCTION, 9),
            (ARCHIVED, 2_000),
        ]
        assert bench.second.get_registered_model("model").last_update_time == 9
        assert bench.store.get_model_version("other", 1).stage is PRODUCTION
        bench.store.update_model_version("model", 4, TAKE_OVER)
        assert bench.store.get_model_version("model", 4).stage is PRODUCTION

    @rule("R-STG-01")
    def test_a_stage_may_be_shared(self, bench: RegistryBench) -> None:
        """Without `archive_others` nobody else is moved."""
        bench.model()
        for _ in range(2):
            bench.version(stage=PRODUCTION)
        bench.version()
        changes = ModelVersionChanges(stage=PRODUCTION, last_update_time=9)
        bench.store.update_model_version("model", 3, changes)
        assert {each.stage for each in bench.versions()} == {PRODUCTION}
        assert bench.store.get_registered_model("model").last_update_time == 9

    @rule("R-STG-02")
    def test_a_model_shows_its_newest_version_in_each_stage(self, bench: RegistryBench) -> None:
        """By number, with tags and aliases, alone and in a list; a deleted one gives way."""
        bench.model("empty")
        bench.model()
        stages = [STAGING, NONE, PRODUCTION, STAGING, NONE, STAGING, *[NONE] * 5]
        for number, stage in enumerate(stages, 1):
            bench.version(stage=stage, tags={"n": str(number)})
        bench.store.update_registered_model("model", RegisteredModelChanges(aliases={"x": 6}))
        found = bench.second.get_registered_model("model")
        assert [(each.version, each.stage) for each in found.latest] == [
            (3, PRODUCTION),
            (6, STAGING),
            (11, NONE),
        ]
        assert [seen(each) for each in found.latest] == [
            seen(bench.store.get_model_version("model", number)) for number in (3, 6, 11)
        ]
        assert found.latest[1].aliases == ("x",)
        assert [seen(each.latest) for each in bench.models()] == [[], seen(found.latest)]
        bench.store.delete_model_version("model", 6, 5)
        bench.store.delete_model_version("model", 3, 5)
        latest = bench.second.get_registered_model("model").latest
        assert [each.version for each in latest] == [4, 11]

    @rule("R-ALI-01")
    def test_an_alias_points_to_one_version(self, bench: RegistryBench) -> None:
        """To that to which it was set last, wherever one looks."""
        bench.model()
        bench.model("other")
        for _ in range(3):
            bench.version()
            bench.version("other")
        for held in (1, 3, 2):
            changes = RegisteredModelChanges(aliases={"champion": held, "best": held, "old": 1})
            bench.store.update_registered_model("model", changes)
            assert bench.second.find_model_version("model", "champion").version == held
            expected = {1: ["old"], 2: [], 3: []}
            expected[held] = sorted([*expected[held], "best", "champion"])
            assert {each.version: [*each.aliases] for each in bench.versions("model")} == expected
            found = bench.second.get_registered_model("model").aliases
            assert found == {"champion": held, "best": held, "old": 1}
        assert [each.aliases for each in bench.versions("other")] == [(), (), ()]
