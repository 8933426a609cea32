"""What only several clients at once can break, each tried by threads and by processes."""

from collections.abc import Callable
from typing import Any

from trackstore.errors import AlreadyExists, NotFound
from trackstore.model_stores import RegistryStore
from trackstore.registered import (
    ModelVersionChanges,
    RegisteredModel,
    RegisteredModelChanges,
    VersionStage,
)
from trackstore_conformance.concurrent.moments import look_while
from trackstore_conformance.concurrent.races import (
    WORKERS,
    race_processes,
    race_threads,
)
from trackstore_conformance.model_benches import RegistryBench, new_version
from trackstore_conformance.rules import rule
from trackstore_conformance.suites import RegistrySuite
from trackstore_conformance.violations import Violation

PRODUCTION = VersionStage.PRODUCTION
LOOKS = 40
ALIASES = {f"alias {number}": number % 4 + 1 for number in range(12)}

Meet = Callable[[], object]


def create_versions(store: RegistryStore, index: int, meet: Meet, rounds: int) -> list[list[int]]:
    """Create versions of a model of each round, with everybody, and return their numbers."""
    numbers = []
    for number in range(rounds):
        meet()
        made = [store.create_model_version(new_version(f"m{number}", run_id=str(index)))]
        made.append(store.create_model_version(new_version(f"m{number}", run_id=str(index))))
        numbers.append([each.version for each in made])
    return numbers


def create_models(store: RegistryStore, index: int, meet: Meet, rounds: int) -> list[str]:
    """Create, or rename into, a name of each round, with everybody; tell what became of it."""
    ways = []
    for number in range(rounds):
        name = f"name {number}"
        meet()
        try:
            if index % 2:
                changes = RegisteredModelChanges(name=name, description=str(index))
                store.update_registered_model(f"spare {number} {index}", changes)
            else:
                store.create_registered_model(RegisteredModel(name, 1, 1, str(index)))
            ways.append("ok")
        except AlreadyExists as error:
            ways.append(error.field)
    return ways


def set_aliases(store: RegistryStore, index: int, meet: Meet, rounds: int) -> None:
    """Set the alias of each round to a version of one's own, with everybody."""
    for number in range(rounds):
        meet()
        changes = RegisteredModelChanges(aliases={f"alias {number}": index + 1})
        store.update_registered_model("model", changes)


def take_over(store: RegistryStore, index: int, meet: Meet, rounds: int) -> int:
    """Move a version of one's own into production, with everybody; count when it was empty."""
    empty = 0
    changes = ModelVersionChanges(stage=PRODUCTION, archive_others=True, last_update_time=9)
    for number in range(rounds):
        meet()
        store.update_model_version(f"m{number}", index + 1, changes)
        latest = store.get_registered_model(f"m{number}").latest
        empty += PRODUCTION not in [each.stage for each in latest]
    return empty


