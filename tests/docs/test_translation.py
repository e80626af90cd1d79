"""README.zh-CN.md is kept in step with README.md: the same commands, headings, links, figures and lists."""

from __future__ import annotations

import re
from collections import Counter

from pages import PROJECT, links_of, tokens_of

ENGLISH, CHINESE = "README.md", "README.zh-CN.md"
FIGURE = re.compile(r"(?<![\w.])\d*[.,]?\d+(?!\w)")
WORDS = {"two": "2", "nine": "9"}


def kinds(page: str) -> list[tuple[str, str]]:
    """The blocks of a page in their order: headings by level, paragraphs, items, rows of tables."""
    return [(token.type, token.tag) for token in tokens_of(page) if token.nesting >= 0 and token.type != "inline"]


def texts(page: str, kind: str) -> list[str]:
    return [token.content for token in tokens_of(page) if token.type == kind]


def test_the_code_is_the_same():
    assert len(texts(ENGLISH, "fence")) >= 6
    assert texts(CHINESE, "fence") == texts(ENGLISH, "fence")


def test_the_structure_is_the_same():
    assert kinds(CHINESE) == kinds(ENGLISH)


def test_links_lead_to_the_same_pages_and_to_each_other():
    english, chinese = Counter(links_of(ENGLISH)), Counter(links_of(CHINESE))
    assert english.pop(CHINESE) == chinese.pop(ENGLISH) == 1
    assert english == chinese


def test_figures_and_code_words_are_the_same():
    """In each paragraph, item and cell, whatever their order in the sentence."""
    for english, chinese in zip(texts(ENGLISH, "inline"), texts(CHINESE, "inline"), strict=True):
        marks = [Counter(re.findall(r"`[^`]+`", text)) for text in (english, chinese)]
        assert marks[0] == marks[1], english
        figures = [Counter(FIGURE.findall(re.sub(r"`[^`]+`", "", text))) for text in (english, chinese)]
        assert figures[0] == figures[1], english


def test_it_is_chinese():
    text = (PROJECT / CHINESE).read_text("utf-8")
    assert len(re.findall(r"[\u4e00-\u9fff]", text)) > 2000
