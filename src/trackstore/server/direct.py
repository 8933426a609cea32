"""Give clients URLs by which they move files to and from the store themselves.

Where a store signs none the answer is 501, with the words by which MLflow's client knows that it
has to send the file through the server.
"""

import re

from falcon import Request, Response

from trackstore import paths
from trackstore.artifacts import PROXIED_ROOT, ArtifactFolder
from trackstore.errors import InvalidRequest, Unsupported
from trackstore.limits import shown
from trackstore.model import SignedURL
from trackstore.tracker import Tracker
from trackstore.wire.replies import EMPTY, encode
from trackstore.wire.requests import (
    AbortUpload,
    BeginUpload,
    FinishUpload,
    PresignedDownload,
    PresignedUpload,
    UploadPart,
)

PART_SECONDS = 3_600
"""How long parts may take, all together."""
DOWNLOAD_SECONDS = 300
UPLOAD_SECONDS = 900
NO_PARTS = "Multipart upload is not supported for the current artifact repository"
NO_UPLOADS = "Presigned upload is not supported for the current artifact repository"
NO_DOWNLOADS = "Presigned download is not supported for the current artifact repository"
_HOW = "; send and fetch files through the server"


def begin_upload(tracker: Tracker, folder: str, asked: BeginUpload) -> bytes:
    place, path = _for_parts(tracker, folder, asked.path)
    begun = place.begin_upload(path, asked.num_parts, PART_SECONDS)
    credentials = [
        {"url": part.url, "part_number": number, "headers": part.headers}
        for number, part in enumerate(begun.parts, 1)
    ]
    return encode({"upload_id": begun.id, "credentials": credentials})


def finish_upload(tracker: Tracker, folder: str, asked: FinishUpload) -> bytes:
    place, path = _for_parts(tracker, folder, asked.path)
    place.finish_upload(path, asked.upload_id, _tags(asked.parts))
    return EMPTY


def abort_upload(tracker: Tracker, folder: str, asked: AbortUpload) -> bytes:
    place, path = _for_parts(tracker, folder, asked.path)
    place.abort_upload(path, asked.upload_id)
    return EMPTY


def download(tracker: Tracker, _request: Request, response: Response, path: str) -> None:
    """Sign the reading of a file of the destination."""
    signed, size = _to_read(tracker.artifacts.at(PROXIED_ROOT), path, DOWNLOAD_SECONDS)
    response.data = encode({"url": signed.url, "headers": signed.headers, "file_size": size})


def presigned_download(tracker: Tracker, asked: PresignedDownload) -> bytes:
    """Sign the reading of a run's file."""
    folder = tracker.artifacts.at(tracker.get_run(asked.run_id).artifact_uri)
    seconds = DOWNLOAD_SECONDS if asked.expiration is None else asked.expiration
    signed, size = _to_read(folder, asked.path, seconds)
    return encode({"presigned_url": signed.url, "headers": signed.headers, "file_size": size})


def presigned_upload(tracker: Tracker, asked: PresignedUpload) -> bytes:
    """Sign the writing of a file of a run, or of a logged model."""
    if bool(asked.run_id) == bool(asked.model_id):
        raise InvalidRequest("Exactly one of run_id and model_id must be provided.")
    if asked.run_id:
        uri = tracker.get_run(asked.run_id).artifact_uri
    else:
        uri = tracker.get_logged_model(asked.model_id or "").artifact_uri
    folder = tracker.artifacts.at(uri)
    paths.check_path(asked.path)
    if not folder.signs_urls:
        raise Unsupported(NO_UPLOADS + _HOW)
    seconds = UPLOAD_SECONDS if asked.expiration is None else asked.expiration
    signed = folder.sign_url(asked.path, "PUT", seconds)
    return encode({"presigned_url": signed.url, "headers": signed.headers})


def _to_read(folder: ArtifactFolder, path: str, seconds: int) -> tuple[SignedURL, int]:
    paths.check_path(path)
    if not folder.signs_urls:
        raise Unsupported(NO_DOWNLOADS + _HOW)
    found = folder.stat(path)
    if found.size is None:
        raise InvalidRequest(f"{shown(path)} is a folder: ask for its files one by one")
    return folder.sign_url(path, "GET", seconds), found.size


def _for_parts(tracker: Tracker, folder: str, local: str) -> tuple[ArtifactFolder, str]:
    """Return where a client's file goes: into `folder`, under its own name.

    `local` is the path that the file has on the client's machine, of whichever system.
    """
    name = re.split(r"[/\\]", local)[-1]
    path = paths.join(paths.check_path(folder.removesuffix("/")), paths.check_path(name))
    place = tracker.artifacts.at(PROXIED_ROOT)
    if not place.signs_uploads:
        raise Unsupported(NO_PARTS + _HOW)
    return place, paths.check_path(path)


def _tags(parts: list[UploadPart]) -> list[str]:
    ordered = sorted(parts, key=lambda part: part.part_number)
    if [part.part_number for part in ordered] != list(range(1, len(ordered) + 1)):
        raise InvalidRequest("the parts of an upload are numbered from 1, without a gap")
    return [part.etag or "" for part in ordered]
