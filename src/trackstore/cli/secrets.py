"""What of a URL may be shown."""

import re


def without_secrets(url: str) -> str:
    """Return a URL as it may be shown: no password, and no options, which may hold one."""
    return re.sub(r"(//[^/@:]*):[^/]*@", r"\1:***@", url.partition("?")[0])
