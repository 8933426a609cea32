"""The badge of a store: what shields.io shows of a JSON file under a URL ("endpoint badge")."""

import json

from trackstore_conformance.report import Report

COLOURS = {"conformant": "brightgreen", "waived": "yellow", "partial": "lightgrey"}
"""Of a badge by the standing; any other is red."""


def badge(report: Report) -> str:
    """Return the badge as JSON: the grade, and never a percentage."""
    shown = {
        "schemaVersion": 1,
        "label": f"trackstore {report.store.contract}",
        "message": report.grade.text,
        "color": COLOURS.get(report.grade.standing, "red"),
        "isError": report.grade.standing not in COLOURS,
    }
    return json.dumps(shown, ensure_ascii=False, indent=1) + "\n"
