"""The model's own reading of the contract, where it is more than a dict."""

import re
from itertools import product
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest

from trackstore.model import Batch, Experiment, Metric, OrderBy, Run
from trackstore_conformance import ArtifactStoreTests, BackendStoreTests
from trackstore_conformance.rules import check_of
from trackstore_conformance.sequential import blame
from trackstore_conformance.sequential.model import Model, Refused
from trackstore_conformance.sequential.model_search import compare, fold, like, number

ID = r"[AB]-[A-Z]{3}-\d\d"


def naive_like(text: str, pattern: str) -> bool:
    if not pattern:
        return not text
    if pattern[0] == "%":
        return any(naive_like(text[at:], pattern[1:]) for at in range(len(text) + 1))
    return bool(text) and pattern[0] in {"_", text[0]} and naive_like(text[1:], pattern[1:])


def test_like_is_what_its_definition_says() -> None:
    """On every short text and pattern of a small alphabet."""
    texts = ["".join(t) for size in range(4) for t in product("a%_", repeat=size)]
    for text, pattern in product(texts, texts):
        assert like(text, pattern) is naive_like(text, pattern), (text, pattern)


def test_only_a_to_z_is_folded() -> None:
    """Other letters stay as they are."""
    assert fold("AZaz[É\u212aİ") == "azaz[É\u212aİ"


def test_numbers_are_ordered_with_nan_the_least() -> None:
    """NaN equals itself and comes before -inf."""
    assert number(nan) == number(-nan) < number(-inf) < number(0.0) < number(5e-324) < number(inf)


def test_a_cursor_is_ordered_by_its_fields_then_newest_then_id() -> None:
    """Missing and NaN come last in both directions; the greater start comes first."""
    for descending in (False, True):
        order = (OrderBy("metric", "m", descending),)
        values = [inf, 1.0] if descending else [1.0, inf]
        rows = [(value, 5, "a") for value in [*values, nan, None]]
        rows.insert(1, (values[0], 5, "b"))
        rows.insert(2, (values[0], 4, "a"))
        for a, b in product(range(len(rows)), repeat=2):
            sign = compare(rows[a], rows[b], order)
            assert (sign > 0) - (sign < 0) == (a > b) - (a < b)


def test_a_call_that_breaks_two_rules_may_be_refused_for_either() -> None:
    """A conflict on a run that is deleted: the contract does not say which error comes first."""
    model = Model()
    model.create_experiment(Experiment("1", "iris", "", 0, 0))
    model.create_run(Run("r", "1", 0, ""))
    model.log("r", Batch(params={"p": "1"}, metrics=[Metric("m", 1.0, 0)]))
    model.known["r"].fields = Run("r", "1", 0, "", lifecycle_stage="deleted")  # type: ignore[arg-type]
    with pytest.raises(Refused) as refused:
        model.log("r", Batch(params={"p": "2"}))
    assert set(refused.value.ways) == {"InvalidState", "Conflict"}


@pytest.mark.parametrize(
    ("suite", "test", "modules"),
    [
        (
            BackendStoreTests,
            "test_any_sequence_of_calls_comes_out_as_in_the_model",
            ("sequential/blame.py", "sequential/backend_trial.py"),
        ),
        (
            ArtifactStoreTests,
            "test_any_sequence_of_calls_comes_out_as_in_a_dict",
            ("artifact/trial.py",),
        ),
    ],
)
def test_a_generated_test_may_blame_each_rule_that_it_checks(
    suite: Any, test: str, modules: tuple[str, ...]
) -> None:
    """And others too, of which it claims nothing when it finds nothing."""
    home = Path(blame.__file__).parents[1]
    named = {i for name in modules for i in re.findall(ID, (home / name).read_text())}
    check = check_of(suite.tests[test])
    assert check is not None
    assert named > set(check.rules)
