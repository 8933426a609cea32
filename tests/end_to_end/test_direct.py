"""The stock client moves files directly where the store signs, and through us where not."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import ThreadingMixIn
from threading import Thread
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest

import trackstore
from end_to_end.conftest import run_python
from provision.server import running_server
from provision.signing import SigningStore, served
from trackstore import artifacts
from trackstore.server.app import create_app

SIZE = 12_000_000
CLIENT = f"""
import mlflow, os, pathlib, sys
os.environ["MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE"] = "6000000"
os.environ["MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE"] = "5242880"
os.environ["MLFLOW_MULTIPART_DOWNLOAD_CHUNK_SIZE"] = "1000000"
os.environ.update(item.split("=") for item in sys.argv[1:])
whole = bytes(range(256)) * ({SIZE} // 256)
pathlib.Path("large file.bin").write_bytes(whole)
pathlib.Path("small.txt").write_bytes(b"small")
with mlflow.start_run() as run:
    mlflow.log_artifact("large file.bin", "sub")
    mlflow.log_artifact("small.txt")
for path, expected in (("sub/large file.bin", whole), ("small.txt", b"small")):
    got = mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path=path)
    assert pathlib.Path(got).read_bytes() == expected, path
print(run.info.run_id)
"""


class Threading(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Print nothing."""


@contextmanager
def in_this_process(app: Any) -> Iterator[str]:
    """Serve an application whose store lives here, and note what it is asked."""
    server = make_server("127.0.0.1", 0, app, Threading, Quiet)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_large_files_go_directly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In parts and by ranges, as server-info tells the client; their bytes do not pass us."""
    asked: list[str] = []
    with served(SigningStore.from_url("memory:")) as store:
        monkeypatch.setattr(artifacts, "open_artifact_store", lambda _: store)
        with trackstore.open("memory:", "signing:") as tracker:
            app = create_app(tracker)

            def noting(env: Any, start: Any) -> Any:
                asked.append(f"{env['REQUEST_METHOD']} {env['PATH_INFO']}")
                return app(env, start)

            with in_this_process(noting) as url:
                done = run_python(
                    "-c", CLIENT, folder=tmp_path, tracking_uri=url, artifacts="unused"
                )
                run_id = done.split()[-1]
                place = f"0/{run_id}/artifacts"
                assert len(b"".join(store.get(f"{place}/sub/large file.bin"))) == SIZE // 256 * 256
    assert store.uploads == {}
    of_files = [each for each in asked if "mlflow-artifacts" in each]
    files = "/api/2.0/mlflow-artifacts"
    assert f"POST {files}/mpu/create/{place}/sub" in of_files
    assert f"POST {files}/mpu/complete/{place}/sub" in of_files
    assert f"GET {files}/presigned/{place}/sub/large file.bin" in of_files
    through = [each for each in of_files if f"{files}/artifacts/" in each]
    assert through == [f"PUT {files}/artifacts/{place}/small.txt"]


def test_a_client_that_insists_falls_back(tmp_path: Path) -> None:
    """Told to use parts whatever the server says, it takes our 501 and streams through us."""
    with running_server(tmp_path) as server:
        options = [f"MLFLOW_ENABLE_PROXY_MULTIPART_{way}=true" for way in ("UPLOAD", "DOWNLOAD")]
        run_python(
            "-c",
            CLIENT,
            *options,
            folder=tmp_path,
            tracking_uri=server.url,
            artifacts="unused",
        )
        kept = list((tmp_path / "artifacts").rglob("large file.bin"))
        assert [path.stat().st_size for path in kept] == [SIZE // 256 * 256]
