"""The table of routes, and its permissions."""

import re
from typing import Any

import pytest

from provision.api import Api
from trackstore.server import genai
from trackstore.server.routes import NOT_SERVED, ROUTES, by_path, paths_of
from trackstore.server.routing import Permission, Route

CHANGES = re.compile(
    r"create|update|delete|restore|log-|outputs|set-|delete-|upload-|/mpu/|PUT|DELETE|PATCH|purge"
    r"|/log$|rename|transition|POST /registered-models/alias"
    r"|POST /(traces|webhooks|logged-models(/{model_id}/params)?)$",
    re.IGNORECASE,
)


def test_every_route_of_the_application_is_in_the_table(api: Api) -> None:
    """Nothing can be called that has no permission: each path and method has one entry."""
    api = Api(api.tracker, serve_stores=True)
    served = {
        (node.uri_template, method)
        for node in all_nodes(api.client.app._router._roots)
        for method, responder in node.method_map.items()
        if responder.__module__ == "trackstore.server.app"
    }
    table = {
        (re.sub(r"{(path|tag_key)}", r"{\1:path}", path), method)
        for path, methods in by_path().items()
        for method in methods
    }
    assert served == table | {(path, "HEAD") for path, method in table if method == "GET"}
    assert len(served) > 60


def all_nodes(roots: list[Any]) -> list[Any]:
    found = []
    for node in roots:
        found += [node] if node.method_map else []
        found += all_nodes(node.children)
    return found


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_a_route_that_changes_something_needs_more_than_reading(route: Route) -> None:
    """A permission says what the route does; only probes are public."""
    assert isinstance(route.permission, Permission)
    is_probe = route.path in {"/health", "/version"}
    assert (route.permission is Permission.PUBLIC) == is_probe
    changes = CHANGES.search(f"{route.method} /{'/'.join(route.path.split('/')[4:])}")
    assert (route.permission in {Permission.EDIT, Permission.MANAGE}) == bool(changes)


def test_no_route_is_entered_twice() -> None:
    """One path and method, one answer."""
    entries = [(route.method, path) for route in ROUTES for path in paths_of(route)]
    assert len(entries) == len(set(entries))


def test_what_is_not_served_hides_no_route() -> None:
    """A pattern for what we lack may cover a path that we have: the route must come first."""
    api = [path for route in ROUTES for path in paths_of(route)]
    lists = {path for route in (*genai.ROUTES, *genai.WRITES) for path in paths_of(route)}
    covered = {path for path in api for gap in NOT_SERVED if re.match(f"/{gap}", path)}
    assert {path.rpartition("/")[2] for path in covered - lists} == {"server-info"}


@pytest.mark.parametrize("route", genai.ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_lists_of_what_is_not_served_are_empty(api: Api, route: Route) -> None:
    """MLflow's pages and clients find nothing, and do not ask again and again."""
    for path in paths_of(route):
        found = api.client.simulate_request(
            route.method, path, body="{}", headers={"content-type": "application/json"}
        )
        assert (found.status_code, found.json) == (200, {})


@pytest.mark.parametrize("route", genai.WRITES, ids=lambda route: route.path)
def test_what_would_be_listed_is_not_written(api: Api, route: Route) -> None:
    """501, which clients take at once."""
    refused = api.client.simulate_post(
        route.path, body="{}", headers={"content-type": "application/json"}
    )
    assert (refused.status_code, refused.json["error_code"]) == (501, "NOT_IMPLEMENTED")


@pytest.mark.parametrize("prefix", ["/api", "/ajax-api"])
def test_the_ui_finds_the_same_api(api: Api, prefix: str) -> None:
    """MLflow's UI asks under /ajax-api what clients ask under /api."""
    for path in ("/2.0/mlflow/experiments/search", "/3.0/mlflow/server-info"):
        assert api.client.simulate_get(prefix + path).status_code == 200
