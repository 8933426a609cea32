"""`trackstore check` and `trackstore upgrade`: what they say of a store, good or broken."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from provision.signing import SigningStore, served
from trackstore.cli import file_probe, probes
from trackstore.cli.commands import app
from trackstore.errors import BackendError, PermissionDenied, Unavailable
from trackstore.model import ArtifactInfo, Metric, Page, Run
from trackstore.registry import open_backend_store
from trackstore_backends.file import FileArtifactStore
from trackstore_backends.memory import MemoryBackendStore
from trackstore_backends.memory_artifacts import MemoryArtifactStore
from trackstore_backends.sql.schema import REVISIONS

NEWEST = REVISIONS[-1]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/store.db"


OF_RUNS = "open write read list remove"
OF_FILES = "open write read range list parts replace once remove"


@pytest.mark.parametrize(
    ("store", "steps"),
    [
        ("sqlite:///{}/a.db", OF_RUNS),
        ("memory:", OF_RUNS),
        ("file://{}/runs", OF_RUNS),
        ("{}/files", OF_FILES),
    ],
)
def test_check_tells_each_step_of_a_good_store(store: str, steps: str, tmp_path: Path) -> None:
    """And exits with 0, as a step of CI wants it."""
    done = run("check", store.format(tmp_path))
    assert done.exit_code == 0, done.output
    words = [line.split()[:2] for line in done.output.splitlines()[1:]]
    assert words == [["ok", step] for step in steps.split()]


def test_check_touches_nothing_that_is_there_and_leaves_nothing(url: str) -> None:
    """Not even the default experiment, of which the server decides where its artifacts lie."""
    with open_backend_store(url) as store:
        run("upgrade", url)
        path = url.removeprefix("sqlite:///")
        with closing(sqlite3.connect(path)) as connection:
            before = list(connection.iterdump())
            assert run("check", url).exit_code == 0
            assert [line for line in connection.iterdump() if "labels" not in line] == [
                line for line in before if "labels" not in line
            ]
        assert store.scan_experiments(None, None, 10).items == []


def test_check_of_files_leaves_nothing(tmp_path: Path) -> None:
    """What is there stays, and no folder of the probe does."""
    (tmp_path / "mine").write_text("mine")
    assert run("check", "--artifacts", str(tmp_path)).exit_code == 0
    assert {each.name for each in tmp_path.iterdir()} <= {"mine", ".trackstore"}
    assert (tmp_path / "mine").read_text() == "mine"


class ForgetsTags(MemoryBackendStore):
    def get_run(self, run_id: str) -> Run:
        return super().get_run(run_id).__class__(run_id, "", 0, "", params=probes.TEXTS)


class LosesNaN(MemoryBackendStore):
    def metric_history(self, *args: Any) -> Page[Metric, Any]:
        page = super().metric_history(*args)
        return Page([each for each in page.items if each.value == each.value], page.next)


class NeverPurges(MemoryBackendStore):
    def purge_experiment(self, experiment_id: str) -> None: ...


class FullDisk(MemoryBackendStore):
    def log(self, *_: object) -> Any:
        raise BackendError("the disk is full")


class Away(MemoryBackendStore):
    def scan_experiments(self, *_: object) -> Any:
        raise Unavailable("the server could not be reached")


@pytest.mark.parametrize(
    ("store", "failed", "said"),
    [
        (ForgetsTags, ["read"], "the tags came back as"),
        (LosesNaN, ["read"], "the points came back as ['-inf', '-0.5', '1e-300', 'inf']"),
        (NeverPurges, ["remove"], "left behind, at least in part: trackstore-check-"),
        (FullDisk, ["write"], "the disk is full\n" + " " * 27 + "what to do: look into the log"),
        (Away, ["open"], "what to do: see that the service runs"),
    ],
)
def test_check_tells_what_is_wrong_with_a_store(
    store: type[MemoryBackendStore],
    failed: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Which step failed and what to do; what was written is removed all the same."""
    made: list[MemoryBackendStore] = []

    def opened(url: str) -> MemoryBackendStore:
        made.append(store.from_url(url))
        return made[-1]

    monkeypatch.setattr(probes, "open_backend_store", opened)
    monkeypatch.setattr(MemoryBackendStore, "close", lambda _: None)
    done = run("check", "memory:")
    assert done.exit_code == 1
    lines = [line.split()[:2] for line in done.output.splitlines()]
    assert [step for word, step in lines if word == "FAILED"] == failed
    assert said in done.output
    if failed not in (["open"], ["remove"]):
        assert ["ok", "remove"] in lines
        assert made[0].scan_experiments(None, None, 10).items == []


class Cuts(FileArtifactStore):
    def put(self, path: str, chunks: Iterable[bytes], *, if_absent: bool = False) -> ArtifactInfo:
        return super().put(path, [b"".join(chunks)[:-1]], if_absent=if_absent)


class MayNot(FileArtifactStore):
    def put(self, *_: object, **__: object) -> Any:
        raise PermissionDenied("the account may not write")


