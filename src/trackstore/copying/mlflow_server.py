"""A running server of MLflow's REST API, which is only asked."""

import json
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import msgspec

from trackstore.copying.source import POINTS
from trackstore.errors import BackendError, Unavailable
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

_SECONDS = 120
_PAGE = 1_000
_MODEL_STATUSES = {
    "LOGGED_MODEL_READY": LoggedModelStatus.READY,
    "LOGGED_MODEL_UPLOAD_FAILED": LoggedModelStatus.FAILED,
}

JSON = dict[str, Any]
Links = dict[tuple[Any, ...], list[MetricLink]]
"""What points are about, by run, key, step and time."""


class MLflowServer:
    """Reads what a server shows: of a model's points those that are the latest of their run."""

    def __init__(self, url: str) -> None:
        self._api = f"{url.rstrip('/')}/api/2.0/mlflow"
        self._links: dict[str, Links] = {}

    def close(self) -> None:
        """Release nothing: each request has a connection of its own."""

    def experiments(self) -> Iterator[Experiment]:
        asked = {"view_type": "ALL", "max_results": _PAGE}
        for row in self._pages("experiments/search", "experiments", asked):
            created = int(row.get("creation_time", 0))
            yield Experiment(
                row["experiment_id"],
                row["name"],
                row.get("artifact_location", ""),
                created,
                int(row.get("last_update_time", created)),
                LifecycleStage(row["lifecycle_stage"]),
                _texts(row.get("tags", ())),
            )

    def runs(self, experiment_id: str) -> Iterator[Run]:
        asked = {"experiment_ids": [experiment_id], "run_view_type": "ALL", "max_results": _PAGE}
        for row in self._pages("runs/search", "runs", asked):
            yield _run(row)

    def points(self, run: Run) -> Iterator[Sequence[Metric]]:
        links = self._links_of(run)
        for key in sorted(run.metrics):
            found = list(self._history(run.id, key))
            found.sort(key=lambda point: (point.step, point.timestamp, _order(point.value)))
            for start in range(0, len(found), POINTS):
                yield [_linked(each, links) for each in found[start : start + POINTS]]

    def logged_models(self, experiment_id: str) -> Iterator[LoggedModel]:
        for row in self._models(experiment_id):
            info, data = row["info"], row.get("data", {})
            yield LoggedModel(
                info["model_id"],
                experiment_id,
                info["name"],
                int(info["creation_timestamp_ms"]),
                int(info["last_updated_timestamp_ms"]),
                info["artifact_uri"],
                info.get("source_run_id", ""),
                info.get("model_type", ""),
                _MODEL_STATUSES.get(info.get("status", ""), LoggedModelStatus.PENDING),
                info.get("status_message", ""),
                params=_texts(data.get("params", ())),
                tags=_texts(info.get("tags", ())),
            )

    def registered_models(self) -> Iterator[RegisteredModel]:
        asked = {"max_results": _PAGE}
        for prompts in ("", "tag.`mlflow.prompt.is_prompt` = 'true'"):
            for row in self._got("registered-models/search", "registered_models", asked, prompts):
                yield RegisteredModel(
                    row["name"],
                    int(row["creation_timestamp"]),
                    int(row["last_updated_timestamp"]),
                    row.get("description", ""),
                    _texts(row.get("tags", ())),
                    {each["alias"]: int(each["version"]) for each in row.get("aliases", ())},
                )

    def versions(self, name: str) -> Iterator[ModelVersion]:
        quote = '"' if "'" in name else "'"
        wanted = f"name = {quote}{name}{quote}"
        found = self._got("model-versions/search", "model_versions", {"max_results": _PAGE}, wanted)
        for row in sorted(found, key=lambda each: int(each["version"])):
            asked = {"name": name, "version": row["version"]}
            place = self._ask(f"model-versions/get-download-uri?{urlencode(asked)}")
            yield _version(row, place["artifact_uri"])

    def _history(self, run_id: str, key: str) -> Iterator[Metric]:
        asked = {"run_id": run_id, "run_uuid": run_id, "metric_key": key, "max_results": 25_000}
        for row in self._got("metrics/get-history", "metrics", asked):
            yield _point(row)

    def _models(self, experiment_id: str) -> Iterator[JSON]:
        asked = {"experiment_ids": [experiment_id], "max_results": 50}
        return self._pages("logged-models/search", "models", asked)

    def _links_of(self, run: Run) -> Mapping[tuple[Any, ...], list[MetricLink]]:
        known = self._links.get(run.experiment_id)
        if known is None:
            known = defaultdict(list)
            for row in self._models(run.experiment_id):
                for each in row.get("data", {}).get("metrics", ()):
                    link = MetricLink(
                        row["info"]["model_id"],
                        each.get("dataset_name", ""),
                        each.get("dataset_digest", ""),
                    )
                    known[each.get("run_id", ""), each["key"], *_when(each)].append(link)
            self._links = {run.experiment_id: known}
        return {
            (key, *when): found for (ident, key, *when), found in known.items() if ident == run.id
        }

    def _pages(self, path: str, items: str, asked: JSON) -> Iterator[JSON]:
        token = None
        while True:
            reply = self._ask(path, {**asked, **({"page_token": token} if token else {})})
            yield from reply.get(items, ())
            if not (token := reply.get("next_page_token")):
                return

    def _got(self, path: str, items: str, asked: JSON, wanted: str = "") -> Iterator[JSON]:
        """Yield the items of all pages of what is asked for by GET."""
        query = {**asked, **({"filter": wanted} if wanted else {})}
        while True:
            reply = self._ask(f"{path}?{urlencode(query)}")
            yield from reply.get(items, ())
            if not (token := reply.get("next_page_token")):
                return
            query["page_token"] = token

    def _ask(self, path: str, body: JSON | None = None) -> JSON:
        data = None if body is None else json.dumps(body).encode()
        asked = Request(f"{self._api}/{path}", data, {"Content-Type": "application/json"})  # noqa: S310
        try:
            with urlopen(asked, timeout=_SECONDS) as reply:  # noqa: S310 - the user's own URL
                found: JSON = json.load(reply)
        except HTTPError as error:
            raise BackendError(f"the source answered {path.partition('?')[0]}: {error}") from error
        except (URLError, HTTPException, OSError, ValueError) as error:
            raise Unavailable("the source is no server of MLflow's, or does not answer") from error
        return found


