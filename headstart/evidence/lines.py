"""Lines for a terminal of 80 columns."""

from __future__ import annotations

import re
import textwrap

__all__ = ["WIDTH", "wrapped"]

WIDTH = 79


def wrapped(text: str, *, indent: str = "") -> list[str]:
    """Lines of 79 columns at most that do not break an interval."""
    unbroken = re.sub(r"\[[^]]*\]|95 %", lambda match: match[0].replace(" ", "\xa0"), text)
    return [line.replace("\xa0", " ") for line in textwrap.wrap(unbroken, WIDTH, subsequent_indent=indent)]
