"""TF-IDF against scikit-learn's, what is not known, scripts without spaces, and states that are damaged."""

from __future__ import annotations

import re

import numpy as np
import pytest
from demo_data import rated_sentences
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from headstart.errors import ArtefactError
from headstart.preprocessing.encoders import ENCODERS, encoder_from, kind_of
from headstart.preprocessing.term_encoder import MOST, TermEncoder, terms_of

TEXTS = [text for _, _, text in rated_sentences("amazon")]


def theirs(least: int = 1) -> TfidfVectorizer:
    words = re.compile(r"\w+").findall
    return TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, tokenizer=words, token_pattern=None, min_df=least)


def test_rows_of_texts_that_were_learnt_from_are_those_of_scikit_learn() -> None:
    texts, reference = TEXTS[:400], theirs()
    expected = reference.fit_transform(texts)
    encoder = TermEncoder.fit(texts)
    assert list(encoder.terms) == sorted(reference.vocabulary_)
    columns = [reference.vocabulary_[term] for term in encoder.terms]
    np.testing.assert_allclose(encoder.transform(texts).toarray(), expected.toarray()[:, columns], atol=1e-12)


def test_new_texts_point_where_those_of_scikit_learn_do_and_are_as_long_as_they_are_known() -> None:
    """From 1,000 texts on a term must stand in two."""
    texts, reference = TEXTS[:1200], theirs(2).fit(TEXTS[:1200])
    encoder = TermEncoder.fit(texts)
    assert set(encoder.terms) == set(reference.vocabulary_)
    rows, columns = encoder.transform(TEXTS[1200:1300]), [reference.vocabulary_[term] for term in encoder.terms]
    expected = reference.transform(TEXTS[1200:1300]).toarray()[:, columns]
    np.testing.assert_allclose(normalize(rows).toarray(), expected, atol=1e-12)
    lengths = np.sqrt(rows.multiply(rows).sum(axis=1))
    known = [all(term in encoder.terms for term in terms_of(text)) for text in TEXTS[1200:1300]]
    assert (lengths[~np.array(known)] < 1).all()


def test_a_new_text_is_as_long_as_the_same_text_out_of_fold() -> None:
    """What a text alone holds counts alike, whether it was learnt from or not, but for one text in N."""
    texts = TEXTS[:200]
    inside, outside = TermEncoder.fit(texts), TermEncoder.fit(texts[1:])
    shared = [inside.terms.index(term) for term in outside.terms if term in inside.terms]
    among = inside.transform(texts[:1]).toarray()[0, shared]
    assert 0 < np.linalg.norm(among) < 0.9
    assert np.linalg.norm(outside.transform(texts[:1]).toarray()) == pytest.approx(np.linalg.norm(among), rel=0.05)


@pytest.mark.parametrize("texts", [[], [""], ["", "?!", "\n\t"], ["\ud800"]])
def test_texts_without_a_word_give_one_column_of_nothing(texts: list[str]) -> None:
    encoder = TermEncoder.fit(texts)
    assert (encoder.terms, encoder.width) == ((), 1)
    assert encoder.transform(["any words", ""]).toarray().tolist() == [[0.0], [0.0]]
    again = encoder_from(*encoder.state())
    assert isinstance(again, TermEncoder)
    assert (again.terms, again.other) == (encoder.terms, encoder.other)


def test_what_is_not_known_counts_for_nothing() -> None:
    encoder = TermEncoder.fit(["one word", "one other"])
    rows = encoder.transform(["", "nothing known here", "one", "One ONE one!", "one stranger"]).toarray()
    assert not rows[:2].any()
    assert rows[2, encoder.terms.index("one")] == 1.0
    assert (rows[3] == rows[2]).all() or rows[3, encoder.terms.index("one")] < 1  # "one one" is not known
    assert 0 < rows[4, encoder.terms.index("one")] < 1


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("猫は good", ["猫", "は", "good", "猫 は", "は good"]),
        ("ดีมาก", ["ด", "ี", "ม", "า", "ก", "ด ี", "ี ม", "ม า", "า ก"]),
        ("𠀋", ["𠀋"]),
        ("좋은 날", ["좋은", "날", "좋은 날"]),
        ("Ünïcode's x_1", ["ünïcode", "s", "x_1", "ünïcode s", "s x_1"]),
        ("🙂", []),
    ],
)
def test_terms(text: str, terms: list[str]) -> None:
    assert list(terms_of(text)) == terms