@pytest.mark.parametrize(
    ("store", "said"),
    [(Cuts, "the bytes from 0 on came back changed"), (MayNot, "what to do: let the account")],
)
def test_check_tells_what_is_wrong_with_files(
    store: type[FileArtifactStore], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And removes what was written."""
    monkeypatch.setattr(file_probe, "open_artifact_store", store.from_url)
    done = run("check", "--artifacts", tmp_path.as_uri())
    assert done.exit_code == 1
    assert said in done.output
    assert {each.name for each in tmp_path.iterdir()} <= {".trackstore"}


class MayNotList(MemoryArtifactStore):
    def scan(self, *_: object, **__: object) -> Any:
        raise PermissionDenied("the account may not list")


class MayNotDelete(SigningStore):
    def delete(self, *_: object) -> Any:
        raise PermissionDenied("the account may not delete")


class SignsAnything(SigningStore):
    def signed(self, path: str, verb: str, seconds: int, **more: str) -> str:
        del verb
        return super().signed(path, "PUT", seconds, **more)


class SignsBadly(SigningStore):
    def signed(self, path: str, verb: str, seconds: int, **more: str) -> str:
        return super().signed(path, verb, seconds, **more).replace("signature=", "signature=0")


class LosesParts(SigningStore):
    def finish_upload(self, path: str, upload_id: str, tags: Sequence[str]) -> ArtifactInfo:
        self.uploads[upload_id][1].pop()
        return super().finish_upload(path, upload_id, tags[:-1])


@pytest.mark.parametrize(
    ("kind", "failed", "said"),
    [
        (SigningStore, [], "nothing of the probe is left"),
        (MayNotList, ["open", "list", "remove"], "the account may not: open, list, remove"),
        (MayNotDelete, ["remove"], "the account may not: remove"),
        (SignsAnything, ["sign"], "a signed GET was answered with 403"),
        (SignsBadly, ["sign", "upload"], "a signed PUT was answered with 403"),
        (LosesParts, ["upload"], "the bytes of a large file that are missing"),
    ],
)
def test_check_tells_which_verbs_are_missing(
    kind: type[MemoryArtifactStore], failed: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each verb is tried whether or not another is refused; what is signed is asked for."""
    with ExitStack() as stack:
        store = kind.from_url("memory:")
        if isinstance(store, SigningStore):
            stack.enter_context(served(store))
        monkeypatch.setattr(file_probe, "open_artifact_store", lambda _: store)
        done = run("check", "--artifacts", "memory:")
    assert done.exit_code == bool(failed), done.output
    steps = [line.split()[:2] for line in done.output.splitlines()]
    assert [step for word, step in steps if word == "FAILED"] == failed
    assert said in done.output
    assert not SigningStore.uploads


def test_a_url_that_is_good_for_another_verb_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who was given a file to read must not be able to write it."""
    monkeypatch.setattr(file_probe, "_ask", lambda *_: (file_probe.OTHER, ""))
    store = SigningStore.from_url("memory:")
    store.address = "http://127.0.0.1:1"
    monkeypatch.setattr(file_probe, "open_artifact_store", lambda _: store)
    probe = file_probe.ArtifactProbe("memory:")
    store.put(probe.signed, [file_probe.OTHER])
    with pytest.raises(probes.Wrong, match="was good for PUT"):
        probe.sign()


def test_a_defect_of_a_store_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a store may not raise comes out whole, as its author needs it."""

    class Raises(MemoryBackendStore):
        def log(self, *_: object) -> Any:
            raise KeyError("m")

    monkeypatch.setattr(probes, "open_backend_store", Raises.from_url)
    with pytest.raises(KeyError):
        run("check", "memory:")


def damaged(path: Path) -> None:
    path.write_bytes(b"no database" * 1_000)


def newer(path: Path) -> None:
    run("upgrade", f"sqlite:///{path}")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("update trackstore_version set version_num = '9999'")


def of_mlflow(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("create table experiments (experiment_id integer)")


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (damaged, "the file is damaged, or is not a SQLite database"),
        (newer, "so upgrade trackstore"),
        (of_mlflow, "give trackstore a database of its own"),
        (Path.mkdir, "the SQLite file cannot be opened"),
    ],
)
def test_a_store_that_cannot_be_used_is_left_as_it_is(
    broken: Callable[[Path], object], said: str, tmp_path: Path
) -> None:
    """Both commands say why and exit with 1; no path is printed but the one that was typed."""
    path = tmp_path / "store.db"
    broken(path)
    before = path.read_bytes() if path.is_file() else b""
    checked, upgraded = run("check", f"sqlite:///{path}"), run("upgrade", f"sqlite:///{path}")
    assert (checked.exit_code, upgraded.exit_code) == (1, 1)
    assert "FAILED open" in checked.output
    for text in (checked.output, upgraded.output):
        assert said in text
        assert "Traceback" not in text
    assert (path.read_bytes() if path.is_file() else b"") == before


def test_upgrade_says_from_which_schema_to_which(url: str) -> None:
    """A new store is made, and one that is up to date is left alone."""
    assert run("upgrade", url).output == f"{url}: made a new store, of schema {NEWEST}\n"
    before = Path(url.removeprefix("sqlite:///")).stat().st_mtime_ns
    assert run("upgrade", url).output == f"{url}: up to date, at schema {NEWEST}\n"
    assert Path(url.removeprefix("sqlite:///")).stat().st_mtime_ns == before


def test_a_store_without_a_schema_has_nothing_to_upgrade() -> None:
    """Which is no error, so that a script can upgrade whatever it is given."""
    done = run("upgrade", "memory:")
    assert (done.exit_code, done.output) == (
        0, "memory:: MemoryBackendStore has no schema to upgrade\n"
    )  # fmt: skip


@pytest.mark.parametrize("command", ["check", "upgrade"])
def test_a_url_that_nothing_opens(command: str) -> None:
    """The error lists what is installed, and the exit code is that of an error."""
    done = run(command, "nope://me:secret@x/y?password=secret")
    assert done.exit_code == 1
    assert "no installed store opens URLs that start with 'nope'; there are" in done.stderr
    assert "secret" not in done.output + done.stderr


def test_help_says_what_check_does_and_leaves() -> None:
    """So that nobody is afraid to run it on the store of a team."""
    shown = " ".join(run("check", "--help").output.split())
    assert "What the store holds is not touched, and nothing is left behind" in shown
    assert "Exits with 1 if a step failed" in shown
