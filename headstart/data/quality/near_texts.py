"""Near duplicates among texts: equal but for case, spaces and punctuation, or with nearly all substrings in common.

The measure is the Jaccard similarity of the sets of character 5-grams. Candidates come from MinHash signatures cut
into bands (Broder, 1997; Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, section 3.4): a pair at
similarity .9 shares one of 8 bands of 6 with probability .998. Each candidate is confirmed on its own sets.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from headstart.tasks.task import Array

__all__ = ["near_texts", "normal_text"]

_SIMILARITY = 0.9
_WIDTH = 5
_BANDS, _ROWS = 8, 6
_LIKELY = 0.7  # share of the signature: below it a similarity of .9 is out of the question
_LINKS = 3
_CHUNK = 1 << 22
_NOT_WORD = re.compile(r"[\W_]+")

Words = npt.NDArray[np.uint64]


def normal_text(text: str) -> str:
    """The text without what does not change its wording: case, forms of a character, spaces, punctuation.

    A text of punctuation alone keeps it.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _NOT_WORD.sub(" ", folded).strip() or " ".join(folded.split())


def near_texts(texts: Sequence[str]) -> Array:
    """Pairs of rows whose texts are nearly the same, (P, 2) int64 with first < second. Empty texts are in none.

    A cluster is linked, not listed pair by pair.
    """
    normal = [normal_text(text) for text in texts]
    rows_of: dict[str, list[int]] = {}
    for row, text in enumerate(normal):
        rows_of.setdefault(text, []).append(row)
    rows_of.pop("", None)
    pairs = [pair for rows in rows_of.values() for pair in pairwise(rows)]
    wordings = sorted(text for text in rows_of if len(text) >= _WIDTH)
    for left, right in _similar(wordings):
        first, second = sorted((rows_of[wordings[left]][0], rows_of[wordings[right]][0]))
        pairs.append((first, second))
    return np.array(pairs, np.int64).reshape(-1, 2)


def _similar(texts: list[str]) -> Iterator[tuple[int, int]]:
    """Pairs that link all texts of a similarity of at least .9; a pair that is already linked is not looked at."""
    leaders = list(range(len(texts)))
    sets: dict[int, Words] = {}
    for left, right in _candidates(_signatures(texts)).tolist():
        if _leader(leaders, left) == _leader(leaders, right):
            continue
        for text in (left, right):
            if text not in sets:
                sets[text] = np.unique(_shingles([texts[text]])[0])
        if _jaccard(sets[left], sets[right]) >= _SIMILARITY:
            leaders[_leader(leaders, left)] = _leader(leaders, right)
            yield left, right


def _leader(leaders: list[int], text: int) -> int:
    """Of the texts that are linked with this one; the way to it is shortened."""
    while leaders[text] != text:
        leaders[text] = text = leaders[leaders[text]]
    return text


def _jaccard(left: Words, right: Words) -> float:
    common = len(np.intersect1d(left, right, assume_unique=True))
    return common / (len(left) + len(right) - common)


def _shingles(texts: list[str]) -> tuple[Words, Array]:
    """Hashes of the character 5-grams of texts of at least 5 characters, end to end, and where each text starts."""
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), "<u4").astype(np.uint64)
    lengths = np.array([len(text) for text in texts])
    hashes = np.zeros(len(codes), np.uint64)
    for offset in range(_WIDTH):
        hashes[: len(codes) - offset] = hashes[: len(codes) - offset] * np.uint64(0x100000001B3) + codes[offset:]
    hashes = (hashes ^ (hashes >> np.uint64(31))) * np.uint64(0x9E3779B97F4A7C15)
    within = np.ones(len(codes), dtype=bool)
    within[np.cumsum(lengths)[:, None] - np.arange(1, _WIDTH)] = False
    starts = np.cumsum(lengths - _WIDTH + 1) - (lengths - _WIDTH + 1)
    return (hashes ^ (hashes >> np.uint64(29)))[within], starts


def _signatures(texts: list[str]) -> Array:
    """(N, 48) uint32 MinHash values."""
    factors = np.random.default_rng(0).integers(1, 1 << 62, _BANDS * _ROWS, dtype=np.uint64) * np.uint64(2) + np.uint64(
        1
    )
    signatures = [np.zeros((0, len(factors)), np.uint32)]
    for chunk in _chunks(texts):
        hashes, starts = _shingles(chunk)
        least = [np.minimum.reduceat((hashes * factor) >> np.uint64(32), starts) for factor in factors]
        signatures.append(np.stack(least, axis=1).astype(np.uint32))
    return np.concatenate(signatures)


def _candidates(signatures: Array) -> Array:
    """Pairs that share a band and are likely: each text with its next three in the order of that band."""
    candidates = [np.zeros((0, 2), np.int64)]
    for band in range(_BANDS):
        turned = np.roll(signatures, -band * _ROWS, axis=1)
        order = np.lexsort(turned[:, : 2 * _ROWS].T[::-1])
        for step in range(1, _LINKS + 1):
            pairs = np.stack([order[:-step], order[step:]], axis=1)
            pairs = pairs[(turned[pairs[:, 0], :_ROWS] == turned[pairs[:, 1], :_ROWS]).all(axis=1)]
            shared = (signatures[pairs[:, 0]] == signatures[pairs[:, 1]]).mean(axis=1)
            candidates.append(np.sort(pairs[shared >= _LIKELY], axis=1))
    return np.unique(np.concatenate(candidates), axis=0)


def _chunks(texts: list[str]) -> Iterator[list[str]]:
    """Runs of texts of about four million characters."""
    place = np.cumsum([len(text) for text in texts]) // _CHUNK
    for number in np.unique(place):
        yield [texts[i] for i in np.flatnonzero(place == number)]
