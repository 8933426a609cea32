"""Artifact stores that sign URLs, and are broken on purpose, each in one way."""

import time
from collections.abc import Sequence
from urllib.parse import unquote

from trackstore_conformance.mutants.signs import Query, SignsRightly, Upload
from trackstore_conformance.mutants.wrapped import ArtifactMutant


class SignsAnyVerb(SignsRightly):
    """Lets a URL that was signed to read also write, and the other way round."""

    killed_by = "A-URL-01"

    def is_allowed(self, verb: str, path: str, query: Query) -> bool:
        return super().is_allowed(query["verb"] if verb != "DELETE" else verb, path, query)


class SignsAnyPath(SignsRightly):
    """Signs the folder, and not the file."""

    killed_by = "A-URL-01"

    def signature(self, path: str, query: Query) -> str:
        return super().signature(path if "upload" in query else path.rpartition("/")[0], query)


class SignsForEver(SignsRightly):
    """Never looks at the clock."""

    killed_by = "A-URL-01"

    def is_allowed(self, verb: str, path: str, query: Query) -> bool:
        given = dict(query)
        signature = given.pop("signature", "")
        return query["verb"] == verb and signature == self.signature(path, given)


class SignsWithoutEnd(SignsRightly):
    """Leaves the end of a URL's time out of what is signed: it can be moved."""

    killed_by = "A-URL-01"

    def signature(self, path: str, query: Query) -> str:
        if "upload" not in query:
            query = {name: value for name, value in query.items() if name != "expires"}
        return super().signature(path, query)


class SignedNameDecodedTwice(SignsRightly):
    """Decodes the name of a file that is sent directly once more."""

    killed_by = "A-URL-01"

    def receive(self, path: str, query: Query, body: bytes, announced: int) -> str:
        return super().receive(unquote(path), query, body, announced)


class SignedPutCut(SignsRightly):
    """Publishes what came of a PUT that was cut."""

    killed_by = "A-URL-03"

    def receive(self, path: str, query: Query, body: bytes, announced: int) -> str:
        whole = announced if "upload" in query else len(body)
        return super().receive(path, query, body, whole)


class PartsSeen(SignsRightly):
    """Publishes the parts as they come."""

    killed_by = "A-URL-02"

    def receive_part(self, ident: str, number: int, body: bytes) -> str:
        tag = super().receive_part(ident, number, body)
        self.put(self.uploads[ident].path, self.joined(self.uploads[ident]))
        return tag


class PartsAsTheyCame(SignsRightly):
    """Makes a file of the parts in the order in which they came."""

    killed_by = "A-URL-02"

    def joined(self, upload: Upload) -> list[bytes]:
        return list(upload.sent.values())


class SignsAnyPart(SignsRightly):
    """Leaves the number of a part out of what is signed."""

    killed_by = "A-URL-02"

    def signature(self, path: str, query: Query) -> str:
        return super().signature(path, {n: value for n, value in query.items() if n != "part"})


class TagsIgnored(SignsRightly):
    """Counts the tags, and does not compare them."""

    killed_by = "A-URL-02"

    def check_tags(self, upload: Upload, tags: Sequence[str]) -> None:
        self.check_number(upload, tags)


class MissingPartsIgnored(SignsRightly):
    """Makes a file of the parts that came, if their tags are right."""

    killed_by = "A-URL-02"

    def check_number(self, upload: Upload, tags: Sequence[str]) -> None:
        if len(tags) > len(upload.sent):
            super().check_number(upload, tags)


class UploadOfAnyPath(SignsRightly):
    """Publishes an upload wherever the client says."""

    killed_by = "A-URL-02"

    def find_upload(self, path: str, upload_id: str) -> Upload:
        return super().find_upload(self.path_of(upload_id, path), upload_id)

    def path_of(self, upload_id: str, otherwise: str) -> str:
        upload = self.uploads.get(upload_id)
        return otherwise if upload is None else upload.path


class AbortOfAnyPath(UploadOfAnyPath):
    """Aborts an upload whatever path it is of."""

    killed_by = "A-URL-02"

    def find_upload(self, path: str, upload_id: str) -> Upload:
        return SignsRightly.find_upload(self, path, upload_id)

    def abort_upload(self, path: str, upload_id: str) -> None:
        super().abort_upload(self.path_of(upload_id, path), upload_id)


class UploadFinishedTwice(SignsRightly):
    """Forgets to forget an upload that was finished or aborted."""

    killed_by = "A-URL-02"

    def end_upload(self, upload_id: str) -> None:
        self.uploads[upload_id].touched = time.time()


class SweepsWhatIsUnderWay(SignsRightly):
    """Does not look how old an upload is."""

    killed_by = "A-SWP-01"

    def sweep_uploads(self, prefix: str, older_than_s: float) -> int:
        return super().sweep_uploads(prefix, min(older_than_s, 0))


class SweepsBeside(SignsRightly):
    """Takes `fg` with `f`."""

    killed_by = "A-SWP-01"

    def is_in(self, path: str, folder: str) -> bool:
        return path.startswith(folder)


class SweepsNothing(SignsRightly):
    """Counts what is left, and leaves it."""

    killed_by = "A-SWP-01"

    def sweep_uploads(self, prefix: str, older_than_s: float) -> int:
        before = dict(self.uploads)
        found = super().sweep_uploads(prefix, older_than_s)
        self.uploads.update(before)
        return found


SIGNING: tuple[type[ArtifactMutant], ...] = (
    SignsAnyVerb,
    SignsAnyPath,
    SignsForEver,
    SignsWithoutEnd,
    SignedNameDecodedTwice,
    SignedPutCut,
    PartsSeen,
    PartsAsTheyCame,
    SignsAnyPart,
    TagsIgnored,
    MissingPartsIgnored,
    UploadOfAnyPath,
    AbortOfAnyPath,
    UploadFinishedTwice,
    SweepsWhatIsUnderWay,
    SweepsBeside,
    SweepsNothing,
)
