"""Heads of several tasks on the same frozen features, fitted together by `coupled_ridge`.

Classes are coded +1 and -1, one against the rest; numbers are standardised. Strength gamma and coupling epsilon are
chosen by the mean over tasks of the out-of-fold loss (log loss at the best temperature, or RMSE), in units of the loss
of the mean answer: first the strength with which each task stands alone, then couplings about it. So tasks that have
nothing in common are left alone, by what the folds say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from headstart.heads.basis import Basis, principal
from headstart.heads.calibrate import calibrate
from headstart.heads.facts import FitterFacts
from headstart.heads.head import Form, Head, shaped
from headstart.heads.standardize import Scale, refuse_bad
from headstart.linalg.blas import one_thread
from headstart.multitask.coupled_ridge import Coupled, Equations, couple, equations, even, solve
from headstart.tasks.side_by_side import Part
from headstart.tasks.task import Array

__all__ = ["Answers", "JointRidge", "fit_joint"]


class Answers(NamedTuple):
    """Of one task: its question, the rows that answer it (n,), their targets (n, ...) and how much each counts (n,)."""

    part: Part
    rows: Array
    targets: Array
    weights: Array


@dataclass(frozen=True, kw_only=True)
class JointRidge:
    """strengths   candidates for gamma, in units of the mean eigenvalue of the features' covariance
    couplings   candidates for epsilon: the root, in units of the largest singular value of the W that stands alone
    stronger    by how much gamma is tried above and below that of tasks alone, where they are coupled
    """

    strengths: tuple[float, ...] = tuple(10.0 ** (k / 2) for k in range(-8, 7))
    couplings: tuple[float, ...] = (0.01, 0.1)
    stronger: tuple[float, ...] = (0.3, 1.0, 3.0, 10.0)


class _Choice(NamedTuple):
    """epsilon None: every task alone."""

    loss: float
    gamma: float
    epsilon: float | None
    outs: list[Array]


def fit_joint(
    features: Array,
    answers: Sequence[Answers],
    folds: Array,
    *,
    forms: Sequence[Form] = ("plain",),
    scale: Scale = "each",
    ridge: JointRidge | None = None,
) -> tuple[Head, ...]:
    """A head a task on features (N, D); folds (N,): the fold in which each row is held out.

    forms, scale   as in `heads.select.fit_probe`: of several forms, the one with the lower loss is taken

    The facts of a head tell the strength, the coupling and the loss of tasks alone and together. Raises ValueError for
    features that are not finite, and where all rows are in one fold.
    """
    ridge = ridge or JointRidge()
    if (folds == folds[0]).all():
        raise ValueError("all rows are in one fold, so that none can be held out: give at least two folds")
    with one_thread():
        fits = [_Fit(shaped(np.asarray(features), form), answers, folds, scale) for form in forms]
        chosen = [fit.choose(ridge) for fit in fits]
        best = min(range(len(fits)), key=lambda at: chosen[at][0].loss)
        return fits[best].heads(*chosen[best], forms[best])


class _Fit:
    """One form of the features, its axes, and the tasks on them."""

    def __init__(self, features: Array, answers: Sequence[Answers], folds: Array, scale: Scale) -> None:
        features = np.ascontiguousarray(features)
        refuse_bad(features)
        count = len(features)
        self.answers, self.folds, self.basis = answers, folds, _basis(features, count, scale)
        self.rows = np.asarray(self.basis.rows[:, :-1], np.float64)
        self.unit = float(self.basis.squares[:-1].sum()) / count / max(1, self.rows.shape[1])
        self.coded = [_coded(task_answers) for task_answers in answers]
        self.numbers = sorted(set(folds.tolist()))
        self.whole = self._equations(None)
        self.parts = {number: self._equations(number) for number in self.numbers}

    def choose(self, ridge: JointRidge) -> tuple[_Choice, _Choice]:
        """The best of all, and the best of tasks alone."""
        width = self.rows.shape[1]
        gammas = [strength * self.unit / width for strength in ridge.strengths]
        alone = min((self._tried(gamma, None) for gamma in gammas), key=lambda choice: choice.loss)
        W = np.hstack([solve(task, even(width), alone.gamma) for task in self.whole])
        top = float(np.linalg.norm(W, 2))
        if not top:
            return alone, alone
        together = [
            self._tried(alone.gamma * by, (coupling * top) ** 2)
            for coupling in ridge.couplings
            for by in ridge.stronger
        ]
        return min([alone, *together], key=lambda choice: choice.loss), alone

    def heads(self, best: _Choice, alone: _Choice, form: Form) -> tuple[Head, ...]:
        """Of all rows."""
        fitted = self._fitted(self.whole, best.gamma, best.epsilon)
        account: dict[str, float | None] = {
            "gamma": best.gamma,
            "epsilon": best.epsilon,
            "loss": best.loss,
            "loss_alone": alone.loss,
            "shared_features": _rank(fitted),
        }
        return tuple(
            self._head(place, fitted.weights[place], out, form, account) for place, out in enumerate(best.outs)
        )

    def _head(self, place: int, W: Array, out: Array, form: Form, account: dict[str, float | None]) -> Head:
        task_answers, task, (_, centre, spread) = self.answers[place], self.whole[place], self.coded[place]
        bias = (task.mean - task.x @ W) * spread + centre
        arrays = {
            "mean": self.basis.standard.mean,
            "scale": self.basis.standard.scale,
            "weight.0": self.basis.lift(W * spread).astype(np.float32),
            "bias.0": np.asarray(bias, np.float64),
        }
        temperature = _calibrated(task_answers, out)[0]
        facts = FitterFacts(account=account)
        return Head(
            name="joint", kind=task_answers.part.kind, arrays=arrays, temperature=temperature, form=form, facts=facts
        )

    def _tried(self, gamma: float, epsilon: float | None) -> _Choice:
        """The out-of-fold loss, and the answers that it is of."""
        outs = [np.zeros(coded.shape) for coded, _, _ in self.coded]
        for number in self.numbers:
            fitted = self._fitted(self.parts[number], gamma, epsilon, quick=True)
            predictions = fitted.answers(self.parts[number], self.rows)
            for out, answer, task_answers in zip(outs, predictions, self.answers, strict=True):
                inside = self.folds[task_answers.rows] == number
                out[inside] = answer[task_answers.rows[inside]]
        losses = [_relative(task_answers, coded, out) for task_answers, (coded, _, _), out in self._each(outs)]
        return _Choice(float(np.mean(losses)), gamma, epsilon, outs)

    def _each(self, outs: list[Array]) -> list[tuple[Answers, tuple[Array, Array, Array], Array]]:
        return list(zip(self.answers, self.coded, outs, strict=True))

    def _fitted(self, tasks: list[Equations], gamma: float, epsilon: float | None, *, quick: bool = False) -> Coupled:
        if epsilon is None:
            metric = even(self.rows.shape[1])
            return Coupled([solve(task, metric, gamma) for task in tasks], metric, [])
        return couple(tasks, gamma, epsilon, close=1e-3, most=30) if quick else couple(tasks, gamma, epsilon)

    def _equations(self, without: int | None) -> list[Equations]:
        """Of all tasks, without the rows of a fold; a task of which no row is left keeps them."""
        made = []
        for task_answers, (coded, _, _) in zip(self.answers, self.coded, strict=True):
            training_rows = (
                np.ones(len(task_answers.rows), bool) if without is None else self.folds[task_answers.rows] != without
            )
            training_rows = training_rows if training_rows.any() else np.ones(len(task_answers.rows), bool)
            made.append(
                equations(
                    self.rows[task_answers.rows[training_rows]],
                    coded[training_rows],
                    task_answers.weights[training_rows],
                )
            )
        return made


def _basis(features: Array, count: int, scale: Scale) -> Basis:
    return principal(features, np.arange(count), np.ones(count), scale)


def _coded(task_answers: Answers) -> tuple[Array, Array, Array]:
    """Answers (n, c) as they are regressed on, and what centre and spread (c,) were taken out."""
    truth = task_answers.part.kind.truth(task_answers.targets, len(task_answers.part.classes))
    if task_answers.part.kind.has_classes:
        return 2 * truth - 1, np.zeros(truth.shape[1]), np.ones(truth.shape[1])
    centre, spread = truth.mean(axis=0), truth.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    return (truth - centre) / spread, centre, spread


def _calibrated(task_answers: Answers, out: Array) -> tuple[float, float]:
    """The temperature of out-of-fold answers, and their loss."""
    if not task_answers.part.kind.has_classes:
        return 1.0, 0.0
    calibration = calibrate(out, task_answers.targets, task_answers.part.kind, task_answers.weights)
    return calibration.temperature, calibration.loss


def _relative(task_answers: Answers, coded: Array, out: Array) -> float:
    """The loss of answers in units of that of the mean answer."""
    share = task_answers.weights / task_answers.weights.sum()
    if not task_answers.part.kind.has_classes:
        return float(np.sqrt((share @ np.square(out - coded)).mean() / max(coded.var(), 1e-300)))
    shares = np.clip(share @ ((coded + 1) / 2), 1e-12, 1 - 1e-12)
    entropy = -np.log(shares) * shares
    if task_answers.part.kind.several:
        entropy = (entropy - np.log1p(-shares) * (1 - shares)) / len(shares)
    return _calibrated(task_answers, out)[1] / max(float(entropy.sum()), 1e-12)


def _rank(fitted: Coupled) -> float:
    """The effective number of features that the tasks share: exp of the entropy of D's part above the floor."""
    above = fitted.metric.above[fitted.metric.above > 0]
    if not len(above):
        return float(len(fitted.weights[0]))
    share = above / above.sum()
    return float(np.exp(-(share * np.log(share)).sum()))
