"""Heads from sums over the rows alone (`sums.py`): ridge regression, discriminant analysis and prototypes.

On the axes of all rows (`sum_axes.py`) the equations are those of `ridge.py`, `discriminant.py` and `prototypes.py`,
and the heads are the same but for rounding. What needs each row by itself is
not to be had: the strength is not chosen by the log loss of held-out rows but by their squared error, which for rows F
that were left out is

    sum_(i in F) w_i |y_i - B' r_i|^2  =  q_F - 2 tr(B' C_F) + tr(B' R_F B)                 B: from all rows but F

(for values it is what `ridge.py` goes by too; of discriminant analysis the error is that of the best multiple of its
logits). Classes are coded +1 and -1. F is a fold, or all rows of an owner. The temperature is 1 until somebody settles
it on rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from headstart.heads.discriminant import Discriminant
from headstart.heads.head import Head
from headstart.heads.regularization_path import walk
from headstart.heads.ridge import Ridge
from headstart.heads.standardize import Scale
from headstart.heads.sum_axes import Frame, OnAxes
from headstart.heads.sums import Sums, merged
from headstart.linalg.blas import one_thread
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION
from headstart.tasks.kind import kind_named
from headstart.tasks.task import Array, Kind

__all__ = [
    "FROM_SUMS",
    "SumsFit",
    "chosen_from_sums",
    "fit_sums",
    "fold_heads",
    "strengths_of",
]

_RIDGE, _LDA = Ridge(), Discriminant()
_NONE = 1e-9
"""Of all the weight: what is left of a class whose rows were all taken away."""


class _Left(NamedTuple):
    loss: float


class _Fitter(NamedTuple):
    """Of a head: the kinds that it answers, its strengths (none: there is nothing to choose), and its layer, which is
    beta (K + 1, C), the intercept last, from rows on the axes, a strength, the kind and D."""

    kinds: tuple[Kind, ...]
    strengths: tuple[float, ...]
    layer: Callable[[OnAxes, float, Kind, int], Array]


class SumsFit(NamedTuple):
    """A head, and the root of the mean squared error of left-out rows at its strength; None where nothing was left
    out."""

    head: Head
    error: float | None


def fit_sums(
    folds: Sequence[Sums],
    name: str = "ridge",
    *,
    kind: Kind | str,
    scale: Scale = "each",
    strengths: Sequence[float] | None = None,
) -> Head:
    """A head from the sums of folds, each of which is held out once to choose the strength; of all rows it is fitted.

    name       of `FROM_SUMS`: "ridge", "lda" or "prototypes"
    scale      how features are scaled, see `standardize`
    strengths  candidates for the penalty, in units of the mean eigenvalue; None: those of the head. One, or one fold
               with rows: nothing is chosen, and of several 1 is taken where it is among them

    Raises ValueError for a head that does not answer such a task, for sums that do not go together, and where there are
    fewer than 2 rows.
    """
    return chosen_from_sums(folds, name, kind=kind, scale=scale, strengths=strengths).head


def chosen_from_sums(
    folds: Sequence[Sums],
    name: str = "ridge",
    *,
    kind: Kind | str,
    scale: Scale = "each",
    strengths: Sequence[float] | None = None,
) -> SumsFit:
    """As `fit_sums`, with the error by which the strength was chosen."""
    kind = kind_named(str(kind))
    fitter = _fitter(name, kind)
    with one_thread():
        sums = merged(folds)
        if sums.rows < 2:
            raise ValueError(f"a head needs at least 2 rows, got {sums.rows}: add labelled data")
        frame = Frame.of(sums, scale)
        everything = frame.turned(sums)
        parts = [frame.turned(fold) for fold in folds if fold.rows]
        if not fitter.strengths:
            return SumsFit(frame.head(name, kind, fitter.layer(everything, 0.0, kind, sums.width), {}), None)
        possible = frame.strengths(tuple(strengths or fitter.strengths))
        start = int(np.argmin(np.abs(np.log(possible))))

        def visit(point: int, _: _Left | None) -> _Left:
            return _Left(_held_out(frame, everything, parts, fitter, possible[point] * frame.unit, kind))

        several = len(possible) > 1 and len(parts) > 1
        best, left = walk(visit, len(possible), start, gain=_RIDGE.gain) if several else (start, {})
        strength = possible[best] * frame.unit
        account = {
            "strength": strength,
            "relative_strength": possible[best],
            "losses": {f"{possible[point]:.3g}": left[point].loss for point in sorted(left)},
        }
        head = frame.head(name, kind, fitter.layer(everything, strength, kind, sums.width), account)
        return SumsFit(head, left[best].loss if left else None)


def fold_heads(
    folds: Sequence[Sums], name: str, *, kind: Kind | str, scale: Scale = "each", strength: float = 0.0
) -> list[Head]:
    """For each fold the head from the rows of all others, on the axes of all rows; strength as `fit_sums` tells it in
    its account ("strength"), 0 for a head that has none. Raises ValueError as `fit_sums` does."""
    kind = kind_named(str(kind))
    fitter = _fitter(name, kind)
    with one_thread():
        frame = Frame.of(sums := merged(folds), scale)
        everything = frame.turned(sums)
        rests = (everything.without(frame.turned(fold)) for fold in folds)
        return [frame.head(name, kind, fitter.layer(rest, strength, kind, sums.width), {}) for rest in rests]


def strengths_of(
    folds: Sequence[Sums],
    name: str,
    *,
    kind: Kind | str,
    scale: Scale = "each",
    strengths: Sequence[float] | None = None,
) -> list[tuple[float, float]]:
    """The candidates that the rounding of the rows allows: in units of the mean eigenvalue, and as a penalty; none of a
    head that has no strength. Arguments as in `fit_sums`."""
    fitter = _fitter(name, kind_named(str(kind)))
    if not fitter.strengths:
        return []
    with one_thread():
        frame = Frame.of(merged(folds), scale)
    return [(strength, strength * frame.unit) for strength in frame.strengths(tuple(strengths or fitter.strengths))]


def _held_out(
    frame: Frame, everything: OnAxes, parts: Sequence[OnAxes], fitter: _Fitter, strength: float, kind: Kind
) -> float:
    """The root of the mean squared error of rows that were left out, fold by fold."""
    errors, free = np.zeros(3), fitter.layer is _lda
    for part in parts:
        rest = everything.without(part)
        beta = fitter.layer(rest, strength, kind, len(frame.axes))
        if free:
            beta = beta - beta.mean(axis=1, keepdims=True)
        y, q = _coded(part, kind)
        errors += q.sum(), float(np.sum(beta * y)), float(np.sum(beta * (part.normal @ beta)))
    multiple = errors[1] / errors[2] if free and errors[2] > 0 else 1.0
    error = errors[0] - 2 * multiple * errors[1] + multiple**2 * errors[2]
    return float(np.sqrt(max(error, 0.0) / (everything.weight * len(everything.answers))))


def _coded(rows: OnAxes, kind: Kind) -> tuple[Array, Array]:
    """R'WY (K + 1, C) and sum w y^2 (C,) of the answers coded +1 and -1, or as values."""
    if not kind.has_classes:
        return rows.moment, rows.squares
    return 2 * rows.moment - rows.normal[:, [-1]], np.full(len(rows.answers), rows.weight)


