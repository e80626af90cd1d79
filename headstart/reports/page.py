"""The page: of one model, or of a model of several targets."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

from markupsafe import Markup

from headstart.data.installed import installed_version
from headstart.reports.choice import command_of, environment
from headstart.reports.inputs import rows_again
from headstart.reports.rendering import rendered
from headstart.reports.sections import Place, sections_of
from headstart.reports.several import several_of
from headstart.reports.subject import SeveralSubject, Subject
from headstart.reports.words import Words

__all__ = ["make_page"]

_LARGEST_CURVE = 400_000


def make_page(subject: Subject | SeveralSubject, words: Words, *, curve: str | os.PathLike[str] | None = None) -> str:
    """The HTML of the report of a model. ValueError where the curve is no .svg, is too large, or several targets have
    one between them."""
    evidence = subject.evidence
    origin = None if evidence is None else evidence.origin
    view: dict[str, Any] = {
        "w": words,
        "name": subject.name,
        "version": installed_version("headstart"),
        "gap": "",
        "contents": [],
        "body": "",
        "environment": list(environment(words, subject.config, origin)),
        "command": command_of(words, origin),
    }
    drawing = None if curve is None else _curve(Path(curve))
    if subject.evidence is None:
        view["gap"] = words("bad.evidence", why=subject.why) if subject.why else words("no.evidence")
    elif isinstance(subject, SeveralSubject):
        if drawing is not None:
            raise ValueError("a learning curve is of one target, and this model has several: leave it out")
        view |= several_of(words, subject, subject.evidence)._asdict()
    else:
        rows = rows_again(origin, subject.config)
        view |= sections_of(words, subject, subject.evidence, rows, Place(), drawing)._asdict()
    if evidence is not None:
        view["contents"] = [*view["contents"], ("environment-h", words("environment.title"))]
    return str(rendered("page.html", view))


def _curve(path: Path) -> str:
    """A data URI of a drawing; as the source of a picture it runs nothing and loads nothing."""
    data = path.read_bytes()
    if b"<svg" not in data[:1000] or len(data) > _LARGEST_CURVE:
        raise ValueError(f"{path} is no .svg of at most {_LARGEST_CURVE:,} bytes: give that of `headstart curve --out`")
    return Markup(f"data:image/svg+xml;base64,{base64.b64encode(data).decode('ascii')}")  # noqa: S704 - base64 alone
