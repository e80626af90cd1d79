"""Near duplicates among texts: real sentences, and edits of them."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.data.quality.near_texts import near_texts, normal_text
from headstart.data.splits.groups import blocks


@pytest.fixture(scope="module")
def sentences(demo_data) -> list[str]:
    return [sentence for _, _, sentence in demo_data.rated_sentences("nyt")]


def jaccard(one: str, two: str) -> float:
    """The definition, on the normal texts."""
    a, b = ({text[i : i + 5] for i in range(len(text) - 4)} for text in map(normal_text, (one, two)))
    return len(a & b) / len(a | b)


def edited(text: str, draw: np.random.Generator) -> str:
    place = draw.integers(len(text))
    return text[:place] + draw.choice(["", "q", " indeed"]) + text[place + draw.integers(3) :]


def test_wording_is_what_counts() -> None:
    assert normal_text("  It's GREAT --\n really! ") == normal_text("it's great, really")
    assert normal_text("ﬁne Ａ") == "fine a"
    assert normal_text(" :-)  ") == ":-)"
    assert near_texts(["Very good!", "very  good", "very bad", "", " ", "?", "!", "ok", "OK"]).tolist() == [
        [0, 1],
        [7, 8],
    ]


def test_edited_sentences_are_found_and_no_others(sentences) -> None:
    draw = np.random.default_rng(0)
    originals = [text for text in dict.fromkeys(sentences) if len(text) > 60][:800]
    texts = [*originals, *(edited(text, draw) for text in originals)]
    pairs = near_texts(texts)
    assert all(jaccard(texts[a], texts[b]) >= 0.9 for a, b in pairs)
    block = blocks(len(texts), near_pairs=pairs)
    wanted = [i for i in range(800) if jaccard(texts[i], texts[800 + i]) >= 0.9]
    assert len(wanted) > 400
    assert np.mean([block[i] == block[800 + i] for i in wanted]) > 0.98


def test_real_sentences_are_seldom_near(sentences) -> None:
    pairs = near_texts(sentences)
    assert 0 < len(pairs) < 0.03 * len(sentences)


def test_templates_are_linked_without_listing_all_pairs() -> None:
    frame = (
        "Your order {} was handed to the carrier this morning. It will reach the address that you gave us within five "
        "working days; should nobody be at home, a neighbour may sign for it. Thank you very much for your purchase!"
    )
    texts = [frame.format(i) for i in range(1000, 2000)]
    pairs = near_texts(texts)
    assert len(pairs) < len(texts)
    assert np.bincount(blocks(len(texts), near_pairs=pairs)).max() > 100


@given(st.lists(st.text("ab 😀é", max_size=30), max_size=12))
@settings(max_examples=150, deadline=None)
def test_every_pair_is_near_whatever_the_text(texts: list[str]) -> None:
    pairs = near_texts(texts)
    assert pairs.shape == (len(pairs), 2)
    assert all(normal_text(texts[a]) == normal_text(texts[b]) or jaccard(texts[a], texts[b]) >= 0.9 for a, b in pairs)
    block = blocks(len(texts), near_pairs=pairs)
    for a, b in combinations(range(len(texts)), 2):
        assert not normal_text(texts[a]) or normal_text(texts[a]) != normal_text(texts[b]) or block[a] == block[b]


def test_long_lone_and_strange_texts() -> None:
    long = "".join(np.random.default_rng(0).choice(list("abcdefgh "), 1_000_000))
    assert near_texts([long, long[:500_000] + "z" + long[500_000:], "short", "\ud800 lone surrogate"]).tolist() == [
        [0, 1]
    ]
    assert near_texts([]).shape == near_texts(["a"]).shape == (0, 2)
