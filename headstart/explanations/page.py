"""Explanations as one page of HTML that opens without a network: pictures lie in it, names and texts are escaped."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from headstart.explanations.colours import heat, mel_picture, shade
from headstart.explanations.explanation import Explanation, Explanations
from headstart.explanations.texts import words_of
from headstart.messages import printable
from headstart.tasks.task import Array

__all__ = ["MISSING", "page_of"]

MISSING = "the page needs Jinja2: pip install 'headstart[explain]'"
_SIDE, _THUMB = 320, 96
_BARS = 12
_LONGEST = 20_000


def page_of(explanations: Explanations, *, title: str = "Explanations") -> str:
    """HTML, self-contained. ImportError names the extra where there is no Jinja2."""
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
    except ImportError as error:
        raise ImportError(MISSING) from error
    environment = Environment(
        loader=PackageLoader("headstart.explanations"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("explanations.html").render(
        title=title,
        explanations=[_record(explanation) for explanation in explanations.each],
        set_aside=[{"name": _plain(item.name), "why": _plain(item.why)} for item in explanations.set_aside],
        notes=[_plain(note) for note in explanations.notes],
    )


def _record(explanation: Explanation) -> dict[str, Any]:
    """What the template shows of one."""
    curve = explanation.checks and explanation.checks.deletion
    return {
        "name": _plain(explanation.name),
        "question": _plain(explanation.question),
        "how": explanation.how,
        "unit": explanation.unit,
        "picture": _pixels_of(explanation),
        "words": _words(explanation),
        "bars": [] if explanation.grid is not None or explanation.text is not None else _bars(explanation),
        "seconds": explanation.seconds,
        "neighbours": [
            {
                "name": _plain(neighbour.name),
                "label": _plain(str(neighbour.label)),
                "similarity": f"{neighbour.similarity:.2f}",
                "thumbnail": _thumbnail(neighbour.input) if explanation.picture is not None else None,
                "text": _plain(str(neighbour.input[0]))[:300] if explanation.text is not None else None,
            }
            for neighbour in explanation.neighbours
        ],
        "curve": None if not curve else _curve(curve.share, (curve.curve, curve.random)),
        "checks": None if explanation.checks is None else explanation.checks.to_json(),
        "notes": [_plain(note) for note in explanation.notes],
    }


def _plain(text: str) -> str:
    return printable(text, newlines=False)


def _pixels_of(explanation: Explanation) -> dict[str, Any] | None:
    """The input beside its map, as data URIs."""
    if explanation.fine is None:
        return None
    if explanation.picture is not None:
        return {
            "input": _uri(_larger(explanation.picture)),
            "map": _uri(_larger(heat(explanation.fine, explanation.picture))),
            "wide": False,
        }
    if explanation.levels is None:
        return None
    grey = mel_picture(explanation.levels)
    return {"input": _uri(_wide(grey)), "map": _uri(_wide(heat(explanation.fine[::-1], grey))), "wide": True}


def _words(explanation: Explanation) -> list[dict[str, str]]:
    """The text word by word, each with the colour of how much it counts."""
    if explanation.text is None:
        return []
    most = max((abs(part.attribution) for part in explanation.parts), default=0.0) or 1.0
    words, at = [], 0
    for word, part in zip(words_of(explanation.text), explanation.parts, strict=True):
        if word.start > _LONGEST:
            words.append({"before": " ", "text": "…", "colour": "", "figure": ""})
            break
        words.append(
            {
                "before": explanation.text[at : word.start],
                "text": _plain(word.text)[:_LONGEST],
                "colour": shade(part.attribution / most),
                "figure": f"{part.attribution:+.3f}",
            }
        )
        at = word.stop
    return words


def _bars(explanation: Explanation) -> list[dict[str, Any]]:
    strongest = explanation.strongest(_BARS)
    most = max((abs(part.attribution) for part in strongest), default=0.0) or 1.0
    return [
        {
            "name": _plain(part.name),
            "value": None if part.value is None else _plain(part.value),
            "figure": f"{part.attribution:+.3f}",
            "width": f"{50 * abs(part.attribution) / most:.2f}",
            "against": part.attribution < 0,
        }
        for part in strongest
    ]


def _curve(share: Array, curves: Sequence[Array]) -> list[str]:
    """Points of an SVG polyline in a box of 200 by 80, the lowest and highest value of all at its ends."""
    low, high = min(float(curve.min()) for curve in curves), max(float(curve.max()) for curve in curves)
    span = high - low or 1.0
    return [
        " ".join(f"{200 * x:.1f},{80 - 80 * (float(y) - low) / span:.1f}" for x, y in zip(share, curve, strict=True))
        for curve in curves
    ]


def _thumbnail(item: Any) -> str | None:
    """Of a training picture, where it can still be read."""
    from headstart.errors import DataError
    from headstart.features.picture_input import Source

    try:
        pixels = Source(item[0]).decode(draft=True).permute(1, 2, 0).numpy()
    except DataError:
        return None
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    picture.thumbnail((_THUMB, _THUMB))
    return _uri(picture)


def _larger(pixels: Array) -> Image.Image:
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    scale = _SIDE / max(picture.size)
    return picture.resize((round(picture.width * scale), round(picture.height * scale)), Image.Resampling.BICUBIC)


def _wide(pixels: Array) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(pixels)).resize((2 * _SIDE, _SIDE // 2), Image.Resampling.BILINEAR)


def _uri(picture: Image.Image) -> str:
    data = io.BytesIO()
    picture.save(data, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(data.getvalue()).decode()
