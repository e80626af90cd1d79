"""Blended string kernels (Lodhi et al., 2002; Ionescu, Popescu and Cahill, 2014): texts as alike as their n-grams are.

    k(x, z) = sum_g f_g(x) f_g(z)           presence: f_g = 1 where x has n-gram g;  spectrum: how often it has it
    k(x, z) = sum_g min(#_g(x), #_g(z))     intersection
    k^(x, z) = k(x, z) / sqrt(k(x, x) k(z, z)),   g of `shortest` to `longest` characters, across words

Use it on texts of any language with no backbone, where style, endings and spelling tell. Not where meaning does and a
language model is at hand. A text shorter than `shortest` is like no other: its row is 0.
"""

from __future__ import annotations

from typing import Any, Self, get_args

import numpy as np
from scipy.linalg import eigh
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from headstart.adaptation.estimators.ngrams import Count, folded, grams, strings
from headstart.checks import above, affordable, one_of, whole
from headstart.linalg.moments import blocks
from headstart.tasks.task import Array

__all__ = ["StringKernel"]

_BLOCK = 512


class StringKernel(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Texts -> features whose dot products are the kernel, or -> similarities to the texts of `fit`.

    shortest, longest   characters of an n-gram
    count               "presence", "intersection" or "spectrum"
    fold                whether texts are compared in lower case, each run of white space as one blank
    landmarks           texts of `fit` that the features stand on, drawn by `seed` (Nystroem); None: all, then exact
    embed               False: the similarities k^(x, z) to the landmarks themselves
    limit               GB above which it refuses
    """

    def __init__(
        self,
        shortest: int = 3,
        longest: int = 6,
        *,
        count: Count = "presence",
        fold: bool = True,
        landmarks: int | None = None,
        embed: bool = True,
        limit: float = 2.0,
        seed: int = 0,
    ) -> None:
        self.shortest = shortest
        self.longest = longest
        self.count = count
        self.fold = fold
        self.landmarks = landmarks
        self.embed = embed
        self.limit = limit
        self.seed = seed

    def memory(self, rows: int, landmarks: int) -> int:
        """Bytes that features of so many texts take, with what is needed to make them, beyond their n-grams."""
        return 8 * landmarks * ((2 * rows + 3 * landmarks) if self.embed else rows)

    def fit(self, X: Any, y: Any = None) -> Self:
        """The texts to stand on: those of both tasks, as a pipeline gives them. y is not looked at."""
        self._check()
        texts = strings(X)
        chosen = min(len(texts), self.landmarks or len(texts))
        self._fits(len(texts), chosen)
        draw = np.random.default_rng(self.seed)
        drawn = texts if chosen == len(texts) else [texts[i] for i in np.sort(draw.choice(len(texts), chosen, False))]
        grams_of_drawn = self._grams(drawn)
        self.columns_ = np.unique(grams_of_drawn.key)
        self.landmarks_ = grams_of_drawn.rows(self.columns_)
        if self.embed:
            values, vectors = eigh(_product(self.landmarks_, self.landmarks_), driver="evd")
            good = values > len(values) * np.finfo(np.float64).eps * max(float(values[-1]), 1.0)
            self.whitening_ = vectors[:, good] / np.sqrt(values[good])
        return self

    def transform(self, X: Any) -> Array:
        """Texts (N,) -> (N, p) float64. Embedded, new texts keep their dot products with the landmarks, and length 1.

        The last column of embedded texts is the part that no landmark has.
        """
        check_is_fitted(self)
        texts = strings(X)
        self._fits(len(texts), self.landmarks_.shape[0])
        counts = self._grams(texts)
        k = _product(counts.rows(self.columns_), self.landmarks_)
        if not self.embed:
            return k
        phi = k @ self.whitening_
        apart = (counts.lengths() > 0) - np.square(phi).sum(1)
        return np.column_stack([phi, np.sqrt(np.where(apart > 1e-9, apart, 0.0))])

    def _grams(self, texts: list[str]) -> Any:
        read = [folded(text) for text in texts] if self.fold else texts
        return grams(read, self.shortest, self.longest, self.count)

    def _check(self) -> None:
        whole("shortest", self.shortest, 1, "3")
        whole("longest", self.longest, self.shortest, f"{self.shortest + 3}")
        one_of("count", self.count, get_args(Count))
        above("limit", self.limit, 0, "2")
        if self.landmarks is not None:
            whole("landmarks", self.landmarks, 1, "1000, or None for all")

    def _fits(self, rows: int, landmarks: int) -> None:
        affordable(
            self.memory(rows, landmarks),
            self.limit,
            f"a kernel between {rows} and {landmarks} texts",
            "set landmarks=1000 (Nystroem), or transform fewer texts at a time",
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string, tags.input_tags.two_d_array = True, False
        return tags


def _product(left: csr_array, right: csr_array) -> Array:
    """left @ right', (N, p), block by block: a product of two sparse matrices is itself nearly full."""
    product, turned = np.empty((left.shape[0], right.shape[0])), right.T.tocsr()
    for rows in blocks(len(product), _BLOCK):
        product[rows] = (left[rows] @ turned).toarray()
    return product
