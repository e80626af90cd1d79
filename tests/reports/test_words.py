"""Both languages say the same: the same keys, and the same values in each sentence."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

import headstart
from headstart.reports.words import LANGUAGES, words_of
from headstart.tasks import KINDS

TEMPLATES = Path(headstart.__file__).parent / "reports" / "templates"


def names_in(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


@pytest.mark.parametrize("code", sorted(set(LANGUAGES) - {"en"}))
def test_the_languages_have_the_same_keys_and_values(code):
    english, other = LANGUAGES["en"], LANGUAGES[code]
    assert sorted(english) == sorted(other)
    assert {key: names_in(other[key]) for key in other if names_in(other[key]) != names_in(english[key])} == {}
    assert [key for key, sentence in other.items() if not sentence.strip()] == []
    same = [key for key, sentence in other.items() if sentence == english[key] and len(sentence) > 12]
    assert same == []


def test_chinese_is_written_in_chinese_signs():
    stops = {
        key: sentence for key, sentence in LANGUAGES["zh"].items() if re.search(r"[\u4e00-\u9fff][.,;:!?]", sentence)
    }
    assert stops == {}


def test_every_score_has_a_name_in_both_languages():
    metrics = {metric for kind in KINDS.values() for metric in kind.metrics}
    zh, en = words_of("zh"), words_of("en")
    assert [metric for metric in metrics if not en.metric(metric)] == []
    assert {metric for metric in metrics if zh.metric(metric) == en.metric(metric)} <= {"auroc", "r2"}


def test_the_templates_ask_for_sentences_that_there_are():
    text = "".join(path.read_text("utf-8") for path in TEMPLATES.glob("*.html"))
    asked = set(re.findall(r'w\("([\w. -]+)"[),]', text))
    assert len(asked) > 60
    assert sorted(asked - set(LANGUAGES["en"])) == []


def test_another_language_is_refused_by_name():
    with pytest.raises(ValueError, match="unknown language 'zn': expected one of 'en', 'zh'"):
        words_of("zn")
