from collections.abc import Callable

from trackstore.errors import Conflict
from trackstore.model_stores import LoggedModelStore
from trackstore.registered import LoggedModelChanges
from trackstore_conformance.concurrent.races import race_processes, race_threads
from trackstore_conformance.model_benches import LoggedModelBench
from trackstore_conformance.rules import rule
from trackstore_conformance.suites import LoggedModelSuite
from trackstore_conformance.violations import Violation


def write_params(
    store: LoggedModelStore, index: int, meet: Callable[[], object], model_id: str, rounds: int
) -> list[bool]:
    """Write a param of each round, with everybody, and tell whether one's own value was taken."""
    took = []
    for number in range(rounds):
        meet()
        try:
            params = {f"p{number}": str(index)}
            store.update_logged_model(model_id, LoggedModelChanges(params=params))
            took.append(True)
        except Conflict:
            took.append(False)
    return took


class LoggedConcurrencyTests(LoggedModelSuite):
    __test__ = False

    @rule("L-PAR-01", kind="conc")
    def test_threads_that_write_a_param_of_a_logged_model(self, bench: LoggedModelBench) -> None:
        """One value wins, and only its writer is told so."""
        made, rounds = bench.model(), bench.profile.rounds
        handles = [bench.store, bench.second]
        check_params(bench, made.id, race_threads(handles, write_params, made.id, rounds))

    @rule("L-PAR-01", kind="conc", needs=["processes"])
    def test_processes_that_write_a_param_of_a_logged_model(self, bench: LoggedModelBench) -> None:
        """One value wins, and only its writer is told so."""
        made, rounds = bench.model(), bench.profile.rounds
        told = race_processes(bench.opener, bench.url, write_params, made.id, rounds)
        check_params(bench, made.id, told)


def check_params(bench: LoggedModelBench, model_id: str, told: list[list[bool]]) -> None:
    stored = bench.store.get_logged_model(model_id).params
    for number in range(bench.profile.rounds):
        bench.evidence.histories += 1
        winners = [str(index) for index, took in enumerate(told) if took[number]]
        if winners != [stored.get(f"p{number}")]:
            witness = f"{winners} were told that they wrote it, and {stored} is there"
            raise Violation("L-PAR-01", witness=witness)
