"""The page and the PNG: nothing outside is referred to, nothing hostile acts, and what is drawn is there."""

from __future__ import annotations

import io
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from headstart.explanations.colours import heat, shade
from headstart.explanations.explain import explain
from headstart.explanations.explanation import Explanations
from headstart.explanations.written import bytes_of
from headstart.tasks.task import Task

HOSTILE = '<script>alert("1")</script>'


class Read(HTMLParser):
    """The tags, the values of attributes that refer to something, and the text."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.references, self.text = [], [], ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.references += [value for name, value in attrs if name in ("src", "href", "action", "data", "poster")]

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def page(texts):
    task = Task(
        inputs=[f"a {HOSTILE} b \u202e c", "a" * 10_000, "a b"],
        targets=None,
        kind="classification",
        modality="text",
        names=[f'"{HOSTILE}', "row\udcff 1", "\u202erow"],
    )
    return explain(texts, task, check=False)


def test_hostile_names_and_texts_are_words_and_nothing_else(page):
    html = bytes_of(page, ".html").decode()
    read = Read(html)
    assert "script" not in read.tags
    assert HOSTILE in read.text
    assert "\u202e" not in html
    assert "\\u202e" in html


def test_nothing_outside_is_referred_to(pictures, picture):
    html = bytes_of(explain(pictures, [picture]), ".html").decode()
    read = Read(html)
    assert read.references
    assert all(reference.startswith("data:image/png;base64,") for reference in read.references)
    assert "url(" not in html
    assert "@import" not in html
    assert "svg" in read.tags


def test_a_png_holds_a_block_for_each(page, table, frame):
    one, all_three = (Image.open(io.BytesIO(bytes_of(some, ".png"))) for some in (first(page), page))
    assert one.width == all_three.width == 760
    assert all_three.height > 2 * one.height
    bars = np.asarray(Image.open(io.BytesIO(bytes_of(explain(table, frame.iloc[:1]), ".png"))))
    assert (bars == (213, 94, 0)).all(2).any() or (bars == (0, 114, 178)).all(2).any()
    with pytest.raises(ValueError, match=r"suffix '\.gif': expected \.png or \.html"):
        bytes_of(page, ".gif")


def first(page):
    return Explanations(each=page.each[:1])


def test_colours_tell_for_from_against():
    drawn = heat(np.array([[1.0, 0.0, -1.0]]), np.full((1, 3, 3), 255, np.uint8))[0]
    assert drawn[0, 0] > drawn[0, 2]
    assert drawn[2, 2] > drawn[2, 0]
    assert (drawn[1] == 255).all()
    assert shade(0.0) == ""
    assert shade(1.0) == "rgba(213,94,0,0.75)"
    assert shade(-1.0).startswith("rgba(0,114,178")
