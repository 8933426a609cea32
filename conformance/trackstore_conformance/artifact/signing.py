from time import monotonic, sleep
from typing import Literal, cast

from trackstore.abilities import SignsURLs
from trackstore.model import SignedURL
from trackstore_conformance.artifact.direct import REFUSED, SECONDS, ask, changed, cut, for_path
from trackstore_conformance.artifact.files import LARGE, bytes_of, digest
from trackstore_conformance.bench import ArtifactBench
from trackstore_conformance.claims import replaces
from trackstore_conformance.outcomes import outcome
from trackstore_conformance.rules import rule
from trackstore_conformance.skips import not_applicable
from trackstore_conformance.suites import ArtifactSuite

NAMES = (
    "a",
    "folder/a b",
    "é",
    "a%20b",
    "100%",
    "a+b",
    "#",
    "?x=1",
    "a&b=c",
    "💥/鍵",
    "a;b",
    "'a'",
)
EXPIRY = 4.0
"""Seconds in which a URL that is good for one has to be refused: services count in whole ones."""
SECRET = b"of another file"


def sign(
    store: object, path: str, verb: Literal["GET", "PUT"], seconds: int = SECONDS
) -> SignedURL:
    if not isinstance(store, SignsURLs):
        not_applicable("it does not claim SignsURLs")
    return store.sign_url(path, verb, seconds)


class SigningTests(ArtifactSuite):
    """URLs that are given to clients without credentials."""

    __test__ = False

    @rule("A-URL-01")
    def test_a_signed_url_moves_a_file(self, bench: ArtifactBench) -> None:
        """Of any name and size, without credentials, byte for byte, both ways."""
        for number, name in enumerate(NAMES):
            whole = bytes_of((0, 1, 100_000)[number % 3], number)
            path = f"{number}/{name}"
            sent = ask("PUT", sign(bench.store, path, "PUT"), whole)
            assert sent.status < REFUSED, (path, sent)
            assert digest(bench.read(path)) == digest(whole), path
            assert bench.paths(str(number)) == [path]
            found = ask("GET", sign(bench.second, path, "GET"))
            assert (found.status, digest(found.body)) == (200, digest(whole)), path
            bench.evidence.operations += 2

    @rule("A-URL-01", needs=["overwrite"])
    def test_a_signed_put_replaces_what_is_there(self, bench: ArtifactBench) -> None:
        """As a put does, whatever the size of either."""
        bench.store.put("a", [bytes_of(100_000)])
        assert ask("PUT", sign(bench.store, "a", "PUT"), b"2").status < REFUSED
        assert bench.read("a") == b"2"

    @rule("A-URL-01")
    def test_a_signed_url_is_of_one_verb(self, bench: ArtifactBench) -> None:
        """By no other can the file be read, replaced or deleted."""
        bench.store.put("a", [SECRET])
        to_get, to_put = (sign(bench.store, "a", verb) for verb in ("GET", "PUT"))
        for verb, signed in (
            ("PUT", to_get),
            ("DELETE", to_get),
            ("GET", to_put),
            ("DELETE", to_put),
        ):
            reply = ask(verb, signed, b"written" if verb == "PUT" else None)
            assert reply.is_refused, f"{verb} was allowed"
            assert SECRET not in reply.body
            assert bench.read("a") == SECRET
            bench.evidence.operations += 1

    @rule("A-URL-01")
    def test_a_signed_url_is_of_one_path(self, bench: ArtifactBench) -> None:
        """With another in its place it is refused."""
        for path in ("folder/aa", "folder/ab", "folder/aab"):
            bench.store.put(path, [SECRET])
        for other in ("ab", "aab", "aac", "aa/b"):
            for verb, body in (("GET", None), ("PUT", b"written")):
                signed = sign(bench.store, "folder/aa", cast("Literal['GET', 'PUT']", verb))
                reply = ask(verb, for_path(signed, "aa", other), body)
                assert reply.is_refused, f"{verb} of {other} was allowed"
                assert SECRET not in reply.body
        assert bench.paths() == ["folder/aa", "folder/aab", "folder/ab"]
        assert all(bench.read(path) == SECRET for path in bench.paths())

    @rule("A-URL-01")
    def test_a_signed_url_that_was_changed_is_refused(self, bench: ArtifactBench) -> None:
        """Whatever was changed in it, or left out: it cannot be made to last, either."""
        bench.store.put("a", [SECRET])
        for verb, body in (("GET", None), ("PUT", b"written")):
            signed = sign(bench.store, "a", cast("Literal['GET', 'PUT']", verb))
            for what, other in changed(signed):
                reply = ask(verb, other, body)
                assert reply.is_refused, f"{verb} was allowed with {what}"
                assert SECRET not in reply.body
                bench.evidence.operations += 1
        assert bench.read("a") == SECRET

    @rule("A-URL-01")
    def test_a_signed_url_ends(self, bench: ArtifactBench) -> None:
        """After its seconds it is refused, and writes nothing."""
        bench.store.put("a", [SECRET])
        to_get, to_put = sign(bench.store, "a", "GET", 1), sign(bench.store, "b", "PUT", 1)
        end = monotonic() + EXPIRY
        while not (last := ask("GET", to_get)).is_refused:
            assert monotonic() < end, "it is still good"
            sleep(0.1)
        assert SECRET not in last.body
        while not ask("PUT", to_put, b"1").is_refused:
            assert monotonic() < end, "it is still good"
            sleep(0.1)
        bench.store.delete("b")
        assert ask("PUT", to_put, b"1").is_refused
        assert bench.paths() == ["a"]

    @rule("A-URL-03")
    def test_a_signed_put_that_is_cut_leaves_nothing(self, bench: ArtifactBench) -> None:
        """Nothing of the new file is seen, and the old one stays."""
        whole = bytes_of(LARGE)
        for path in ("new", "old") if replaces(bench.store) else ("new",):
            if path == "old":
                bench.store.put("old", [b"old"])
            signed = sign(bench.store, path, "PUT")
            for share in (0, 1_000, LARGE // 2, LARGE - 1):
                cut(signed, whole[:share], LARGE)
                bench.evidence.operations += 1
        assert outcome(bench.store.get, "new").ways == ("NotFound",)
        assert bench.paths() == (["old"] if replaces(bench.store) else [])
        if replaces(bench.store):
            assert bench.read("old") == b"old"
