import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackstore import limits, paths
from trackstore.errors import InvalidRequest, LimitExceeded
from trackstore.paths import check_folder, check_path, join, relative

TRAVERSALS = [
    "..",
    "../x",
    "a/..",
    "a/../b",
    "a/../../etc/passwd",
    "../../../../../../etc/passwd",
    "%2e%2e/%2e%2e/etc/passwd",
    "%2E%2E%2Fetc%2Fpasswd",
    "%252E%252E%252Fetc%252Fpasswd",
    "%25252e%25252e%25252f",
    ".%2e/x",
    "a%3f/../../../../",
    "a?/../a",
    "a;/../b",
    "a#/../b",
    "a%2f..%2f..%2fb",
    "..\\x",
    "..%5cx",
    "a\\b",
    "a%255cb",
    "\\\\host\\share",
]
ABSOLUTE = [
    "/",
    "/etc/passwd",
    "//proc/self/root",
    "%2fetc%2fpasswd",
    "%252fetc",
    "~",
    "~root/x",
    "%7eroot",
    "C:",
    "C:/",
    "C:/Windows",
    "c:x",
    "C%3a/x",
    "file:x",
    "file:///etc/passwd",
    "http://host/x",
    "s3://bucket/x",
    "models:/name/1",
    "runs:/id/x",
    "a+b.c-d:x",
    "file%253a/etc",
]
EMPTY_OR_DOT = ["", ".", "./a", "a/.", "a/./b", "a//b", "a/", "a%2f", "a%2f%2fb", "%2e", "%252e/a"]
CONTROL = ["a\0", "a%00", "a%2500b", "a\nb", "a%0ab", "a\rb", "\t", "a\x7f", "a\x85", "a%c2%85"]
LEGAL = [
    "a",
    "a/b/c.txt",
    "a b",
    " a",
    "a ",
    "trailing.",
    "...",
    ".hidden",
    "..a",
    "a..b",
    "aux",
    "con.txt",
    "100%",
    "%",
    "%zz",
    "50%25",
    "a%20b",
    "a%2fb",
    "a#b",
    "a?b",
    "a?/a",
    "a%3f",
    "a;b=c",
    "a+b",
    "x/a:b",
    "12:30.log",
    "my file: x",
    "a~",
    "é",
    "e\u0301",
    "\U0001f600/模型",
    "\u2024\u2024/x",
    "\uff0e\uff0e\uff0fx",
    "%c0%ae%c0%ae/x",
    "a\u2028b",
    "*[a]{b}'\"$(x)`|&<>",
]


@pytest.mark.parametrize("path", TRAVERSALS + ABSOLUTE + EMPTY_OR_DOT + CONTROL)
def test_refused(path: str) -> None:
    """A-PTH-01, A-PTH-02: nothing that some layer could read as leading elsewhere is a path."""
    with pytest.raises(InvalidRequest):
        check_path(path)


@pytest.mark.parametrize("path", [path for path in TRAVERSALS + ABSOLUTE + CONTROL if path])
def test_refused_folder(path: str) -> None:
    """A folder's path obeys the rules of a file's."""
    with pytest.raises(InvalidRequest):
        check_folder(path)


@pytest.mark.parametrize("path", LEGAL)
def test_legal(path: str) -> None:
    """A-PTH-03: all other Unicode is a name, and comes back as it was."""
    assert check_path(path) == check_folder(path) == path


def test_root_folder() -> None:
    """The empty path is the root folder, and no file."""
    assert check_folder("") == ""
    with pytest.raises(InvalidRequest):
        check_path("")


@pytest.mark.parametrize("path", ["\ud800", "a/\udfff", "a\udc80b"])
def test_lone_surrogate(path: str) -> None:
    """Text that has no UTF-8 is refused."""
    with pytest.raises(InvalidRequest):
        check_path(path)


@pytest.mark.parametrize("value", [None, 1, b"a", ["a"]])
def test_not_text(value: str) -> None:
    """A path is text."""
    with pytest.raises(InvalidRequest):
        check_path(value)


def test_length_limits() -> None:
    """A path has at most `limits.ARTIFACT_PATH` code points, and a segment 255 UTF-8 bytes."""
    longest = "/".join(["é" * 127, "a" * 255, "b" * 255, "c" * 255, "d" * 128])
    assert len(longest) == limits.ARTIFACT_PATH
    assert check_path(longest) == longest
    for path in (longest + "d", "a" * 256, "x/" + "é" * 128, "\U0001f600" * 64):
        with pytest.raises(LimitExceeded):
            check_path(path)


def test_deep_encoding() -> None:
    """A name that is encoded over and over is refused instead of decoded without end."""
    with pytest.raises(InvalidRequest, match="more than 8 times"):
        check_path("%" + "25" * 400 + "2e")


@pytest.mark.parametrize("path", ["/" + "x" * 500, "a/../" + "é" * 500, "a\n" * 100])
def test_message(path: str) -> None:
    """A message shows a short escaped form of the path: no line break, nothing long."""
    with pytest.raises(InvalidRequest) as caught:
        check_path(path)
    assert len(str(caught.value)) < 200
    assert str(caught.value).isprintable()
    assert str(caught.value).isascii()


def _encoded(path: str, layers: int) -> str:
    for _ in range(layers):
        path = "".join(f"%{byte:02x}" for byte in path.encode())
    return path


@given(
    st.sampled_from(["..", ".", "a/../b", "/x", "~x", "a\\b", "C:/x", "file:x", "a//b", "a\0b"]),
    st.integers(0, 3),
)
def test_refused_in_any_encoding(path: str, layers: int) -> None:
    """A-PTH-02: however often a bad path is percent-encoded, it stays refused."""
    with pytest.raises(InvalidRequest):
        check_path(_encoded(path, layers))


segments = st.text(
    st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\\/%:"), min_size=1
).filter(lambda text: text not in (".", "..") and len(text.encode()) <= paths.SEGMENT_BYTES)


@given(st.lists(segments, min_size=1, max_size=4).map("/".join))
def test_any_other_text_round_trips(path: str) -> None:
    """A-PTH-03: a path of ordinary segments is returned unchanged."""
    if not path.startswith("~"):
        assert check_path(path) == path


@given(st.text(max_size=40))
def test_what_passes_is_safe(path: str) -> None:
    """Whatever is let through has only plain segments, in itself and in all its decodings."""
    try:
        check_path(path)
    except (InvalidRequest, LimitExceeded):
        return
    for text in paths.decodings(path):
        assert not {"", ".", ".."} & set(text.split("/"))
        assert not set("\\\0\n") & set(text)


def test_join_and_relative() -> None:
    """A path joined to a folder is found again from it; siblings are not below it."""
    assert join("", "a") == join("a", "") == "a"
    assert join("a/b", "c/d") == "a/b/c/d"
    assert relative("a/b/c", "a/b") == "c"
    assert relative("a", "") == "a"
    for other in ("ab/c", "a", "b"):
        with pytest.raises(InvalidRequest):
            relative(other, "a")
