"""What holds of every page that headstart writes, checked on the tree that a browser's rules make of it (html5lib)."""

from __future__ import annotations

import re
from itertools import pairwise

from bs4 import BeautifulSoup

OUTSIDE = re.compile(r"(?:https?:)?//|file:|javascript:|ftp:", re.IGNORECASE)
LOADING = {"src", "href", "srcset", "poster", "data", "action", "formaction", "background", "cite", "ping"}
TURNING = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def tree_of(html: str) -> BeautifulSoup:
    return BeautifulSoup(html, "html5lib")


def refers_outside(tree: BeautifulSoup) -> list[str]:
    """The attributes and styles that would load, or lead to, something that is not in the page."""
    places = []
    for tag in tree.find_all(True):
        for name, value in tag.attrs.items():
            text = " ".join(value) if isinstance(value, list) else str(value)
            bare = name.rpartition(":")[2].lower()
            inside = text.startswith(("#", "data:image/jpeg;", "data:audio/wav;", "data:image/svg+xml;"))
            if (bare in LOADING and not inside) or (bare == "style" and ("url(" in text or "@import" in text)):
                places.append(f"<{tag.name} {name}={text[:60]!r}>")
        if tag.name == "style" and ("url(" in tag.text or "@import" in tag.text):
            places.append("style sheet")
    return places


def active(tree: BeautifulSoup) -> list[str]:
    """What could run or load: elements and attributes that no page has."""
    names = ("script", "iframe", "object", "embed", "link", "base", "form", "foreignobject", "animate", "set", "use")
    tags = [str(tag)[:80] for tag in tree.find_all(True) if tag.name.lower() in names]
    handlers = [f"<{tag.name} {name}>" for tag in tree.find_all(True) for name in tag.attrs if name.startswith("on")]
    return tags + handlers


def structure(tree: BeautifulSoup) -> dict[str, object]:
    """What a screen reader and a keyboard go by, as what is wrong with it; all empty on a good page."""
    levels = [int(tag.name[1]) for tag in tree.find_all(re.compile(r"^h[1-6]$"))]
    ids = [tag["id"] for tag in tree.find_all(id=True)]
    named = {
        word for tag in tree.find_all(True) for key in ("aria-labelledby",) for word in (tag.get(key) or "").split()
    }
    anchors = {tag["href"][1:] for tag in tree.find_all("a", href=re.compile("^#"))}
    tables = [table for table in tree.find_all("table") if not table.find("th", scope=True)]
    plots = [svg for svg in tree.find_all("svg") if svg.get("role") == "img"]
    return {
        "headings that skip a level": [b for a, b in pairwise(levels) if b > a + 1],
        "more or less than one h1": levels.count(1) - 1 or [],
        "ids that stand twice": sorted({name for name in ids if ids.count(name) > 1}),
        "names that lead nowhere": sorted((named | anchors) - set(ids)),
        "tables without headers": len(tables) or [],
        "plots without title and description": len([svg for svg in plots if not (svg.title and svg.desc)]) or [],
        "plots neither named nor hidden": len(
            [svg for svg in tree.find_all("svg") if svg.get("role") != "img" and svg.get("aria-hidden") != "true"]
        )
        or [],
        "pictures without words": len([tag for tag in tree.find_all(["img"]) if not tag.get("alt")]) or [],
        "no language": [] if tree.html.get("lang") else ["html"],
        "landmarks": [name for name in ("main", "header", "footer") if len(tree.find_all(name)) != 1],
        "letters that turn text": sorted(TURNING & set(str(tree))),
    }


def faults(html: str) -> dict[str, object]:
    """Everything that is wrong with a page; {} on a good one."""
    tree = tree_of(html)
    checks = structure(tree) | {"refers outside": refers_outside(tree), "active": active(tree)}
    return {name: value for name, value in checks.items() if value}
