"""The pages of the project: README.md in its languages, and those of docs/. Their blocks, headings and links."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

__all__ = ["PAGES", "PROJECT", "Block", "blocks_of", "links_of", "slugs_of", "tokens_of"]

PROJECT = Path(__file__).parents[2]
README = ("README.md", "README.zh-CN.md")
PAGES = (
    *README,
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    *sorted(str(path.relative_to(PROJECT)) for path in (PROJECT / "docs").rglob("*.md")),
)
NOT_RUN = re.compile(r"<!-- not run: (?P<reason>.+?) -->")
SLOW = "<!-- slow -->"
RUN = {"python", "sh", "console"}
"""What a fence says of a block that is run; one that says nothing is output, or a file."""


class Block(NamedTuple):
    """A fenced block of a page.

    line     of its fence, from 1
    reason   why it is not run; "" where it is
    """

    page: str
    line: int
    language: str
    code: str
    reason: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def commands(self) -> str:
        """The shell commands of a block: all of it, or in a session what follows `$ `."""
        if self.language == "sh":
            return self.code
        return "".join(f"{line[2:]}\n" for line in self.code.splitlines() if line.startswith("$ "))


@cache
def tokens_of(page: str) -> list[Token]:
    """CommonMark with tables, as the hosts of repositories show it."""
    parser = MarkdownIt("commonmark").enable("table")
    return parser.parse((PROJECT / page).read_text("utf-8"))


@cache
def blocks_of(page: str) -> tuple[Block, ...]:
    """Those that are to run, and those that the page says are not."""
    blocks, comment = [], ""
    for token in tokens_of(page):
        if token.type == "fence" and token.info.strip() in RUN:
            match = NOT_RUN.fullmatch(comment)
            reason = match["reason"] if match is not None else ""
            blocks.append(Block(page, token.map[0] + 1, token.info.strip(), token.content, reason))
        comment = token.content.strip() if token.type == "html_block" else ""
    return tuple(blocks)


def _plain(token: Token) -> str:
    """The text of a heading without marks."""
    return "".join(child.content for child in token.children if child.type in ("text", "code_inline"))


@cache
def slugs_of(page: str) -> tuple[str, ...]:
    """The anchors of a page's headings, as hosts of repositories make them."""
    slugs, tokens = [], tokens_of(page)
    for number, token in enumerate(tokens):
        if token.type == "heading_open":
            slug = re.sub(r"[^\w\- ]", "", _plain(tokens[number + 1]).lower()).replace(" ", "-")
            again = sum(slug == re.sub(r"-\d+$", "", other) for other in slugs)
            slugs.append(f"{slug}-{again}" if again else slug)
    return tuple(slugs)


def links_of(page: str) -> list[str]:
    """Where its links and pictures lead, addresses of other hosts left out."""
    children = [child for token in tokens_of(page) for child in token.children or ()]
    targets = [
        child.attrGet("href") or child.attrGet("src") for child in children if child.type in ("link_open", "image")
    ]
    return [str(target) for target in targets if target and not re.match(r"[a-z]+:", str(target))]
