"""The page at /: one file that loads nothing, tells nothing of the model, and shows what its modality needs."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace

import pytest
from drifting import clouds

import headstart as hs
from headstart.deployment.service.page import page
from headstart.deployment.service.page_words import WORDS, words_for
from headstart.tasks import AUDIO, IMAGE, TEXT

HOSTILE = "</script><script>alert(1)</script>"


def of(model: hs.Transfer, **change: object) -> hs.Transfer:
    """A Transfer that is like this model but for some fields."""
    return hs.Transfer(kind=str(model.model_.kind)).hold(replace(model.model_, **change))


def facts(html: str) -> dict:
    return json.loads(re.search(r'<script type="application/json" id="facts">(.*?)</script>', html, re.S)[1])


def test_it_is_one_file_whose_script_and_style_are_held_by_hash(cloud_model):
    html = page(cloud_model)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)[1]
    for kind, tag in (("script", "<script>"), ("style", "<style>")):
        text = re.search(f"{tag}(.*?)</{kind}>", html, re.S)[1]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "connect-src 'self'" in policy
    assert "unsafe" not in policy
    assert not re.search(r'\b(src|href)="', html)
    assert not re.search(r"https?://", html)
    assert not re.search(r'\s(style|on\w+)="', html)


def test_it_has_the_colours_of_a_report(cloud_model):
    html = page(cloud_model)
    assert "--accent:#1a5fb4" in html
    assert "prefers-color-scheme:dark" in html


def test_it_tells_nothing_of_the_model_before_a_token_is_shown(cloud_model):
    html = page(of(cloud_model, classes=(HOSTILE, "elmwood", "ashwood")))
    assert "elmwood" not in html
    assert HOSTILE not in html
    assert facts(html)["coverage"] == 0.9


@pytest.mark.parametrize(
    ("modality", "there", "not_there"),
    [
        (IMAGE, ['id="file"', "image/*"], ['id="record"', 'id="rows"', 'id="text"']),
        (AUDIO, ['id="file"', 'id="record"'], ['id="rows"', 'id="text"', "image/*"]),
        (TEXT, ['id="text"'], ['id="file"', 'id="rows"', 'id="record"']),
        ("table", ['id="rows"', 'id="fields"'], ['id="file"', 'id="text"', 'id="record"']),
        ("array", ['id="rows"'], ['id="file"', 'id="text"', 'id="record"']),
    ],
)
def test_only_what_the_modality_needs_is_shown(cloud_model, modality, there, not_there):
    body = page(of(cloud_model, modality=modality)).partition("<body>")[2].partition("<script")[0]
    assert all(part in body for part in there)
    assert not any(part in body for part in not_there)


def test_every_input_has_a_label(cloud_model):
    for modality in (IMAGE, AUDIO, TEXT, "table", "array"):
        body = page(of(cloud_model, modality=modality)).partition("<body>")[2].partition("<script")[0]
        for name in re.findall(r'<(?:input|textarea) id="(\w+)"', body):
            assert f'for="{name}"' in body
        assert 'aria-live="polite"' in body
        assert 'role="alert"' in body


def test_sets_are_not_asked_for_where_there_are_no_scores(cloud_model):
    assert facts(page(of(cloud_model, uncertainty=None)))["coverage"] is None


def test_languages_say_the_same_things_with_the_same_values():
    assert WORDS["en"].keys() == WORDS["zh"].keys()
    for key, words in WORDS["en"].items():
        assert sorted(re.findall(r"{(\w+)}", words)) == sorted(re.findall(r"{(\w+)}", WORDS["zh"][key]))
        assert words


def test_every_word_that_the_page_asks_for_is_there(cloud_model):
    keys = set()
    for modality in (IMAGE, AUDIO, TEXT, "table", "array"):
        html = page(of(cloud_model, modality=modality))
        keys |= set(re.findall(r'data-[wl]="([\w.]+)"', html))
        keys |= set(re.findall(r'\bw\("([\w.]+)"', html))
    assert {"record.stop", "error.401", "title"} - keys == {"error.401"}
    assert keys <= words_for("en", "image", several=False).keys()


def test_a_language_that_there_is_not_is_refused(cloud_model):
    assert '<html lang="zh-CN">' in page(cloud_model, "zh")
    with pytest.raises(ValueError, match="unknown language 'fr': expected one of"):
        page(cloud_model, "fr")


@pytest.mark.slow
def test_the_headline_of_the_evidence_is_named():
    X, y = clouds(150, 3)
    model = hs.fit(X.assign(target=y), method="ridge", cache=False)
    told = facts(page(model))
    assert told["headline"] == model.evidence_.headline
    assert told["metrics"]["zh"] == "准确率"
