"""Heads on features that do not fit in memory: the rows pass by in blocks, once for what is fitted from sums.

    ridge, lda, prototypes   one set of sums a fold (`sums.py`) in one pass; and for each strength that is visited a
                             pass that answers the rows of each fold by a head from the sums of the others
    logistic                 the descent of `descent.py`, whose sums over rows are gathered block by block: two passes a
                             step, and nothing of N rows is held but their answers out of fold (N, C)

The equations are those of the heads in memory, and so are the heads, but for rounding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from headstart.heads.calibrate import Calibration
from headstart.heads.facts import FitterFacts
from headstart.heads.fitter import pose_answers
from headstart.heads.from_sums import FROM_SUMS, fit_sums, fold_heads, strengths_of
from headstart.heads.head import Head
from headstart.heads.regularization_path import walk
from headstart.heads.ridge import Ridge
from headstart.heads.score import for_aim
from headstart.heads.standardize import Scale
from headstart.heads.sums import Sums, fold_sums
from headstart.linalg.blas import one_thread
from headstart.tasks.goal import Aim
from headstart.tasks.kind import kind_named
from headstart.tasks.task import Array, Kind

__all__ = ["ArrayRows", "RowBlocks", "fit_streamed", "streamed_sums"]

BLOCK = 4096
GAIN = Ridge().gain


class RowBlocks(Protocol):
    """N rows of D features that can be gone through again and again, a block at a time, in any order.

    width   D
    """

    @property
    def width(self) -> int: ...

    def __len__(self) -> int:
        """N."""

    def __iter__(self) -> Iterator[tuple[Array, Array]]:
        """(B,) numbers of rows, and their features (B, D); together every row once."""


class ArrayRows:
    """The rows of an array (N, D), or of a memory map, in blocks."""

    def __init__(self, features: Array, size: int = BLOCK) -> None:
        self._features, self._size = features, size

    @property
    def width(self) -> int:
        """D."""
        return int(self._features.shape[1])

    def __len__(self) -> int:
        return len(self._features)

    def __iter__(self) -> Iterator[tuple[Array, Array]]:
        for start in range(0, len(self), self._size):
            block = np.array(self._features[start : start + self._size])
            yield np.arange(start, start + len(block)), block


def fit_streamed(
    rows: RowBlocks,
    targets: Array,
    name: str = "ridge",
    *,
    kind: Kind | str,
    classes: int,
    folds: Array,
    scale: Scale = "each",
    weights: Array | None = None,
    strengths: Sequence[float] | None = None,
    aim: Aim | None = None,
) -> Head:
    """A head on N rows that pass by in blocks; at most one block is in memory at a time.

    name       "ridge", "lda", "prototypes" or "logistic"
    targets    (N,) or (N, C), as in `Task`; folds (N,) int from 0 up; weights (N,) from 0 up, None: 1 each
    strengths  candidates for the penalty, in units of the mean eigenvalue; None: those of the head
    aim        what a classifier is to be good at, see `select.fit_probe`; None: the temperature alone is settled

    The strength is chosen, and the temperature settled, by rows that were held out, as by the heads in memory. Raises
    ValueError for what `fit_sums` does.
    """
    kind = kind_named(str(kind))
    if name == "logistic":
        from headstart.heads.streamed_logistic import fit_logistic

        how: dict[str, Any] = {"scale": scale, "weights": weights, "strengths": strengths, "aim": aim}
        return fit_logistic(rows, targets, kind=kind, classes=classes, folds=folds, **how)
    if name not in FROM_SUMS:
        raise ValueError(f"a head on rows in blocks is one of logistic, {', '.join(FROM_SUMS)}, got {name!r}")
    sums = streamed_sums(rows, targets, folds, kind=kind, classes=classes, weights=weights)
    answers = pose_answers(targets, kind=kind, classes=classes, folds=folds, weights=weights)
    candidates = strengths_of(sums, name, kind=kind, scale=scale, strengths=strengths)
    if sum(fold.rows > 0 for fold in sums) < 2:
        return fit_sums(sums, name, kind=kind, scale=scale, strengths=strengths)

    def out_of_fold(point: int) -> Array:
        strength = candidates[point][1] if candidates else 0.0
        out = _out_of_fold(rows, folds, fold_heads(sums, name, kind=kind, scale=scale, strength=strength))
        return out if name == "ridge" else answers.filled(out)

    def visit(point: int, _: Calibration | None) -> Calibration:
        return answers.score(out_of_fold(point))

    start = int(np.argmin(np.abs(np.log([relative for relative, _ in candidates] or [1.0]))))
    best, left = walk(visit, len(candidates) or 1, start, gain=GAIN)
    chosen = (candidates[best][0],) if candidates else None
    head = replace(fit_sums(sums, name, kind=kind, scale=scale, strengths=chosen), temperature=left[best].temperature)
    if candidates:
        account = {
            "strength": candidates[best][1],
            "relative_strength": candidates[best][0],
            "losses": {f"{candidates[point][0]:.3g}": left[point].loss for point in sorted(left)},
        }
        head = replace(head, facts=FitterFacts(account=account))
    return head if aim is None else for_aim(head, answers, out_of_fold(best), aim)


def _out_of_fold(rows: RowBlocks, folds: Array, heads: Sequence[Head]) -> Array:
    """(N, C) logits of each row by the head of its fold, in one pass."""
    out = np.empty((len(rows), len(heads[0].arrays["bias.0"])))
    with one_thread():
        for numbers, features in rows:
            for fold in np.unique(folds[numbers]):
                own = folds[numbers] == fold
                out[numbers[own]] = heads[fold].logits(features[own])
    return out


def streamed_sums(
    rows: RowBlocks,
    targets: Array,
    folds: Array,
    *,
    kind: Kind | str,
    classes: int,
    weights: Array | None = None,
) -> list[Sums]:
    """One set of sums for each fold, in one pass."""
    count = int(np.max(folds)) + 1
    sums: list[Sums] | None = None
    for numbers, features in rows:
        part = fold_sums(
            features,
            targets[numbers],
            folds[numbers],
            kind=kind,
            classes=classes,
            count=count,
            weights=None if weights is None else weights[numbers],
        )
        sums = part if sums is None else [a + b for a, b in zip(sums, part, strict=True)]
    if sums is None:
        raise ValueError("a head needs at least 2 rows, got none: add labelled data")
    return sums
