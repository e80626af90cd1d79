"""n-grams by hash against n-grams as strings."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.adaptation.estimators.ngrams import folded, grams, strings

TEXTS = st.lists(st.text("abé 日\U0001f600", max_size=12), min_size=1, max_size=5)


def counted(text: str, shortest: int, longest: int) -> Counter[str]:
    return Counter(text[i : i + n] for n in range(shortest, longest + 1) for i in range(len(text) - n + 1))


@given(TEXTS, st.integers(1, 4), st.integers(0, 3))
def test_products_are_sums_over_ngrams(texts: list[str], shortest: int, more: int) -> None:
    longest = shortest + more
    bags = [counted(text, shortest, longest) for text in texts]
    for count, product in (
        ("presence", lambda a, b: len(a.keys() & b.keys())),
        ("spectrum", lambda a, b: sum(a[g] * b[g] for g in a)),
        ("intersection", lambda a, b: (a & b).total()),
    ):
        found = grams(texts, shortest, longest, count)
        naive = np.array([[product(a, b) for b in bags] for a in bags])
        np.testing.assert_allclose(found.lengths() ** 2, naive.diagonal())
        rows = found.rows(np.unique(found.key))
        lengths = np.where(naive.diagonal() > 0, naive.diagonal(), 1) ** 0.5
        np.testing.assert_allclose((rows @ rows.T).toarray(), naive / np.outer(lengths, lengths), atol=1e-12)


def test_every_ngram_of_a_long_text_has_a_column_of_its_own() -> None:
    text = "".join(map(chr, np.random.default_rng(0).integers(32, 300, 20_000)))
    found = grams([text], 1, 6, "presence")
    assert len(found.key) == len(counted(text, 1, 6))


def test_columns_that_are_not_known_count_in_the_length_alone() -> None:
    one = grams(["ab"], 1, 2, "presence")
    two = grams(["abc", ""], 1, 2, "presence")
    np.testing.assert_allclose(two.rows(np.unique(one.key)).toarray(), [[5**-0.5] * 3, [0] * 3])
    assert two.rows(np.array([], np.uint64)).shape == (2, 0)


def test_texts_are_lists_arrays_and_columns() -> None:
    for given_as in (["a", "b"], np.array(["a", "b"]), pd.Series(["a", "b"], index=[7, 3]), [["a"], ["b"]]):
        assert strings(given_as) == ["a", "b"]
    assert strings(pd.DataFrame({"text": ["a", "b"]})) == ["a", "b"]


def test_texts_in_one_case_with_single_blanks() -> None:
    assert folded("A\tB\n\n c") == "a b c"


def test_what_is_no_list_of_texts_is_said() -> None:
    with pytest.raises(TypeError, match=r"one text 'abc' was given: expected a list of texts"):
        strings("abc")
    with pytest.raises(ValueError, match="no text was given"):
        strings([])
    for bad in (None, 3, float("nan"), b"x"):
        with pytest.raises(ValueError, match=r"row 1 is .*: expected texts alone; write '' for one that is missing"):
            strings(["a", bad])
