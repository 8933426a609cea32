from pathlib import Path
from typing import Annotated

import typer

from trackstore_conformance.cli.ending import fail
from trackstore_conformance.report import BadReport, read
from trackstore_conformance.report.compare import as_html, as_markdown


def compare(
    reports: Annotated[list[Path], typer.Argument(metavar="REPORT...", help="Files of --json.")],
    *,
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the matrix as Markdown.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the matrix as a page.")
    ] = None,
) -> None:
    """Set reports side by side: a line for each rule, a column for each store."""
    try:
        found = [read(file) for file in reports]
        for file, made in ((markdown, as_markdown), (html, as_html)):
            if file is not None:
                file.write_text(made(found), encoding="utf-8")
    except BadReport as error:
        raise fail(str(error)) from error
    except OSError as error:
        raise fail(f"cannot write {error.filename}: {error.strerror}") from error
    if markdown is None and html is None:
        typer.echo(as_markdown(found), nl=False)