def _texts(rows: Sequence[JSON]) -> dict[str, str]:
    return {row["key"]: row.get("value", "") for row in rows}


def _when(row: JSON) -> tuple[int, int]:
    return int(row.get("step", 0)), int(row["timestamp"])


def _order(value: float) -> tuple[bool, float]:
    return (False, 0.0) if math.isnan(value) else (True, value)


def _point(row: JSON) -> Metric:
    step, timestamp = _when(row)
    value = float(row["value"])
    return Metric(row["key"], math.nan if math.isnan(value) else value + 0.0, timestamp, step)


def _linked(point: Metric, links: Mapping[Any, list[MetricLink]]) -> Metric:
    about = links.get((point.key, point.step, point.timestamp))
    if not about:
        return point
    return Metric(point.key, point.value, point.timestamp, point.step, tuple(sorted(about)))


def _run(row: JSON) -> Run:
    info, data = row["info"], row.get("data", {})
    tags = _texts(data.get("tags", ()))
    name = tags.pop(RUN_NAME, "") or info.get("run_name", "")
    outputs = row.get("outputs", {}).get("model_outputs", ())
    reads = row.get("inputs", {})
    return Run(
        info["run_id"],
        info["experiment_id"],
        int(info.get("start_time", 0)),
        info.get("artifact_uri", ""),
        user_id=info.get("user_id", ""),
        status=RunStatus(info["status"]),
        end_time=int(info["end_time"]) if "end_time" in info else None,
        lifecycle_stage=LifecycleStage(info["lifecycle_stage"]),
        params=_texts(data.get("params", ())),
        tags={RUN_NAME: name, **tags} if name else tags,
        metrics={each["key"]: _point(each) for each in data.get("metrics", ())},
        inputs=tuple(_input(each) for each in reads.get("dataset_inputs", ())),
        model_inputs=tuple(each["model_id"] for each in reads.get("model_inputs", ())),
        outputs=tuple(ModelOutput(each["model_id"], int(each.get("step", 0))) for each in outputs),
    )


def _input(row: JSON) -> DatasetInput:
    data = row["dataset"]
    return DatasetInput(msgspec.convert(data, Dataset), _texts(row.get("tags", ())))


def _version(row: JSON, place: str) -> ModelVersion:
    return ModelVersion(
        row["name"],
        int(row["version"]),
        int(row["creation_timestamp"]),
        int(row["last_updated_timestamp"]),
        row.get("source", ""),
        place,
        row.get("run_id", ""),
        row.get("model_id", "") or _model_of(row.get("source", "")),
        row.get("user_id", ""),
        row.get("run_link", ""),
        row.get("description", ""),
        VersionStage(row.get("current_stage") or "None"),
        VersionStatus(row.get("status") or "READY"),
        row.get("status_message", ""),
        _texts(row.get("tags", ())),
    )


def _model_of(source: str) -> str:
    return source.removeprefix("models:/") if source.startswith("models:/m-") else ""
