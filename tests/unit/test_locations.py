from pathlib import Path

import pytest

from trackstore import limits
from trackstore.artifacts import PROXIED_ROOT, Artifacts
from trackstore.errors import InvalidRequest, LimitExceeded, NotFound, PermissionDenied
from trackstore.model import Experiment

MALFORMED = [
    "",
    "/etc",
    "etc",
    "../../../etc",
    "//proc/self/root",
    "C:/x",
    "mlflow-artifacts:x",
    "mlflow-artifacts:/a/../b",
    "mlflow-artifacts:/a/./b",
    "mlflow-artifacts:/a//b",
    "mlflow-artifacts:/a?b",
    "mlflow-artifacts:/a#b",
    "mlflow-artifacts:/a;b",
    "mlflow-artifacts:/a\\b",
    "mlflow-artifacts:/a\nb",
    "mlflow-artifacts:/%2e%2e/b",
    "mlflow-artifacts:/a%20b",
    "mlflow-artifacts:/~root",
    "mlflow-artifacts:/file:/x",
    "mlflow-artifacts://host/a",
    "mlflow-artifacts://user:pw@host/a",
    "mlflow-artifacts:////a",
    "mlflow-artifacts:/a//",
    "http:///?/../../../../etc/",
    "http:///#/../../../etc/",
    "http:\\/\\/\\/#\\/..\\/..\\/etc\\/",
    "http://host#/../../../etc/",
    "http://169.254.169.254/latest",
    "https://host/api/2.0/mlflow-artifacts/artifacts/",
    "models:/name/1",
    "runs:/id/a",
    "file://HOST/../../../../../../../",
    "file://./etc",
    "file://localhost/allowed/a",
    "file:///allowed/../etc",
    "file:///allowed/%2e%2e/etc",
    "file:///allowed/%252e%252e/etc",
    "file:///allowed/a%2f..%2f..%2fetc",
    "file:///allowed/a%2fb",
    "file:///allowed/a%3f/b",
    "file:///allowed/a%253f/b",
    "file:///allowed/%00",
    "file:///allowed/%ff",
    "file:///allowed/a?x=1",
    "file:////allowed/a",
    "dbfs:/RUN/artifacts/a%3f/../../../../",
    "s3://user:secret@bucket/allowed/x",
    "\ud800:/x",
]
OUTSIDE = [
    "file:///",
    "file:///etc",
    "file:///allowe",
    "file:///allowedx/y",
    "s3://bucket",
    "s3://bucket/allowedx",
    "s3://other/allowed/x",
    "s3://user@bucket/allowed/x",
    "gs://bucket/allowed/x",
    "dbfs:/",
    "ftp://host/x",
    "madeup:/x",
]
INSIDE = [
    "mlflow-artifacts:/",
    "mlflow-artifacts:/a b/é",
    "mlflow-artifacts:/1/run/artifacts",
    "file:///allowed",
    "file:///allowed/a/b",
    "file:/allowed/a",
    "file:///allowed/a%20b",
    "s3://bucket/allowed",
    "s3://bucket/allowed/deep/er",
]


@pytest.fixture
def rooted() -> Artifacts:
    return Artifacts("memory:", allowed=["file:///allowed", "s3://bucket/allowed/"])


@pytest.mark.parametrize("uri", MALFORMED)
def test_malformed_location(rooted: Artifacts, uri: str) -> None:
    """A location that could be read in two ways is refused, chosen by a client or stored."""
    for refuse in (rooted.check_location, rooted.at):
        with pytest.raises(InvalidRequest) as caught:
            refuse(uri)
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize("uri", OUTSIDE)
def test_location_outside(rooted: Artifacts, uri: str) -> None:
    """A location under none of the roots is refused, chosen by a client or stored."""
    for refuse in (rooted.check_location, rooted.at):
        with pytest.raises(PermissionDenied, match="--allow-artifact-root"):
            refuse(uri)


@pytest.mark.parametrize("uri", INSIDE)
def test_location_inside(rooted: Artifacts, uri: str) -> None:
    """A location under a root, or equal to one, is kept as it is."""
    assert rooted.check_location(uri) == uri


def test_location_is_tidied(rooted: Artifacts) -> None:
    """A location is stored with its scheme in lower case and without a slash at the end."""
    assert rooted.check_location("S3://bucket/allowed/x/") == "s3://bucket/allowed/x"


def test_location_too_long(rooted: Artifacts) -> None:
    """A location is at most `limits.ARTIFACT_LOCATION` long."""
    with pytest.raises(LimitExceeded):
        rooted.check_location(PROXIED_ROOT + "a/" * limits.ARTIFACT_LOCATION)


def test_default_locations() -> None:
    """A new experiment lies under the root, and its runs under its own location."""
    proxied = Artifacts("memory:")
    assert proxied.location("12") == "mlflow-artifacts:/12"
    experiment = Experiment("12", "e", "s3://bucket/allowed/", 0, 0)
    assert proxied.run_uri(experiment.artifact_location, "ab") == "s3://bucket/allowed/ab/artifacts"
    direct = Artifacts("memory:", root="s3://bucket/p/")
    assert direct.location("12") == "s3://bucket/p/12"
    assert direct.check_location("s3://bucket/p/12") == "s3://bucket/p/12"


def test_plain_path_as_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plain path means the folder it named at the start, wherever the process goes later."""
    monkeypatch.chdir(tmp_path)
    with Artifacts("a b", root="./direct") as front:
        assert front.location("1") == f"{tmp_path.as_uri()}/direct/1"
        monkeypatch.chdir("/")
        front.at("mlflow-artifacts:/1").put("x", [b"1"])
        front.at(front.location("1")).put("y", [b"2"])
    assert (tmp_path / "a b/1/x").read_bytes() == b"1"
    assert (tmp_path / "direct/1/y").read_bytes() == b"2"


def test_bad_roots() -> None:
    """A root that clients could not be held to is refused at the start."""
    roots = [
        "http://host/x",
        "runs:/x",
        "s3://user:pw@bucket/x",
        "s3://bucket/x?region=y",
        "memory://name#x",
        "file:///a;b",
        "file:///a/../b",
    ]
    for root in roots:
        with pytest.raises(InvalidRequest):
            Artifacts("memory:", root=root)
        with pytest.raises(InvalidRequest):
            Artifacts("memory:", allowed=[root])


def test_most_specific_root_decides(tmp_path: Path) -> None:
    """Of roots that lie in each other the deepest is opened, even if it is reached by a link."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data/link").symlink_to(tmp_path / "elsewhere")
    data = (tmp_path / "data").as_uri()
    with Artifacts("memory:", root=f"{data}/link", allowed=[data]) as front:
        front.at(f"{data}/link/1").put("x", [b"1"])
    assert (tmp_path / "elsewhere/1/x").read_bytes() == b"1"
    with Artifacts("memory:", root=data) as front, pytest.raises(NotFound):
        front.at(f"{data}/link/1").stat("x")
