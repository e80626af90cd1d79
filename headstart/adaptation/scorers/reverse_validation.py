"""Circular, or reverse, validation (Zhong et al., 2010; Bruzzone and Marconcini, 2010): there and back again.

    a_j = f(z_j)  target rows answered;   g = fit(z, a)  learnt back from them alone;   score = mean_i [g(x_i) = y_i]

Use it where going there and going back are alike: `fit` should adapt from the target to the source as f was adapted
from the source to the target. Not under a move that is undone on the way back: a wrong map and its inverse score well.
In regression the score is R2 = 1 - sum (g(x_i) - y_i)^2 / sum (y_i - mean y)^2.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from headstart.adaptation.scorers.checks import codes_of, finite, probabilities
from headstart.tasks.task import Array

__all__ = ["Fit", "reverse_validation"]

Fit = Callable[[Array, Array], Callable[[Array], Array]]


def reverse_validation(x: Array, y: Array, z: Array, p_target: Array, fit: Fit) -> float:
    """Accuracy, or R2, of the source's answers as learnt back from the target's: 1 is best.

    x, y, z   source features (n, d), their answers (n,), target features (m, d)
    p_target  what the model says of the target rows: probabilities (m, C), or values (m,) in regression
    fit       (features, answers) -> predict, with predict(features) -> answers (codes in classification)

    Where every target row has the same class there is nothing to learn back: every source row is given that class.
    Raises ValueError for shapes that do not fit, NaN, and a y that does not vary in regression
    """
    x, z = finite("source", x, 2), finite("target", z, 2)
    if np.ndim(p_target) == 1:
        return _r2(x, y, z, finite("p_target", p_target, 1), fit)
    p = probabilities("p_target", p_target)
    _as_many("p_target", p, "target", z)
    codes, answers = codes_of("y", y, len(x), p.shape[1]), p.argmax(axis=1)
    if (answers == answers[0]).all():
        return float(np.mean(codes == answers[0]))
    return float(np.mean(_back(fit(z, answers)(x), len(x)) == codes))


def _r2(x: Array, y: Array, z: Array, answers: Array, fit: Fit) -> float:
    _as_many("p_target", answers, "target", z)
    y = finite("y", y, 1)
    _as_many("y", y, "source", x)
    total = float(np.square(y - y.mean()).sum())
    if total == 0:
        raise ValueError(f"y is {y[0]:g} in every source row: expected values that vary, for R2 compares with them")
    return 1 - float(np.square(_back(fit(z, answers)(x), len(x)) - y).sum()) / total


def _back(answers: Array, rows: int) -> Array:
    answers = np.asarray(answers)
    if answers.shape != (rows,):
        raise ValueError(f"the model learnt back said {answers.shape} of the source rows: expected ({rows},) answers")
    return answers


def _as_many(name: str, rows: Array, other: str, other_rows: Array) -> None:
    if len(rows) != len(other_rows):
        raise ValueError(f"{name} has {len(rows)} rows and {other} {len(other_rows)}: expected as many")
