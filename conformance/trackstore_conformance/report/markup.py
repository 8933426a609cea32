"""HTML that cannot be broken out of: every text is escaped unless it was made here."""

from html import escape


class Html(str):
    """Markup; any other text is not, and is escaped when it is put into one."""

    __slots__ = ()


Part = str | None
"""What an element holds: an `Html` as it is, a text escaped, None not at all."""

INVISIBLE = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))} | {
    ord("\n"): "\n",
    ord("\t"): "\t",
}
for _code in (*range(0x200E, 0x2010), *range(0x202A, 0x202F), *range(0x2066, 0x206A)):
    INVISIBLE[_code] = f"\\u{_code:04x}"  # they would turn what follows around


def tag(name: str, *parts: Part, **attributes: str) -> Html:
    """Return an element; the attribute `class_` is `class`."""
    named = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(value)}"' for key, value in attributes.items()
    )
    return Html(f"<{name}{named}>{joined(*parts)}</{name}>")


def joined(*parts: Part) -> Html:
    return Html("".join(text(part) for part in parts if part is not None))


def text(part: str) -> Html:
    """Return a text with control characters made visible, and all that is markup escaped."""
    return part if isinstance(part, Html) else Html(escape(part.translate(INVISIBLE)))
