"""What a server logs: to standard error, one event a line, as text or as JSON.

An event may hold what a client sent, so no value can begin a line of its own or colour a
terminal; and it may hold a driver's words, so what looks like a password or a signature is masked.
"""

import logging
import re
import sys
import traceback
from collections.abc import Mapping
from textwrap import indent
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, ExcInfo, Processor

from trackstore.server.settings import LogFormat

GRANIAN: Mapping[str, Any] = {
    "handlers": {},
    "formatters": {},
    "loggers": {"_granian": {}, "granian.access": {}},
}
"""granian's loggers without handlers of their own: what they say goes where all goes."""

_URL_PASSWORD = re.compile(r"(//[^/@:\s]*):[^/\s]*@")
_SECRET_FIELD = re.compile(
    r"((?:signature|credential|security-token|sig|password|passwd|secret|token)=)[^&\s'\"]+",
    re.IGNORECASE,
)


def set_up(kind: LogFormat, stream: TextIO | None = None) -> None:
    """Send all that this process logs to `stream`, by default standard error."""
    out = sys.stderr if stream is None else stream
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ExtraAdder(),
                structlog.processors.TimeStamper(fmt="iso"),
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *(_JSON if kind is LogFormat.JSON else _text(out)),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    logging.getLogger("trackstore").setLevel(logging.INFO)


def masked(text: str) -> str:
    if "@" not in text and "=" not in text:
        return text
    return _SECRET_FIELD.sub(r"\1***", _URL_PASSWORD.sub(r"\1:***@", text))


def printable(text: str) -> str:
    """Return a text with all that is not printable, such as an end of line, written out."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


def _clean(_logger: object, _method: str, event: EventDict) -> EventDict:
    return {
        name: printable(masked(value)) if isinstance(value, str) else value
        for name, value in event.items()
    }


def _mask(_logger: object, _method: str, event: EventDict) -> EventDict:
    return {
        name: masked(value) if isinstance(value, str) else value for name, value in event.items()
    }


def _write_traceback(out: TextIO, error: ExcInfo) -> None:
    """Indent every line, so that none can be taken for an event, whatever an exception says."""
    lines = "".join(traceback.format_exception(*error)).splitlines()
    shown = "\n".join(printable(masked(line)) for line in lines)
    out.write("\n" + indent(shown, "    ", lambda _: True))


_JSON: list[Processor] = [
    structlog.processors.format_exc_info,
    _mask,
    structlog.processors.JSONRenderer(),
]


def _text(out: TextIO) -> list[Processor]:
    return [
        _clean,
        structlog.dev.ConsoleRenderer(
            colors=out.isatty(), exception_formatter=_write_traceback, pad_event_to=0
        ),
    ]
