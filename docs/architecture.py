"""docs/images/architecture.svg from the imports of the package: `make docs`."""

from __future__ import annotations

import ast
import tomllib
from collections import Counter
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "headstart"
ROW, TOP, NAMES, ARCS, WIDTH = 30, 16, 16, 580, 760
INK, SOFT, ACCENT = "#222", "#667", "#2b6cb0"
EVERYWHERE = {"checks", "defaults", "errors", "face", "listener", "messages"}
"""Root modules that any folder may import: no arcs, which would hide the others."""


def layers() -> list[str]:
    """Folders and root modules from the highest to the lowest, as the import contract has them."""
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"][0]
    names = [name.strip() for layer in contract["layers"] for name in layer.split("|")]
    return [name for name in names if name != "__main__"]


def about(name: str) -> str:
    """The first line of its docstring."""
    path = PACKAGE / name / "__init__.py"
    path = path if path.exists() else PACKAGE / f"{name}.py"
    text = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    first = text.partition("\n")[0].rstrip(".")
    return first if len(first) <= 68 else f"{first[:67].rsplit(' ', 1)[0]} …"


def files(name: str) -> list[Path]:
    """Its Python files."""
    folder = PACKAGE / name
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


def imports() -> Counter[tuple[str, str]]:
    """(importer, imported) -> by how many files."""
    names, found = layers(), Counter[tuple[str, str]]()
    for name in names:
        for path in files(name):
            nodes = ast.walk(ast.parse(path.read_text("utf-8")))
            asked = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
            others = {module.split(".")[1] for module in asked if module.startswith("headstart.")}
            found.update((name, other) for other in (others & set(names)) - {name} - EVERYWHERE)
    return found


def drawing() -> str:
    """Folders in their order, and an arc from each to what it imports: the thicker, the more files do."""
    names = layers()
    place = {name: TOP + ROW * number + ROW / 2 for number, name in enumerate(names)}
    height = 2 * TOP + ROW * len(names)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
        'font-size="13" role="img" aria-label="The folders of headstart, from the highest to the lowest, and arcs '
        'from each to those that it imports; every arc leads down.">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
    ]
    for (one, other), count in sorted(imports().items()):
        top, bottom = place[one], place[other]
        reach = ARCS + 24 + 270 * (bottom - top) / (ROW * len(names))
        width = min(4.0, 0.6 + count / 8)
        parts.append(
            f'<path d="M{ARCS} {top:g} C{reach:.1f} {top:g} {reach:.1f} {bottom:g} {ARCS} {bottom:g}" fill="none" '
            f'stroke="{ACCENT}" stroke-opacity="0.35" stroke-width="{width:.1f}"><title>{one} imports {other}: '
            f"{count} files</title></path>"
        )
    for name in names:
        y = place[name] + 4.5
        parts.append(f'<text x="{NAMES}" y="{y:g}" fill="{INK}" font-weight="600">{name}</text>')
        parts.append(f'<text x="{NAMES + 114}" y="{y:g}" fill="{SOFT}" font-size="12">{escape(about(name))}</text>')
        if name in EVERYWHERE:
            continue
        parts.append(f'<circle cx="{ARCS}" cy="{place[name]:g}" r="2.5" fill="{ACCENT}"/>')
    return "\n".join([*parts, "</svg>\n"])


if __name__ == "__main__":
    print(drawing(), end="")
