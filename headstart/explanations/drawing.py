"""Explanations as one PNG: what was looked at beside its map, words and columns with their bars."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from headstart.explanations.colours import AGAINST, FOR, heat, mel_picture
from headstart.explanations.explanation import Explanation, Explanations
from headstart.explanations.texts import words_of
from headstart.messages import printable
from headstart.tasks.task import Array

__all__ = ["png_of"]

_WIDTH, _EDGE, _SIDE = 760, 20, 320
_LINE, _SIZE = 26, 16
_INK, _PALE, _PAPER = (28, 28, 28), (95, 99, 104), (255, 255, 255)
_BARS, _MOST_LINES = 12, 60

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def png_of(explanations: Explanations) -> bytes:
    """The bytes of a PNG, one explanation below the other."""
    blocks = [_block(explanation) for explanation in explanations.each]
    paper = Image.new("RGB", (_WIDTH, sum(block.height for block in blocks)), _PAPER)
    at = 0
    for block in blocks:
        paper.paste(block, (0, at))
        at += block.height
    data = io.BytesIO()
    paper.save(data, "PNG", optimize=True)
    return data.getvalue()


def _block(explanation: Explanation) -> Image.Image:
    """One explanation under its heading."""
    body = _pictures(explanation) or (_text(explanation) if explanation.text is not None else _bars(explanation))
    head = [
        (printable(explanation.name, newlines=False), _PALE),
        (f"{printable(explanation.question, newlines=False)}, by {explanation.how}", _INK),
    ]
    foot = [] if explanation.checks is None else [_checked(explanation)]
    block = Image.new("RGB", (_WIDTH, 2 * _EDGE + _LINE * (len(head) + len(foot)) + body.height), _PAPER)
    pen, at = ImageDraw.Draw(block), _EDGE
    for line, colour in head:
        pen.text((_EDGE, at), _cut(line, _WIDTH - 2 * _EDGE), colour, font=_font())
        at += _LINE
    block.paste(body, (0, at))
    for line in foot:
        pen.text((_EDGE, at + body.height), _cut(line, _WIDTH - 2 * _EDGE), _PALE, font=_font())
    return block


def _checked(explanation: Explanation) -> str:
    curve = explanation.checks.deletion if explanation.checks else None
    if curve is None:
        return ""
    return f"deletion curve {curve.area:.2f}, at random {float(curve.random_areas.mean()):.2f}"


def _pictures(explanation: Explanation) -> Image.Image | None:
    if explanation.fine is None or (explanation.picture is None and explanation.levels is None):
        return None
    pixels = explanation.picture
    if pixels is None:
        grey = mel_picture(np.asarray(explanation.levels))
        return _below([_sized(grey, (2 * _SIDE, _SIDE // 2)), _sized(heat(explanation.fine[::-1], grey), (640, 160))])
    scale = _SIDE / max(pixels.shape[:2])
    size = (round(pixels.shape[1] * scale), round(pixels.shape[0] * scale))
    return _beside([_sized(pixels, size), _sized(heat(explanation.fine, pixels), size)])


def _sized(pixels: Array, size: tuple[int, int]) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(pixels)).resize(size, Image.Resampling.BICUBIC)


def _beside(pictures: Sequence[Image.Image]) -> Image.Image:
    paper = Image.new("RGB", (_WIDTH, max(picture.height for picture in pictures) + 8), _PAPER)
    at = _EDGE
    for picture in pictures:
        paper.paste(picture, (at, 4))
        at += picture.width + _EDGE
    return paper


def _below(pictures: Sequence[Image.Image]) -> Image.Image:
    paper = Image.new("RGB", (_WIDTH, sum(picture.height + 8 for picture in pictures)), _PAPER)
    at = 4
    for picture in pictures:
        paper.paste(picture, (_EDGE, at))
        at += picture.height + 8
    return paper


def _text(explanation: Explanation) -> Image.Image:
    """The words in lines, each on the colour of how much it counts; beyond some lines it is cut off."""
    font, most = _font(), max((abs(part.attribution) for part in explanation.parts), default=0.0) or 1.0
    paper = Image.new("RGB", (_WIDTH, _MOST_LINES * _LINE), _PAPER)
    pen, x, y = ImageDraw.Draw(paper), float(_EDGE), 4.0
    for word, part in zip(words_of(explanation.text or ""), explanation.parts, strict=True):
        text = _cut(printable(word.text, newlines=False), _WIDTH - 2 * _EDGE)
        width = pen.textlength(text, font=font)
        if x + width > _WIDTH - _EDGE:
            x, y = float(_EDGE), y + _LINE
        if y > (_MOST_LINES - 2) * _LINE:
            pen.text((x, y), "...", _PALE, font=font)
            break
        pen.rounded_rectangle((x - 2, y - 1, x + width + 2, y + _LINE - 5), 3, _mixed(part.attribution / most))
        pen.text((x, y), text, _INK, font=font)
        x += width + 7
    return paper.crop((0, 0, _WIDTH, round(y) + _LINE + 6))


def _bars(explanation: Explanation) -> Image.Image:
    font, strongest = _font(), explanation.strongest(_BARS)
    most = max((abs(part.attribution) for part in strongest), default=0.0) or 1.0
    paper = Image.new("RGB", (_WIDTH, _LINE * max(1, len(strongest)) + 8), _PAPER)
    pen, middle, reach = ImageDraw.Draw(paper), 500, 150
    for row, part in enumerate(strongest):
        y = 4 + row * _LINE
        value = "" if part.value is None else f" = {part.value}"
        pen.text((_EDGE, y), _cut(printable(part.name + value, newlines=False), 300), _INK, font=font)
        end = middle + reach * part.attribution / most
        pen.rectangle((min(middle, end), y + 3, max(middle, end), y + _LINE - 7), FOR if end > middle else AGAINST)
        figure = f"{part.attribution:+.3f}"
        pen.text((_WIDTH - _EDGE - pen.textlength(figure, font=font), y), figure, _INK, font=font)
    pen.line((middle, 0, middle, paper.height), _PALE)
    return paper


def _mixed(share: float) -> tuple[int, int, int]:
    """The colour of a share from -1 to 1 on white."""
    strength = min(1.0, abs(share)) * 0.75
    red, green, blue = (round(255 + (c - 255) * strength) for c in (FOR if share > 0 else AGAINST))
    return red, green, blue


def _cut(text: str, width: int) -> str:
    """As much of a line as fits; the front of a longer one is left out of the middle."""
    font = _font()
    if font.getlength(text[:400]) <= width and len(text) <= 400:
        return text
    text = text[:400]
    while text and font.getlength(text + "...") > width:
        text = text[:-1]
    return text + "..."


def _font() -> Font:
    return ImageFont.load_default(_SIZE)
