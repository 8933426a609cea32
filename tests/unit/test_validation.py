"""What a key, value or batch may be."""

import math

import pytest

from trackstore import limits, validation
from trackstore.errors import InvalidRequest, LimitExceeded, NotFound
from trackstore.model import Dataset, DatasetInput, Metric, MetricLink, ModelOutput


@pytest.mark.parametrize("key", ["a", "a b", "a/b.c:d-e_f", "é", "..a", "a..b", "x" * 250])
def test_a_key_of_mlflows_alphabet_is_kept(key: str) -> None:
    """Letters of any script, digits, `_ - . : /` and spaces, up to 250 code points."""
    if key.startswith(".."):
        with pytest.raises(InvalidRequest):
            validation.check_key(key)
    else:
        assert validation.check_key(key) == key


@pytest.mark.parametrize(
    "key",
    [
        "",
        ".",
        "..",
        "../a",
        "/a",
        "a/",
        "a//b",
        "a/../b",
        "a/./b",
        "a\n",
        "a\0",
        "a%",
        "a\ud800",
        5,
    ],
)
def test_another_key_is_refused(key: str) -> None:
    """What is no normal relative path, or holds another character, is an `InvalidRequest`."""
    with pytest.raises(InvalidRequest):
        validation.check_key(key)


def test_lengths_are_those_of_the_table() -> None:
    """B-TXT-02: at the limit it is kept, one over it is `LimitExceeded` with length and limit."""
    validation.checked_batch(
        params={"p": "x" * limits.PARAM_VALUE}, tags={"t": "x" * limits.TAG_VALUE}
    )
    with pytest.raises(LimitExceeded, match="'p' is 65,537 long, and the limit is 65,536"):
        validation.checked_batch(params={"p": "x" * 65_537})
    with pytest.raises(LimitExceeded, match="'t' is 65,537"):
        validation.checked_batch(tags={"t": "x" * 65_537})
    with pytest.raises(LimitExceeded, match=r"'mlflow\.runName' is 1,001"):
        validation.checked_batch(tags={"mlflow.runName": "x" * 1001})
    with pytest.raises(LimitExceeded, match="a key is 251"):
        validation.check_key("x" * 251)
    with pytest.raises(LimitExceeded, match="name of an experiment is 501"):
        validation.check_experiment_name("x" * 501)


def test_a_batch_is_limited_as_a_whole() -> None:
    """16,000,000 code points, however they are spread."""
    with pytest.raises(LimitExceeded, match="send it in parts"):
        validation.checked_batch(params={f"p{n}": "x" * 65_000 for n in range(250)})


@pytest.mark.parametrize("value", ["nul\0", "\ud800", "a\udfff", 5, None, b"x"])
def test_text_that_no_store_keeps_is_refused(value: str) -> None:
    """B-TXT-01: a NUL, a lone surrogate, or no text at all."""
    with pytest.raises(InvalidRequest):
        validation.check_tags({"t": value})


def test_values_come_out_as_stored() -> None:
    """B-MET-04: infinities stay, -0.0 is 0.0, every NaN is the one NaN, integers are doubles."""
    values = [math.inf, -math.inf, 5e-324, -0.0, 7, True]
    points = [Metric("m", value, 1) for value in values[:-1]]
    stored = [point.value for point in validation.checked_batch(metrics=points).metrics]
    assert stored == [math.inf, -math.inf, 5e-324, 0.0, 7.0]
    assert math.copysign(1, stored[3]) == 1
    assert all(type(value) is float for value in stored)
    assert validation.check_metric(Metric("m", -math.nan, 1)).value is math.nan  # noqa: PLW0177


@pytest.mark.parametrize(
    "point",
    [
        Metric("m", True, 1),
        Metric("m", "1", 1),  # type: ignore[arg-type]
        Metric("m", 10**400, 1),
        Metric("m", 1.0, -1),
        Metric("m", 1.0, 2**63),
        Metric("m", 1.0, 1.5),  # type: ignore[arg-type]
        Metric("m", 1.0, 1, 2**63),
        Metric("m", 1.0, 1, -(2**63) - 1),
        Metric("m", 1.0, 1, True),
        Metric("", 1.0, 1),
        Metric("m", 1.0, 1, links=(MetricLink("\0"),)),
    ],
)
def test_a_point_out_of_range_is_refused(point: Metric) -> None:
    """B-MET-05: steps are int64, times are int64 and not negative, values are numbers."""
    with pytest.raises(InvalidRequest):
        validation.check_metric(point)


def test_the_edges_of_int64_are_in_range() -> None:
    """B-MET-05, the other side."""
    for step in (-(2**63), 2**63 - 1):
        validation.check_metric(Metric("m", 1.0, 2**63 - 1, step))


def test_params_may_not_repeat_and_tags_may() -> None:
    """B-BAT-04: the last of a repeated tag wins; a param given twice is a mistake, equal or not."""
    assert validation.check_tags([("t", "1"), ("t", "2")]) == {"t": "2"}
    with pytest.raises(InvalidRequest, match="twice"):
        validation.check_params([("p", "1"), ("p", "1")])
    with pytest.raises(InvalidRequest, match="both set and deleted"):
        validation.checked_batch(tags={"t": "1"}, deleted_tags=["t"])


def test_numbers_become_text() -> None:
    """A param is text; a number is kept as Python writes it."""
    assert validation.check_params({"a": 1, "b": 0.5, "c": "x"}) == {"a": "1", "b": "0.5", "c": "x"}
    with pytest.raises(InvalidRequest):
        validation.check_params({"a": None})  # type: ignore[dict-item]


def test_the_run_name_stays() -> None:
    """It is a tag that cannot be deleted, and an empty one changes nothing."""
    with pytest.raises(InvalidRequest, match="cannot be deleted"):
        validation.checked_batch(deleted_tags=["mlflow.runName"])
    assert validation.check_tags({"mlflow.runName": "", "a": ""}) == {"a": ""}


@pytest.mark.parametrize("ident", ["", "x" * 257, "a\0", "a\n", "\ud800", "../etc/passwd\t"])
def test_an_odd_id_is_not_found(ident: str) -> None:
    """B-RUN-06: no store can know it, so none is asked."""
    with pytest.raises(NotFound):
        validation.check_id("run", ident)
    with pytest.raises(InvalidRequest):
        validation.check_id("run", 5)


def test_inputs_and_outputs_are_checked() -> None:
    """A dataset needs a name and a digest; lengths are limited; a model needs an id."""
    good = DatasetInput(Dataset("iris", "d"), {"mlflow.data.context": "train"})
    assert validation.checked_batch(inputs=[good], outputs=[ModelOutput("m-1")]).inputs == [good]
    bad = [
        DatasetInput(Dataset("", "d")),
        DatasetInput(Dataset("a", "")),
        DatasetInput(Dataset("a", "d" * 37)),
        DatasetInput(Dataset("a", "d", schema="\0")),
        DatasetInput(Dataset("a", "d"), {"k": "v" * 501}),
    ]
    for read in bad:
        with pytest.raises((InvalidRequest, LimitExceeded)):
            validation.check_input(read)
    with pytest.raises(InvalidRequest):
        validation.check_output(ModelOutput(""))


def test_names_of_stages_and_statuses() -> None:
    """Text is taken for the enumerations, and an unknown one is answered with what there is."""
    assert validation.check_status("FAILED").value == "FAILED"
    assert validation.check_stage("deleted") == "deleted"
    assert validation.check_stage(None) is None
    with pytest.raises(InvalidRequest, match="RUNNING"):
        validation.check_status("DONE")
