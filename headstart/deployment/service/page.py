"""The page at /: a person shows an input to the model, and sees what it says and how sure it is.

One file of HTML that loads nothing and runs nothing but its own script, which a Content-Security-Policy holds by hash.
It tells of the model no more than what it reads, since it is there before a token is shown: names of classes and of
columns come from /model, and everything that comes from a model or an input is put in as text, never as markup.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from headstart.deployment.service.page_words import WORDS, words_for
from headstart.errors import DataError
from headstart.evidence.evidence import Evidence
from headstart.messages import few, nearest_hint
from headstart.methods.doubts import scores_for
from headstart.reports.words import words_of
from headstart.transfer import Transfer

__all__ = ["COVERAGE", "NEAREST", "language_of", "page"]

COVERAGE = 0.9
"""Of the prediction sets and intervals that the page shows, where the model stores scores for them."""
NEAREST = 3
"""How many training examples the page shows, where the service has them."""


def page(fitted: Transfer, lang: str | None = None) -> str:
    """The HTML for a fitted model, "en" or "zh"; None: as the browser prefers. ValueError for another language."""
    language_of(lang)
    model = fitted.model_
    modality, several = str(model.modality), model.kind.several
    words = {language: words_for(language, modality, several=several) for language in WORDS}
    headline = "" if model.evidence is None else Evidence.from_json(model.evidence).headline
    style, script = _text("page.css", palette=True), _text("page.js")
    facts = {
        "modality": modality,
        "language": lang,
        "coverage": COVERAGE if _has_sets(fitted) else None,
        "nearest": NEAREST,
        "headline": headline,
        "metrics": {language: words_of(language).metric(headline) for language in WORDS},
        "words": words,
    }
    html: str = _template().render(
        modality=modality,
        language=lang or "en",
        w=words[lang or "en"],
        style=Markup(style),  # noqa: S704 - a file of our own
        script=Markup(script),  # noqa: S704 - a file of our own
        style_hash=_hash(style),
        script_hash=_hash(script),
        facts=_data(facts),
    )
    return html


def language_of(lang: str | None) -> str | None:
    """The same. Raises ValueError for a language that there is not."""
    if lang is not None and lang not in WORDS:
        raise ValueError(f"unknown language {lang!r}: expected one of {few(WORDS)}{nearest_hint(lang, WORDS)}")
    return lang


def _has_sets(fitted: Transfer) -> bool:
    try:
        scores_for(fitted.model_, COVERAGE)
    except (DataError, ValueError):
        return False
    return True


@cache
def _template() -> Any:
    made = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return made.from_string(_text("page.html"))


@cache
def _text(name: str, *, palette: bool = False) -> str:
    """A file of the template; with the colours that reports have before it."""
    text = (files("headstart.deployment.service") / "templates" / name).read_text("utf-8")
    if not palette:
        return text
    report = (files("headstart.reports") / "templates" / "style.css").read_text("utf-8")
    return "\n".join([*(line for line in report.splitlines()[:2] if ":root" in line), text])


def _hash(text: str) -> str:
    """As a Content-Security-Policy names a script or a style."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _data(facts: dict[str, Any]) -> Markup:
    """JSON that cannot end the element that it stands in."""
    text = json.dumps(facts, ensure_ascii=False)
    for mark in "<>&":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return Markup(text)  # noqa: S704 - no letter that HTML reads is left
