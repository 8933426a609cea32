"""Whatever a caller sends, it is never the server that fails."""

import json
import re
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET

import trackstore
from provision.api import JSON, Api
from trackstore.server.routes import ROUTES
from trackstore.server.routing import JSONRoute

JSON_ROUTES = [route for route in ROUTES if isinstance(route, JSONRoute)]
ODD = st.sampled_from(
    [None, True, 0, -1, 0.5, 2**63, 10**30, "", "0", "nope", "a\0b", "NaN", "1e999", "../x", [], {}]
)
VALUES = st.recursive(
    ODD | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
IN_PATHS = st.sampled_from(["m-1", "%00", "%FF", "a%2fb", "%20", "é", "x" * 300, ".."])
PARTS = {
    "tags": [{"key": "k", "value": "v"}],
    "params": [{"key": "k", "value": "v"}],
    "metrics": [{"key": "k", "value": 1, "timestamp": 1}],
    "datasets": [{"dataset": {"name": "n", "digest": "d"}}],
    "models": [{"model_id": "m"}],
    "source": "mlflow-artifacts:/0/x",
    "version": "1",
    "alias": "champion",
    "stage": "Production",
    "order_by": ["name", "metrics.m DESC"],
    "experiment_ids": ["0"],
    "filter": "metrics.m > 1",
    "view_type": "ALL",
}


@st.composite
def bodies(draw: st.DrawFn, route: JSONRoute, run_id: str) -> dict[str, Any]:
    """Return a body of a route's own fields, each left out, plausible or odd."""
    ids = {"run_id": run_id, "run_uuid": run_id, "experiment_id": "0", "run_ids": [run_id]}
    fine = PARTS | ids | {"key": "k", "metric_key": "k", "value": "1", "timestamp": 1, "name": "n"}
    body = {
        field: draw(st.just(UNSET) | st.just(fine.get(field, "x")) | VALUES)
        for field in route.kind.__struct_fields__
    }
    return {field: value for field, value in body.items() if value is not UNSET}


@pytest.mark.parametrize("route", JSON_ROUTES, ids=lambda route: f"{route.method} {route.path}")
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_no_request_makes_the_server_fail(route: JSONRoute, data: st.DataObject) -> None:
    """Every answer is JSON, and a success or the caller's mistake."""
    with trackstore.open("memory:", "memory:") as tracker:
        api = Api(tracker)
        body = data.draw(bodies(route, api.run()))
        path = re.sub(r"{\w+}", lambda _: data.draw(IN_PATHS), route.path)
        if route.method == "GET":
            query = urlencode(body, doseq=True, errors="replace")
            result = api.client.simulate_get(path, query_string=query)
        else:
            result = api.client.simulate_request(
                route.method, path, body=json.dumps(body), headers=JSON
            )
    assert result.status_code in {200, 400, 403, 404, 501}, result.text
    assert isinstance(result.json, dict)
