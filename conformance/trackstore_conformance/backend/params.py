from trackstore.model import Batch
from trackstore_conformance.bench import BackendBench
from trackstore_conformance.outcomes import outcome
from trackstore_conformance.rules import rule
from trackstore_conformance.sequential.texts import ALL
from trackstore_conformance.suites import BackendSuite


class ParamTests(BackendSuite):
    __test__ = False

    @rule("B-PAR-01")
    def test_params_are_read_as_they_were_written(self, bench: BackendBench) -> None:
        """Keys and values come back exactly, and many calls add up."""
        run = bench.run()
        params = {f"p{number}": value for number, value in enumerate(ALL)}
        for key, value in params.items():
            bench.store.log(run.id, Batch(params={key: value}))
        assert bench.second.get_run(run.id).params == params

    @rule("B-PAR-02")
    def test_a_param_is_written_once(self, bench: BackendBench) -> None:
        """The same value again is accepted, another is a `Conflict`, and the first one stays."""
        run = bench.run()
        bench.store.log(run.id, Batch(params={"p": "1", "empty": ""}))
        bench.second.log(run.id, Batch(params={"p": "1", "empty": ""}))
        for params in ({"p": "2"}, {"p": "1 "}, {"p": "01"}, {"p": ""}, {"empty": " "}):
            assert outcome(bench.second.log, run.id, Batch(params=params)).ways == ("Conflict",)
        assert bench.store.get_run(run.id).params == {"p": "1", "empty": ""}

    @rule("B-PAR-02")
    def test_params_that_differ_in_case_or_blanks_are_different(self, bench: BackendBench) -> None:
        """Keys are compared code point by code point."""
        run = bench.run()
        params = {"p": "1", "P": "2", "p ": "3", "é": "4", "e\u0301": "5"}
        for key, value in params.items():
            bench.store.log(run.id, Batch(params={key: value}))
        assert bench.second.get_run(run.id).params == params

    @rule("B-PAR-02")
    def test_values_that_end_alike_are_different(self, bench: BackendBench) -> None:
        """A long value is compared whole, not by its beginning."""
        run = bench.run()
        value = "v" * 65_535
        bench.store.log(run.id, Batch(params={"p": value + "a"}))
        changed = Batch(params={"p": value + "b"})
        assert outcome(bench.store.log, run.id, changed).ways == ("Conflict",)
        assert bench.store.get_run(run.id).params == {"p": value + "a"}
