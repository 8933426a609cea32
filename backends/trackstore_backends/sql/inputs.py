"""The datasets and models that a run read and wrote."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from trackstore.model import Batch, Dataset, DatasetInput, ModelOutput
from trackstore_backends.sql.database import Row, Session
from trackstore_backends.sql.fragments import among


class Linked(NamedTuple):
    inputs: tuple[DatasetInput, ...] = ()
    model_inputs: tuple[str, ...] = ()
    outputs: tuple[ModelOutput, ...] = ()


NOTHING = Linked()


QUERIES = (
    (
        "select t.input, t.name, t.value from inputs i join input_tags t on t.input = i.input "
        f"where {among('i.run')}"
    ),
    (
        "select i.run, i.input, d.name, d.digest, d.source_type, d.source, d.schema_text, "
        "d.profile from inputs i join datasets d on d.dataset = i.dataset "
        f"where {among('i.run')} order by i.input"
    ),
    f"select run, model_id from model_inputs where {among('run')} order by place",
    f"select run, model_id, step from outputs where {among('run')} order by place",
)
"""What to ask about the runs of a packed list: the rows are for `linked`."""


def linked(
    tags: Iterable[Row], datasets: Iterable[Row], models: Iterable[Row], outputs: Iterable[Row]
) -> dict[int, Linked]:
    """Return what runs are linked with, each in the order of its logging."""
    tags_of: dict[int, dict[str, str]] = defaultdict(dict)
    for number, name, value in tags:
        tags_of[number][name] = value
    read, wrote, models_read = defaultdict(list), defaultdict(list), defaultdict(list)
    for run, number, *fields in datasets:
        read[run].append(DatasetInput(Dataset(*fields), tags_of.get(number, {})))
    for run, model_id in models:
        models_read[run].append(model_id)
    for run, model_id, step in outputs:
        wrote[run].append(ModelOutput(model_id, step))
    return {
        run: Linked(
            tuple(read.get(run, ())), tuple(models_read.get(run, ())), tuple(wrote.get(run, ()))
        )
        for run in {*read, *models_read, *wrote}
    }


def write(session: Session, run: int, exp: int, batch: Batch) -> None:
    for read in batch.inputs:
        _write_input(session, run, exp, read)
    session.run_many(
        "insert into model_inputs (run, model_id) values (?, ?) on conflict do nothing",
        [(run, model_id) for model_id in batch.model_inputs],
    )
    session.run_many(
        "insert into outputs (run, model_id, step) values (?, ?, ?) on conflict do nothing",
        [(run, output.model_id, output.step) for output in batch.outputs],
    )


def _write_input(session: Session, run: int, exp: int, read: DatasetInput) -> None:
    dataset = read.dataset
    session.run(
        "insert into datasets (exp, name, digest, source_type, source, schema_text, profile) "
        "values (?, ?, ?, ?, ?, ?, ?) on conflict do nothing",
        (
            exp,
            dataset.name,
            dataset.digest,
            dataset.source_type,
            dataset.source,
            dataset.schema,
            dataset.profile,
        ),
    )
    session.run(
        "insert into inputs (run, dataset) "
        "select ?, dataset from datasets where exp = ? and name = ? and digest = ? "
        "on conflict do nothing",
        (run, exp, dataset.name, dataset.digest),
    )
    session.run_many(
        "insert into input_tags (input, name, value) "
        "select i.input, ?, ? from inputs i join datasets d on d.dataset = i.dataset "
        "where i.run = ? and d.exp = ? and d.name = ? and d.digest = ? "
        "on conflict (input, name) do update set value = excluded.value",
        [
            (name, value, run, exp, dataset.name, dataset.digest)
            for name, value in read.tags.items()
        ],
    )
