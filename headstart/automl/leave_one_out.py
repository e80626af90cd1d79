"""Leave-one-out: what a ridge regression on the features answers to each row by the others, exactly (Allen, 1974).

    minimise  |y - b - X v|^2 + l |v|^2,      e_i(left out) = e_i / (1 - h_i)                     (PRESS)
    1 - h_i = 1 - 1/N - sum_k u_ik^2 + sum_k u_ik^2 l / (s_k^2 + l)
    e_F(left out) = (I - H_FF)^-1 e_F,   H_FF = 1/N + U_F diag(s^2 / (s^2 + l)) U_F'              for rows F together

for classes coded +1 and -1, or values. One decomposition gives all strengths l, of which the best counts, as in the
ridge head (`heads/ridge.py`), but for the scale of the features, which is theirs: one unit for all of them. The score

    classes   mean_i log softmax(answers_i / T)[y_i],  the log likelihood of the left-out rows at the best temperature T
    values    R2 = 1 - sum_i e_i(left out)^2 / sum_i (y_i - mean)^2

is held-out performance itself, of the head that is fitted next, and not a stand-in for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from scipy.linalg import solve

from headstart.automl.checks import members_of, truth_of
from headstart.automl.decomposition import Decomposition, Features, decompose
from headstart.heads.calibrate import calibrate
from headstart.heads.likelihood import code_losses
from headstart.heads.ridge import Ridge
from headstart.linalg.blas import one_thread
from headstart.tasks import CLASSIFICATION
from headstart.tasks.kind import kind_named
from headstart.tasks.task import Array

__all__ = ["leave_one_out", "leave_one_out_rows", "left_out"]


def leave_one_out(
    features: Features, targets: npt.ArrayLike, *, kind: str = CLASSIFICATION, groups: npt.ArrayLike | None = None
) -> float:
    """Mean log likelihood in nats (at most 0), or R2 (at most 1), of features (N, D) and targets. Higher is better.

    groups   (N,) labels: a row is answered without any row of its group, such as its copies; None: without itself
    """
    return float(leave_one_out_rows(features, targets, kind=kind, groups=groups).mean())


def leave_one_out_rows(
    features: Features, targets: npt.ArrayLike, *, kind: str = CLASSIFICATION, groups: npt.ArrayLike | None = None
) -> Array:
    """(N,) what each row adds: the score is their mean."""
    parts, question = decompose(features), kind_named(kind)
    truth = truth_of(targets, len(parts), question)
    members = [] if groups is None else members_of(groups, len(parts))
    unit = float(parts.squares.mean()) if parts.squares.size else 1.0
    with one_thread():
        answers = left_out(parts, truth, [strength * unit for strength in Ridge().strengths], kind, members)
        return max((_rows(each, truth, kind) for each in answers), key=lambda rows: float(rows.mean()))


def left_out(
    parts: Decomposition, truth: Array, strengths: Sequence[float], kind: str, members: Sequence[Array] = ()
) -> Iterator[Array]:
    """(N, T) for each penalty: what a ridge on all other rows answers to each row of the truth (N, T), classes coded
    +1 and -1; to rows of one group (`members`) what it answers by the rows of no other."""
    y = 2 * truth - 1 if kind_named(kind).has_classes else truth
    u, centred = parts.left, y - y.mean(axis=0)
    a = u.T @ centred
    penalised = np.array(strengths) / (parts.squares[:, None] + np.array(strengths))
    squared = np.square(u)
    outside, alone = centred - u @ a, np.maximum(1 - 1 / len(y) - squared.sum(axis=1), 0)[:, None] + squared @ penalised
    for number in range(len(strengths)):
        residual = outside + u @ (penalised[:, [number]] * a)
        errors = residual / alone[:, [number]]
        for rows in members:
            without = np.eye(len(rows)) - 1 / len(y) - (u[rows] * (1 - penalised[:, number])) @ u[rows].T
            errors[rows] = solve(without, residual[rows], assume_a="pos", check_finite=False)
        yield y - errors


def _rows(answers: Array, truth: Array, kind: str) -> Array:
    if not kind_named(kind).has_classes:
        return np.asarray(1 - np.square(answers - truth)[:, 0] / np.var(truth))
    codes = truth.argmax(axis=1)
    return np.asarray(-code_losses(answers / calibrate(answers, codes, kind_named(kind)).temperature, codes))
