"""Elements of SVG as text, with everything that comes from data escaped."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from headstart.messages import printable

__all__ = ["ACCENT", "GRID", "INK", "PAPER", "QUIET", "element", "picture", "safe"]

INK, QUIET = "var(--ink,#1c1d21)", "var(--quiet,#5f646d)"
GRID, PAPER, ACCENT = "var(--line,#d9dbe0)", "var(--paper,#fff)", "var(--accent,#1a5fb4)"


def safe(text: object, most: int = 200) -> str:
    """Text from data for an element or an attribute: cut, printable, escaped."""
    words = printable(str(text), newlines=False)
    return escape(words if len(words) <= most else words[: most - 1] + "…", quote=True)


def element(name: str, content: str = "", **attributes: object) -> str:
    """An element; numbers are written with at most two digits behind the point. Of names `_` is `-`, at their end
    nothing. `content` is markup."""
    parts = [name]
    for key, value in attributes.items():
        text = f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else safe(value, 10**6)
        parts.append(f'{key.rstrip("_").replace("_", "-")}="{text}"')
    head = " ".join(parts)
    return f"<{head}>{content}</{name}>" if content else f"<{head}/>"


def picture(title: str, description: str, parts: Iterable[str], *, wide: float, high: float, key: str) -> str:
    """An SVG of a size of its own, which a page may scale down.

    key   what the ids of title and description begin with, once a page
    """
    return element(
        "svg",
        element("title", safe(title), id=f"{key}-t")
        + element("desc", safe(description, 2000), id=f"{key}-d")
        + "".join(parts),
        viewBox=f"0 0 {wide:g} {high:g}",
        width=wide,
        height=high,
        role="img",
        aria_labelledby=f"{key}-t {key}-d",
        font_size="12",
        font_family="inherit",
        style=f"fill:{INK}",
    )
