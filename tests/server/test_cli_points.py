"""`trackstore points export`: the points of metrics for programs that read tables."""

import csv
import math
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from trackstore import limits
from trackstore.cli.commands import app
from trackstore.model import Batch, Experiment, Metric, Run, RunChanges, RunStatus
from trackstore.registry import open_backend_store

MAIN = "from trackstore.cli import main; main()"
VALUES = [math.nan, -math.inf, 0.1, 1 / 3, 5e-324, math.inf]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["points", "export", *arguments], catch_exceptions=False)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A store whose run has one metric that is sealed, and one that is not."""
    url = f"sqlite:///{tmp_path}/store.db"
    with open_backend_store(url) as store:
        store.create_experiment(Experiment("1", "e", "", 0, 0))
        store.create_run(Run("r", "1", 0, ""))
        store.log("r", Batch([Metric("long, one", n / 7, n + 5, n) for n in range(1_000)]))
        store.update_run("r", RunChanges(status=RunStatus.FINISHED))
        store.log("r", Batch([Metric("é", value, n, 3) for n, value in enumerate(VALUES)]))
    return url


def test_all_points_are_written(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each with its key, exactly, in the order of the history, on as many pages as it takes."""
    monkeypatch.setattr(limits, "COLUMNS_PAGE", 300)
    done = run(url, "r", "--output", str(tmp_path / "all.csv"))
    assert done.exit_code == 0, done.output
    with (tmp_path / "all.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["key", "step", "timestamp", "value"]
    assert [row[:3] for row in rows[:1_000]] == [
        ["long, one", str(n), str(n + 5)] for n in range(1_000)
    ]
    assert [float(row[3]) for row in rows[:1_000]] == [n / 7 for n in range(1_000)]
    assert rows[1_000:] == [["é", "3", str(n), repr(value)] for n, value in enumerate(VALUES)]


def test_some_keys_are_written_to_a_pipe(url: str) -> None:
    """With nothing but rows on the standard output."""
    command = [sys.executable, "-c", MAIN, "points", "export", url, "r", "é"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[:2] == ["key,step,timestamp,value", "é,3,0,nan"]
    assert len(done.stdout.splitlines()) == 1 + len(VALUES)


def test_what_is_not_there_is_said(url: str, tmp_path: Path) -> None:
    """An unknown run or key, or a file that cannot be written, and no file is begun."""
    target = tmp_path / "x.csv"
    for arguments, said in [
        (("no such run",), "no run"),
        (("r", "loss"), "no metric 'loss'"),
        (("r", "--output", str(tmp_path / "missing" / "x.csv")), "cannot write"),
    ]:
        done = run(url, *arguments, *(() if "--output" in arguments else ("--output", str(target))))
        assert done.exit_code == 1
        assert said in done.output
    assert not target.exists()
