from collections.abc import Callable

from trackstore.model import ArtifactInfo
from trackstore_conformance.bench import ArtifactBench
from trackstore_conformance.outcomes import outcome
from trackstore_conformance.rules import rule
from trackstore_conformance.skips import not_applicable
from trackstore_conformance.suites import ArtifactSuite

TREE = (
    *("a", "a-b", "a.txt", "ab/x", "b/a", "b/a.b/c", "b/a2/d", "b/c", "é", "💥/x"),
    *("c/x", "c-d", "c.txt", "c0"),  # by code point - and . come before /, and 0 after it
)
NAMES = (
    "a", "A", "a ", " a", "a.", "a..", "...", "..a", "é", "e\u0301", "É", "ß", "ss", "aux", "con",
    "NUL.txt", "a%20b", "a b", "a+b", "%", "100%", "#", "?x=1", "a;b", "a&b", "a,b", "a=b", "[a]",
    "*", "$HOME", "`a`", "'a'", '"a"', "<a>", "|", "-rf", "\u202eabc", "\u200b", "💥", "鍵",
    "العربية", "x" * 255, "é" * 127, "💥" * 63,
)  # fmt: skip
"""Names that some system folds, trims, escapes or takes for something else; all are legal."""


class ListingTests(ArtifactSuite):
    __test__ = False

    @rule("A-LST-01")
    def test_a_deep_listing_has_every_file_below_a_folder(self, bench: ArtifactBench) -> None:
        """Files alone, sorted by code point, with their sizes; `a` does not match `ab/x`."""
        for path in TREE:
            bench.store.put(path, [path.encode()])
        items = bench.second.scan("", None, 1_000, deep=True).items
        assert list(items) == [ArtifactInfo(path, len(path.encode())) for path in sorted(TREE)]
        for prefix in ("b", "b/a.b", "a", "ab", "nowhere", "💥"):
            expected = sorted(path for path in TREE if path.startswith(prefix + "/"))
            assert bench.paths(prefix) == expected, prefix

    @rule("A-LST-01")
    def test_a_shallow_listing_has_one_level(self, bench: ArtifactBench) -> None:
        """Files with their sizes and folders without, by code point; a missing folder is empty."""
        for path in TREE:
            bench.store.put(path, [path.encode()])
        for prefix in ("", "b", "b/a.b", "a", "nowhere", "b/c"):
            assert self.level(bench, prefix) == self.expected_level(prefix), prefix

    def level(self, bench: ArtifactBench, prefix: str) -> list[ArtifactInfo]:
        return list(bench.second.scan(prefix, None, 1_000, deep=False).items)

    def expected_level(self, prefix: str) -> list[ArtifactInfo]:
        inside = f"{prefix}/" if prefix else ""
        below = [path.removeprefix(inside) for path in TREE if path.startswith(inside)]
        files = [
            ArtifactInfo(inside + n, len((inside + n).encode())) for n in below if "/" not in n
        ]
        folders = {n.partition("/")[0] for n in below if "/" in n}
        found = [*files, *(ArtifactInfo(inside + name, is_folder=True) for name in folders)]
        return sorted(found, key=lambda info: info.path)

    @rule("A-LST-02")
    def test_a_listing_shows_what_was_just_done(self, bench: ArtifactBench) -> None:
        """After each put and delete, through whichever handle."""
        changes: list[tuple[Callable[[], object], list[ArtifactInfo]]] = [
            (lambda: bench.store.put("f/a", [b"1"]), [ArtifactInfo("f/a", 1)]),
            (lambda: bench.second.delete("f/a"), []),
            (lambda: bench.second.put("f/a", [b"3"]), [ArtifactInfo("f/a", 1)]),
            (lambda: bench.store.delete("f"), []),
        ]
        for change, expected in changes:
            change()
            self.must_list(bench, expected)

    @rule("A-LST-02", needs=["overwrite"])
    def test_a_listing_shows_what_was_just_replaced(self, bench: ArtifactBench) -> None:
        """With its new size, through whichever handle."""
        for size in (1, 2, 0):
            bench.second.put("f/a", [bytes(size)])
            self.must_list(bench, [ArtifactInfo("f/a", size)])

    def must_list(self, bench: ArtifactBench, expected: list[ArtifactInfo]) -> None:
        for handle in (bench.store, bench.second):
            for deep in (True, False):
                assert handle.scan("f", None, 9, deep=deep).items == expected
            top = handle.scan("", None, 9, deep=False).items
            assert [info.path for info in top] == (["f"] if expected else [])

    @rule("A-LST-03")
    def test_pages_of_any_size_give_the_same_listing(self, bench: ArtifactBench) -> None:
        """Also with more entries than an object store gives at once, and never too many."""
        paths = sorted([f"f/{number:04}" for number in range(1_100)] + list(TREE))
        for path in paths:
            bench.store.put(path, [b""])
        assert bench.paths(limit=7) == bench.paths(limit=1_000) == paths
        shallow = bench.paths("f", deep=False)
        assert shallow == [path for path in paths if path.startswith("f/")]
        for limit in (1, 2, 3):
            top = sorted({path.partition("/")[0] for path in paths})
            assert bench.paths(limit=limit, deep=False) == top
        page = bench.second.scan("f", None, 7, deep=True)
        assert (len(page.items), page.next) == (7, page.items[-1].path)

    @rule("A-LST-03")
    def test_pages_stand_while_files_come_and_go(self, bench: ArtifactBench) -> None:
        """Between two pages files are put and deleted: no other is missed or doubled."""
        for deep in (True, False):
            for number in range(8):
                bench.store.put(f"f/{number}", [b"1"])
            first = bench.store.scan("f", None, 3, deep=deep)
            assert [info.path for info in first.items] == ["f/0", "f/1", "f/2"]
            for gone in ("f/0", "f/2", "f/5"):
                bench.store.delete(gone)
            bench.store.put("f/00", [b"1"])
            bench.store.put("f/33", [b"1"])
            rest = bench.second.scan("f", first.next, 10, deep=deep)
            assert [info.path for info in rest.items] == ["f/3", "f/33", "f/4", "f/6", "f/7"]
            bench.store.delete("f")

    @rule("A-PTH-01")
    def test_a_path_is_the_same_in_every_call(self, bench: ArtifactBench) -> None:
        """The string that was put is what `stat` and `scan` give, and what `get` takes."""
        for number, name in enumerate(NAMES):
            path = f"{name}/{number}/{name}"
            assert bench.store.put(path, [name.encode()]).path == path
            assert bench.second.stat(path).path == path
            assert bench.read(path) == name.encode()
            assert bench.paths(name) == [path]
            assert bench.paths(f"{name}/{number}", deep=False) == [path]
        bench.second.delete(NAMES[0])
        assert bench.paths() == sorted(f"{n}/{i}/{n}" for i, n in enumerate(NAMES) if i)

    @rule("A-PTH-03")
    def test_names_that_look_alike_are_different_files(self, bench: ArtifactBench) -> None:
        """Case, accents, blanks and dots count; the longest segments are kept."""
        for name in NAMES:
            bench.store.put(name, [name.encode()])
        assert bench.paths() == bench.paths(deep=False) == sorted(NAMES)
        for name in NAMES:
            assert bench.read(name) == name.encode()

    @rule("A-PTH-03")
    def test_a_file_and_a_folder_of_one_path(self, bench: ArtifactBench) -> None:
        """The second one is a `Conflict` that changes nothing, or both are kept."""
        bench.store.put("file", [b"1"])
        bench.store.put("folder/a", [b"2"])
        for path in ("file/below", "file/far/below", "folder"):
            found = outcome(bench.second.put, path, [b"3"])
            assert found.ways in {("Conflict",), ("ok",)}, path
            if found.ways == ("ok",):
                assert bench.read(path) == b"3"
            else:
                assert outcome(bench.store.get, path).ways == ("NotFound",)
        assert (bench.read("file"), bench.read("folder/a")) == (b"1", b"2")

    @rule("A-PTH-02")
    def test_no_link_is_followed_out_of_the_root(self, bench: ArtifactBench) -> None:
        """What links lead to is not read, listed, written or deleted."""
        bench.store.put("real/a", [b"1"])
        found = next(bench.folder.rglob("real/a"), None)
        if found is None:
            not_applicable("its artifacts are no plain files")
        root = found.parents[1]
        secret = bench.folder.parent / "outside" / "secret"
        secret.parent.mkdir()
        secret.write_bytes(b"secret")
        (root / "folder").symlink_to(secret.parent)
        (root / "file").symlink_to(secret)
        (root / "real" / "up").symlink_to(secret.parent)
        assert bench.paths() == ["real/a"]
        for path in ("file", "folder/secret", "real/up/secret"):
            assert outcome(bench.store.get, path).ways == ("NotFound",)
            assert outcome(bench.store.stat, path).ways == ("NotFound",)
            outcome(bench.store.put, path, [b"written"])
            outcome(bench.store.delete, path)
        for path in ("folder/new", "real/up/new"):
            outcome(bench.store.put, path, [b"written"])
        for prefix in ("folder", "real/up"):
            assert bench.paths(prefix) == []
            outcome(bench.store.delete, prefix)
        assert [each.name for each in secret.parent.iterdir()] == ["secret"]
        assert secret.read_bytes() == b"secret"
