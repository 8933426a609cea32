from collections.abc import Sequence

from trackstore.abilities import SignsUploads
from trackstore.model import SignedUpload
from trackstore_conformance.artifact.direct import REFUSED, SECONDS, ask, changed
from trackstore_conformance.artifact.files import bytes_of, digest, listings
from trackstore_conformance.bench import ArtifactBench
from trackstore_conformance.outcomes import outcome
from trackstore_conformance.rules import rule
from trackstore_conformance.skips import not_applicable
from trackstore_conformance.suites import ArtifactSuite

PART = 5 << 20
"""What every service takes as a part that is not the last."""
NO_UPLOADS = ("", "0", "1-0", "../a", "x" * 1_000, "é", "a/b", "?x=1", "0" * 32)
"""Ids that no store has given."""


def signs_uploads(store: object) -> SignsUploads:
    if not isinstance(store, SignsUploads):
        not_applicable("it does not claim SignsUploads")
    return store


def wholes_of(*sizes: int) -> list[bytes]:
    return [bytes_of(size, number) for number, size in enumerate(sizes)]


def send(upload: SignedUpload, number: int, whole: bytes) -> str:
    """Send a part, the first of which is 0, and return its tag."""
    reply = ask("PUT", upload.parts[number], whole)
    assert reply.status < REFUSED, reply
    return reply.tag


def nothing_is_there(bench: ArtifactBench, path: str) -> bool:
    return listings(bench) == [[], []] and outcome(bench.second.get, path).ways == ("NotFound",)


