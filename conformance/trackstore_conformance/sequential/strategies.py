"""What the machines are fed: three times in four what collides, else what lies at an edge.

Both matter.  Few keys, steps and values make two writes meet; the ends of int64, infinities and
the odd corners of Unicode are where a store changes what it was given.
"""

from collections.abc import Sequence
from typing import TypeVar

from hypothesis import strategies as st
from msgspec import UNSET, UnsetType

from trackstore.model import (
    DATASET_CONTEXT,
    RUN_NAME,
    Batch,
    Dataset,
    DatasetInput,
    Experiment,
    ExperimentChanges,
    LifecycleStage,
    Metric,
    MetricLink,
    ModelOutput,
    Run,
    RunChanges,
    RunStatus,
)
from trackstore_conformance.sequential.texts import ALL

T = TypeVar("T")

KEYS = ("a", "b", "loss")
TWINS = ("A", "a ", "Loss", "loss\n")
"""Taken for one of `KEYS` by whoever folds or trims."""
VALUES = ("x", "y", "xyx", "x ", "")
LONG_TEXTS = ("v" * 6_001, "💥" * 8_001)
"""Longer than what MLflow cuts a value to."""
EDGE_INTS = (-(2**63), -(2**53) - 1, -(2**31) - 1, 2**31, 2**53 + 1, 2**63 - 1)
EDGE_FLOATS = (
    float("nan"), float("inf"), float("-inf"), 5e-324, -5e-324, 2.2250738585072014e-308,
    1.7976931348623157e308, -1.7976931348623157e308, 0.1, 2.0**53, 2.0**63, -(2.0**63), 1e16 / 3,
)  # fmt: skip


def biased(common: st.SearchStrategy[T], edge: st.SearchStrategy[T]) -> st.SearchStrategy[T]:
    """Draw from `common` three times in four; what shrinks goes there too."""
    return st.integers(0, 3).flatmap(lambda draw: edge if draw == 3 else common)


free_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)
odd_texts = st.sampled_from((*ALL, "x" * 255, "é" * 250)) | free_texts
short_texts = st.sampled_from(TWINS) | odd_texts.filter(lambda text: len(text) <= 250)
keys = biased(st.sampled_from(KEYS), short_texts)
tag_keys = st.just(RUN_NAME) | keys
values = biased(st.sampled_from(VALUES), odd_texts | st.sampled_from(LONG_TEXTS))
short_values = biased(st.sampled_from(VALUES), odd_texts.filter(lambda text: len(text) <= 500))
"""For what a store need not keep longer: the front's limit is 500 or more."""
names = biased(st.sampled_from(KEYS), st.sampled_from(TWINS) | odd_texts)
steps = biased(st.integers(-1, 2), st.sampled_from(EDGE_INTS) | st.integers(-(2**63), 2**63 - 1))
times = biased(
    st.integers(0, 2), st.sampled_from([i for i in EDGE_INTS if i >= 0]) | st.integers(0, 2**63 - 1)
)
any_float = st.floats().map(lambda value: value + 0.0)  # the front stores -0.0 as 0.0
numbers = biased(
    st.sampled_from([0.0, 1.0, -1.0, 10.0, float("nan")]), st.sampled_from(EDGE_FLOATS) | any_float
)
stages = st.sampled_from(LifecycleStage)
some_stage = st.none() | stages
limits = biased(st.integers(1, 3), st.sampled_from([1, 1_000]))

links = st.builds(
    MetricLink,
    model_id=st.sampled_from(["", "m-1", "m-2"]),
    dataset_name=st.sampled_from(["", "d"]),
    dataset_digest=st.sampled_from(["", "1"]),
)
metrics = st.builds(
    Metric,
    key=keys,
    value=numbers,
    timestamp=times,
    step=steps,
    links=biased(st.just(()), st.lists(links, max_size=2).map(tuple)),
)
tags = st.dictionaries(tag_keys, values, max_size=2)
datasets = st.builds(
    Dataset,
    name=biased(st.sampled_from(["d", "e"]), odd_texts),
    digest=biased(st.sampled_from(["1", "2"]), odd_texts.filter(lambda text: len(text) <= 36)),
    source_type=st.sampled_from(["", "local"]),
    source=st.sampled_from(["", "{}", "file"]),
    schema=st.sampled_from([None, "", "{}"]),
    profile=st.sampled_from([None, "", "{}"]),
)
inputs = st.builds(
    DatasetInput,
    dataset=datasets,
    tags=st.dictionaries(st.sampled_from([DATASET_CONTEXT, "t"]), short_values, max_size=2),
)


@st.composite
def deletions(draw: st.DrawFn, kept: Sequence[str]) -> list[str]:
    """Tags to delete, none of which is set by the same write."""
    wanted = st.lists(keys.filter(lambda key: key not in kept), max_size=2, unique=True)
    return draw(biased(st.just([]), wanted))


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    new_tags = draw(tags)
    return Batch(
        metrics=draw(st.lists(metrics, max_size=4)),
        params=draw(st.dictionaries(keys, values, max_size=2)),
        tags=new_tags,
        deleted_tags=draw(deletions(list(new_tags))),
        inputs=draw(biased(st.just([]), st.lists(inputs, max_size=2))),
        model_inputs=draw(biased(st.just([]), st.lists(st.sampled_from(["m-1", "m-2"])))),
        outputs=draw(
            biased(
                st.just([]),
                st.lists(st.builds(ModelOutput, st.sampled_from(["m-1", "m-2"]), steps)),
            )
        ),
    )


new_experiments = st.builds(
    Experiment,
    id=st.just(""),
    name=names,
    artifact_location=short_values,
    creation_time=times,
    last_update_time=times,
    lifecycle_stage=biased(st.just(LifecycleStage.ACTIVE), stages),
    tags=tags,
)
new_runs = st.builds(
    Run,
    id=st.just(""),
    experiment_id=st.just(""),
    start_time=times,
    artifact_uri=values,
    user_id=values.filter(lambda text: len(text) <= 256),
    status=st.sampled_from(RunStatus),
    end_time=st.none() | times,
    deleted_time=biased(st.none(), times),
    lifecycle_stage=biased(st.just(LifecycleStage.ACTIVE), stages),
    tags=tags,
)
run_changes = st.builds(
    RunChanges,
    status=st.just(UNSET) | st.sampled_from(RunStatus),
    end_time=st.just(UNSET) | st.none() | times,
    lifecycle_stage=st.just(UNSET) | stages,
    deleted_time=st.just(UNSET) | st.none() | times,
    tags=biased(st.just({}), tags),
)


@st.composite
def experiment_edits(
    draw: st.DrawFn, new_names: st.SearchStrategy[str | UnsetType]
) -> ExperimentChanges:
    """Any change but the time alone, which the front never asks for."""
    new_tags = draw(biased(st.just({}), tags))
    deleted = draw(deletions(list(new_tags)))
    stage = draw(st.just(UNSET) | stages)
    no_name: st.SearchStrategy[str | UnsetType] = st.just(UNSET)
    name: str | UnsetType = draw(biased(no_name, new_names))
    timed = stage is not UNSET or name is not UNSET or new_tags or deleted
    return ExperimentChanges(
        name=name,
        lifecycle_stage=stage,
        last_update_time=draw(times) if timed else UNSET,
        tags=new_tags,
        deleted_tags=deleted,
    )
