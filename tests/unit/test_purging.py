"""`trackstore gc`: what is purged, what is left, and what a kill at any step comes to."""

import json
import os
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import trackstore
from trackstore.artifacts import ArtifactFolder, Artifacts
from trackstore.cli.commands import app
from trackstore.errors import InvalidRequest, InvalidState, NotFound, PermissionDenied
from trackstore.model import Run
from trackstore.purge_log import Item, PurgeLog
from trackstore.purging import Candidates, Purger
from trackstore.tracker import Tracker, now_ms

LATER = 60_000
"""Milliseconds: everything that was deleted by now is older than this moment from now."""


class Site:
    """A backend store, an artifact store and a log, which any process may open."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.backend = f"sqlite:///{folder}/runs.db"
        self.files = folder / "files"
        self.log = folder / "gc.jsonl"

    def open(self) -> Tracker:
        return trackstore.open(self.backend, str(self.files), allowed_roots=["file:///shared"])

    def run(self, tracker: Tracker, experiment_id: str) -> Run:
        run = tracker.create_run(experiment_id)
        tracker.artifacts.at(run.artifact_uri).put("model/weights", [run.id.encode()])
        return run

    def gc(self, *options: str) -> Result:
        given = ("--artifacts-destination", str(self.files), "--log", str(self.log))
        arguments = ["gc", self.backend, *given, "--older-than", "0s", *options]
        return CliRunner().invoke(app, arguments, catch_exceptions=False)

    def purge(self) -> Purger:
        said: list[str] = []
        with self.open() as tracker, PurgeLog(self.log, backend="b", by="me") as log:
            purger = Purger(tracker, log, said.append)
            purger.resume()
            purger.purge(Candidates(tracker, now_ms() + LATER, said.append))
        return purger

    def files_of(self, run: Run) -> list[Path]:
        return [path for path in self.files.rglob("weights") if run.id in path.parts]

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.fixture
def tracker(site: Site) -> Iterator[Tracker]:
    with site.open() as tracker:
        yield tracker


def is_there(tracker: Tracker, run: Run) -> bool:
    try:
        tracker.get_run(run.id)
    except NotFound:
        return False
    return True


def test_what_is_deleted_is_purged_and_nothing_else(site: Site, tracker: Tracker) -> None:
    """Runs, and experiments with all their runs; rows and files; the living stay as they are."""
    living, dead = (tracker.create_experiment(name).id for name in ("living", "dead"))
    kept, gone = site.run(tracker, living), site.run(tracker, living)
    with_experiment = site.run(tracker, dead)
    tracker.delete_run(gone.id)
    tracker.delete_experiment(dead)
    done = site.gc()
    assert done.exit_code == 0, done.output
    assert "2 purged" in done.output
    assert [is_there(tracker, run) for run in (kept, gone, with_experiment)] == [True, False, False]
    assert site.files_of(kept)
    assert not site.files_of(gone)
    assert not (site.files / dead).exists()
    with pytest.raises(NotFound):
        tracker.get_experiment(dead)


def test_what_was_deleted_lately_is_left(site: Site, tracker: Tracker) -> None:
    """By default thirty days: a deletion can be undone until then."""
    run = site.run(tracker, "0")
    tracker.delete_run(run.id)
    for age in ("30d", "1h", "1d12h30m5s"):
        assert "0 purged" in site.gc("--older-than", age).output
    tracker.restore_run(run.id)
    assert site.files_of(run)


def test_a_run_in_a_deleted_experiment_is_as_old_as_its_own_deletion(
    site: Site, tracker: Tracker
) -> None:
    """One that was not deleted itself goes with its experiment, and the default one stays."""
    deleted, other = site.run(tracker, "0"), site.run(tracker, "0")
    tracker.delete_run(deleted.id)
    tracker.delete_experiment("0")
    assert "1 purged" in site.gc().output
    assert [is_there(tracker, run) for run in (deleted, other)] == [False, True]
    tracker.restore_experiment("0")
    assert site.files_of(other)


def test_a_dry_run_does_nothing(site: Site, tracker: Tracker) -> None:
    """It says what would be purged, and where its files are; no log is written."""
    run = site.run(tracker, "0")
    tracker.delete_run(run.id)
    done = site.gc("--dry-run")
    assert done.exit_code == 0
    assert f"would purge: run {run.id}: mlflow-artifacts:/0/{run.id}" in done.output
    assert "1 would be purged, and nothing was" in done.output
    assert is_there(tracker, run)
    assert site.files_of(run)
    assert not site.log.exists()


def test_the_log_says_what_was_purged_when_and_by_whom(site: Site, tracker: Tracker) -> None:
    """Before and after; a second gc appends to it."""
    first = site.run(tracker, "0")
    tracker.delete_run(first.id)
    site.gc("--by", "ada")
    before = site.log.read_text()
    second = site.run(tracker, "0")
    tracker.delete_run(second.id)
    site.gc("--by", "bob")
    assert site.log.read_text().startswith(before)
    found = [(line["what"], line["by"], line["item"]["id"]) for line in site.lines()]  # type: ignore[index]
    assert found == [
        ("begun", "ada", first.id),
        ("purged", "ada", first.id),
        ("begun", "bob", second.id),
        ("purged", "bob", second.id),
    ]
    assert all(str(line["time"]).endswith("+00:00") for line in site.lines())


def test_a_run_without_files_stops_nothing(site: Site, tracker: Tracker) -> None:
    """A missing folder is no error, whether it was never there or others removed it."""
    empty, full = tracker.create_run("0"), site.run(tracker, "0")
    tracker.delete_run(empty.id)
    tracker.delete_run(full.id)
    assert "2 purged" in site.gc().output
    assert not site.files_of(full)


def test_one_that_fails_is_tried_again(
    site: Site, tracker: Tracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others go on, the exit code says so, and the next gc removes what was left."""
    runs = [site.run(tracker, "0") for _ in range(3)]
    for run in runs:
        tracker.delete_run(run.id)
    clear = ArtifactFolder.clear

    def refuse(folder: ArtifactFolder) -> None:
        if folder.list().items and runs[1].id in folder._prefix:
            raise PermissionDenied("the account may not delete")
        clear(folder)

    with monkeypatch.context() as patched:
        patched.setattr(ArtifactFolder, "clear", refuse)
        done = site.gc()
    assert done.exit_code == 1
    assert f"FAILED: run {runs[1].id}: the account may not delete" in done.output
    assert "2 purged, 1 failed" in done.output
    assert [bool(site.files_of(run)) for run in runs] == [False, True, False]
    assert site.gc().exit_code == 0
    assert not site.files_of(runs[1])


