"""What MkDocs asks while it builds the site: pages from outside `docs/`, and the pages of a folder by name."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
OUTSIDE = {"CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md"}
LINK = re.compile(r"(?<=\]\()((?:\.\./)+)([^)#\s]+)")
FROM_THE_ROOT = re.compile(r"(?<=\]\()(?:docs/)")


def pages_of(entry: Any, docs: Path) -> list[Any]:
    """An entry of the navigation; a folder stands for its pages in their order."""
    if isinstance(entry, str):
        if entry.endswith("/"):
            return sorted(f"{entry}{path.name}" for path in (docs / entry).glob("*.md"))
        return [entry]
    (title, inside), *_ = entry.items()
    if isinstance(inside, str) and not inside.endswith("/"):
        return [entry]
    entries = [inside] if isinstance(inside, str) else inside
    return [{title: [page for each in entries for page in pages_of(each, docs)]}]


def on_config(config: Any) -> Any:
    """The navigation with the pages of its folders."""
    config.nav = [page for entry in config.nav for page in pages_of(entry, Path(config.docs_dir))]
    return config


def on_files(files: Files, config: Any) -> Files:
    """The changelog, how to contribute, and the source of each example, as pages."""
    for name, page in OUTSIDE.items():
        text = FROM_THE_ROOT.sub("", (ROOT / name).read_text("utf-8"))
        files.append(File.generated(config, page, content=text))
    for path in sorted((ROOT / "examples").glob("*.py")):
        text = f"# examples/{path.name}\n\n```python\n{path.read_text('utf-8')}```\n"
        page = File.generated(config, f"examples/{path.stem}.md", content=text)
        page.inclusion = page.inclusion.NOT_IN_NAV
        files.append(page)
    return files


def on_page_markdown(markdown: str, page: Any, **others: Any) -> str:
    """Links to files outside `docs/` lead to their pages in the site."""
    folder = posixpath.dirname(page.file.src_uri)

    def inside(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join("docs", folder, link[1], link[2]))
        if target in OUTSIDE:
            return posixpath.relpath(OUTSIDE[target], folder or ".")
        if target.startswith("examples/"):
            return posixpath.relpath(target.removesuffix(".py") + ".md", folder or ".")
        return link[0]

    return LINK.sub(inside, markdown)
