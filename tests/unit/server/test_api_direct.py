"""MLflow's endpoints by which clients move files to and from the store themselves."""

from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from falcon import testing

import trackstore
from provision.api import PROXY, Api
from provision.signing import MOST_PARTS, SigningStore, served
from trackstore import artifacts
from trackstore.registry import open_artifact_store

FILES = "/api/2.0/mlflow-artifacts"


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[SigningStore]:
    with served(SigningStore.from_url("memory:")) as store:
        kinds = {"signing:": lambda _: store, "memory:": open_artifact_store}
        monkeypatch.setattr(artifacts, "open_artifact_store", lambda url: kinds[url](url))
        yield store
    SigningStore.uploads.clear()


@pytest.fixture
def tracker(store: SigningStore) -> Iterator[trackstore.Tracker]:
    with trackstore.open("memory:", "signing:") as tracker:
        yield tracker


@pytest.fixture
def plain() -> Iterator[Api]:
    """A server whose store signs nothing."""
    with trackstore.open("memory:", "memory:") as tracker:
        yield Api(tracker)


FOLDER = "0/run/artifacts"


def post(api: Api, target: str, /, **body: object) -> testing.Result:
    return api.client.simulate_post(f"{FILES}/{target}", json=body)


def send(verb: str, url: str, body: bytes | None = None) -> tuple[int, bytes, str]:
    """Ask as a client without credentials, and return status, body and tag."""
    try:
        with urlopen(Request(url, body, method=verb)) as reply:
            return reply.status, reply.read(), reply.headers.get("etag", "")
    except HTTPError as error:
        with error:
            return error.code, b"", ""


def begun(api: Api, parts: int = 3, name: str = "model.bin") -> tuple[str, list[dict[str, Any]]]:
    """Begin an upload, send its parts, and return its id and what the client sends at the end."""
    made = api.ok(
        post(api, "mpu/create/0/run/artifacts", path=f"/home/ada/{name}", num_parts=parts)
    )
    told = []
    for number, each in enumerate(made["credentials"], 1):
        assert each["part_number"] == number
        _, _, tag = send("PUT", each["url"], b"%d" % number * 1_000)
        told.append({"part_number": number, "etag": tag, "url": each["url"]})
    return made["upload_id"], told


def test_an_upload_in_parts(api: Api, store: SigningStore) -> None:
    """It is there when it is completed, under the file's own name, and not before."""
    upload, parts = begun(api)
    assert store.scan("", None, 9, deep=True).items == []
    done = post(
        api,
        f"mpu/complete/{FOLDER}",
        path="/home/ada/model.bin",
        upload_id=upload,
        parts=parts[::-1],
    )
    assert api.ok(done) == {}
    whole = b"".join(store.get("0/run/artifacts/model.bin"))
    assert whole == b"1" * 1_000 + b"2" * 1_000 + b"3" * 1_000
    got = api.client.simulate_get(f"{PROXY}/0/run/artifacts/model.bin")
    assert got.content == whole