class RegistryConcurrencyTests(RegistrySuite):
    __test__ = False

    @rule("R-VER-02", kind="conc")
    def test_threads_that_create_versions(self, bench: RegistryBench) -> None:
        """Every number is given once, and none is left out."""
        self.check_numbers(bench, threads)

    @rule("R-VER-02", kind="conc", needs=["processes"])
    def test_processes_that_create_versions(self, bench: RegistryBench) -> None:
        """Every number is given once, and none is left out."""
        self.check_numbers(bench, processes)

    def check_numbers(self, bench: RegistryBench, race: "Race") -> None:
        rounds = bench.profile.rounds
        for number in range(rounds):
            bench.model(f"m{number}")
        told = race(bench, create_versions, rounds)
        expected = list(range(1, 2 * WORKERS + 1))
        for number in range(rounds):
            given = sorted(version for each in told for version in each[number])
            stored = [each.version for each in bench.versions(f"m{number}")]
            if given != expected or stored != expected:
                witness = f"{WORKERS} clients were given {given}, and {stored} are there"
                raise Violation("R-VER-02", witness=witness)

    @rule("R-MOD-02", kind="conc")
    def test_threads_that_claim_the_name_of_a_model(self, bench: RegistryBench) -> None:
        """Of those that create it and rename into it, one succeeds."""
        self.check_names(bench, threads)

    @rule("R-MOD-02", kind="conc", needs=["processes"])
    def test_processes_that_claim_the_name_of_a_model(self, bench: RegistryBench) -> None:
        """Of those that create it and rename into it, one succeeds."""
        self.check_names(bench, processes)

    def check_names(self, bench: RegistryBench, race: "Race") -> None:
        rounds = bench.profile.rounds
        for number in range(rounds):
            for index in range(1, WORKERS, 2):
                bench.model(f"spare {number} {index}")
        told = race(bench, create_models, rounds)
        for number in range(rounds):
            ways = [each[number] for each in told]
            if sorted(ways) != ["name"] * (WORKERS - 1) + ["ok"]:
                raise Violation("R-MOD-02", witness=f"{WORKERS} clients were told {ways}")
            holder = bench.store.get_registered_model(f"name {number}").description
            if holder != str(ways.index("ok")):
                witness = f"{ways.index('ok')} was given the name that {holder} has"
                raise Violation("R-MOD-02", witness=witness)

    @rule("R-ALI-01", kind="conc")
    def test_threads_that_set_an_alias(self, bench: RegistryBench) -> None:
        """It points to one version of those that were set."""
        self.check_aliases(bench, threads)

    @rule("R-ALI-01", kind="conc", needs=["processes"])
    def test_processes_that_set_an_alias(self, bench: RegistryBench) -> None:
        """It points to one version of those that were set."""
        self.check_aliases(bench, processes)

    def check_aliases(self, bench: RegistryBench, race: "Race") -> None:
        bench.model()
        for _ in range(WORKERS):
            bench.version()
        rounds = bench.profile.rounds
        race(bench, set_aliases, rounds)
        held = bench.store.get_registered_model("model").aliases
        versions = bench.versions()
        for number in range(rounds):
            alias = f"alias {number}"
            holders = [each.version for each in versions if alias in each.aliases]
            found = bench.store.find_model_version("model", alias).version
            if holders != [held.get(alias)] or found != held.get(alias):
                witness = f"set by {WORKERS} at once it is at {holders}, {held} and {found}"
                raise Violation("R-ALI-01", witness=witness)

    @rule("R-STG-01", kind="conc")
    def test_threads_that_take_a_stage_over(self, bench: RegistryBench) -> None:
        """One version is left in it, and it was never empty."""
        self.check_stages(bench, threads)

    @rule("R-STG-01", kind="conc", needs=["processes"])
    def test_processes_that_take_a_stage_over(self, bench: RegistryBench) -> None:
        """One version is left in it, and it was never empty."""
        self.check_stages(bench, processes)

    def check_stages(self, bench: RegistryBench, race: "Race") -> None:
        rounds = bench.profile.rounds
        for number in range(rounds):
            bench.model(f"m{number}")
            for _ in range(WORKERS):
                bench.version(f"m{number}")
        empty = sum(race(bench, take_over, rounds))
        if empty:
            raise Violation("R-STG-01", witness=f"after a move the stage was empty {empty} times")
        for number in range(rounds):
            left = [
                each.version for each in bench.versions(f"m{number}") if each.stage is PRODUCTION
            ]
            if len(left) != 1:
                raise Violation("R-STG-01", witness=f"{left} are in the stage, moved one by one")

    @rule("R-STG-01", kind="conc")
    def test_a_stage_that_is_taken_over_is_never_empty(self, bench: RegistryBench) -> None:
        """While two versions take turns, whoever looks finds one in it."""
        bench.model()
        for _ in range(2):
            bench.version()
        changes = ModelVersionChanges(stage=PRODUCTION, archive_others=True)
        bench.store.update_model_version("model", 1, changes)

        def write(number: int) -> None:
            bench.store.update_model_version("model", 2 - number % 2, changes)
            bench.evidence.operations += 1

        def look() -> None:
            latest = bench.second.get_registered_model("model").latest
            bench.evidence.histories += 1
            if PRODUCTION not in [each.stage for each in latest]:
                raise Violation("R-STG-01", witness="a reader found the stage empty")

        look_while(write, look, bench.profile.rounds * LOOKS)

    @rule("R-MOD-03", kind="conc")
    def test_a_model_that_is_renamed_is_never_in_parts(self, bench: RegistryBench) -> None:
        """While it goes to and fro between two names, it has all it has under one of them."""
        bench.model("a", tags={"t": "1"})
        for _ in range(4):
            bench.version("a")
        bench.store.update_registered_model("a", RegisteredModelChanges(aliases=ALIASES))

        def write(number: int) -> None:
            old, new = ("b", "a") if number % 2 else ("a", "b")
            bench.store.update_registered_model(old, RegisteredModelChanges(name=new))
            bench.evidence.operations += 1

        def look() -> None:
            bench.evidence.histories += 1
            for name in ("a", "b"):
                check_whole(bench.second, name)

        look_while(write, look, bench.profile.rounds * LOOKS)


def check_whole(store: RegistryStore, name: str) -> None:
    try:
        model = store.get_registered_model(name)
    except NotFound:
        return
    has = (model.tags, dict(model.aliases), [each.version for each in model.latest])
    if has != ({"t": "1"}, ALIASES, [4]):
        raise Violation("R-MOD-03", witness=f"while it is renamed, {name!r} has {has}")


Race = Callable[[RegistryBench, Callable[..., Any], int], list[Any]]


def threads(bench: RegistryBench, work: Callable[..., Any], rounds: int) -> list[Any]:
    bench.evidence.histories += rounds
    return race_threads([bench.store, bench.second], work, rounds)


def processes(bench: RegistryBench, work: Callable[..., Any], rounds: int) -> list[Any]:
    bench.evidence.histories += rounds
    return race_processes(bench.opener, bench.url, work, rounds)
