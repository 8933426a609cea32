"""The server on S3's protocol: files through it, and directly by what it signs."""

from collections.abc import Iterator
from urllib.request import Request, urlopen
from uuid import uuid4

import pytest
from typer.testing import CliRunner

import trackstore
from provision.api import Api
from provision.s3 import S3Server
from trackstore.cli.commands import app

FILES = "/api/2.0/mlflow-artifacts"
PART = 5 * 1024 * 1024


@pytest.fixture
def url(seaweedfs: S3Server) -> str:
    """Of a real server: moto takes any signature."""
    return seaweedfs.url(f"direct-{uuid4().hex}")


@pytest.fixture
def api(url: str) -> Iterator[Api]:
    with trackstore.open("memory:", url) as tracker:
        yield Api(tracker)


def send(
    verb: str, url: str, headers: dict[str, str], body: bytes | None = None
) -> tuple[bytes, str]:
    """Ask as a client without credentials, and return body and tag."""
    given = {"Content-Type": "application/octet-stream", **headers} if body else headers
    with urlopen(Request(url, body, given, method=verb), timeout=30) as reply:
        return reply.read(), reply.headers.get("etag", "")


def test_a_file_is_written_and_read_directly(api: Api) -> None:
    """By URLs of one verb on one path; and what was sent is served as if it had come through us."""
    run_id = api.run()
    body = {"run_id": run_id, "path": "model/a file é.bin"}
    made = api.ok(api.post("artifacts/presigned-upload-url", body))
    send("PUT", made["presigned_url"], made["headers"], b"12345")
    path = f"0/{run_id}/artifacts/model/a file é.bin"
    assert api.client.simulate_get(f"{FILES}/artifacts/{path}").content == b"12345"
    signed = api.ok(api.client.simulate_get(f"{FILES}/presigned/{path}"))
    assert signed["file_size"] == 5
    assert send("GET", signed["url"], signed["headers"])[0] == b"12345"


def test_a_large_file_is_sent_in_parts(api: Api) -> None:
    """As the stock client does it: it is there when it is completed, and not before."""
    wholes = [b"1" * PART, b"2" * PART, b"3"]
    target, sent = f"{FILES}/mpu/{{}}/0/run/artifacts", {"path": "/home/ada/large.bin"}
    if not api.tracker.artifacts.at("mlflow-artifacts:/").signs_uploads:
        pytest.skip("the store signs no uploads in parts yet")
    begun = api.ok(
        api.client.simulate_post(target.format("create"), json={**sent, "num_parts": len(wholes)})
    )
    parts = []
    for each, whole in zip(begun["credentials"], wholes, strict=True):
        tag = send("PUT", each["url"], each["headers"], whole)[1]
        parts.append({"part_number": each["part_number"], "etag": tag, "url": each["url"]})
    place = "0/run/artifacts/large.bin"
    assert api.client.simulate_get(f"{FILES}/artifacts/{place}").status_code == 404
    done = {**sent, "upload_id": begun["upload_id"], "parts": parts}
    assert api.ok(api.client.simulate_post(target.format("complete"), json=done)) == {}
    assert api.client.simulate_get(f"{FILES}/artifacts/{place}").content == b"".join(wholes)


def test_check_finds_nothing_wrong(url: str) -> None:
    """Every verb, on a service as it is used."""
    done = CliRunner().invoke(app, ["check", url], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    steps = [line.split()[1] for line in done.output.splitlines()[1:]]
    assert {"write", "range", "list", "parts", "sign", "remove"} <= set(steps)
