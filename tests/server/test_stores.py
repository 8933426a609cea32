"""The stores of a live server, used as if they were here."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO
from pathlib import Path
from threading import Thread

import pytest

import trackstore
from provision.server import RunningServer, running_server
from trackstore import remote
from trackstore.errors import (
    BackendError,
    InvalidRequest,
    InvalidState,
    NotFound,
    PermissionDenied,
    TrackstoreError,
    Unavailable,
    Unsupported,
)
from trackstore.model import Experiment, ExperimentChanges, LifecycleStage, Metric
from trackstore.stores import ArtifactStore

BINARY = {"Content-Type": remote.MEDIA_TYPE}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("server")
    (folder / "canary").write_text("untouched")
    with running_server(folder, "--serve-stores", "--static-prefix", "/ml") as running:
        yield running
    assert (folder / "canary").read_text() == "untouched"


@pytest.fixture
def files(server: RunningServer) -> Iterator[ArtifactStore]:
    with trackstore.open_artifact_store(server.url) as store:
        yield store


def test_a_server_is_opened_by_its_url(server: RunningServer, tmp_path: Path) -> None:
    """Runs, files, logged models and registered models are those of the server."""
    (tmp_path / "model.bin").write_bytes(b"weights" * 100_000)
    with trackstore.open(server.url) as tracker:
        experiment = tracker.get_or_create_experiment("remote")
        run = tracker.create_run(experiment.id, name="first")
        tracker.log(run.id, metrics=[Metric("loss", float("nan"), 1)], params={"depth": 3})
        tracker.artifacts.at(run.artifact_uri).upload(tmp_path / "model.bin", "m/model.bin")
        model = tracker.create_logged_model(experiment.id, name="tree", source_run_id=run.id)
        tracker.registry.create_model("forest")
    with trackstore.open(server.backend_url, str(server.folder / "artifacts")) as tracker:
        found = tracker.get_run(run.id)
        assert (found.name, found.params, list(found.metrics)) == (
            "first", {"depth": "3"}, ["loss"],
        )  # fmt: skip
        assert tracker.get_logged_model(model.id).name == "tree"
        assert tracker.registry.get_model("forest").name == "forest"
        reader = tracker.artifacts.at(run.artifact_uri).get("m/model.bin")
        assert b"".join(reader) == b"weights" * 100_000


def test_stores_are_served_only_if_the_operator_says_so(tmp_path: Path) -> None:
    """And the error says what the operator has to do."""
    with running_server(tmp_path) as server, trackstore.open_backend_store(server.url) as store:
        with pytest.raises(Unsupported, match="--serve-stores"):
            store.get_experiment("0")
        with pytest.raises(Unsupported, match="--serve-stores") as refused:
            store.update_experiment("0", ExperimentChanges(lifecycle_stage=LifecycleStage.DELETED))
        assert refused.value.outcome == "none"


def test_another_name_is_refused_as_everywhere(server: RunningServer) -> None:
    """The guard of the Host header stands before the stores too, and its message arrives."""
    url = server.url.replace("127.0.0.1", "localhost.localdomain")
    with trackstore.open_backend_store(url) as store, pytest.raises(TrackstoreError) as refused:
        store.get_experiment("0")
    assert isinstance(refused.value, PermissionDenied | Unavailable)


PATHS = [
    "../canary", "a/../../canary", "/etc/passwd", "a\\b", "..%2fcanary", "%252e%252e/canary", "~/x",
    "C:/x", "file:///etc/passwd", "a//b", "./a", "a\0b",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_no_path_leads_out(files: ArtifactStore, path: str) -> None:
    """Each verb refuses it, whatever the client's front has let through."""
    for call in (
        lambda: files.put(path, [b"x"]),
        lambda: files.get(path),
        lambda: files.stat(path),
        lambda: files.scan(path, None, 10, deep=True),
        lambda: files.delete(path),
    ):
        with pytest.raises(InvalidRequest):
            call()


class Broken(OSError):
    pass


def test_an_upload_that_fails_is_not_published(files: ArtifactStore) -> None:
    """What its chunks raise comes back as it is, also an error that a driver may raise."""

    def chunks() -> Iterator[bytes]:
        yield b"x" * 3_000_000
        raise Broken

    with pytest.raises(Broken):
        files.put("half", chunks())
    with pytest.raises(NotFound):
        files.stat("half")


