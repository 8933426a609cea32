"""The description of the API says what the server does."""

import copy
import re
from typing import Any

import falcon
import jsonschema
import pytest
from openapi_spec_validator import validate
from openapi_spec_validator.validation.exceptions import OpenAPIValidationError

import trackstore
from provision.api import PROXY, TRACKING, Api
from provision.signing import SigningStore, served
from trackstore import artifacts
from trackstore.server import direct, listings, logged_models, metrics, models, openapi
from trackstore.server.routes import ROUTES, STORE_ROUTES
from trackstore.server.routing import FileRoute, FolderRoute, JSONRoute


@pytest.fixture
def described(api: Api) -> Any:
    return api.client.simulate_get("/openapi.json").json


def test_it_is_valid(described: dict[str, Any]) -> None:
    """The official schema of OpenAPI 3.1 takes it, and operations have names of their own."""
    validate(described)
    broken = copy.deepcopy(described)
    del broken["paths"][f"{TRACKING}runs/get"]["get"]["responses"]["200"]["description"]
    with pytest.raises(OpenAPIValidationError):
        validate(broken)


@pytest.mark.parametrize("serve_stores", [False, True])
def test_every_served_route_is_described(
    tracker: trackstore.Tracker, *, serve_stores: bool
) -> None:
    """And none that is not served."""
    api = Api(tracker, serve_stores=serve_stores)
    paths = api.client.simulate_get("/openapi.json").json["paths"]
    table = {(route.path, route.method.lower()) for route in ROUTES}
    stores = {(route.path, route.method.lower()) for route in STORE_ROUTES}
    described = {(path, method) for path in paths for method in paths[path]}
    assert described == (table if serve_stores else table - stores)


def test_a_prefix_is_the_address_of_the_api(tracker: trackstore.Tracker) -> None:
    """A generated client asks where the server is."""
    api = Api(tracker, static_prefix="/ml")
    assert api.client.simulate_get("/ml/openapi.json").json["servers"] == [{"url": "/ml"}]


@pytest.mark.parametrize(
    "route",
    [route for route in ROUTES if isinstance(route, JSONRoute | FolderRoute | FileRoute)],
    ids=lambda route: f"{route.method} {route.path}",
)
def test_fields_of_requests_are_those_that_are_read(
    described: dict[str, Any], route: JSONRoute | FolderRoute | FileRoute
) -> None:
    """In the path, in the query or in the body, each field of the request is described."""
    operation = described["paths"][route.path][route.method.lower()]
    found = {each["name"] for each in operation["parameters"]}
    if content := operation.get("requestBody", {}).get("content", {}).get("application/json"):
        schema = content["schema"]
        name = schema["$ref"].rpartition("/")[2]
        found |= set(described["components"]["schemas"][name]["properties"])
    in_path = set(re.findall(r"\{(\w+)\}", route.path))
    assert found == set(route.kind.__struct_fields__) | in_path


def checker(described: dict[str, Any]) -> Any:
    """Return what checks that a reply is as its route is described, with no field besides."""
    closed = copy.deepcopy(described)
    for schema in closed["components"]["schemas"].values():
        schema.setdefault("additionalProperties", False)

    def check(path: str, method: str, reply: object) -> None:
        operation = closed["paths"][path][method]
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        jsonschema.validate(reply, {**schema, "components": closed["components"]})

    return check


class Caller:
    """Makes calls, and checks that each reply is as its route is described."""

    def __init__(self, api: Api, described: dict[str, Any]) -> None:
        self.api = api
        self.check = checker(described)
        self.seen: set[Any] = set()

    def __call__(self, method: str, name: str, route: str = "", /, **fields: Any) -> Any:
        """Call by the method and the name; `route` is the path in the table if it has fields."""
        sent = {"params": fields} if method == "get" else {"json": fields}
        path = TRACKING + name
        result = self.api.client.simulate_request(method.upper(), path, **sent)
        path = TRACKING + (route or name)
        self.check(path, method, self.api.ok(result))
        self.seen |= {
            each.answer for each in ROUTES if (each.method, each.path) == (method.upper(), path)
        }
        return result.json


@pytest.fixture
def call(api: Api, described: dict[str, Any]) -> Caller:
    return Caller(api, described)


def test_replies_are_as_described(api: Api, call: Caller) -> None:
    """Every kind of reply with all that can be in it, and with nothing."""
    experiment = call("post", "experiments/create", name="e")["experiment_id"]
    call("post", "experiments/set-experiment-tag", experiment_id=experiment, key="k", value="v")
    call("get", "experiments/get", experiment_id=experiment)
    call("get", "experiments/get-by-name", experiment_name="e")
    call("post", "experiments/search", max_results=1)
    call("post", "runs/search", experiment_ids=[experiment])
    made = call("post", "runs/create", experiment_id=experiment, tags=[{"key": "t", "value": "v"}])
    run = made["run"]["info"]["run_id"]
    call("get", "metrics/get-history", run_id=run, metric_key="m")
    call("get", "metrics/get-history-bulk-interval", run_ids=run, metric_key="m")
    for value in (0.5, "NaN", "-Infinity"):
        call("post", "runs/log-metric", run_id=run, key="m", value=value, timestamp=1, step=1)
    call("post", "runs/log-parameter", run_id=run, key="p", value="")
    data = {"name": "n", "digest": "d", "schema": "s", "profile": "p"}
    models = [{"model_id": "m-1"}]
    tags = [{"key": "k", "value": "v"}]
    call(
        "post",
        "runs/log-inputs",
        run_id=run,
        datasets=[{"dataset": data, "tags": tags}],
        models=models,
    )
    call("post", "runs/outputs", run_id=run, models=models)
    call("get", "runs/get", run_id=run)
    call("post", "runs/create", experiment_id=experiment)
    call("post", "runs/search", experiment_ids=[experiment], max_results=1)
    call("get", "metrics/get-history", run_id=run, metric_key="m", max_results=1)
    call("get", "metrics/get-history-bulk-interval", run_ids=run, metric_key="m")
    call("post", "runs/update", run_id=run, status="FINISHED", end_time=2)
    call("get", "artifacts/list", run_id=run)
    root = f"{experiment}/{run}/artifacts"
    assert api.client.simulate_put(f"{PROXY}/{root}/d/f", body=b"x").status_code == 200
    call("get", "artifacts/list", run_id=run)
    call("get", "artifacts/list", run_id=run, path="d")
    listed = api.client.simulate_get(PROXY, params={"path": f"{root}/d"}).json
    call.check(PROXY, "get", listed)
    assert listed["files"]
    bulk = "/ajax-api/2.0/mlflow/metrics/get-history-bulk"
    call.check(
        bulk, "get", api.client.simulate_get(bulk, params={"run_id": run, "metric_key": "m"}).json
    )
    others = {metrics.history_bulk, listings.of_destination, *OF_SIGNING_STORES, *OF_MODELS}
    assert call.seen | others >= set(openapi.REPLIES)


