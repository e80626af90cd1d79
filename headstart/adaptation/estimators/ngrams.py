"""Character n-grams of many texts at once, as sparse rows: a column an n-gram, found by a hash of 64 bits.

No n-gram is ever made as a string: the hashes of all texts roll from one length to the next. Two n-grams that differ
share a hash about once in 2^64 pairs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from scipy.sparse import csr_array

from headstart.tasks.task import Array

__all__ = ["Count", "Grams", "folded", "grams", "strings"]

Count = Literal["presence", "intersection", "spectrum"]

_ROLL, _LENGTH, _RANK = (np.uint64(odd) for odd in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0xD6E8FEB86659FD93))
_SPACE = re.compile(r"\s+")


class Grams(NamedTuple):
    """What texts hold, sorted by row.

    row      (e,) which text
    key      (e,) uint64, which n-gram
    value    (e,) float64, above 0
    texts    how many texts
    """

    row: Array
    key: Array
    value: Array
    texts: int

    def lengths(self) -> Array:
        """(texts,) the length of each text's vector."""
        return np.sqrt(np.bincount(self.row, self.value**2, self.texts))

    def rows(self, columns: Array) -> csr_array:
        """(texts, len(columns)) of the n-grams with these keys (sorted), each text's vector divided by its length."""
        at = np.minimum(np.searchsorted(columns, self.key), max(len(columns) - 1, 0))
        matches = columns[at] == self.key if len(columns) else np.zeros(len(self.key), bool)
        value = self.value / self.lengths()[self.row]
        return csr_array((value[matches], (self.row[matches], at[matches])), shape=(self.texts, len(columns)))


def strings(texts: Any) -> list[str]:
    """A list, array or column of texts as a list. Raises TypeError or ValueError in words for anything else."""
    if isinstance(texts, str):
        raise TypeError(f"one text {texts[:20]!r} was given: expected a list of texts, such as [text]")
    shape = np.shape(texts)
    if len(shape) == 2 and shape[1] == 1:
        texts = np.asarray(texts, dtype=object)[:, 0]
    listed = list(texts)
    if not listed:
        raise ValueError("no text was given: expected a list of one or more")
    for number, text in enumerate(listed):
        if not isinstance(text, str):
            raise ValueError(f"row {number} is {text!r}: expected texts alone; write '' for one that is missing")
    return listed


def folded(text: str) -> str:
    """In lower case, each run of white space one blank."""
    return _SPACE.sub(" ", text).lower()


def grams(texts: Sequence[str], shortest: int, longest: int, count: Count) -> Grams:
    """All n-grams of `shortest` to `longest` characters.

    presence       1 for each n-gram that a text has
    spectrum       how often it has it
    intersection   1 for its first time, 1 for its second, ...: products of rows are then sums of min(count, count)
    """
    row, key = _keys(texts, shortest, longest)
    order = np.lexsort((key, row))
    row, key = row[order], key[order]
    new = np.append(True, (row[1:] != row[:-1]) | (key[1:] != key[:-1]))[: len(key)]
    first = np.flatnonzero(new)
    if count == "intersection":
        rank = np.arange(len(key)) - np.repeat(first, np.diff(np.append(first, len(key))))
        return Grams(row, key + rank.astype(np.uint64) * _RANK, np.ones(len(key)), len(texts))
    times = np.diff(np.append(first, len(key))).astype(np.float64)
    return Grams(row[first], key[first], times if count == "spectrum" else np.ones(len(first)), len(texts))


def _keys(texts: Sequence[str], shortest: int, longest: int) -> tuple[Array, Array]:
    """(e,) row and hash of each n-gram where it stands: h_n(i) = h_(n-1)(i) R + c(i + n - 1), all i at once."""
    points = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), "<u4").astype(np.uint64)
    of = np.repeat(np.arange(len(texts)), [len(text) for text in texts])
    rows, keys, h = [of[:0]], [points[:0]], np.zeros(len(points), np.uint64)
    for n in range(1, min(longest, len(points)) + 1):
        count = len(points) - n + 1
        h = h[:count] * _ROLL + points[n - 1 :] + np.uint64(1)
        inside = of[:count] == of[n - 1 :]
        if n >= shortest:
            rows.append(of[:count][inside])
            keys.append(h[inside] + np.array([n], np.uint64) * _LENGTH)
    return np.concatenate(rows), np.concatenate(keys)
