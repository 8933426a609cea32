"""Metric histories over REST."""

import pytest

from provision.api import TRACKING, Api


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


def charted(api: Api, most: int, **interval: int) -> list[tuple[int, float]]:
    """Return (step, value) of the points of a chart of 100, in which one value stands out."""
    ident = api.run()
    points = [
        {"key": "m", "value": 1000 if step == 43 else 0, "timestamp": 1, "step": step}
        for step in range(100)
    ]
    api.ok(api.post("runs/log-batch", run_id=ident, metrics=points))
    query = {"run_ids": [ident], "metric_key": "m", "max_results": most, **interval}
    found = api.ok(api.get("metrics/get-history-bulk-interval", **query)).get("metrics", [])
    return [(point["step"], point["value"]) for point in found]


def test_a_chart_keeps_its_ends_and_its_extremes(api: Api) -> None:
    """However few points are asked for; all of them if they are no more."""
    found = charted(api, 10)
    assert len(found) <= 10
    assert (found[0][0], found[-1][0]) == (0, 99)
    assert (43, 1000) in found
    assert charted(api, 1) == [(99, 0)]
    assert [step for step, _ in charted(api, 100)] == list(range(100))
    assert charted(api, 10, start_step=200, end_step=300) == []


def test_an_interval_of_several_runs(api: Api) -> None:
    """Points of each run in the order asked, within the steps, each with its run's id."""
    runs = [api.run(), api.run()]
    for ident in runs:
        log(api, ident, 100)
    query = {"run_ids": runs, "metric_key": "m", "start_step": 10, "end_step": 60, "max_results": 6}
    found = api.ok(api.get("metrics/get-history-bulk-interval", **query))["metrics"]
    charts = [[point["step"] for point in found if point["run_id"] == ident] for ident in runs]
    assert charts == [[10, 34, 35, 60]] * 2
    assert [point["run_id"] for point in found] == [ident for ident in runs for _ in range(4)]


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
