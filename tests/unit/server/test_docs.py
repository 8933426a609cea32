"""The manual of the server says what the server does."""

import re
from pathlib import Path

import pytest

from trackstore.server.routes import ROUTES
from trackstore.server.routing import Route

MANUAL = (Path(__file__).parents[3] / "docs" / "server.md").read_text()


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_route_is_in_the_manual(route: Route) -> None:
    """A route is listed under its group, or by its whole path."""
    path = route.path.removesuffix("/{path}").removesuffix("/{tag_key}")
    group, _, name = path.rpartition("/")
    if "{model_id}" in path:
        group, _, of_model = path.partition("/{model_id}")
        name = re.escape("{model_id}" + of_model)
    rows = [row for row in MANUAL.splitlines() if row.startswith("|")]
    by_group = rf"\| `{group.rpartition('/')[2]}/` \|.*`{name}`"
    whole = rf"\|.*`{group}/{name}`"
    assert any(re.match(by_group, row) or re.match(whole, row) for row in rows)


def test_every_option_is_in_the_manual() -> None:
    """The table has each option that the command has."""
    source = Path(__file__).parents[3] / "src" / "trackstore" / "cli" / "commands.py"
    command = source.read_text().partition("def server(")[2].partition("-> None:")[0]
    names = re.findall(r"^    (\w+): Annotated\[", command, re.MULTILINE)
    options = {f"--{name.replace('_', '-')}" for name in names if not name.startswith("_")}
    assert len(options) == 14
    assert {option for option in options if f"`{option}" not in MANUAL} == set()
