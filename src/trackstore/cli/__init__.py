"""The command line: `trackstore server` and `trackstore backends`."""

import sys


def main() -> None:
    """Run the command line, or say how to install what it needs."""
    try:
        from trackstore.cli.commands import app  # noqa: PLC0415 - its packages may be missing
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("trackstore"):
            raise
        sys.exit(f"the command line needs {error.name}: pip install 'trackstore[server]'")
    app()
