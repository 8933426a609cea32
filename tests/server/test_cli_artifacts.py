"""`trackstore artifacts`: what it moves, what it prints, and what it says when it cannot."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from trackstore.cli.commands import app


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["artifacts", *arguments], catch_exceptions=False)


def lines(*arguments: str) -> list[list[str]]:
    done = run(*arguments)
    assert done.exit_code == 0, done.output
    return [line.split() for line in done.stdout.splitlines()]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "tree/sub").mkdir(parents=True)
    (tmp_path / "tree/a.txt").write_bytes(b"1" * 1_500)
    (tmp_path / "tree/sub/b").write_bytes(b"")
    return tmp_path / "tree"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"file://{tmp_path}/store"


def test_a_tree_there_and_back(url: str, tree: Path, tmp_path: Path) -> None:
    """Put, listed level by level or whole, and got, as a folder or as one file."""
    assert lines("put", url, str(tree), "run/files/") == [["run/files"]]
    assert lines("list", url) == [["-", "run/"]]
    assert lines("list", url, "run/files/") == [
        ["1,500", "run/files/a.txt"],
        ["-", "run/files/sub/"],
    ]
    everything = [["1,500", "run/files/a.txt"], ["0", "run/files/sub/b"]]
    assert lines("list", url, "--recursive") == lines("list", url, "run", "-r") == everything
    assert lines("list", url, "run/files/a.txt") == everything[:1]
    out = tmp_path / "out"
    assert lines("get", url, "run/files", str(out)) == [[str(out)]]
    assert (out / "a.txt").read_bytes() == b"1" * 1_500
    assert (out / "sub/b").read_bytes() == b""
    assert lines("get", url, "run/files/a.txt", str(tmp_path / "one")) == [[str(tmp_path / "one")]]
    assert lines("get", url, "run/files", str(out)) == [[str(out / "files")]]


def test_names_are_made_up(
    url: str, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file goes and comes under its own name."""
    assert lines("put", url, str(tree / "a.txt")) == [["a.txt"]]
    assert lines("put", url, str(tree)) == [["the", "root"]]
    monkeypatch.chdir(tmp_path)
    assert lines("get", url, "sub") == [["sub"]]
    assert (tmp_path / "sub/b").exists()


def test_versions(url: str, tmp_path: Path) -> None:
    """Listed with time, size and id, the newest first; each can be got by its id."""
    file = tmp_path / "file"
    for number in range(3):
        file.write_bytes(b"x" * number)
        assert run("put", url, str(file), "a").exit_code == 0
    found = lines("versions", url, "a")
    assert [line[2] for line in found] == ["2", "1", "0"]
    assert [line[4:] for line in found] == [["(newest)"], [], []]
    lines("get", url, "a", str(tmp_path / "old"), "--version", found[1][3])
    assert (tmp_path / "old").read_bytes() == b"x"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["list", "URL", "missing"], "no such artifact"),
        (["get", "URL", "missing", "OUT"], "no such artifact"),
        (["versions", "URL", "missing"], "there is no file 'missing'"),
        (["get", "URL", "a", "OUT", "--version", "1"], "no such version"),
        (["get", "URL", "../a", "OUT"], "'..' segment"),
        (["put", "URL", "OUT", "a"], "No such file"),
        (["put", "URL", "FILE", "a/b"], "is a file"),
        (["list", "nosuch://x"], "no installed store"),
    ],
)
def test_errors_say_what_is_wrong(
    url: str, tmp_path: Path, arguments: list[str], said: str
) -> None:
    """On one line, with exit code 1; nothing is left on this machine."""
    (tmp_path / "file").write_bytes(b"1")
    run("put", url, str(tmp_path / "file"), "a")
    places = {"URL": url, "OUT": str(tmp_path / "out"), "FILE": str(tmp_path / "file")}
    done = run(*(places.get(each, each) for each in arguments))
    assert done.exit_code == 1
    assert said in done.output
    assert {path.name for path in tmp_path.iterdir()} == {"file", "store"}


def test_help_teaches() -> None:
    """Each command is explained, with examples."""
    assert "Examples" in run("--help").output
    for command in ("list", "get", "put", "versions"):
        assert len(run(command, "--help").output.splitlines()) > 8
