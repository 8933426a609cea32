"""Every verb of the front against every path that was a hole elsewhere, with a canary outside.

A verb, or a route that takes a path, without an entry in the tables here fails a test.
"""

import inspect
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import msgspec
import pytest

import trackstore
from provision.hostile import IN_BODIES, LOCATIONS, TRAVERSALS
from provision.signing import SigningStore
from trackstore.artifacts import ArtifactFolder, Artifacts
from trackstore.errors import InvalidRequest, LimitExceeded, PermissionDenied, TrackstoreError
from trackstore.model import Experiment, Run
from trackstore.paths import check_path
from trackstore.purge_log import PurgeLog
from trackstore.purging import Candidates, Purger
from trackstore.server.routes import ROUTES
from trackstore.server.routing import FileRoute, FolderRoute, JSONRoute, Route
from trackstore_backends.file import FileArtifactStore

CANARY = b"must not be seen, changed or removed"
REFUSED = (InvalidRequest, LimitExceeded)


class SignedFiles(SigningStore):
    """Signs the paths of plain files, as a store without a folder of its own could not be tried."""

    address = "http://127.0.0.1:1"


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[Path]:
    """A file beside the root, with links in the root that lead to it."""
    path = tmp_path / "canary"
    path.write_bytes(CANARY)
    (tmp_path / "root/0").mkdir(parents=True)
    (tmp_path / "root/0/link").symlink_to(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    yield path
    assert path.read_bytes() == CANARY
    left = [each for each in tmp_path.rglob("*") if ".trackstore" not in each.parts]
    assert sorted(left) == before


@pytest.fixture
def folder(canary: Path) -> Iterator[ArtifactFolder]:
    with FileArtifactStore.from_url((canary.parent / "root").as_uri()) as store:
        yield ArtifactFolder(store, "0")


@pytest.fixture
def signing() -> Iterator[ArtifactFolder]:
    with SignedFiles.from_url("memory:") as store:
        yield ArtifactFolder(store, "0")


Verb = Callable[[ArtifactFolder, str, Path], object]
VERBS: dict[str, Verb] = {
    "put": lambda folder, path, _: folder.put(path, [b"evil"]),
    "get": lambda folder, path, _: folder.get(path),
    "stat": lambda folder, path, _: folder.stat(path),
    "list": lambda folder, path, _: folder.list(path),
    "scan": lambda folder, path, _: folder.scan(path, None, 10, deep=True),
    "walk": lambda folder, path, _: list(folder.walk(path)),
    "delete": lambda folder, path, _: folder.delete(path),
    "versions": lambda folder, path, _: folder.versions(path),
    "get_version": lambda folder, path, _: folder.get_version(path, "1"),
    "upload": lambda folder, path, local: folder.upload(local, path),
    "download": lambda folder, path, local: folder.download(path, local.parent / "evil"),
}
SIGNING: dict[str, Verb] = {
    "sign_url": lambda folder, path, _: folder.sign_url(path, "GET", 60),
    "begin_upload": lambda folder, path, _: folder.begin_upload(path, 1, 60),
    "finish_upload": lambda folder, path, _: folder.finish_upload(path, "id", ["tag"]),
    "abort_upload": lambda folder, path, _: folder.abort_upload(path, "id"),
}
NO_PATH = {"clear", "signs_urls", "signs_uploads"}
"""What takes none."""


def test_every_verb_is_in_the_table() -> None:
    """A verb that is added is tried here."""
    public = {name for name in vars(ArtifactFolder) if not name.startswith("_")}
    assert public == VERBS.keys() | SIGNING.keys() | NO_PATH
    for name in VERBS.keys() | SIGNING.keys():
        assert {"path", "prefix"} & {*inspect.signature(getattr(ArtifactFolder, name)).parameters}


def hostile() -> list[str]:
    """Return the vectors as a server hands them on: decoded once."""
    found = [*(unquote(path, errors="replace") for path in TRAVERSALS), *IN_BODIES]
    return sorted({path for path in found if "\ufffd" not in path})


@pytest.mark.parametrize("path", hostile(), ids=ascii)
def test_no_verb_takes_a_path_that_leads_out(
    folder: ArtifactFolder, signing: ArtifactFolder, canary: Path, path: str
) -> None:
    """Each refuses it before a store is asked, and nothing outside is seen or touched."""
    sent = path.format(canary=canary) if "{canary}" in path else path
    tried = chain(
        ((verb, folder) for verb in VERBS.values()), ((verb, signing) for verb in SIGNING.values())
    )
    for verb, place in tried:
        with pytest.raises(REFUSED) as caught:
            verb(place, sent, canary)
        assert str(canary.parent / "root") not in str(caught.value)


@pytest.mark.parametrize("path", ["link/canary", "link/evil", "link", "link/root/0/link/canary"])
def test_no_verb_follows_a_link(folder: ArtifactFolder, canary: Path, path: str) -> None:
    """What somebody put into the root by another way leads nowhere, and is not removed."""
    for name, verb in VERBS.items():
        if (name, path) == ("delete", "link"):  # which removes the link, and not what it leads to
            continue
        try:
            found = verb(folder, path, canary)
        except TrackstoreError:
            continue
        items = getattr(found, "items", found)
        assert not items, name


@pytest.mark.parametrize("version", ["../canary", "../../canary", "..", "/etc/passwd", "\x00", ""])
def test_no_version_leads_out(folder: ArtifactFolder, canary: Path, version: str) -> None:
    """An id is text that is looked up, and no part of a path."""
    (canary.parent / "root/0/known").write_bytes(b"1")
    with pytest.raises(TrackstoreError):
        folder.get_version("known", version)
    (canary.parent / "root/0/known").unlink()


@pytest.mark.parametrize("location", LOCATIONS)
def test_no_row_makes_the_front_or_gc_leave_the_roots(
    canary: Path, tmp_path_factory: pytest.TempPathFactory, location: str
) -> None:
    """A row that other software wrote is checked like a client's wish, whenever it is used."""
    folder = tmp_path_factory.mktemp("gc")
    said: list[str] = []
    with trackstore.open("memory:", str(canary.parent / "root")) as tracker:
        with pytest.raises((InvalidRequest, PermissionDenied)):
            tracker.artifacts.at(location)
        ident = "5" * 32
        odd = Experiment("7", "odd", location, 1, 1)
        tracker.store.create_experiment(odd)
        tracker.store.create_run(Run(ident, "7", 1, f"{location}/{ident}/artifacts", tags={}))
        tracker.store.create_run(Run("6" * 32, "0", 1, str(canary), tags={}))
        tracker.delete_run("6" * 32)
        tracker.delete_experiment("7")
        with PurgeLog(folder / "log", backend="b", by="me") as log:
            purger = Purger(tracker, log, said.append)
            purger.purge(Candidates(tracker, 2**62, said.append))
        assert purger.purged == 0
        assert tracker.get_run(ident).id == ident
    assert len(said) == 2
    assert all(line.startswith("left: ") for line in said)


def test_gc_follows_no_link(canary: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Neither in a run's folder, nor where the folder itself was replaced by one."""
    root = tmp_path_factory.mktemp("files")
    said: list[str] = []
    with trackstore.open("memory:", str(root)) as tracker:
        runs = [tracker.create_run("0") for _ in range(2)]
        tracker.artifacts.at(runs[0].artifact_uri).put("a", [b"1"])
        (root / "0" / runs[0].id / "artifacts/link").symlink_to(canary.parent)
        (root / "0" / runs[1].id).symlink_to(canary.parent)
        for run in runs:
            tracker.delete_run(run.id)
        with PurgeLog(root / "log", backend="b", by="me") as log:
            purger = Purger(tracker, log, said.append)
            purger.purge(Candidates(tracker, 2**62, said.append))
    assert (purger.purged, purger.failed) == (2, 0)
    assert not (root / "0").exists()


TRIED = {
    *(
        f"{method} /api/2.0/mlflow-artifacts/artifacts/{{path}}"
        for method in ("GET", "PUT", "DELETE")
    ),
    *(
        f"POST /api/2.0/mlflow-artifacts/mpu/{verb}/{{path}}"
        for verb in ("create", "complete", "abort")
    ),
    "GET /api/2.0/mlflow-artifacts/presigned/{path}",
    "GET /api/2.0/mlflow-artifacts/artifacts",
    "GET /api/2.0/mlflow/artifacts/list",
    "POST /api/2.0/mlflow/artifacts/presigned-upload-url",
    "POST /api/2.0/mlflow/artifacts/presigned-download-url",
    "POST /api/2.0/mlflow/experiments/create",
    "POST /api/2.0/mlflow/model-versions/create",
    "GET /get-artifact",
    "GET /model-versions/get-artifact",
    "GET /ajax-api/2.0/mlflow/logged-models/{model_id}/artifacts/files",
    "GET /api/2.0/mlflow/logged-models/{model_id}/artifacts/directories",
    "POST /ajax-api/2.0/mlflow/upload-artifact",
}
"""Routes that take a path or a location; `tests/server/test_bad_input.py` tries each."""
FIELDS = {
    *("path", "artifact_location", "source"),
    *("artifact_file_path", "artifact_directory_path"),
}


def takes_a_path(route: Route) -> bool:
    fields: set[str] = set()
    if isinstance(route, JSONRoute | FolderRoute | FileRoute):
        fields = {field.encode_name for field in msgspec.structs.fields(route.kind)}
    return "{path}" in route.path or not FIELDS.isdisjoint(fields)


def test_every_route_with_a_path_is_in_the_table() -> None:
    """A route that is added is tried against the running server."""
    found = {f"{route.method} {route.path}" for route in ROUTES if takes_a_path(route)}
    assert found == TRIED


def test_paths_that_only_look_bad_are_kept(canary: Path) -> None:
    """What is refused is refused for a reason: these are names like any other."""
    names: list[Any] = ["a..b", "...", "a%", "100%25", "a?x=1", "a#b", "a;b", "aux", "con.txt", " "]
    with Artifacts("memory:") as front:
        for name in names:
            assert check_path(name) == name
            front.at("mlflow-artifacts:/0").put(name, [b"1"])
            assert b"".join(front.at("mlflow-artifacts:/0").get(name)) == b"1"
