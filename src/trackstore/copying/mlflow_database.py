"""The tables of an MLflow tracking database, which are only read.

Columns and tables that came with later versions of MLflow may be missing.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from trackstore.copying.source import POINTS
from trackstore.errors import BackendError, InvalidRequest
from trackstore.model import (
    RUN_NAME,
    Dataset,
    DatasetInput,
    Experiment,
    LifecycleStage,
    Metric,
    MetricLink,
    ModelOutput,
    Run,
    RunStatus,
)
from trackstore.registered import (
    LoggedModel,
    LoggedModelStatus,
    ModelVersion,
    RegisteredModel,
    VersionStage,
    VersionStatus,
)

_DRIVERS = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}
_RUNS = 500
"""How many runs are read at a time."""
_POINT = ("key", "step", "timestamp", "value", "is_nan")
_STREAMED: Any = {"execution_options": {"stream_results": True, "yield_per": POINTS}}
_DELETED_VERSION = "Deleted_Internal"
_STATUSES = {2: LoggedModelStatus.READY, 3: LoggedModelStatus.FAILED}

Row = Mapping[str, Any]


class MLflowDatabase:
    """Reads a database of SQLite, PostgreSQL or MySQL."""

    def __init__(self, url: str) -> None:
        self._engine = _engine(url)
        self._columns = cache(self._find_columns)
        with _translated():
            if not self._columns("experiments"):
                raise InvalidRequest("there are no tables of MLflow in the source")

    def close(self) -> None:
        self._engine.dispose()

    def experiments(self) -> Iterator[Experiment]:
        tags = _pairs_by(self._rows("experiment_tags"), "experiment_id")
        for row in self._rows("experiments"):
            ident = row["experiment_id"]
            created = row.get("creation_time") or 0
            yield Experiment(
                str(ident),
                row["name"],
                row["artifact_location"] or "",
                created,
                row.get("last_update_time") or created,
                LifecycleStage(row["lifecycle_stage"]),
                tags[ident],
            )

    def runs(self, experiment_id: str) -> Iterator[Run]:
        after = ""
        while True:
            page = list(
                self._rows(
                    "runs",
                    _is("experiment_id", int(experiment_id)),
                    sa.column("run_uuid") > after,
                    order=("run_uuid",),
                    limit=_RUNS,
                )
            )
            if not page:
                return
            after = page[-1]["run_uuid"]
            yield from self._hydrated(page)

    def points(self, run: Run) -> Iterator[Sequence[Metric]]:
        links = self._links(run.id)
        columns: list[Any] = [sa.column(name) for name in _POINT]
        order = [*columns[:3], columns[4].desc(), columns[3]]  # as a history is: NaN first
        query = sa.select(*columns).select_from(sa.table("metrics")).order_by(*order)
        with _translated(), self._engine.connect() as connection:
            found = connection.execute(query.where(_is("run_uuid", run.id)), **_STREAMED)
            for rows in found.partitions(POINTS):
                yield [_point(row, links) for row in rows]

    def logged_models(self, experiment_id: str) -> Iterator[LoggedModel]:
        mine = _is("experiment_id", int(experiment_id))
        params = _pairs_by(
            self._rows("logged_model_params", mine), "model_id", "param_key", "param_value"
        )
        tags = _pairs_by(self._rows("logged_model_tags", mine), "model_id", "tag_key", "tag_value")
        for row in self._rows("logged_models", mine):
            yield LoggedModel(
                row["model_id"],
                experiment_id,
                row["name"],
                row["creation_timestamp_ms"],
                row["last_updated_timestamp_ms"],
                row["artifact_location"],
                row["source_run_id"] or "",
                row["model_type"] or "",
                _STATUSES.get(row["status"], LoggedModelStatus.PENDING),
                row["status_message"] or "",
                LifecycleStage(row["lifecycle_stage"] or "active"),
                params[row["model_id"]],
                tags[row["model_id"]],
            )

    def registered_models(self) -> Iterator[RegisteredModel]:
        tags = _pairs_by(self._rows("registered_model_tags"), "name")
        aliases: dict[str, dict[str, int]] = defaultdict(dict)
        for row in self._rows("registered_model_aliases"):
            aliases[row["name"]][row["alias"]] = row["version"]
        for row in self._rows("registered_models"):
            created = row["creation_time"] or 0
            yield RegisteredModel(
                row["name"],
                created,
                row["last_updated_time"] or created,
                row["description"] or "",
                tags[row["name"]],
                aliases[row["name"]],
            )

    def versions(self, name: str) -> Iterator[ModelVersion]:
        tags = _pairs_by(self._rows("model_version_tags", _is("name", name)), "version")
        for row in self._rows("model_versions", _is("name", name), order=("version",)):
            if row["current_stage"] != _DELETED_VERSION:
                yield _version(row, tags[row["version"]])

    def _hydrated(self, rows: Sequence[Row]) -> Iterator[Run]:
        idents = [row["run_uuid"] for row in rows]
        tags = _pairs_by(self._rows("tags", _among("run_uuid", idents)), "run_uuid")
        params = _pairs_by(self._rows("params", _among("run_uuid", idents)), "run_uuid")
        metrics: dict[str, dict[str, Metric]] = defaultdict(dict)
        for row in self._rows("latest_metrics", _among("run_uuid", idents)):
            metrics[row["run_uuid"]][row["key"]] = _point([row[name] for name in _POINT], {})
        inputs = self._inputs(idents)
        read, wrote = self._models_of(idents)
        for row in rows:
            ident = row["run_uuid"]
            yield Run(
                ident,
                str(row["experiment_id"]),
                row["start_time"] or 0,
                row["artifact_uri"] or "",
                user_id=row["user_id"] or "",
                status=RunStatus(row["status"]),
                end_time=row["end_time"],
                deleted_time=row.get("deleted_time"),
                lifecycle_stage=LifecycleStage(row["lifecycle_stage"]),
                params=params[ident],
                tags=_named(tags[ident], row.get("name") or ""),
                metrics=metrics[ident],
                inputs=tuple(inputs[ident]),
                model_inputs=tuple(read[ident]),
                outputs=tuple(wrote[ident]),
            )

    def _inputs(self, idents: Sequence[str]) -> dict[str, list[DatasetInput]]:
        links = list(
            self._rows(
                "inputs",
                _is("source_type", "DATASET"),
                _is("destination_type", "RUN"),
                _among("destination_id", idents),
            )
        )
        uuids = [row["input_uuid"] for row in links]
        tags = _pairs_by(
            self._rows("input_tags", _among("input_uuid", uuids)), "input_uuid", "name"
        )
        sources = list({row["source_id"] for row in links})
        datasets = {
            row["dataset_uuid"]: _dataset(row)
            for row in self._rows("datasets", _among("dataset_uuid", sources))
        }
        found: dict[str, list[DatasetInput]] = defaultdict(list)
        for row in links:
            dataset = datasets[row["source_id"]]
            found[row["destination_id"]].append(DatasetInput(dataset, tags[row["input_uuid"]]))
        return found

    def _models_of(
        self, idents: Sequence[str]
    ) -> tuple[dict[str, list[str]], dict[str, list[ModelOutput]]]:
        read: dict[str, list[str]] = defaultdict(list)
        wrote: dict[str, list[ModelOutput]] = defaultdict(list)
        for row in self._rows("inputs", _among("source_id", idents)):
            if row["source_type"] == "RUN_INPUT":
                read[row["source_id"]].append(row["destination_id"])
            elif row["source_type"] == "RUN_OUTPUT":
                output = ModelOutput(row["destination_id"], row.get("step") or 0)
                wrote[row["source_id"]].append(output)
        return read, wrote

    def _links(self, run_id: str) -> dict[tuple[Any, ...], list[MetricLink]]:
        """Return what points of a run are about, by key, step, time and value."""
        found: dict[tuple[Any, ...], list[MetricLink]] = defaultdict(list)
        for row in self._rows("logged_model_metrics", _is("run_id", run_id)):
            place = row["metric_name"], row["metric_step"], row["metric_timestamp_ms"]
            name, digest = row["dataset_name"] or "", row["dataset_digest"] or ""
            found[*place, row["metric_value"]].append(MetricLink(row["model_id"], name, digest))
        return found

    def _rows(
        self, table: str, *where: Any, order: Sequence[str] = (), limit: int | None = None
    ) -> Iterator[Row]:
        """Yield the rows of a table, none if this version of MLflow has not got it."""
        columns = self._columns(table)
        if not columns:
            return
        found = sa.table(table, *map(sa.column, columns))
        query = sa.select(found).where(*where).order_by(*map(sa.column, order)).limit(limit)
        with _translated(), self._engine.connect() as connection:
            for row in connection.execute(query, **_STREAMED).mappings():
                yield {**row}

    def _find_columns(self, table: str) -> tuple[str, ...]:
        inspector = sa.inspect(self._engine)
        if not inspector.has_table(table):
            return ()
        return tuple(column["name"] for column in inspector.get_columns(table))


def _engine(url: str) -> sa.Engine:
    try:
        parsed = sa.make_url(url)
    except ArgumentError as error:
        raise InvalidRequest("the source is no URL of a database") from error
    kind = parsed.get_backend_name()
    if kind == "sqlite":
        read_only = {"mode": "ro", "uri": "true"}
        file = f"file:{parsed.database}"
        return sa.create_engine(parsed.set(database=file).update_query_dict(read_only))
    if kind not in _DRIVERS:
        raise InvalidRequest("a database of MLflow is one of sqlite, postgresql or mysql")
    return sa.create_engine(parsed.set(drivername=_DRIVERS[kind]))


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise BackendError("the source's database failed, or cannot be read") from error


def _is(column: str, value: Any) -> Any:
    return sa.column(column) == value


def _among(column: str, values: Sequence[str]) -> Any:
    return sa.column(column).in_(values)


def _pairs_by(
    rows: Iterable[Row], owner: str, key: str = "key", value: str = "value"
) -> dict[Any, dict[str, str]]:
    found: dict[Any, dict[str, str]] = defaultdict(dict)
    for row in rows:
        found[row[owner]][row[key]] = row[value] or ""
    return found


def _named(tags: dict[str, str], name: str) -> dict[str, str]:
    """Return a run's tags with its name, which old versions of MLflow have in the row alone."""
    if not tags.get(RUN_NAME):
        tags.pop(RUN_NAME, None)
    return {RUN_NAME: name, **tags} if name else tags


