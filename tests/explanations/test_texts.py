"""Texts: words out of tokens, sums that are complete, averaged word vectors exactly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from explained import fitted, head

from headstart.backbones.encoders import WordVectors
from headstart.explanations.explain import case_of, explain
from headstart.explanations.question import Question
from headstart.explanations.texts import words_of
from headstart.features.extraction import Extraction
from headstart.tasks import CLASSIFICATION

EXTRACTION = Extraction(engine="torch")
QUESTION = Question(kind=CLASSIFICATION, code=1)


@pytest.fixture
def averaged(words):
    torch.manual_seed(0)
    return fitted(replace(words, module=WordVectors(20, 5).eval()), "text", head(5, 2), classes=("bad", "good"))


def test_words_stand_between_spaces_and_chinese_ones_alone():
    assert [word.text for word in words_of(" a bc,  d\n")] == ["a", "bc,", "d"]
    assert [word.text for word in words_of("好书 ok")] == ["好", "书", "ok"]
    assert words_of("  ") == ()


def test_a_mean_of_word_vectors_under_a_linear_head_is_exact(averaged):
    """By hand: each of L tokens adds w (e_t - mean) / (scale L), special tokens as they are."""
    model = averaged.model_
    attribution = case_of(model, "a b n", EXTRACTION).ways["integrated-gradients"](QUESTION)
    arrays = model.head.arrays
    W = arrays["weight.0"] / arrays["scale"][:, None] / model.head.temperature
    vectors = model.backbone.module.embedding.weight.detach().numpy()[[4, 5, 17]]
    expected = (vectors - arrays["mean"]) @ (W[:, 1] - W[:, 0]) / 5
    np.testing.assert_allclose(attribution.values, expected, rtol=1e-4, atol=1e-7)
    assert attribution.note.startswith("exact")


def test_sums_are_complete_through_a_network_that_bends(texts):
    attribution = case_of(texts.model_, "a b c d", EXTRACTION).ways["integrated-gradients"](QUESTION)
    assert attribution.gap < 1e-3
    assert attribution.values.sum() == pytest.approx(attribution.score - attribution.base, abs=1e-3)


def test_a_missing_word_is_not_in_the_text(texts):
    case = case_of(texts.model_, "a b  c", EXTRACTION)
    asked = case.ask(np.array([[True, False, True], [True, True, True]]))
    np.testing.assert_allclose(asked, texts.predict_proba(["a c", "a b  c"]), atol=1e-5)


def test_words_beyond_the_window_count_nothing_and_are_told(texts):
    explanation = explain(texts, ["a b c d e f g h i"])[0]
    assert [part.attribution for part in explanation.parts[6:]] == [0.0] * 3
    assert any("the last 3 of 9 words are beyond the 8 tokens" in note for note in explanation.notes)


def test_an_empty_text_has_no_parts_and_a_word_of_ten_thousand_is_one(texts):
    result = explain(texts, ["", "a" * 10_000 + " b"], check=False)
    assert result[0].parts == ()
    assert "the text has no words" in result[0].notes
    assert len(result[1].parts) == 2


def test_an_unknown_class_is_refused_with_the_nearest(texts):
    with pytest.raises(ValueError, match=r"class 'goood': the model does not know it.*Did you mean 'good'"):
        explain(texts, ["a b"], label="goood")
    with pytest.raises(ValueError, match="that is the class that is explained"):
        explain(texts, ["a b"], label="good", against="good")
    with pytest.raises(ValueError, match="how = 'magic': expected auto"):
        explain(texts, ["a b"], how="magic")


def test_both_classes_of_two_are_explained_by_opposite_figures(texts):
    good, bad = (explain(texts, ["a b c"], label=label, check=False)[0] for label in ("good", "bad"))
    values = np.array([[part.attribution for part in one.parts] for one in (good, bad)])
    np.testing.assert_allclose(values[0], -values[1], atol=1e-6)
    assert good.chance == pytest.approx(1 - bad.chance)