def test_an_upload_that_is_aborted_is_gone(api: Api, store: SigningStore) -> None:
    """Twice does no harm; it cannot be completed after."""
    upload, parts = begun(api)
    for _ in range(2):
        assert (
            api.ok(post(api, "mpu/abort/0/run/artifacts", path="model.bin", upload_id=upload)) == {}
        )
    done = post(api, f"mpu/complete/{FOLDER}", path="model.bin", upload_id=upload, parts=parts)
    assert (done.status_code, done.json["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert store.uploads == {}
    assert store.scan("", None, 9, deep=True).items == []


def test_an_upload_is_of_one_path(api: Api, store: SigningStore) -> None:
    """Whoever knows an id cannot complete or abort it under another path."""
    upload, parts = begun(api)
    for folder, name in (("0/run/artifacts", "other.bin"), ("0/other/artifacts", "model.bin")):
        done = post(api, f"mpu/complete/{folder}", path=name, upload_id=upload, parts=parts)
        assert done.status_code == 404
        post(api, f"mpu/abort/{folder}", path=name, upload_id=upload)
    assert upload in store.uploads
    assert store.scan("", None, 9, deep=True).items == []


def complete(api: Api, upload: str, parts: object) -> testing.Result:
    folder = f"mpu/complete/{FOLDER}"
    return post(api, folder, path="model.bin", upload_id=upload, parts=parts)


def test_parts_must_be_all_there_and_as_sent(api: Api, store: SigningStore) -> None:
    """A part that is missing, doubled or another publishes nothing."""
    upload, parts = begun(api)
    bad: list[object] = [
        parts[:2],
        [*parts, parts[0]],
        [{**each, "part_number": each["part_number"] + 1} for each in parts],
        [{**parts[0], "etag": "x"}, *parts[1:]],
        [{**parts[0], "etag": None}, *parts[1:]],
        [{**parts[0], "etag": "x" * 5_000}, *parts[1:]],
        [],
        None,
        "abc",
        [{"etag": "x"}],
    ]
    for sent in bad:
        done = complete(api, upload, sent)
        assert (done.status_code, done.json["error_code"]) == (400, "INVALID_PARAMETER_VALUE"), sent
    assert store.scan("", None, 9, deep=True).items == []
    assert api.ok(complete(api, upload, parts)) == {}


@pytest.mark.parametrize("number", [0, -1, 10_001, MOST_PARTS + 1, "x", 2**70, 1.5, True])
def test_a_bad_number_of_parts_is_refused(api: Api, store: SigningStore, number: object) -> None:
    """Before anything is begun."""
    done = post(api, "mpu/create/0/x", path="a", num_parts=number)
    assert (done.status_code, done.json["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert store.uploads == {}


def test_a_signed_download(api: Api, store: SigningStore) -> None:
    """Its URL reads that one file, and nothing else; the reply tells its size."""
    store.put("0/run/a file", [b"123"])
    store.put("0/run/other", [b"secret"])
    found = api.ok(api.client.simulate_get(f"{FILES}/presigned/0/run/a%20file"))
    assert found["file_size"] == 3
    assert found["headers"] == {"x-signed": "GET"}
    url = found["url"]
    assert send("GET", url)[:2] == (200, b"123")
    assert send("PUT", url, b"evil")[0] == 403
    assert send("GET", url.replace("a%20file", "other"))[0] == 403
    assert b"".join(store.get("0/run/a file")) == b"123"


@pytest.mark.parametrize(("path", "status"), [("0/missing", 404), ("0/folder", 400)])
def test_only_files_are_signed(api: Api, store: SigningStore, path: str, status: int) -> None:
    """A client is told at once that there is no such file."""
    store.put("0/folder/a", [b"1"])
    assert api.client.simulate_get(f"{FILES}/presigned/{path}").status_code == status


def test_files_of_a_run_are_signed(api: Api, store: SigningStore) -> None:
    """By the run's id, for writing and for reading, relative to its own files."""
    run_id = api.run()
    body = {"run_id": run_id, "path": "model/weights"}
    to_put = api.ok(api.post("artifacts/presigned-upload-url", body))
    assert to_put["headers"] == {"x-signed": "PUT"}
    assert send("PUT", to_put["presigned_url"], b"12345")[0] == 200
    assert b"".join(store.get(f"0/{run_id}/artifacts/model/weights")) == b"12345"
    to_get = api.ok(api.post("artifacts/presigned-download-url", body))
    assert to_get["file_size"] == 5
    assert send("GET", to_get["presigned_url"])[1] == b"12345"
    assert send("PUT", to_get["presigned_url"], b"evil")[0] == 403


def test_files_of_a_logged_model_are_signed(api: Api, store: SigningStore) -> None:
    """By the model's id, which stands in the place of the run's."""
    model = api.tracker.create_logged_model("0", name="m")
    made = api.ok(api.post("artifacts/presigned-upload-url", model_id=model.id, path="MLmodel"))
    assert send("PUT", made["presigned_url"], b"1")[0] == 200
    assert [info.path for info in api.tracker.artifacts.at(model.artifact_uri).walk()] == [
        "MLmodel"
    ]


@pytest.mark.parametrize("seconds", [0, -1, 3_601, 604_800, 2**70, "x"])
def test_what_is_signed_is_short_lived(api: Api, seconds: object) -> None:
    """An hour at most, whatever the client asks for."""
    body = {"run_id": api.run(), "path": "a", "expiration": seconds}
    api.tracker.artifacts.at(api.tracker.get_run(str(body["run_id"])).artifact_uri).put("a", [b""])
    for call in ("upload", "download"):
        done = api.post(f"artifacts/presigned-{call}-url", body)
        assert (done.status_code, done.json["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


def test_a_url_that_is_too_old_is_refused(api: Api) -> None:
    """The time is signed with the rest."""
    body = {"run_id": api.run(), "path": "a", "expiration": 60}
    url = api.ok(api.post("artifacts/presigned-upload-url", body))["presigned_url"]
    start, _, rest = url.partition("until=")
    later = f"{start}until={int(rest.partition('&')[0]) + 1}&{rest.partition('&')[2]}"
    assert send("PUT", later, b"1")[0] == 403
    assert send("PUT", url, b"1")[0] == 200


@pytest.mark.parametrize(
    "body", [{"path": "a"}, {"path": "a", "run_id": "r", "model_id": "m"}, {"run_id": "r"}]
)
def test_one_run_or_model_and_a_path(api: Api, body: dict[str, str]) -> None:
    """Whatever else is a mistake of the caller."""
    done = api.post("artifacts/presigned-upload-url", body)
    assert (done.status_code, done.json["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


def test_an_unknown_run_is_not_found(api: Api) -> None:
    """Nothing is signed for it."""
    for call in ("upload", "download"):
        assert api.post(f"artifacts/presigned-{call}-url", run_id="r", path="a").status_code == 404


PATHS = [
    *("../x", "a/../x", "%252e%252e/x", "a%255c..", "./x", "a//x", "~x", "C:/x", "a%00", "%0a"),
]


@pytest.mark.parametrize("path", PATHS)
def test_no_bad_path_is_signed(api: Api, store: SigningStore, path: str) -> None:
    """Neither in a URL nor in a body; nothing is begun, completed or dropped."""
    body = {"upload_id": "x", "parts": [{"part_number": 1, "etag": "x"}], "num_parts": 1}
    run_id = api.run()
    results = [
        api.client.simulate_get(f"{FILES}/presigned/{path}"),
        *(
            post(api, f"mpu/{verb}/{path}", path="a", **body)
            for verb in ("create", "complete", "abort")
        ),
        *(
            api.post(f"artifacts/presigned-{call}-url", run_id=run_id, path=path)
            for call in ("upload", "download")
        ),
    ]
    for result in results:
        assert (result.status_code, result.json["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
        assert SigningStore.address not in result.text
    assert store.uploads == {}


def info(api: Api) -> dict[str, bool]:
    found = api.ok(api.client.simulate_get("/api/3.0/mlflow/server-info"))
    names = ("multipart_uploads_enabled", "multipart_downloads_enabled")
    more = ("presigned_upload_run_id_supported", "presigned_upload_model_id_supported")
    return {name: found[name] for name in names + more}


def test_server_info_tells_the_truth(api: Api, plain: Api) -> None:
    """Clients send and fetch directly if, and only if, the store signs."""
    assert set(info(api).values()) == {True}
    assert set(info(plain).values()) == {False}


def test_a_store_that_signs_nothing_says_so(plain: Api) -> None:
    """With 501 and MLflow's words, by which its client sends the file through the server."""
    run_id = plain.run()
    plain.client.simulate_put(f"{PROXY}/0/a", body=b"1")
    body = {"run_id": run_id, "path": "a"}
    parts = {"upload_id": "x", "parts": []}
    for result, words in (
        (post(plain, "mpu/create/0/x", path="a", num_parts=1), "Multipart upload is not supported"),
        (post(plain, "mpu/complete/0/x", path="a", **parts), "Multipart upload is not supported"),
        (post(plain, "mpu/abort/0/x", path="a", **parts), "Multipart upload is not supported"),
        (plain.client.simulate_get(f"{FILES}/presigned/0/a"), "Presigned download is not"),
        (plain.post("artifacts/presigned-download-url", body), "Presigned download is not"),
        (plain.post("artifacts/presigned-upload-url", body), "Presigned upload is not supported"),
    ):
        assert (result.status_code, result.json["error_code"]) == (501, "NOT_IMPLEMENTED")
        assert result.json["message"].startswith(words)


def test_direct_transfers_can_be_turned_off(store: SigningStore) -> None:
    """Where clients cannot reach the store, it is as if it signed nothing."""
    with trackstore.open("memory:", "signing:", direct=False) as tracker:
        api = Api(tracker)
        assert set(info(api).values()) == {False}
        assert post(api, "mpu/create/0/x", path="a", num_parts=1).status_code == 501
        folder = tracker.artifacts.at("mlflow-artifacts:/0")
        with pytest.raises(trackstore.Unsupported):
            folder.sign_url("a", "PUT", 60)
        with pytest.raises(trackstore.Unsupported):
            folder.begin_upload("a", 1, 60)


def test_a_form_of_a_foreign_page_begins_nothing(api: Api, store: SigningStore) -> None:
    """As every route that changes something, these take JSON alone, and from no other origin."""
    for headers, status in (
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/json", "origin": "https://evil.example"}, 403),
        ({"content-type": "application/json", "host": "evil.example"}, 403),
    ):
        done = api.client.simulate_post(
            f"{FILES}/mpu/create/0/x", body=b'{"path": "a", "num_parts": 1}', headers=headers
        )
        assert done.status_code == status
    assert store.uploads == {}
