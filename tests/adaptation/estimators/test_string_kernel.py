"""The string kernel: its definition, the features that stand for it, few landmarks, and what it refuses."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from headstart.adaptation.estimators import string_kernel as module
from headstart.adaptation.estimators.string_kernel import StringKernel

TEXTS = ["The cat sat.", "the  CAT sits", "a dog barked", "dogs bark", "Über das 日本語 \U0001f600", "ab", ""]


def naive(a: str, b: str, shortest: int, longest: int) -> float:
    bags = [{t[i : i + n] for n in range(shortest, longest + 1) for i in range(len(t) - n + 1)} for t in (a, b)]
    return len(bags[0] & bags[1]) / max(len(bags[0]) * len(bags[1]), 1) ** 0.5


@pytest.mark.parametrize("embed", [False, True])
def test_kernel_is_the_share_of_common_ngrams(embed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BLOCK", 3)
    model = StringKernel(2, 4, embed=embed).fit(TEXTS)
    new = ["a cat barks", "zzz", "", "the cat sat."]
    read = [" ".join(text.split()).lower() for text in TEXTS]
    for texts in (TEXTS, new):
        found = model.transform(texts) @ model.transform(TEXTS).T if embed else model.transform(texts)
        expected = [[naive(" ".join(text.split()).lower(), z, 2, 4) for z in read] for text in texts]
        np.testing.assert_allclose(found, expected, atol=1e-9)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(max_size=9), min_size=1, max_size=7), st.sampled_from(["presence", "intersection", "spectrum"]))
def test_symmetric_of_diagonal_one_and_never_negative(texts: list[str], count: Any) -> None:
    k = StringKernel(1, 3, count=count, embed=False, fold=False).fit_transform(texts)
    np.testing.assert_allclose(k, k.T)
    np.testing.assert_allclose(k.diagonal(), [float(len(text) > 0) for text in texts])
    assert np.linalg.eigvalsh(k).min() > -1e-9
    phi = StringKernel(1, 3, count=count, fold=False).fit_transform(texts)
    np.testing.assert_allclose(phi @ phi.T, k, atol=1e-6)


def test_new_texts_have_length_one_and_their_distances_to_landmarks() -> None:
    model = StringKernel(2, 3).fit(TEXTS)
    z, x = model.transform(TEXTS), model.transform(["cats and dogs", "qqqq", "a"])
    np.testing.assert_allclose(np.linalg.norm(x, axis=1), [1, 1, 0])
    k = StringKernel(2, 3, embed=False).fit(TEXTS).transform(["cats and dogs"])
    np.testing.assert_allclose(np.square(x[:1] - z[:6]).sum(1), 2 - 2 * k[0, :6], atol=1e-9)


def test_all_as_landmarks_are_exact_and_few_come_near() -> None:
    words = ["red", "green", "blue", "fox", "hen", "runs", "sleeps"]
    texts = [" ".join(np.random.default_rng(seed).choice(words, 4)) for seed in range(80)]
    exact = StringKernel().fit_transform(texts)
    np.testing.assert_array_equal(StringKernel(landmarks=80).fit_transform(texts), exact)
    few = StringKernel(landmarks=40).fit_transform(texts)
    assert few.shape[1] <= 41
    off = np.abs((few @ few.T - exact @ exact.T)[~np.eye(80, dtype=bool)])
    assert off.mean() < 0.05
    np.testing.assert_array_equal(StringKernel(landmarks=40).fit_transform(texts), few)


def test_texts_without_any_ngram_are_like_none() -> None:
    model = StringKernel(3, 5).fit(["ab", "", "c"])
    assert model.transform(["abcdef", "ab"]).tolist() == [[1.0], [0.0]]
    assert StringKernel(embed=False).fit(["ab", ""]).transform(["abcdef"]).tolist() == [[0.0, 0.0]]


def test_cost_is_said_beforehand() -> None:
    assert StringKernel(embed=False).memory(1000, 500) == 4e6
    assert StringKernel().memory(1000, 500) == 4000 * 3500
    with pytest.raises(ValueError, match=r"a kernel between 7 and 7 texts would take 0.0 GB, above .*landmarks=1000"):
        StringKernel(limit=1e-6).fit(TEXTS)
    model = StringKernel(embed=False, limit=1e-6, landmarks=2).fit(TEXTS)
    with pytest.raises(ValueError, match=r"a kernel between 70 and 2 texts .*transform fewer texts at a time"):
        model.transform(TEXTS * 10)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"shortest": 0}, "shortest=0: expected a whole number, 1 or more"),
        ({"shortest": 4, "longest": 3}, "longest=3: expected a whole number, 4 or more, such as 7"),
        ({"count": "tfidf"}, "count='tfidf': expected one of 'presence', 'intersection', 'spectrum'"),
        ({"landmarks": 0}, "landmarks=0: expected a whole number, 1 or more"),
        ({"limit": float("nan")}, "limit=nan: expected a finite number"),
    ],
)
def test_options_out_of_range_are_named(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        StringKernel(**options).fit(TEXTS)


def test_it_is_a_transformer() -> None:
    model = StringKernel(2, 3, landmarks=4)
    assert clone(model).get_params() == model.get_params()
    with pytest.raises(ValueError, match="no text was given"):
        model.fit([])
