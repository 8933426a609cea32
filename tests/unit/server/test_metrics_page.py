"""What /metrics and the log say of the requests of one process."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

import trackstore
from provision.api import PROXY, TRACKING, Api
from trackstore.errors import Unavailable
from trackstore.server import logs
from trackstore.server.settings import LogFormat

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples(api: Api) -> Samples:
    result = api.client.simulate_get("/metrics")
    assert result.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = text_string_to_metric_families(result.text)
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def value(found: Samples, name: str, /, **labels: str) -> float:
    return found.get((f"trackstore_{name}", frozenset(labels.items())), 0)


def requests(found: Samples, method: str, route: str, status: str) -> float:
    return value(found, "request_seconds_count", method=method, route=route, status=status)


def test_requests_are_counted_by_route_and_status(api: Api) -> None:
    """By the route's template, whichever of its paths was asked for, and never by a raw path."""
    run = api.run()
    for step in range(3):
        api.ok(api.post("runs/log-metric", run_id=run, key="m", value=1, timestamp=1, step=step))
    api.post("runs/log-metric", run_id="nope", key="m", value=1, timestamp=1)
    api.client.simulate_get("/ajax-api/2.0/mlflow/runs/get", params={"run_id": run})
    api.client.simulate_get("/api/secret-path")
    api.client.simulate_patch("/health")
    found = samples(api)
    assert requests(found, "POST", f"{TRACKING}runs/log-metric", "200") == 3
    assert requests(found, "POST", f"{TRACKING}runs/log-metric", "404") == 1
    assert requests(found, "GET", f"{TRACKING}runs/get", "200") == 1
    assert requests(found, "other", "other", "404") == 1
    assert requests(found, "other", "other", "405") == 1
    assert not any("secret-path" in str(key) for key in found)
    route = f"{TRACKING}runs/log-metric"
    labels = {"method": "POST", "route": route, "status": "200"}
    assert value(found, "request_seconds_bucket", le="+Inf", **labels) == 3
    assert value(found, "request_seconds_sum", **labels) > 0
    assert value(found, "requests_in_flight") == 1  # the one that asks


def test_bytes_of_files_are_counted_both_ways(api: Api) -> None:
    """Up as they are read, down as they are sent; a part of a file counts as that part."""
    assert api.client.simulate_put(f"{PROXY}/0/f", body=b"x" * 1_000).status_code == 200
    api.client.simulate_get(f"{PROXY}/0/f")
    api.client.simulate_get(f"{PROXY}/0/f", headers={"range": "bytes=0-9"})
    api.client.simulate_head(f"{PROXY}/0/f")
    found = samples(api)
    assert value(found, "artifact_bytes_total", direction="up") == 1_000
    assert value(found, "artifact_bytes_total", direction="down") == 1_010
    assert value(found, "requests_in_flight") == 1
    assert requests(found, "GET", f"{PROXY}/{{path}}", "206") == 1
    assert requests(found, "HEAD", f"{PROXY}/{{path}}", "200") == 1