class UploadTests(ArtifactSuite):
    """Files that clients without credentials send in parts."""

    __test__ = False

    @rule("A-URL-02")
    def test_parts_are_a_file_when_they_are_finished(self, bench: ArtifactBench) -> None:
        """In their order, whichever came first; before that nothing is seen."""
        store, second = signs_uploads(bench.store), signs_uploads(bench.second)
        wholes = wholes_of(PART, PART, 7)
        upload = store.begin_upload("folder/a b", len(wholes), SECONDS)
        assert len(upload.parts) == len(wholes)
        tags = dict.fromkeys(range(len(wholes)), "")
        for number in (1, 2, 0):
            tags[number] = send(upload, number, wholes[number])
            assert nothing_is_there(bench, "folder/a b")
        info = second.finish_upload("folder/a b", upload.id, list(tags.values()))
        assert (info.path, info.size) == ("folder/a b", 2 * PART + 7)
        assert digest(bench.read("folder/a b")) == digest(b"".join(wholes))
        assert bench.paths() == ["folder/a b"]

    @rule("A-URL-02", needs=["overwrite"])
    def test_a_part_that_is_sent_again_replaces_itself(self, bench: ArtifactBench) -> None:
        """And the file replaces the one that was there, when it is finished."""
        store = signs_uploads(bench.store)
        bench.store.put("a", [b"old"])
        upload = store.begin_upload("a", 1, SECONDS)
        send(upload, 0, b"first")
        tag = send(upload, 0, b"second")
        assert bench.read("a") == b"old"
        store.finish_upload("a", upload.id, [tag])
        assert bench.read("a") == b"second"

    @rule("A-URL-02")
    def test_missing_parts_and_wrong_tags_publish_nothing(self, bench: ArtifactBench) -> None:
        """Too few of them, too many, of another part, or of none; each is refused."""
        store = signs_uploads(bench.store)
        wholes = wholes_of(PART, 7)
        upload = store.begin_upload("a", 2, SECONDS)
        first = send(upload, 0, wholes[0])
        self.must_refuse(bench, upload, [[], [first], [first, first], [first, '"0"'], [first, ""]])
        second = send(upload, 1, wholes[1])
        self.must_refuse(bench, upload, [[], [first], [second], [first, second, second]])
        if first:  # the service gives tags
            wrong = [[second, first], [first, "é"], [first, ""], [first, '"0"'], [first, '"\\n"']]
            self.must_refuse(bench, upload, [*wrong, [first, "x" * 1_000]])
        store.abort_upload("a", upload.id)

    def must_refuse(
        self, bench: ArtifactBench, upload: SignedUpload, tries: Sequence[Sequence[str]]
    ) -> None:
        for tags in tries:
            found = outcome(signs_uploads(bench.second).finish_upload, "a", upload.id, tags)
            assert found.ways == ("InvalidRequest",), tags
            assert nothing_is_there(bench, "a")
            bench.evidence.operations += 1

    @rule("A-URL-02")
    def test_an_upload_is_of_one_path(self, bench: ArtifactBench) -> None:
        """By another path it is neither finished nor aborted."""
        store = signs_uploads(bench.store)
        upload = store.begin_upload("folder/a", 1, SECONDS)
        tag = send(upload, 0, b"1")
        for path in ("folder/b", "folder", "a", "folder/a/b"):
            store.abort_upload(path, upload.id)
            found = outcome(store.finish_upload, path, upload.id, [tag])
            assert found.ways == ("NotFound",), path
            assert nothing_is_there(bench, path)
        store.finish_upload("folder/a", upload.id, [tag])
        assert bench.read("folder/a") == b"1"

    @rule("A-URL-02")
    def test_an_upload_ends_once(self, bench: ArtifactBench) -> None:
        """What was finished stays, what was aborted is gone, and ids of no upload are not found."""
        store = signs_uploads(bench.store)
        upload = store.begin_upload("a", 1, SECONDS)
        store.abort_upload("a", upload.id)
        store.abort_upload("a", upload.id)
        assert outcome(store.finish_upload, "a", upload.id, ['"1"']).ways == ("NotFound",)
        for ident in NO_UPLOADS:
            assert outcome(store.finish_upload, "a", ident, ['"1"']).ways == ("NotFound",), ident
            store.abort_upload("a", ident)
        assert nothing_is_there(bench, "a")
        upload = store.begin_upload("a", 1, SECONDS)
        tag = send(upload, 0, b"1")
        store.finish_upload("a", upload.id, [tag])
        store.abort_upload("a", upload.id)
        again = outcome(store.finish_upload, "a", upload.id, [tag])
        assert again.ways in {("NotFound",), ("ok",)}
        assert bench.read("a") == b"1"

    @rule("A-URL-02")
    def test_what_was_finished_is_not_published_again(self, bench: ArtifactBench) -> None:
        """Neither in the place of a newer file, nor of one that was deleted."""
        store = signs_uploads(bench.store)
        upload = store.begin_upload("a", 1, SECONDS)
        tag = send(upload, 0, b"1")
        store.finish_upload("a", upload.id, [tag])
        bench.store.delete("a")
        outcome(store.finish_upload, "a", upload.id, [tag])
        assert nothing_is_there(bench, "a")
        bench.store.put("a", [b"newer"])
        outcome(store.finish_upload, "a", upload.id, [tag])
        assert bench.read("a") == b"newer"

    @rule("A-URL-02")
    def test_a_part_is_sent_to_its_own_url(self, bench: ArtifactBench) -> None:
        """With anything in it changed it reaches no part of any upload, and publishes nothing."""
        store = signs_uploads(bench.store)
        uploads = [store.begin_upload(path, 2, SECONDS) for path in ("a", "b")]
        wholes = wholes_of(PART, 7)
        tags = [[send(each, n, whole) for n, whole in enumerate(wholes)] for each in uploads]
        for _, other in changed(uploads[0].parts[1]):
            ask("PUT", other, b"wrong")
            bench.evidence.operations += 1
        assert nothing_is_there(bench, "a")
        for path, upload, given in zip(("a", "b"), uploads, tags, strict=True):
            store.finish_upload(path, upload.id, given)
            assert digest(bench.read(path)) == digest(b"".join(wholes))