def test_what_is_restored_meanwhile_is_kept(site: Site, tracker: Tracker) -> None:
    """Also after it was written down: rows and files stay, and no later gc touches them."""
    run = site.run(tracker, "0")
    with PurgeLog(site.log, backend="b", by="me") as log:
        log.begin([Item("run", run.id, (f"mlflow-artifacts:/0/{run.id}",))])
    site.purge()
    assert is_there(tracker, run)
    assert site.files_of(run)
    assert [line["what"] for line in site.lines()] == ["begun", "kept"]
    tracker.delete_run(run.id)
    assert site.purge().purged == 1


def killed(site: Site, calls: int) -> bool:
    """Purge in a child that dies before so many steps; tell whether it came to its end."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    left = count(calls, -1)

    def deadly(step: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **more: object) -> object:
            return step(*args, **more) if next(left) > 0 else os._exit(9)

        return call

    try:
        for owner, name in (
            (PurgeLog, "_append"),
            (os, "fsync"),
            (os, "rename"),
            (os, "unlink"),
            (Tracker, "purge_run"),
            (Tracker, "purge_experiment"),
            (ArtifactFolder, "clear"),
        ):
            setattr(owner, name, deadly(getattr(owner, name)))
        site.purge()
        os._exit(0)
    finally:
        os._exit(1)


def test_a_kill_at_any_step_leaves_nothing_that_is_not_found(site: Site) -> None:
    """No run is seen without its files, and the next gc removes all that the one before left."""
    for calls in range(200):
        with site.open() as tracker:
            name = tracker.create_experiment(f"e{calls}").id
            inside = site.run(tracker, name)
            tracker.delete_experiment(name)
            runs = [site.run(tracker, "0") for _ in range(2)]
            for run in runs:
                tracker.delete_run(run.id)
        is_done = killed(site, calls)
        with site.open() as tracker:
            for run in (*runs, inside):
                assert site.files_of(run) or not is_there(tracker, run)
            site.purge()
            for run in (*runs, inside):
                assert not is_there(tracker, run)
                assert not site.files_of(run)
        if is_done:
            break
    assert calls > 15


def test_a_line_that_was_cut_is_passed_over(site: Site) -> None:
    """What it was to say was not done yet, and what comes after it is read."""
    item = Item("run", "5" * 32, ("mlflow-artifacts:/0/5",))
    with PurgeLog(site.log, backend="b", by="me") as log:
        log.begin([item])
    whole = site.log.read_bytes()
    site.log.write_bytes(whole + whole[:40])
    with PurgeLog(site.log, backend="b", by="me") as log:
        assert log.unfinished() == [item]
        log.write("purged", item)
        assert log.unfinished() == []
    with PurgeLog(site.log, backend="another", by="me") as log:
        log.begin([item])
    with PurgeLog(site.log, backend="b", by="me") as log:
        assert log.unfinished() == []


def test_one_gc_at_a_time(site: Site) -> None:
    """Of those that share a log; and a log that cannot be written stops it before anything."""
    with PurgeLog(site.log, backend="b", by="me"), pytest.raises(InvalidState, match="another gc"):
        PurgeLog(site.log, backend="b", by="me")
    with pytest.raises(InvalidRequest, match="cannot write the log"):
        PurgeLog(site.folder / "missing/gc.jsonl", backend="b", by="me")


def test_orphans_are_purged_only_when_asked_for(site: Site, tracker: Tracker) -> None:
    """What looks like a run's or an experiment's folder; whatever else lies there stays."""
    known = site.run(tracker, "0")
    place = tracker.artifacts.at("mlflow-artifacts:/")
    unknown = ("99/f/a", f"99/{'a' * 32}/artifacts/b", f"0/{'b' * 32}/artifacts/c")
    others = ("notes.txt", "mine/a", "0/models/m-1/a", "0/short/a", f"0/{'G' * 32}/a")
    for path in (*unknown, *others):
        place.put(path, [b"1"])
    assert "0 purged" in site.gc().output
    assert "2 would be purged" in site.gc("--orphans", "--dry-run").output
    assert "2 purged" in site.gc("--orphans").output
    left = [info.path for info in place.walk()]
    assert left == sorted([*others, f"0/{known.id}/artifacts/model/weights"])


def test_experiments_that_share_a_folder(site: Site, tracker: Tracker) -> None:
    """What others keep in an experiment's folder, or in one that a client chose, stays."""
    own = tracker.create_experiment("own").id
    inside = tracker.create_experiment("in", artifact_location=f"mlflow-artifacts:/{own}/x").id
    chosen = [
        tracker.create_experiment(n, artifact_location="mlflow-artifacts:/team").id for n in "ab"
    ]
    runs = {each: site.run(tracker, each) for each in (own, inside, *chosen)}
    tracker.delete_experiment(own)
    tracker.delete_experiment(chosen[0])
    done = site.gc()
    assert (
        f"left: experiment {own}: the files of experiment {inside} lie among its own" in done.output
    )
    assert [bool(site.files_of(runs[each])) for each in (own, inside, *chosen)] == [
        True, True, False, True,
    ]  # fmt: skip
    assert is_there(tracker, runs[own])


