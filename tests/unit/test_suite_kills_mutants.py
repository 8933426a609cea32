"""A suite that finds nothing proves nothing: each broken store must fail the rule it breaks."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import Phase
from msgspec.structs import replace

from trackstore_conformance import effort
from trackstore_conformance.effort import PROFILES, Settings
from trackstore_conformance.mutants import (
    MUTANTS,
    ArtifactMutant,
    Broken,
    LoggedModelMutant,
    Mutant,
    RegistryMutant,
    find_mutant,
)
from trackstore_conformance.report.kills import as_markdown
from trackstore_conformance.rules import Check, check_of
from trackstore_conformance.selftest import (
    MANY_RULES,
    SelfTest,
    contract_of,
    judge,
    run_all,
    run_in,
    run_test,
    selftest,
    suite_of,
)
from trackstore_conformance.spec import RULES
from trackstore_conformance.suites import BENCHES
from trackstore_conformance.violations import Violation

QUICK = Settings(replace(PROFILES["quick"], shrinks=False))


@pytest.fixture(scope="module")
def result() -> SelfTest:
    return selftest(MUTANTS)


def test_there_are_mutants_enough() -> None:
    """Eighty at least, each with a name and a sentence of its own, of a rule that is checked."""
    assert len(MUTANTS) >= 80
    assert len({mutant.__name__.lower() for mutant in MUTANTS}) == len(MUTANTS)
    assert len({mutant.__doc__ for mutant in MUTANTS}) == len(MUTANTS)
    for mutant in MUTANTS:
        assert RULES[mutant.killed_by].untested is None
        assert mutant.near
        assert mutant.killed_by not in mutant.near


def test_every_mutant_is_found_by_its_rule(result: SelfTest) -> None:
    """In `quick` already."""
    assert [kill for kill in result.kills if not kill.killed] == []


def test_no_other_rule_is_blamed(result: SelfTest) -> None:
    """The rules near the one that is broken stay green."""
    assert [kill for kill in result.kills if kill.blamed] == []
    assert result.passed


def test_the_matrix_has_a_line_for_each(result: SelfTest) -> None:
    """With the test that found it."""
    page = as_markdown(result)
    for kill in result.kills:
        assert f"| {kill.mutant} | {kill.about} | {kill.rule} | `{kill.test}` |" in page


class Survivor(Mutant):
    """Breaks nothing."""

    killed_by = "B-PAR-02"


class Blamed(find_mutant("ConflictSwallowed")):  # type: ignore[misc]
    """Breaks another rule than it says."""

    killed_by = "B-TAG-01"
    near = ("B-PAR-02",)


def test_a_mutant_that_is_not_found_makes_the_suite_fail() -> None:
    """And so does one that is found by another rule."""
    survivor, blamed = judge(Survivor, QUICK), judge(Blamed, QUICK)
    assert not survivor.killed
    assert not blamed.killed
    assert blamed.blamed == ("B-PAR-02",)
    assert not SelfTest("quick", 0, None, (survivor,)).passed  # type: ignore[arg-type]


def test_a_mutant_that_takes_too_long_is_stopped() -> None:
    """It counts as one that survived."""
    (kill,) = run_all([find_mutant("NanAsZero")], QUICK, 1, seconds=0.01)
    assert (kill.killed, kill.said) == (False, "out of time")


@pytest.mark.parametrize("wrapper", [Mutant, ArtifactMutant, RegistryMutant, LoggedModelMutant])
def test_a_wrapper_that_breaks_nothing_passes(wrapper: type[Broken]) -> None:
    """What kills a mutant is its fault, and not that it wraps a store."""
    suite = suite_of(wrapper)
    checks = {name: check_of(test) for name, test in suite.tests.items()}
    rules = {mutant.killed_by for mutant in MUTANTS}
    for name, check in checks.items():
        assert check is not None
        if len(check.rules) <= MANY_RULES and not rules.isdisjoint(check.rules):
            assert run_test(suite, name, check, QUICK) is None


MODEL = "test_any_sequence_of_calls_comes_out_as_in_the_model"
SEARCH = "test_a_pushed_down_search_is_the_scanned_search"
FILES = "test_any_sequence_of_calls_comes_out_as_in_a_dict"
MORE = replace(PROFILES["quick"], examples=120)
SEEDS = range(1, 11)
"""With some a mutant that breaks two rules is blamed on the other one first."""
FOUND_BY_GENERATION = {
    "NanAsZero": MODEL,
    "StepOf32Bits": MODEL,
    "OnePointAStep": MODEL,
    "ItemByItem": MODEL,
    "TiesBackwards": MODEL,
    "ParamsOverwritten": MODEL,
    "TagsStripped": MODEL,
    "StaleReads": MODEL,
    "ForeignError": MODEL,
    "StopsTheProgram": MODEL,
    "LikeFolds": SEARCH,
    "EmptyIsMissing": SEARCH,
    "MissingFirstWhenDescending": SEARCH,
    "PrefixOfText": FILES,
}


@pytest.mark.parametrize(("name", "test"), FOUND_BY_GENERATION.items())
def test_generated_calls_name_the_rule_too(
    name: str, test: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an example of the fault, and in a program of a few lines that shows it."""
    monkeypatch.setattr(effort, "PHASES", (Phase.generate,))
    monkeypatch.setattr(effort, "KEPT", None)
    mutant = find_mutant(name)
    for seed in SEEDS:
        (tmp_path / str(seed)).mkdir()
        with pytest.raises(Violation) as found:
            run_in(
                tmp_path / str(seed), suite_of(mutant), test, Check((), "seq"), Settings(MORE, seed)
            )
        if found.value.rules == (mutant.killed_by,):
            break
    assert found.value.rules == (mutant.killed_by,)
    assert found.value.script is not None
    check_script(found.value.script, mutant, tmp_path)


def check_script(script: str, mutant: type[Broken], folder: Path) -> None:
    """It fails on the mutant, and is fine on the store that the mutant wraps."""
    broken, right = folder / "broken.py", folder / "right.py"
    broken.write_text(script)
    opener = BENCHES[contract_of(mutant)][1].__name__
    right.write_text(
        script.replace(
            f"from {mutant.__module__} import {mutant.__name__}",
            f"from trackstore.registry import {opener}",
        ).replace(f"{mutant.__name__}.from_url", opener)
    )
    calls = [line for line in script.splitlines() if "store" in line or "late" in line]
    assert len(calls) <= 20
    assert subprocess.run([sys.executable, broken], capture_output=True, check=False).returncode
    subprocess.run([sys.executable, right], check=True)
