"""The command line."""

import subprocess
import sys
from importlib.metadata import EntryPoint, entry_points, version
from pathlib import Path

import pytest
from typer import Exit

from provision.server import COMMAND, RunningServer, running_server
from trackstore.cli.installed import COMMANDS, InstalledCommand
from trackstore.cli.secrets import without_secrets
from trackstore.registry import ARTIFACT_STORES, BACKEND_STORES

TRACKSTORE = COMMAND[:-1]


def run(*arguments: str, folder: Path | None = None) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*TRACKSTORE, *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=60,
    )


def test_version() -> None:
    """--version names the program and its version."""
    assert run("--version").stdout == f"trackstore {version('trackstore')}\n"


def test_help_shows_every_option_and_examples() -> None:
    """The help names the options in full, their defaults, and commands to copy."""
    shown = run("server", "--help").stdout
    for option in (
        "--backend-store-uri --artifacts-destination --default-artifact-root --host --port "
        "--workers --static-prefix --allowed-hosts --allow-artifact-root"
    ).split():
        assert option in shown
    assert "sqlite:///trackstore.db" in shown
    assert "Examples:" in shown
    assert "mlflow.set_tracking_uri(" in shown


def test_backends_lists_every_installed_store() -> None:
    """Each scheme with its class, its contract, and what it guarantees."""
    shown = run("backends").stdout
    for group in (BACKEND_STORES, ARTIFACT_STORES):
        for entry in entry_points(group=group):
            assert f"  {entry.name}:\n" in shown
    assert "contract 1.0" in shown
    assert "durability power-loss" in shown


BLOCK = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Block())
sys.argv = ["trackstore", *{arguments!r}]
from trackstore.cli import main
main()
"""


def run_without(names: set[str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    code = BLOCK.format(names=names, arguments=list(arguments))
    return subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=60
    )


def test_other_packages_bring_commands() -> None:
    """The suite's commands are listed, and its errors and exit codes come through."""
    assert "  conformance " in run("--help").stdout
    assert "B-PAR-03  One value of a param wins" in run("conformance", "explain", "b-par-03").stdout
    assert run("conformance", "explain", "B-PAR-9").returncode == 1
    assert "explain" in run("conformance", "--help").stdout


def test_a_command_that_nobody_brings_is_refused() -> None:
    """As any unknown command is."""
    done = run("nonsense")
    assert done.returncode == 2
    assert "No such command 'nonsense'" in done.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["backends"], ["server", "--help"]])
def test_the_packages_of_other_commands_are_not_needed(arguments: list[str]) -> None:
    """The suite is imported by its own commands only."""
    done = run_without({"trackstore_conformance", "hypothesis", "pytest"}, *arguments)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("package", ["hypothesis", "pytest"])
def test_a_command_whose_packages_are_missing_says_how_to_install_them(package: str) -> None:
    """The line names the extra of the distribution that brings the command."""
    done = run_without({package}, "conformance", "explain", "B-PAR-03")
    assert done.returncode == 1
    assert f"needs the package '{package}'" in done.stderr
    assert "pip install 'trackstore[conformance]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_command_that_two_packages_bring_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Otherwise the order of installation would choose."""
    claims = tuple(EntryPoint("twice", f"{name}:app", COMMANDS) for name in ("one", "two"))
    with pytest.raises(Exit):
        InstalledCommand(claims).make_context("twice", [])
    assert "more than one package brings the command twice: one:app, two:app" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("package", "arguments"),
    [("typer", ["backends"]), ("granian", ["server"]), ("rich", ["backends"])],
)
def test_a_missing_package_is_named_with_the_line_that_installs_it(
    package: str, arguments: list[str]
) -> None:
    """Without the extra, the command says how to get it, and no traceback."""
    done = run_without({package}, *arguments)
    assert done.returncode == 1
    assert "pip install 'trackstore[server]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_store_whose_package_is_missing_is_listed_with_its_line() -> None:
    """The list says what would make the store usable."""
    shown = run_without({"trackstore_backends.file"}, "backends").stdout
    assert "needs the package 'trackstore_backends.file': pip install 'trackstore'\n" in shown


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--backend-store-uri", "bogus://x"], "no installed store opens"),
        (["--backend-store-uri", "memory:", "--workers", "2"], "--workers 1"),
        (["--static-prefix", "x"], "--static-prefix"),
        (["--allowed-hosts", "http://x"], "--allowed-hosts"),
        (["--artifacts-destination", "bogus://x"], "no installed store opens"),
        (["--default-artifact-root", "http://x/y"], "artifact"),
        (["--host", "203.0.113.1"], "cannot listen on"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_a_server_that_cannot_start_says_why(tmp_path: Path, options: list[str], text: str) -> None:
    """One line, exit code 1, no traceback, and nothing left running."""
    done = run("server", "--port", "0", *options, folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert text in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_in_use_is_an_error(tmp_path: Path) -> None:
    """A second server on the port does not silently take a share of the first one's clients."""
    with running_server(tmp_path) as server:
        (tmp_path / "second").mkdir()
        done = run("server", "--port", str(server.port), folder=tmp_path / "second")
        assert done.returncode == 1
        assert f"cannot listen on 127.0.0.1:{server.port}" in done.stderr
        assert list((tmp_path / "second").iterdir()) == []


def greeting(server: RunningServer) -> str:
    return server.log.read_text()


def test_a_server_says_where_it_is_and_what_it_keeps_where(tmp_path: Path) -> None:
    """The greeting has the address, both stores, and the line to type in Python."""
    with running_server(tmp_path, "--artifacts-destination", "./files") as server:
        text = greeting(server)
    assert f'mlflow.set_tracking_uri("{server.url}")' in text
    assert "sqlite:///trackstore.db" in text
    assert "./files" in text
    assert "warning" not in text


def test_a_server_off_the_loopback_warns(tmp_path: Path) -> None:
    """There are no users yet, so whoever reaches the port may do everything."""
    with running_server(tmp_path, "--host", "0.0.0.0") as server:
        assert "whoever reaches this" in greeting(server)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:secret@h/db?password=secret", "postgresql://u:***@h/db"),
        ("postgresql://u@h/db", "postgresql://u@h/db"),
        ("mysql://u:p:a@ss@h:3306/db", "mysql://u:***@h:3306/db"),
        ("sqlite:///a.db", "sqlite:///a.db"),
        ("./artifacts", "./artifacts"),
        ("s3://bucket/a:b@c", "s3://bucket/a:b@c"),
    ],
)
def test_no_secret_is_shown(url: str, shown: str) -> None:
    """Neither a password nor an option of a URL is printed."""
    assert without_secrets(url) == shown
