"""MLflow's own pages, in a real browser, from the stock server on the plug-in."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from typing import NamedTuple
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, Request, Response, expect, sync_playwright

from end_to_end.conftest import Place, in_places

CHROMIUM = shutil.which("chromium") or ""

pytestmark = in_places("mlflow server")

EXPECTED = ("GET", "/ajax-api/2.0/mlflow/users/current", 404)
"""MLflow's pages ask whose they are, and its server, without its app for users, has no answer."""

PROGRAM = """
import math, mlflow, numpy
mlflow.set_experiment("fruit")
for number in range(3):
    with mlflow.start_run(run_name=f"run-{number}"):
        mlflow.log_params({"depth": number, "kind": "tree"})
        for step in range(50):
            mlflow.log_metric("loss", (number + 1) / (step + 1), step=step)
        mlflow.log_metrics({"best": math.inf, "worst": math.nan})
        mlflow.set_tag("colour", "red")
        mlflow.log_text("remember this", "notes/note.txt")
        data = mlflow.data.from_numpy(numpy.arange(3.0), name="apples")
        mlflow.log_input(data, context="training")
mlflow.MlflowClient().create_registered_model("pear")
run_id = mlflow.last_active_run().info.run_id
mlflow.MlflowClient().create_model_version("pear", f"runs:/{run_id}/notes", run_id)
for each in mlflow.search_runs(experiment_names=["fruit"], order_by=["attribute.run_name"]).run_id:
    print(each)
print(mlflow.get_experiment_by_name("fruit").experiment_id)
"""


class Fruit(NamedTuple):
    """The ids of what is shown."""

    runs: list[str]
    experiment: str


@pytest.fixture(scope="module")
def fruit(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Fruit:
    *runs, experiment = place.run(
        "-c", PROGRAM, folder=tmp_path_factory.mktemp("program")
    ).splitlines()[-4:]
    return Fruit(runs, experiment)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.skip("chromium is not installed")
    with sync_playwright() as engine:
        yield engine.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


@pytest.fixture
def page(
    browser: Browser, place: Place, fruit: Fruit, request: pytest.FixtureRequest
) -> Iterator[Page]:
    """A page on which nothing fails; its picture is kept where the option says."""
    failed: list[object] = []

    def note_status(reply: Response) -> None:
        path = reply.url.removeprefix(place.uri)
        if reply.status >= 400 and (reply.request.method, path, reply.status) != EXPECTED:
            failed.append((reply.status, reply.request.method, reply.url))

    def note_failure(asked: Request) -> None:
        gave_up = asked.failure == "net::ERR_ABORTED"  # the page itself did, as it moved on
        if asked.url.startswith(place.uri) and not gave_up:
            failed.append((asked.failure, asked.method, asked.url))

    with closing(browser.new_page(viewport={"width": 1600, "height": 1000})) as page:
        page.set_default_timeout(60_000)
        page.route(lambda url: not url.startswith(place.uri), lambda route: route.abort())
        page.on("response", note_status)
        page.on("requestfailed", note_failure)
        yield page
        page.wait_for_timeout(1_000)
        if folder := request.config.getoption("screenshots"):
            folder.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=folder / f"{request.node.originalname.removeprefix('test_')}.png")
    assert failed == []


def open_at(page: Page, place: Place, path: str) -> None:
    page.goto(f"{place.uri}/#/{path}")


def see(page: Page, *texts: str) -> None:
    for text in texts:
        expect(page.get_by_text(text, exact=True).first).to_be_visible(timeout=60_000)


def test_experiments(page: Page, place: Place) -> None:
    """The list of experiments."""
    open_at(page, place, "experiments")
    see(page, "fruit", "Default")


def test_runs(page: Page, place: Place, fruit: Fruit) -> None:
    """The table of runs, with a filter: only those that match."""
    open_at(page, place, f"experiments/{fruit.experiment}/runs")
    see(page, "run-0", "run-1", "run-2", "3")
    search = page.get_by_placeholder("metrics.rmse < 1")
    search.fill("metrics.loss < 0.03 and params.kind = 'tree'")
    search.press("Enter")
    see(page, "run-0")
    expect(page.get_by_text("run-2", exact=True)).to_have_count(0, timeout=60_000)
    expect(page.get_by_text("apples").first).to_be_visible()


def test_run(page: Page, place: Place, fruit: Fruit) -> None:
    """A run's own page: an infinity among its metrics does not break it."""
    open_at(page, place, f"experiments/{fruit.experiment}/runs/{fruit.runs[1]}")
    see(page, "run-1", "depth", "kind", "tree", "loss", "best")


def test_metric_chart(page: Page, place: Place, fruit: Fruit) -> None:
    """The charts of a run: a line is drawn."""
    open_at(page, place, f"experiments/{fruit.experiment}/runs/{fruit.runs[1]}/model-metrics")
    see(page, "loss")
    expect(page.locator(".js-plotly-plot .scatterlayer path").first).to_be_attached()


def test_compare(page: Page, place: Place, fruit: Fruit) -> None:
    """Runs side by side."""
    runs, experiments = (str(each).replace("'", '"') for each in (fruit.runs, [fruit.experiment]))
    open_at(page, place, f"compare-runs?runs={quote(runs)}&experiments={quote(experiments)}")
    see(page, "run-0", "run-1", "run-2", "depth")


def test_artifacts(page: Page, place: Place, fruit: Fruit) -> None:
    """The files of a run, and one of them."""
    open_at(page, place, f"experiments/{fruit.experiment}/runs/{fruit.runs[1]}/artifacts")
    page.get_by_text("notes", exact=True).first.click()
    page.get_by_text("note.txt", exact=True).first.click()
    see(page, "remember this")


def test_models(page: Page, place: Place) -> None:
    """The page of registered models."""
    open_at(page, place, "models")
    see(page, "Registered Models", "pear", "Version 1")
