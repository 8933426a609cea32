"""The command line: `trackstore server`, `trackstore backends`, and what is installed beside."""

import sys

NEEDED = frozenset({"click", "falcon", "granian", "rich", "typer"})
"""What the extra `server` installs."""


def main() -> None:
    """Run the command line, or say how to install what it needs."""
    try:
        from trackstore.cli.commands import app  # noqa: PLC0415 - its packages may be missing

        app()
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in NEEDED:
            raise
        sys.exit(f"the command line needs {package}: pip install 'trackstore[server]'")