def test_errors_are_counted_by_kind(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """By their name in the contract; what is no such error is unexpected."""
    api.get("runs/get", run_id="nope")
    for error in (Unavailable("down"), RuntimeError("broken")):
        monkeypatch.setattr(type(api.tracker), "get_run", raising(error))
        api.get("runs/get", run_id="nope")
    found = samples(api)
    counted = {
        kind: value(found, "errors_total", kind=kind)
        for kind in ("NotFound", "Unavailable", "unexpected", "Conflict")
    }
    assert counted == {"NotFound": 1, "Unavailable": 1, "unexpected": 1, "Conflict": 0}


def raising(error: Exception) -> Any:
    def call(*_: object) -> None:
        raise error

    return call


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    root = logging.getLogger()
    handlers = root.handlers
    yield root
    root.handlers = handlers


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_for_each_request(tracker: trackstore.Tracker, root: logging.Logger) -> None:
    """With what was asked and how it ended, and neither the query nor the body."""
    logs.set_up(LogFormat.JSON, stream := io.StringIO())
    api = Api(tracker, access_log=True)
    api.get("runs/get", run_id="a-secret")
    api.client.simulate_get("/health", headers={"x-request-id": "mine-1"})
    first, second = lines(stream)
    assert (first["method"], first["path"], first["status"]) == ("GET", f"{TRACKING}runs/get", 404)
    assert first["error"] == "NotFound"
    assert first["level"] == "info"
    assert first["ms"] > 0
    assert second["request_id"] == "mine-1"
    assert "a-secret" not in stream.getvalue()


def test_no_line_unless_asked_for(api: Api, root: logging.Logger) -> None:
    """Success and the callers' mistakes are not logged."""
    logs.set_up(LogFormat.JSON, stream := io.StringIO())
    api.get("runs/get", run_id="nope")
    assert stream.getvalue() == ""


def test_a_failure_is_found_in_the_log_by_its_id(
    api: Api, root: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reply has the id, and the log the traceback."""
    logs.set_up(LogFormat.JSON, stream := io.StringIO())
    monkeypatch.setattr(type(api.tracker), "get_run", raising(RuntimeError("broken")))
    reply = api.get("runs/get", run_id="nope")
    (line,) = lines(stream)
    assert reply.status_code == 500
    assert line["request_id"] == reply.headers["x-request-id"]
    assert "RuntimeError: broken" in line["exception"]
    assert "broken" not in reply.text


@pytest.mark.parametrize("given", ["a\nb", "x" * 65, "", "<b>", "é"])
def test_an_odd_id_of_a_client_is_not_taken(tracker: trackstore.Tracker, given: str) -> None:
    """Only a plain word is repeated in the log and in the reply."""
    api = Api(tracker, access_log=True)
    reply = api.client.simulate_get("/health", headers={"x-request-id": given})
    assert reply.headers["x-request-id"] != given
    assert len(reply.headers["x-request-id"]) == 16


HOSTILE = "x\n2026-01-01 [error] forged \x1b[31m\u2028\u202ered\r"


@pytest.mark.parametrize("kind", LogFormat)
def test_nothing_sent_makes_a_line_of_its_own(kind: LogFormat, root: logging.Logger) -> None:
    """Neither a value nor an exception's words begin a line, or reach the terminal as commands."""
    logs.set_up(kind, stream := io.StringIO())
    log = logging.getLogger("trackstore.test")
    log.error("failed for %s", HOSTILE, extra={"path": HOSTILE})
    log.error("failed", exc_info=ValueError(HOSTILE))
    shown = stream.getvalue()
    begun = [line for line in shown.split("\n") if line and not line.startswith("    ")]
    assert len(begun) == 2
    assert not any(line.startswith("2026-01-01") for line in shown.split("\n"))
    assert not {"\x1b", "\u2028", "\u202e", "\r"} & set(shown)


@pytest.mark.parametrize("kind", LogFormat)
def test_secrets_are_masked(kind: LogFormat, root: logging.Logger) -> None:
    """Passwords of URLs and signatures, in a message, a value and an exception."""
    logs.set_up(kind, stream := io.StringIO())
    log = logging.getLogger("trackstore.test")
    texts = (
        "postgresql://u:hunter2@db/x",
        "https://b/k?X-Amz-Signature=hunter2&x=1",
        "host=db password=hunter2 user=u",
    )
    for text in texts:
        log.error("at %s", text, exc_info=ValueError(text), extra={"url": text})
    assert "hunter2" not in stream.getvalue()
    assert stream.getvalue().count("***") == 9


def test_the_text_is_one_plain_line(root: logging.Logger) -> None:
    """Off a terminal there are no colours."""
    logs.set_up(LogFormat.TEXT, stream := io.StringIO())
    logging.getLogger("trackstore.test").warning("hello", extra={"path": "/a"})
    assert stream.getvalue().count("\n") == 1
    assert "hello" in stream.getvalue()
    assert "path=/a" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()
