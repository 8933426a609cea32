"""`trackstore conformance explain` says what a rule demands, why, and what checks it."""

import json

import pytest
from typer.testing import CliRunner, Result

from trackstore_conformance.checks import checks_by_rule
from trackstore_conformance.cli import app
from trackstore_conformance.spec import RULES, by_topic


def explain(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["explain", *arguments])


@pytest.mark.parametrize("ident", ["B-PAR-03", " b-par-03"])
def test_a_rule_is_explained(ident: str) -> None:
    """Id, title, level, sentence, reason, and each test with what it promises."""
    shown = " ".join(explain(ident).stdout.split())
    each = RULES["B-PAR-03"]
    for part in (f"{each.id} {each.title}", "core, since contract 1.0", each.text, each.rationale):
        assert part.replace("`", "") in shown.replace("`", "")
    for test in checks_by_rule()["B-PAR-03"]:
        assert f"{test.name} {test.promise}" in shown


def test_a_grade_and_an_ability_are_named() -> None:
    """Whom a rule binds can be read off, without the page's markup."""
    assert "graded tag_reads: linearizable, since" in explain("B-TAG-02").stdout
    assert "ability SearchesRuns, since" in explain("B-SRC-01").stdout


def test_a_gap_is_shown() -> None:
    """A rule that nothing checks says so, and why."""
    shown = explain("B-MIG-01").stdout
    assert "Not checked by the suite" in shown
    assert "data that other releases of a store wrote" in " ".join(shown.split())


def test_all_rules_are_listed_by_topic() -> None:
    """Without an id every rule has its line, below its topic."""
    shown = explain().stdout
    lines = shown.splitlines()
    for topic, rules in by_topic():
        here = lines.index(topic.title)
        for place, each in enumerate(rules, here + 1):
            assert lines[place].split()[0] == each.id
            assert each.title in lines[place]
            assert lines[place].endswith("(not checked)") == (each.untested is not None)


def test_machines_get_json() -> None:
    """The fields of the spec with the tests, for one rule or for all."""
    one = json.loads(explain("B-TAG-02", "--json").stdout)
    assert (one["id"], one["level"], one["claim"]) == ("B-TAG-02", "graded", "tag_reads")
    assert {test["name"] for test in one["tests"]} == {
        test.name for test in checks_by_rule()["B-TAG-02"]
    }
    every = json.loads(explain("--json").stdout)
    assert [each["id"] for each in every] == [*RULES]
    assert one in every


@pytest.mark.parametrize(
    ("ident", "near"), [("B-PAR-3", "B-PAR-03 (One value of a param wins a race)"), ("PAR-3", "")]
)
def test_an_unknown_id_is_answered_with_those_like_it(ident: str, near: str) -> None:
    """One line on the error stream and exit code 1."""
    done = explain(ident)
    assert done.exit_code == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"error: no rule has the id '{ident}'")
    assert near in done.stderr
    assert len(done.stderr.splitlines()) == 1
