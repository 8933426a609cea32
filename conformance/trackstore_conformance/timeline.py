"""Draw what concurrent clients did: a lane for each, a bar for each call."""

from collections.abc import Collection, Iterator, Mapping
from html import escape
from itertools import chain

from trackstore_conformance.history import NEVER, Call, History

SVG = "http://www.w3.org/2000/svg"
STEP, LANE, MARGIN, LETTER = 26, 34, 84, 6.2
"""Pixels: between two instants, of a lane's height, of the lanes' names, of a letter."""
STYLE = """
.timeline text { font: 11px sans-serif; fill: #222 }
.timeline line { stroke: #ddd }
.timeline rect { fill: #cfe0f2; stroke: #6d8fb3 }
.timeline .refused { fill: #eee; stroke: #999 }
.timeline .unknown { stroke-dasharray: 4 3 }
.timeline .marked { fill: #ffc9c2; stroke: #c0392b; stroke-width: 2 }
"""


def timeline(history: History, marked: Collection[int] = ()) -> str:
    """Return an SVG picture that needs nothing else; `marked` are the calls that prove a fault.

    From left to right are the instants at which a call began or ended, evenly apart: it shows
    what came before what, not how long it took.  Pointing at a bar tells all of its call.
    """
    places = instants(history)
    clients = sorted({call.client for call in history.calls})
    lanes = {client: 20 + LANE * number for number, client in enumerate(clients)}
    width, height = MARGIN + STEP * (len(places) + 1), 30 + LANE * len(lanes)
    bars = (
        bar(call, places, lanes[call.client], width, marked=index in marked)
        for index, call in enumerate(history.calls)
    )
    return "\n".join(
        [
            f'<svg xmlns="{SVG}" class="timeline" role="img" width="{width}" height="{height}">',
            f"<title>{escape(history.workload)}, {escape(history.clients)}</title>",
            f"<style>{STYLE}</style>",
            *chain.from_iterable(lane(client, top, width) for client, top in lanes.items()),
            *bars,
            "</svg>",
        ]
    )


def instants(history: History) -> Mapping[int, int]:
    """Return the place of each time at which something began or ended."""
    times = {time for call in history.calls for time in (call.called, call.returned)} - {NEVER}
    return {time: place for place, time in enumerate(sorted(times))}


def lane(client: int, top: int, width: int) -> Iterator[str]:
    name = f"client {client}" if client else "before, after"
    yield f'<text x="4" y="{top + 15}">{name}</text>'
    yield f'<line x1="{MARGIN}" y1="{top + 11}" x2="{width}" y2="{top + 11}"/>'


def bar(call: Call, places: Mapping[int, int], top: int, width: int, *, marked: bool) -> str:
    left = MARGIN + STEP * places[call.called]
    right = width - 4 if call.returned == NEVER else MARGIN + STEP * places[call.returned]
    wide = max(4, right - left - 2)
    look = {"ok": "done", "unknown": "unknown"}.get(call.way, "refused")
    named = f"{call.operation.replace('_', ' ')} → {call.way}"
    label = named[: int((wide - 6) / LETTER)]
    return (
        f"<g><title>{escape(told(call))}</title>"
        f'<rect class="{look}{" marked" * marked}" x="{left}" y="{top}" '
        f'width="{wide}" height="22" rx="3"/>'
        f'<text x="{left + 4}" y="{top + 15}">{escape(label)}</text></g>'
    )


def told(call: Call) -> str:
    """Return all of a call, as lines."""
    given = "\n".join(f"  {name}: {value!r:.300}" for name, value in call.arguments.items())
    took = (
        "never returned"
        if call.returned == NEVER
        else f"{(call.returned - call.called) / 1e6:.3f} ms"
    )
    ending = call.way if call.value is None else f"{call.way}: {call.value!r:.600}"
    return f"{call.operation.replace('_', ' ')}, client {call.client}\n{given}\n→ {ending}\n{took}"
