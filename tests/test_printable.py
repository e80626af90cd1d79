"""Names and labels that act on a terminal are shown, not obeyed."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("a\rb\bc\x7f", "a\\rb\\x08c\\x7f"),
        ("gpj.\u202etxt", "gpj.\\u202etxt"),
        ("\u2066a\u2069\u200f", "\\u2066a\\u2069\\u200f"),
        ("a\u2028b\u200b\ufeff", "a\\u2028b\\u200b\\ufeff"),
        ("\udcff", "\\udcff"),
        ("ein schöner Tag 非常好 👩\u200d🔬 …", "ein schöner Tag 非常好 👩\u200d🔬 …"),
        ("line\nline", "line\nline"),
    ],
)
def test_shown(text, shown):
    assert printable(text) == shown


def test_a_name_within_a_line_has_no_line_breaks():
    assert printable("a\nset aside: b", newlines=False) == "a\\nset aside: b"


@given(st.text())
def test_nothing_acts_on_a_terminal_and_text_that_does_not_stays(text):
    shown = printable(text)
    assert not {unicodedata.category(char) for char in shown.replace("\n", "")} & {"Cc", "Cs", "Zl", "Zp"}
    assert not {unicodedata.bidirectional(char) for char in shown} & {"RLO", "LRO", "RLE", "LRE", "RLI", "LRI", "FSI"}
    assert printable(shown) == shown
    assert shown == text or not text.isprintable() or "\u200b" in text