def test_a_location_that_this_gc_may_not_reach_is_left(site: Site, tracker: Tracker) -> None:
    """Rows go with their files or not at all: it says which option is missing."""
    made = tracker.create_experiment("e", artifact_location="file:///shared/e").id
    run = tracker.create_run(made)
    tracker.delete_run(run.id)
    done = site.gc()
    assert f"left: run {run.id}" in done.output
    assert "--allow-artifact-root adds one" in done.output
    assert is_there(tracker, run)
    assert "1 purged" in site.gc("--allow-artifact-root", "file:///shared").output


def test_what_a_registered_model_was_made_of_is_left(site: Site) -> None:
    """Until the version is gone; so is an experiment with such a run."""
    said: list[str] = []
    with trackstore.open("memory:", str(site.files)) as tracker:
        made = tracker.create_experiment("e").id
        runs = [site.run(tracker, "0"), site.run(tracker, made)]
        tracker.registry.create_model("m")
        for run in runs:
            tracker.registry.create_version("m", run.artifact_uri, run_id=run.id)
        tracker.delete_run(runs[0].id)
        tracker.delete_experiment(made)
        assert list(Candidates(tracker, now_ms() + LATER, said.append)) == []
        assert len(said) == 2
        assert all("a version of a registered model was made from" in line for line in said)
        tracker.registry.delete_model("m")
        assert len(list(Candidates(tracker, now_ms() + LATER, said.append))) == 2


