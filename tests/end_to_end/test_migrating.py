"""The programs of docs/migrating-from-mlflow.md, in every place, and what its table says."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from end_to_end.conftest import Place, in_places
from provision.mlflow_server import running_mlflow_server
from provision.s3 import SeaweedFS
from provision.server import running_server

PAGE = (Path(__file__).parents[2] / "docs" / "migrating-from-mlflow.md").read_text()
_PROGRAM = r"^### ([^\n]+)\n(?:(?!^###).)*?```python\n(.*?)```"
PROGRAMS = dict(re.findall(_PROGRAM, PAGE, re.MULTILINE | re.DOTALL))

PLAIN = ["Logging", "Autologging", "Setting experiments up"]
WITH_MODELS = ["Autologging with models", "The best run becomes the champion"]


def test_the_page_has_its_programs() -> None:
    """Each is run below."""
    assert sorted(PROGRAMS) == sorted(PLAIN + WITH_MODELS)


@pytest.mark.parametrize("name", PLAIN + WITH_MODELS)
def test_a_program_runs(place: Place, name: str, tmp_path: Path) -> None:
    """As it stands on the page, with the stock client."""
    place.run("-c", PROGRAMS[name], folder=tmp_path)


@in_places("no server")
def test_an_archive_by_rename_frees_the_name(place: Place, tmp_path: Path) -> None:
    """The next run of the program finds what the last has made, and archives it."""
    for _ in range(2):
        place.run("-c", PROGRAMS["Setting experiments up"], folder=tmp_path)


REPLAYED = """
import mlflow
from mlflow.entities import Metric
client = mlflow.MlflowClient()
run_id = client.create_run("0").info.run_id
points = [Metric("m", 0.5, 7, step) for step in range(3)]
for _ in range(2):
    client.log_batch(run_id, metrics=[*points, points[0]])
assert [each.step for each in client.get_metric_history(run_id, "m")] == [0, 1, 2]
"""


@in_places("trackstore server", "no server")
def test_a_replayed_batch_is_harmless(place: Place, tmp_path: Path) -> None:
    """An identical point is stored once, in a batch or by another."""
    place.run("-c", REPLAYED, folder=tmp_path)


@pytest.fixture(scope="module")
def bucket() -> Iterator[SeaweedFS]:
    with SeaweedFS() as server:
        yield server


def test_a_production_server(
    request: pytest.FixtureRequest, bucket: SeaweedFS, tmp_path: Path
) -> None:
    """PostgreSQL, S3, workers and a path before all routes; both servers serve the same."""
    backend = request.getfixturevalue("postgres").fresh()
    files = bucket.url("production")
    options = ["--workers", "2", "--static-prefix", "/ml"]
    ours = ["--backend-store-uri", backend, "--artifacts-destination", files]
    theirs = ["--backend-store-uri", f"trackstore:{backend}"]
    theirs += ["--artifacts-destination", f"trackstore:{files}"]
    look = """
import mlflow
(run,) = mlflow.search_runs(experiment_names=["first steps"], output_format="list")
uri = f"{run.info.artifact_uri}/classes.json"
assert mlflow.artifacts.load_dict(uri)["classes"] == ["a", "b"]
"""
    places = [tmp_path / "ours", tmp_path / "theirs"]
    for folder in places:
        folder.mkdir()
    with (
        running_server(places[0], *options, *ours) as server,
        running_mlflow_server(places[1], *options, *theirs) as other,
    ):
        Place(server.url, backend, files).run("-c", PROGRAMS["Logging"], folder=tmp_path)
        Place(other.url, backend, files).run("-c", look, folder=tmp_path)
