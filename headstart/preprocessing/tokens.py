"""From strings to token ids, cut at the backbone's length, and to padded batches."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Fast

__all__ = ["Ids", "Tokenizer"]

Ids = npt.NDArray[np.int32]

_FEW = 3
"""Tokenizers that are kept: a fit asks for its own several times, and each takes a quarter of a second to build."""


class Tokenization(Protocol):
    """What of a preprocessing says how a text becomes tokens: see `spec.TextPreprocess`."""

    @property
    def tokenizer_json(self) -> str: ...

    @property
    def max_length(self) -> int: ...

    @property
    def pad_id(self) -> int: ...


class Tokenizer:
    """The backbone's own tokenizer.

    Texts go through it one by one: it is a hundredth of the work, and its pool of threads would outlive the call and
    complain in every process that is forked afterwards.
    """

    def __init__(self, preprocess: Tokenization) -> None:
        self._pad = preprocess.pad_id
        self._fast = _fast(preprocess.tokenizer_json, preprocess.max_length)
        self._special = self._fast.num_special_tokens_to_add(is_pair=False)

    def tokens(self, text: str) -> tuple[Ids, int]:
        """The ids (L,), at most max_length with special tokens, and how many tokens were cut off."""
        encoded = self._fast.encode(text.encode("utf-8", "replace").decode("utf-8"))
        cut = sum(len(rest.ids) - self._special for rest in encoded.overflowing)
        return np.array(encoded.ids, np.int32), cut

    def located(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """The same ids, and of each from which character to which it stands for; (0, 0) for a special token."""
        encoded = self._fast.encode(text.encode("utf-8", "replace").decode("utf-8"))
        return list(encoded.ids), [(int(start), int(stop)) for start, stop in encoded.offsets]

    def number_of(self, token: str) -> int | None:
        """The id of a token by its name; None where there is none."""
        number: int | None = self._fast.token_to_id(token)
        return number

    def batch(self, texts: Sequence[Ids]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Ids and mask, int64 (N, L) each, padded to the longest; L is at least 1."""
        longest = max(1, *(len(ids) for ids in texts))
        ids = np.full((len(texts), longest), self._pad, np.int64)
        mask = np.zeros((len(texts), longest), np.int64)
        for row, some in enumerate(texts):
            ids[row, : len(some)] = some
            mask[row, : len(some)] = 1
        return ids, mask


@lru_cache(maxsize=_FEW)
def _fast(tokenizer_json: str, max_length: int) -> Fast:
    """It is never changed, so that all threads may ask it."""
    from tokenizers import Tokenizer as Fast

    fast = Fast.from_str(tokenizer_json)
    fast.no_padding()
    fast.enable_truncation(max_length)
    return fast