def test_logged_models_are_purged_too(site: Site) -> None:
    """By themselves when they were deleted, and otherwise with their experiment."""
    with trackstore.open("memory:", str(site.files)) as tracker:
        shared = tracker.create_experiment("e", artifact_location="mlflow-artifacts:/team").id
        models = [tracker.create_logged_model(each, name="m") for each in ("0", "0", shared)]
        for model in models:
            tracker.artifacts.at(model.artifact_uri).put("MLmodel", [b"1"])
        tracker.delete_logged_model(models[0].id)
        tracker.delete_experiment(shared)
        with PurgeLog(site.log, backend="b", by="me") as log:
            purger = Purger(tracker, log, print)
            purger.purge(Candidates(tracker, now_ms() + LATER, print))
        assert (purger.purged, purger.failed) == (2, 0)
        left = [path.parent for path in site.files.rglob("MLmodel")]
        assert [models[1].id in path.parts for path in left] == [True]


def test_remains_of_uploads_are_swept(site: Site, tracker: Tracker) -> None:
    """When they are a day old, or as old as is said."""
    site.run(tracker, "0")
    (site.files / ".trackstore/in-killed").write_bytes(b"1")
    assert "swept" not in site.gc().output
    assert "swept: 1 remains" in site.gc("--uploads-older-than", "0s").output
    assert site.lines()[-1]["what"] == "swept"


@pytest.mark.parametrize("age", ["", "30", "d", "-1d", "1w", "1 d", "٣d"])
def test_a_bad_age_is_refused(site: Site, tracker: Tracker, age: str) -> None:
    """With the form that it must have."""
    done = site.gc("--older-than", age)
    assert done.exit_code == 1
    assert "must be an age such as 30d" in done.stderr
    assert not site.log.exists()


def test_a_store_that_was_never_used_is_refused(site: Site) -> None:
    """A mistyped URL must not make all files orphans."""
    done = site.gc("--orphans")
    assert done.exit_code == 1
    assert "is its URL right?" in done.stderr


def test_roots_are_told(site: Site) -> None:
    """Those that new experiments get, each once."""
    with Artifacts(str(site.files)) as front:
        assert front.roots() == ("mlflow-artifacts:/",)
    with Artifacts(str(site.files), root="file:///x/") as front:
        assert front.roots() == ("mlflow-artifacts:/", "file:///x")
