from trackstore.registered import RegisteredModelChanges
from trackstore_conformance.model_benches import RegistryBench, new_version
from trackstore_conformance.outcomes import outcome, seen
from trackstore_conformance.rules import rule
from trackstore_conformance.sequential.texts import LOOK_ALIKE
from trackstore_conformance.suites import RegistrySuite

NAMES = ("b", "a", "B", "ä", "a b", "aa", "Z", "\U0001f600", "\uffff")


class RegistryListTests(RegistrySuite):
    __test__ = False

    @rule("R-PAG-01")
    def test_every_model_and_version_is_listed_once_in_order(self, bench: RegistryBench) -> None:
        """By pages of any size, by name and number."""
        for name in NAMES:
            bench.model(name, tags={"t": name})
            for number in range(11 if name == "a" else 2):
                bench.version(name, tags={"n": str(number)}, run_id=f"run {number % 2}")
        names = sorted(NAMES)
        versions = [
            (name, number + 1) for name in names for number in range(11 if name == "a" else 2)
        ]
        for limit in (1, 2, 5, 28, 29, 1_000):
            models, listed = bench.models(limit), bench.versions(limit=limit)
            assert [each.name for each in models] == names
            assert [each.tags for each in models] == [{"t": name} for name in names]
            assert [(each.name, each.version) for each in listed] == versions
            assert [each.tags["n"] for each in listed] == [
                str(number - 1) for _, number in versions
            ]
            mine = bench.versions("a", limit=limit)
            assert [each.version for each in mine] == list(range(1, 12))
            odd = [place for place in versions if not place[1] % 2]
            by_run = bench.versions(run_id="run 1", limit=limit)
            assert [(each.name, each.version) for each in by_run] == odd
            both = bench.versions("a", "run 1", limit)
            assert [each.version for each in both] == [2, 4, 6, 8, 10]

    @rule("R-PAG-01")
    def test_what_is_not_there_has_no_versions(self, bench: RegistryBench) -> None:
        """A name or a run that is like one that is there, or any other text."""
        bench.model("name")
        bench.version("name", run_id="name")
        for text in (*LOOK_ALIKE[1:], "\0", "", "%"):
            assert bench.versions(text) == [], repr(text)
            assert bench.versions(run_id=text) == [], repr(text)

    @rule("R-SES-01")
    def test_a_change_of_a_registry_is_seen_by_later_reads(self, bench: RegistryBench) -> None:
        """Through another handle, and after all were closed."""
        bench.model(tags={"a": "1"})
        for held in (1, 2, 3):
            bench.version()
            bench.second.update_registered_model(
                "model", RegisteredModelChanges(aliases={"x": held})
            )
            assert bench.store.find_model_version("model", "x").version == held
            assert bench.second.get_registered_model("model").latest[-1].version == held
        if bench.store.ephemeral:
            return
        before = seen(bench.store.get_registered_model("model"))
        bench.close()
        assert seen(bench.store.get_registered_model("model")) == before
        assert bench.second.create_model_version(new_version()).version == 4

    @rule("R-CON-01")
    def test_a_closed_registry_refuses_calls(self, bench: RegistryBench) -> None:
        """Every one of them; another handle goes on."""
        bench.model()
        bench.version()
        closed = bench.open()
        closed.close()
        closed.close()
        calls = (
            lambda: closed.get_registered_model("model"),
            lambda: closed.scan_registered_models(None, 1),
            lambda: closed.create_model_version(new_version()),
            lambda: closed.find_model_version("model", "x"),
            lambda: closed.scan_model_versions(None, None, None, 1),
            lambda: closed.delete_registered_model("model"),
        )
        for call in calls:
            assert outcome(call).ways == ("InvalidState",)
        assert [each.version for each in bench.versions()] == [1]
