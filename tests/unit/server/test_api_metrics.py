"""Metric histories over REST."""

import pytest

from provision.api import TRACKING, Api
from trackstore.server.metrics import positions


def log(api: Api, ident: str, count: int) -> None:
    points = [{"key": "m", "value": step, "timestamp": 1, "step": step} for step in range(count)]
    api.ok(api.post("runs/log-batch", run_id=ident, metrics=points))


def test_a_history_comes_in_pages(api: Api) -> None:
    """All points, in order, each once, over pages of the size asked for."""
    ident = api.run()
    log(api, ident, 7)
    steps, token = [], None
    while True:
        query = {"run_id": ident, "metric_key": "m", "max_results": 3}
        page = api.ok(
            api.get("metrics/get-history", **query, **({"page_token": token} if token else {}))
        )
        steps += [point["step"] for point in page["metrics"]]
        token = page.get("next_page_token")
        if token is None:
            break
    assert steps == list(range(7))


def test_more_than_a_page_may_be_asked_for(api: Api) -> None:
    """Clients ask for a million at once: they get a full page, and a token for the rest."""
    ident = api.run()
    log(api, ident, 5)
    query = {"run_uuid": ident, "metric_key": "m", "max_results": 1_000_000}
    assert len(api.ok(api.get("metrics/get-history", **query))["metrics"]) == 5


def test_a_metric_that_was_never_logged_has_no_points(api: Api) -> None:
    """An unknown key is an empty object, an unknown run a 404."""
    assert api.ok(api.get("metrics/get-history", run_id=api.run(), metric_key="m")) == {}
    assert api.get("metrics/get-history", run_id="nope", metric_key="m").status_code == 404


@pytest.mark.parametrize(
    ("count", "most", "steps"),
    [
        (100, 1, [99]),
        (100, 2, [0, 99]),
        (100, 3, [0, 34, 99]),
        (100, 5, [0, 20, 40, 60, 99]),
        (100, 7, [0, 15, 30, 44, 58, 72, 99]),
        (3, 5, [0, 1, 2]),
        (0, 5, []),
    ],
)
def test_thinning_picks_what_mlflow_picks(count: int, most: int, steps: list[int]) -> None:
    """A chart of few points has those that MLflow's server was seen to choose."""
    assert sorted(positions(count, most)) == steps


def test_an_interval_of_several_runs(api: Api) -> None:
    """Points of each run in the order asked, within the steps, each with its run's id."""
    runs = [api.run(), api.run()]
    for ident in runs:
        log(api, ident, 100)
    query = {"run_ids": runs, "metric_key": "m", "start_step": 10, "end_step": 60, "max_results": 5}
    found = api.ok(api.get("metrics/get-history-bulk-interval", **query))["metrics"]
    expected = [(ident, step) for ident in runs for step in (10, 21, 31, 41, 60)]
    assert [(point["run_id"], point["step"]) for point in found] == expected


def test_a_bulk_history_for_the_ui(api: Api) -> None:
    """The form that only MLflow's UI uses: `run_id` repeated, one list, cut at max_results."""
    runs = [api.run(), api.run()]
    for ident in runs:
        log(api, ident, 3)
    path = TRACKING.replace("/api/", "/ajax-api/") + "metrics/get-history-bulk"
    query = {"run_id": runs, "metric_key": "m", "max_results": 4}
    found = api.ok(api.client.simulate_get(path, params=query))["metrics"]
    assert [point["run_id"] for point in found] == [runs[0]] * 3 + [runs[1]]


@pytest.mark.parametrize(
    "query",
    [
        {"metric_key": "m"},
        {"run_ids": ["a"] * 101, "metric_key": "m"},
        {"run_ids": ["a"], "metric_key": "m", "max_results": 2501},
        {"run_ids": ["a"], "metric_key": "m", "max_results": 0},
        {"run_ids": ["a"], "metric_key": "m", "max_results": "x"},
        {"run_ids": ["a"], "metric_key": "m", "start_step": 1},
        {"run_ids": ["a"], "metric_key": "m", "start_step": 2, "end_step": 1},
    ],
)
def test_a_bad_interval_is_refused(api: Api, query: dict[str, object]) -> None:
    """Whatever is wrong with an interval is a 400."""
    refused = api.get("metrics/get-history-bulk-interval", **query)
    assert (refused.status_code, refused.json["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
