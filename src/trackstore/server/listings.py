"""What is in a folder of artifacts, of one run or of the whole destination."""

from collections.abc import Iterator

from trackstore import limits
from trackstore.artifacts import PROXIED_ROOT, ArtifactFolder
from trackstore.model import ArtifactInfo
from trackstore.tracker import Tracker
from trackstore.wire import replies, requests
from trackstore.wire.replies import encode


def of_run(tracker: Tracker, asked: requests.ListRunArtifacts) -> bytes:
    """Paths are relative to the run's root."""
    run = tracker.get_run(asked.run)
    found = entries(tracker.artifacts.at(run.artifact_uri), asked.path)
    files = [replies.artifact(each, each.path) for each in found]
    return encode({"root_uri": run.artifact_uri, **({"files": files} if files else {})})


def of_destination(tracker: Tracker, asked: requests.ListArtifacts) -> bytes:
    """Paths are names, without the folder."""
    found = entries(tracker.artifacts.at(PROXIED_ROOT), asked.path)
    files = [replies.artifact(each, each.path.rpartition("/")[2]) for each in found]
    return encode({"files": files} if files else {})


def entries(folder: ArtifactFolder, path: str | None) -> Iterator[ArtifactInfo]:
    """Yield all entries: MLflow's clients ask for one page and take it for the whole."""
    token = None
    while True:
        page = folder.list((path or "").removesuffix("/"), limit=limits.PAGE, page_token=token)
        yield from page.items
        token = page.next
        if token is None:
            return