def test_of_too_many_terms_those_that_most_texts_hold_are_kept() -> None:
    encoder = TermEncoder.fit(["a b", "a c", "a d", "b e"], most=2)
    assert encoder.terms == ("a", "b")


def test_a_long_text_and_a_large_vocabulary_stay_sparse() -> None:
    """A text of a megabyte, and 200,000 terms: a dense block of the two would be gigabytes."""
    words = [f"w{number}" for number in range(100_000)]
    texts = [" ".join(words[start : start + 100]) for start in range(0, len(words), 100)][:999]
    encoder = TermEncoder.fit(texts)
    assert encoder.width > 190_000
    rows = encoder.transform([*texts, " ".join(words * 2)])
    assert rows.shape == (1000, encoder.width)
    assert rows.nnz < 2 * 200 * 1000 + 2 * encoder.width
    assert np.sqrt(rows[[999]].multiply(rows[[999]]).sum()) <= 1 + 1e-9


def test_the_state_gives_the_same_rows() -> None:
    encoder = TermEncoder.fit([*TEXTS[:50], "猫 \ud800 x", "é"])
    again = encoder_from(*encoder.state())
    expected, found = encoder.transform(TEXTS[:90]), again.transform(TEXTS[:90])
    assert (abs(expected - found)).nnz == 0
    assert found.shape == expected.shape
    assert ENCODERS["terms"].modality == "text"


def damaged(**changes: object) -> tuple[dict[str, object], dict[str, np.ndarray]]:
    config, arrays = TermEncoder.fit(["alpha beta", "gamma"]).state()
    for name, value in changes.items():
        (arrays if name in ("terms", "rarity") else config)[name] = value  # type: ignore[index]
    return config, {name: array for name, array in arrays.items() if array is not None}


def written(text: str) -> np.ndarray:
    return np.frombuffer(text.encode(), np.uint8)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"version": 2}, "terms of version 2; expected 1"),
        ({"terms": None}, "expected the terms as bytes"),
        ({"terms": np.zeros(3)}, "expected the terms as bytes"),
        ({"terms": np.zeros((2, 2), np.uint8)}, "expected the terms as bytes"),
        ({"terms": np.array([255, 10, 254], np.uint8)}, "not UTF-8"),
        ({"terms": written("a\nb\nc")}, "holds 3 terms, and counts 4"),
        ({"terms": written("a\na\nb\nc")}, "not sorted, or one of them is empty or stands twice"),
        ({"terms": written("b\na\nc\nd")}, "not sorted"),
        ({"terms": written("\na\nb\nc")}, "one of them is empty"),
        ({"count": 0}, "holds 4 terms, and counts 0"),
        ({"count": -1}, "counts -1 terms, expected 0 to"),
        ({"count": True}, "counts True terms"),
        ({"count": "4"}, "counts '4' terms"),
        ({"count": MOST + 1}, "expected 0 to"),
        ({"count": 10**30}, "expected 0 to"),
        ({"rarity": None}, "expected the rarity of 4 terms"),
        ({"rarity": np.ones(3)}, "expected the rarity of 4 terms"),
        ({"rarity": np.ones(4, np.float32)}, "expected the rarity of 4 terms as float64"),
        ({"rarity": np.array([1, 1, np.nan, 1])}, "no number above 0 and up to 100"),
        ({"rarity": np.array([1, 1, -1.0, 1])}, "no number above 0 and up to 100"),
        ({"rarity": np.array([1, 1, 1e300, 1])}, "no number above 0 and up to 100"),
        ({"other": 0.0}, "no number above 0"),
        ({"other": "2"}, "no number above 0"),
        ({"kind": "words"}, "an encoder of the kind 'words', expected table, terms, description"),
        ({"kind": ["terms"]}, "an encoder of the kind"),
    ],
)
def test_a_damaged_state_is_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ArtefactError, match=words):
        encoder_from(*damaged(**changes))  # type: ignore[arg-type]


def test_an_encoder_without_a_name_is_that_of_a_table() -> None:
    assert kind_of({"version": 1, "columns": []}).modality == "table"