def _point(row: Sequence[Any], links: Mapping[tuple[Any, ...], Any]) -> Metric:
    key, step, timestamp, value, is_nan = row
    about: tuple[MetricLink, ...] = ()
    if links:
        about = tuple(sorted(links.get((key, step, timestamp, value), ())))
    return Metric(key, math.nan if is_nan else value + 0.0, timestamp or 0, step, about)


def _dataset(row: Row) -> Dataset:
    return Dataset(
        row["name"],
        row["digest"],
        row["dataset_source_type"],
        row["dataset_source"],
        row["dataset_schema"],
        row["dataset_profile"],
    )


def _version(row: Row, tags: dict[str, str]) -> ModelVersion:
    source = row["source"] or ""
    created = row["creation_time"] or 0
    model_id = source.removeprefix("models:/") if source.startswith("models:/m-") else ""
    return ModelVersion(
        row["name"],
        row["version"],
        created,
        row["last_updated_time"] or created,
        source,
        row.get("storage_location") or source,
        row["run_id"] or "",
        model_id,
        row["user_id"] or "",
        row["run_link"] or "",
        row["description"] or "",
        VersionStage(row["current_stage"] or "None"),
        VersionStatus(row["status"] or "READY"),
        row["status_message"] or "",
        tags,
    )