def test_a_refused_upload_is_read_to_its_end(files: ArtifactStore) -> None:
    """The error arrives though the client was still sending, and the connection is used again."""
    files.put("folder/file", [b"x"])
    with pytest.raises(TrackstoreError, match="folder"):
        files.put("folder", [b"x" * 1_000_000] * 20)
    assert files.stat("folder/file").size == 1


@pytest.mark.parametrize(
    ("method", "payload"),
    [
        ("get_experiment", remote.to_request("purge_experiment", ("0",))),
        ("get_experiment", remote.to_request("get_experiment", (5,))),
        ("get_experiment", remote.to_request("get_experiment", ())),
        ("get_run", remote.to_request("get_run", ("\ud800".encode("utf-8", "surrogatepass"),))),
        ("create_experiment", remote.to_request("create_experiment", ({"id": "1"},))),
        ("create_experiment", remote.to_request(
            "create_experiment", (Experiment("9", "n", "", 2**63, 0),))),
        ("scan_experiments", remote.to_request("scan_experiments", (None, None, 10**9))),
        ("log", remote.frame(b"\x91" * 100_000)),
        ("log", remote.frame(b"")),
    ],
)  # fmt: skip
def test_what_no_store_could_take_is_refused(
    server: RunningServer, method: str, payload: bytes
) -> None:
    """Hostile bytes get a typed error, and the server goes on."""
    reply = server.request("POST", f"/ml{remote.ROOT}/{method}", payload, BINARY)
    with pytest.raises(InvalidRequest):
        remote.from_reply(method, remote.read_frame(BytesIO(reply.body).read))
    assert server.request("GET", "/ml/health").status == 200


def test_a_damaged_request_is_not_done(server: RunningServer) -> None:
    """One bit is enough to refuse it, and so is a missing end."""
    whole = remote.to_request("put", ("damaged", False)) + remote.frame(b"abc")
    flipped = bytearray(whole + remote.frame(b""))
    flipped[-10] ^= 1
    for body in (whole, bytes(flipped)):
        server.request("POST", f"/ml{remote.ROOT}/put", body, BINARY)
    with trackstore.open_artifact_store(server.url) as files, pytest.raises(NotFound):
        files.stat("damaged")


def test_a_form_of_a_web_page_is_refused(server: RunningServer) -> None:
    """Its content type is another."""
    body = remote.to_request("get_experiment", ("0",))
    reply = server.request(
        "POST", f"/ml{remote.ROOT}/get_experiment", body, {"Content-Type": "text/plain"}
    )
    assert reply.status == 415


class Elsewhere(BaseHTTPRequestHandler):
    """A server that is none of ours."""

    status = 404

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(self.status)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"no")

    def log_message(self, *_: object) -> None: ...


@pytest.mark.parametrize(
    ("status", "error", "outcome"),
    [
        (404, Unsupported, "none"),
        (401, PermissionDenied, "none"),
        (502, Unavailable, "unknown"),
        (418, BackendError, "none"),
        (200, BackendError, "none"),
    ],
)
def test_what_is_no_trackstore_server_is_told_so(
    status: int, error: type[TrackstoreError], outcome: str
) -> None:
    """By its status; a proxy's failure leaves open what became of a write."""
    kind = type("Elsewhere", (Elsewhere,), {"status": status})
    with HTTPServer(("127.0.0.1", 0), kind) as other:
        Thread(target=other.handle_request, daemon=True).start()
        url = f"http://user:secret@127.0.0.1:{other.server_port}"
        with trackstore.open_backend_store(url) as store, pytest.raises(error) as raised:
            store.purge_run("r")
    assert raised.value.outcome == outcome
    assert "secret" not in str(raised.value)


def test_nobody_there_is_unavailable(tmp_path: Path) -> None:
    """And nothing was written."""
    with running_server(tmp_path, "--serve-stores") as server:
        url = server.url
    with trackstore.open_backend_store(url) as store:
        with pytest.raises(Unavailable) as raised:
            store.purge_run("r")
        assert raised.value.outcome == "none"
    with pytest.raises(InvalidState):
        store.get_run("r")


@pytest.mark.parametrize(
    "url", ["http://", "http://h:x/", "http://h/?timeout=0", "http://h/?x=1", "http://h/#f"]
)
def test_a_malformed_url_is_refused(url: str) -> None:
    """At once, before anything is asked."""
    with pytest.raises(InvalidRequest):
        trackstore.open_backend_store(url)
