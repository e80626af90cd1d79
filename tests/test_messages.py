"""How names and texts are written in messages; those that act on a terminal are shown, not obeyed."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.messages import by_name, did_you_mean, few, label_of, printable, shown, without_password


def test_few_names_and_how_many_more():
    assert few(["a", 1]) == "'a', 1"
    assert few("abcd", 2) == "'a', 'b' and 2 more"


def test_the_nearest_name_is_offered():
    assert did_you_mean("petal lenght", ["sepal", "Petal Length"]) == " Did you mean 'Petal Length'?"
    assert did_you_mean("xyz", ["sepal"]) == ""


def test_names_go_by_the_order_of_the_wish():
    assert by_name(["Y", " Label "], ["target", "label", "y"]) == " Label "
    assert by_name(["a", "b"], ["target"]) is None


def test_names_can_be_printed():
    shown("b\udce9").encode()
    assert label_of("cafe\u0301") == "café"


@pytest.mark.parametrize(
    ("text", "written"),
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
def test_what_acts_on_a_terminal_is_shown(text, written):
    assert printable(text) == written


def test_a_name_within_a_line_has_no_line_breaks():
    assert printable("a\nset aside: b", newlines=False) == "a\\nset aside: b"


@given(st.text())
def test_nothing_acts_on_a_terminal_and_text_that_does_not_stays(text):
    written = printable(text)
    assert not {unicodedata.category(char) for char in written.replace("\n", "")} & {"Cc", "Cs", "Zl", "Zp"}
    assert not {unicodedata.bidirectional(char) for char in written} & {"RLO", "LRO", "RLE", "LRE", "RLI", "LRI", "FSI"}
    assert printable(written) == written
    assert written == text or not text.isprintable() or "\u200b" in text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("mlflow:https://me:s3cret@host:5000/a", "mlflow:https://host:5000/a"),
        ("https://me:p@ss@host/a@b", "https://host/a@b"),
        ("https://host/a@b", "https://host/a@b"),
        ("photos/me@home", "photos/me@home"),
    ],
)
def test_a_password_in_an_address_is_left_out(text, left):
    assert without_password(text) == left
