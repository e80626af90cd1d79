"""Logistic regression on rows that pass by in blocks: the problem, the descent and the stopping rule of `logistic.py`.

On the axes of all rows (`basis.py`), which sums give in one pass,

    z = Z Q v + b       g_v = Q' sum_i Z_i' w_i (p_i - y_i) + lambda v                 Z a block of standardised rows

so that a block costs the product with Q v (D, C) and not the rotation of its rows. All folds descend at once. A pass
gathers the value, the gradient and the spread at W; another the curvature in the plane of the two directions. What is
held of N rows are labels, folds and, at the end of each strength, answers out of fold (N, C).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from headstart.heads.basis import axes_of
from headstart.heads.calibrate import Calibration
from headstart.heads.descent import HALVINGS, STEPS, dot, newton, penalty_bends, times
from headstart.heads.facts import FitterFacts
from headstart.heads.fitter import pose_answers
from headstart.heads.head import Head
from headstart.heads.likelihood import Likelihood
from headstart.heads.logistic import ABSENT, Logistic
from headstart.heads.problem import Problem
from headstart.heads.regularization_path import walk
from headstart.heads.score import for_aim
from headstart.heads.standardize import Scale, Standard
from headstart.heads.sum_axes import standard_of_sums
from headstart.heads.sums import Sums, merged
from headstart.linalg.blas import one_thread
from headstart.tasks.goal import Aim
from headstart.tasks.task import Array, Kind

if TYPE_CHECKING:
    from headstart.heads.streamed import RowBlocks

__all__ = ["fit_logistic"]

_OPTIONS = Logistic()


def fit_logistic(
    rows: RowBlocks,
    targets: Array,
    *,
    kind: Kind,
    classes: int,
    folds: Array,
    scale: Scale = "each",
    weights: Array | None = None,
    strengths: Sequence[float] | None = None,
    aim: Aim | None = None,
) -> Head:
    """See `streamed.fit_streamed`. Raises ValueError for a task that is no classification."""
    from headstart.heads.streamed import streamed_sums

    _OPTIONS.check(kind)
    sums = streamed_sums(rows, targets, folds, kind=kind, classes=classes, weights=weights)
    if sum(fold.rows for fold in sums) < 2:
        raise ValueError("a head needs at least 2 rows: add labelled data")
    with one_thread():
        posed = _Posed.of(rows, targets, kind, classes, folds, weights, sums, scale)
        weakest = 20 * posed.rounding * posed.squares[0] / posed.unit
        possible = [s for s in strengths or _OPTIONS.strengths if s >= weakest] or [max(strengths or (1.0,))]
        start = int(np.argmin(np.abs(np.log(possible) - np.log(_OPTIONS.start))))

        def visit(point: int, near: _Visit | None) -> _Visit:
            w = posed.priors() if near is None else near.w
            w = posed.descend(possible[point] * posed.unit, w, _OPTIONS.loose, held_out=True)[0]
            return _Visit(w, posed.score(w).loss)

        best, visits = walk(visit, len(possible), start, gain=_OPTIONS.gain)
        strength = possible[best] * posed.unit
        w, _ = posed.descend(strength, visits[best].w, _OPTIONS.tight, held_out=True)
        out = posed.out_of_fold(w)
        temperature = posed.answers.score(out).temperature
        w, gap = posed.descend(strength, posed.mean_of_folds(w), _OPTIONS.tight, held_out=False)
        account = {
            "strength": strength,
            "relative_strength": possible[best],
            "losses": {f"{possible[point]:.3g}": visits[point].loss for point in sorted(visits)},
            "gap": gap,
        }
        head = posed.head(w, temperature, account)
        return head if aim is None else for_aim(head, posed.answers, out, aim)


class _Visit(NamedTuple):
    w: Array
    loss: float


class _Gathered(NamedTuple):
    """Over all rows: the value (P,), the gradient on the axes (G, P, K + 1), and the spread (G, P)."""

    value: Array
    gradient: Array
    spread: Array


class _Posed(NamedTuple):
    """The problem. Groups of G logits under one softmax, P = F L problems: folds F times labels L, one of them 1."""

    rows: RowBlocks
    targets: Array
    kind: Kind
    classes: int
    folds: Array
    weights: Array
    sums: Sequence[Sums]
    standard: Standard
    axes: Array
    squares: Array
    rounding: float
    answers: Problem

    @classmethod
    def of(
        cls,
        rows: RowBlocks,
        targets: Array,
        kind: Kind,
        classes: int,
        folds: Array,
        weights: Array | None,
        sums: Sequence[Sums],
        scale: Scale,
    ) -> _Posed:
        everything = merged(sums)
        standard = standard_of_sums(everything, scale)
        m, s = standard
        gram = (everything.gram - everything.weight * np.outer(m, m)) / np.outer(s, s)
        squares, axes = axes_of(gram, max(everything.rows, everything.width))
        most = max(1, min(everything.rows - 1, everything.width))
        weights = np.ones(len(rows)) if weights is None else np.asarray(weights, dtype=np.float64)
        return cls(
            rows, targets, kind, classes, folds, weights, sums, standard, axes[:, :most],
            np.append(squares[:most], everything.weight), everything.rounding,
            pose_answers(targets, kind=kind, classes=classes, folds=folds, weights=weights),
        )  # fmt: skip

    @property
    def unit(self) -> float:
        return float(self.squares[:-1].mean())

    def priors(self) -> Array:
        """w (G, P, K + 1) with the log odds of each class outside each fold as intercepts."""
        of_class = sum(fold.answers for fold in self.sums) - np.array([fold.answers for fold in self.sums])
        if self._two_classes():
            of_class = of_class[:, 1:]
        total = np.array([sum(fold.weight for fold in self.sums) - fold.weight for fold in self.sums])[:, None]
        sigmoid = self.kind.several or self._two_classes()
        rest = total - of_class if sigmoid else total
        odds = np.log(np.maximum(of_class / total, ABSENT)) - np.log(np.maximum(rest / total, ABSENT))
        groups, problems = (1, odds.size) if sigmoid else (odds.shape[1], len(odds))
        w = np.zeros((groups, problems, len(self.squares)))
        w[..., -1] = odds.reshape(1, -1) if sigmoid else odds.T
        return w

    def mean_of_folds(self, w: Array) -> Array:
        """Where the fit to all rows begins."""
        by_fold = w.reshape(w.shape[0], len(self.sums), -1, w.shape[-1])
        return np.asarray(by_fold.mean(axis=1))

    def descend(self, strength: float, start: Array, tolerance: float, *, held_out: bool) -> tuple[Array, float]:
        """The minimum of each problem as in `descent.descend`, and the gap; held_out: a problem for each fold."""
        penalty = np.append(np.full(len(self.squares) - 1, strength), 0.0)
        w, d = start, np.zeros_like(start)
        size, now = self._sizes(start, held_out), self._gathered(start, penalty, held_out)
        scale = 1 / np.maximum((now.spread / self.squares[-1])[..., None] * self.squares + penalty, 1e-6)
        for step in range(STEPS + 1):
            u = -scale * now.gradient
            gap = -dot(now.gradient, u) / (2 * size)
            if step == STEPS or (gap <= tolerance).all():
                break
            bends = self._curved(w, u, d, held_out) + penalty_bends(penalty, u, d)
            alpha, beta = newton(bends, dot(now.gradient, u), dot(now.gradient, d)) * (gap > tolerance)
            d = times(alpha, u) + times(beta, d)
            share, now = self._shared(w, d, penalty, now, held_out)
            d = times(share, d)
            w = w + d
        return w, float(gap.max())

    def score(self, w: Array) -> Calibration:
        """The loss of the answers out of fold at their best temperature."""
        return self.answers.score(self.out_of_fold(w))

    def out_of_fold(self, w: Array) -> Array:
        """(N, C) logits of each row by the head of its fold, in one pass."""
        out = np.empty((len(self.rows), self.kind.outputs(self.classes)))
        for numbers, z, _ in self._logits(w):
            by_fold = z.reshape(z.shape[0], len(self.sums), -1, len(numbers))
            own = by_fold[:, self.folds[numbers], :, np.arange(len(numbers))]  # (B, G, L)
            out[numbers] = self._spread(own.reshape(len(numbers), -1))
        return self.answers.filled(out)

    def head(self, w: Array, temperature: float, account: dict[str, object]) -> Head:
        beta = self._spread(w.reshape(-1, w.shape[-1]).T)
        if self.kind.exclusive:
            beta = beta - beta.mean(axis=1, keepdims=True)
        arrays = {
            "mean": self.standard.mean,
            "scale": self.standard.scale,
            "weight.0": (self.axes @ beta[:-1]).astype(np.float32),
            "bias.0": np.asarray(beta[-1], dtype=np.float64),
        }
        return Head(
            name="logistic",
            kind=self.kind,
            arrays=arrays,
            temperature=temperature,
            facts=FitterFacts(account=account),
        )

    def _shared(self, w: Array, d: Array, penalty: Array, before: _Gathered, held_out: bool) -> tuple[Array, _Gathered]:
        """How much of the step lowers the value: all of it but in rare cases; with what is gathered there."""
        rounding = 8 * np.finfo(w.dtype).eps * np.abs(before.value)
        share = np.ones(w.shape[1])
        for _ in range(HALVINGS):
            now = self._gathered(w + times(share, d), penalty, held_out)
            worse = now.value > before.value + rounding
            if not worse.any():
                break
            share[worse] /= 2
        return share, now

    def _gathered(self, w: Array, penalty: Array, held_out: bool) -> _Gathered:
        """One pass."""
        value, spread = np.zeros(w.shape[1]), np.zeros(w.shape[:2])
        slope = np.zeros((w.shape[0] * w.shape[1], self.axes.shape[0] + 1))
        for numbers, z, block in self._logits(w):
            likelihood = self._likelihood(numbers, w.shape[1], held_out)
            some, p = likelihood.value(z)
            value += some
            spread += likelihood.spread(p)
            residual = likelihood.residual(p).reshape(len(slope), -1)
            slope[:, :-1] += residual @ block
            slope[:, -1] += residual.sum(axis=1)
        on_axes = np.hstack([slope[:, :-1] @ self.axes, slope[:, -1:]]).reshape(w.shape)
        return _Gathered(value + dot(w, penalty * w) / 2, on_axes + penalty * w, spread)

    def _curved(self, w: Array, u: Array, d: Array, held_out: bool) -> Array:
        """Another: the second derivatives of the value in the plane of u and d."""
        bends = np.zeros((w.shape[1], 2, 2))
        for numbers, z, _ in self._logits(np.concatenate([w, u, d])):
            likelihood = self._likelihood(numbers, w.shape[1], held_out)
            z, zu, zd = np.split(z, 3)
            bends += likelihood.bends(likelihood.value(z)[1], zu, zd)
        return bends

    def _logits(self, w: Array) -> Iterator[tuple[Array, Array, Array]]:
        """Of each block: numbers (B,), logits (G, P, B), standardised rows (B, D)."""
        flat = w.reshape(-1, w.shape[-1]).T
        beta, bias = self.axes @ flat[:-1], flat[-1]
        for numbers, features in self.rows:
            block = self.standard.apply(features.astype(np.float64))
            z = np.ascontiguousarray((block @ beta + bias).T).reshape(*w.shape[:2], -1)
            yield numbers, z, block

    def _likelihood(self, numbers: Array, problems: int, held_out: bool) -> Likelihood:
        truth = self.kind.truth(self.targets[numbers], self.classes)
        if self._two_classes():
            truth = truth[:, 1:]
        folds = len(self.sums) if held_out else 1
        labels = problems // folds
        weights = self.weights[numbers][None]
        if held_out:
            weights = (self.folds[numbers] != np.arange(folds)[:, None]) * weights
        shape = (-1, 1, len(truth)) if self.kind.exclusive else (1, -1, len(truth))
        truth = np.ascontiguousarray(truth.T).reshape(shape)
        truth = np.tile(truth, (1, folds, 1)) if labels > 1 else truth
        return Likelihood(truth, np.repeat(weights, labels, axis=0))

    def _sizes(self, w: Array, held_out: bool) -> Array:
        total = sum(fold.weight for fold in self.sums)
        sizes = np.array([total - fold.weight for fold in self.sums]) if held_out else np.array([total])
        return np.repeat(sizes, w.shape[1] // len(sizes))

    def _two_classes(self) -> bool:
        return self.kind.exclusive and self.classes == 2

    def _spread(self, columns: Array) -> Array:
        """The one column of a two-class sigmoid -> two logits."""
        return np.concatenate([-columns / 2, columns / 2], axis=1) if self._two_classes() else columns
