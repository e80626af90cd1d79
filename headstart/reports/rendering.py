"""The templates of the page: everything is escaped, and what is not seen, or turns text, is written out."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup, escape

from headstart.messages import printable

__all__ = ["drawn", "rendered"]

_TEMPLATES = ("page.html", "sections.html", "several.html", "parts.html", "style.css")
_LONGEST = 2000


def rendered(template: str, view: Mapping[str, Any]) -> Markup:
    """The HTML of a template; its text was escaped."""
    return Markup(_environment().get_template(template).render(view))  # noqa: S704 - escaped by the environment


def drawn(svg: str) -> Markup:
    """A drawing of `headstart.drawing`, which has escaped what it writes."""
    return Markup(svg)  # noqa: S704 - made by `drawing`


@cache
def _environment() -> Environment:
    """See `messages.printable`."""
    folder = files("headstart.reports") / "templates"
    made = Environment(
        loader=DictLoader({name: (folder / name).read_text("utf-8") for name in _TEMPLATES}),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_safe,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"short": _short, "code": _code}
    return made


def _safe(value: Any) -> Any:
    """Text from data as it may be shown; markup of our own stays."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return printable(value if len(value) <= _LONGEST else value[: _LONGEST - 1] + "…")


def _short(value: object, most: int = 60) -> str:
    text = str(value)
    return text if len(text) <= most else text[: most - 1] + "…"


def _code(text: str) -> Markup:
    """Words between back quotes as code."""
    parts = [escape(printable(part)) for part in text.split("`")]
    return Markup("").join(Markup("<code>{}</code>").format(part) if at % 2 else part for at, part in enumerate(parts))