def _ridge(rows: OnAxes, strength: float, kind: Kind, width: int) -> Array:
    penalty = np.append(np.full(len(rows.normal) - 1, strength), 0.0)
    return _solve(rows.normal + np.diag(penalty), _coded(rows, kind)[0])


def _lda(rows: OnAxes, strength: float, kind: Kind, width: int) -> Array:
    counts = rows.answers
    total = counts.sum()
    counts = np.where(counts <= _NONE * total, 0.0, counts)
    means = rows.moment[:-1] * (counts > 0) / np.where(counts > 0, counts, 1.0)
    within = rows.normal[:-1, :-1] - (means * counts) @ means.T
    inverse = _solve(within + strength * np.eye(len(within)), means)
    heights = -total * np.einsum("kc,kc->c", means, inverse) / 2
    return np.vstack([total * inverse, _below(heights, counts == 0, total)])


def _prototypes(rows: OnAxes, strength: float, kind: Kind, width: int) -> Array:
    depth = 2.0 * width
    beta = _toward(rows.moment[:-1], rows.answers)
    if kind.several:
        without = rows.normal[:-1, [-1]] - rows.moment[:-1]
        beta = beta - _toward(without, rows.weight - rows.answers)
    else:
        beta[-1] = _below(beta[-1], rows.answers <= _NONE * rows.weight, depth)
    return np.asarray(beta / depth)


def _toward(sums: Array, counts: Array) -> Array:
    """Twice the mean of each class on the axes, and minus its squared length: (K + 1, C)."""
    means = sums / np.maximum(counts, np.finfo(np.float64).tiny)
    return np.vstack([2 * means, -np.square(means).sum(axis=0)])


def _below(heights: Array, absent: Array, depth: float) -> Array:
    """Intercepts (C,), those of classes that are not there far below all others."""
    return np.where(absent, heights[~absent].min() - depth, heights) if absent.any() else heights


def _solve(matrix: Array, right: Array) -> Array:
    factor = cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)
    return np.asarray(cho_solve(factor, right, check_finite=False))


def _fitter(name: str, kind: Kind) -> _Fitter:
    if name not in FROM_SUMS:
        raise ValueError(f"a head from sums is one of {', '.join(FROM_SUMS)}, got {name!r}")
    if kind not in FROM_SUMS[name].kinds:
        raise ValueError(
            f"the {name} head answers {' and '.join(FROM_SUMS[name].kinds)} tasks, not {kind}: use 'ridge'"
        )
    return FROM_SUMS[name]


FROM_SUMS: dict[str, _Fitter] = {
    "prototypes": _Fitter((CLASSIFICATION, MULTILABEL), (), _prototypes),
    "lda": _Fitter((CLASSIFICATION,), _LDA.strengths, _lda),
    "ridge": _Fitter((CLASSIFICATION, MULTILABEL, REGRESSION), _RIDGE.strengths, _ridge),
}
"""Name -> how a head is fitted from sums, the simplest first."""