def test_replies_about_models_are_as_described(api: Api, call: Caller) -> None:
    """Registered and logged, with all that can be told of them, and with nothing."""
    tags = [{"key": "k", "value": "v"}]
    run = api.run()
    call("get", "registered-models/search")
    call("get", "model-versions/search")
    call("post", "registered-models/create", name="m", tags=tags, description="d")
    call("get", "registered-models/get-latest-versions", name="m")
    made = call(
        "post",
        "logged-models",
        experiment_id="0",
        name="l",
        model_type="agent",
        source_run_id=run,
        params=tags,
        tags=tags,
    )
    model = made["model"]["info"]["model_id"]
    path, route = f"logged-models/{model}", "logged-models/{model_id}"
    data = {"key": "a", "value": "NaN", "timestamp": 1, "step": 1, "model_id": model}
    told = {**data, "dataset_name": "d", "dataset_digest": "1"}
    call("post", "runs/log-batch", run_id=run, metrics=[told])
    call("patch", path, route, status="LOGGED_MODEL_READY")
    call("get", path, route)
    call("get", f"{path}/artifacts/directories", f"{route}/artifacts/directories")
    call("post", "logged-models/search", experiment_ids=["0"], max_results=1)
    source = f"models:/{model}"
    for _ in range(2):
        call(
            "post",
            "model-versions/create",
            name="m",
            source=source,
            run_id=run,
            model_id=model,
            tags=tags,
            description="d",
        )
    one = {"name": "m", "version": "1"}
    call("post", "registered-models/alias", alias="best", **one)
    call("post", "model-versions/transition-stage", stage="Production", **one)
    call("patch", "model-versions/update", description="", **one)
    call("get", "model-versions/get", **one)
    call("get", "model-versions/get-download-uri", **one)
    call("get", "registered-models/alias", name="m", alias="best")
    call("get", "registered-models/get", name="m")
    call("get", "registered-models/get-latest-versions", name="m")
    call("get", "registered-models/search", max_results=1)
    call("get", "model-versions/search", max_results=1)
    call("patch", "registered-models/update", name="m", description="e")
    call("post", "registered-models/rename", name="m", new_name="n")
    assert call.seen >= OF_MODELS


OF_MODELS = {
    answer
    for answer in openapi.REPLIES
    if answer.__module__ in {models.__name__, logged_models.__name__}
}
OF_SIGNING_STORES = {direct.begin_upload, direct.presigned_upload, direct.presigned_download}


def test_replies_with_signed_urls_are_as_described(
    monkeypatch: pytest.MonkeyPatch, described: dict[str, Any]
) -> None:
    """Those that only a store that signs URLs can give."""
    check = checker(described)
    with (
        served(SigningStore.from_url("memory:")) as store,
        monkeypatch.context() as patched,
    ):
        patched.setattr(artifacts, "open_artifact_store", lambda _: store)
        with trackstore.open("memory:", "memory:") as tracker:
            api = Api(tracker)
            path = f"{PROXY.removesuffix('artifacts')}mpu/create/"
            reply = api.client.simulate_post(f"{path}a", json={"path": "f", "num_parts": 2})
            check(f"{path}{{path}}", "post", api.ok(reply))
            file = {"run_id": api.run(), "path": "f"}
            check_signed(api, check, "artifacts/presigned-upload-url", file)
            folder = tracker.artifacts.at(tracker.get_run(file["run_id"]).artifact_uri)
            folder.put("f", [b"x"])
            check_signed(api, check, "artifacts/presigned-download-url", file)
    SigningStore.uploads.clear()


def check_signed(api: Api, check: Any, name: str, file: dict[str, str]) -> None:
    check(TRACKING + name, "post", api.ok(api.post(name, file)))


def test_a_reply_with_a_field_too_many_is_found(described: dict[str, Any]) -> None:
    """The check of replies above can fail."""
    check = checker(described)
    with pytest.raises(jsonschema.ValidationError):
        check(f"{TRACKING}experiments/create", "post", {"experiment_id": "1", "more": 1})
    with pytest.raises(jsonschema.ValidationError):
        check(f"{TRACKING}experiments/create", "post", {})


def test_refusals_are_as_described(api: Api, described: dict[str, Any]) -> None:
    """The error of any call has the two fields of the schema."""
    refused = api.get("runs/get", run_id="nope")
    assert refused.status == falcon.HTTP_404
    schema = described["components"]["schemas"]["Failure"]
    assert set(refused.json) == set(schema["required"])
