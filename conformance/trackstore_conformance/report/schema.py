"""The JSON Schema of a report: `python -m trackstore_conformance.report.schema` writes it."""

import json
from pathlib import Path

from msgspec.json import schema

from trackstore_conformance.report import FORMAT, Report

FILE = Path(__file__).parents[1] / "schema" / f"report-{FORMAT}.json"


def made_schema() -> str:
    """Return the schema of the reports that this version writes."""
    described = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"trackstore conformance report, format {FORMAT}",
        **schema(Report),
    }
    return json.dumps(described, indent=2) + "\n"


def main() -> None:
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(made_schema())


if __name__ == "__main__":
    main()
