"""Linear heads on sparse rows, such as TF-IDF: logistic regression or ridge, its strength chosen over the folds.

    minimise  C sum_i w_i -log softmax(x_i W + b)[y_i]  +  |W|^2 / 2        classes; labels are sigmoids, one by one
    minimise    sum_i w_i (y_i - x_i W - b)^2  +  |W|^2 / C                 values

Columns are taken as they are: standardised, they would be dense. The strength C is the one with the lowest log loss of
the rows that were held out, at the best temperature, or the lowest RMSE. As in every head, the temperature, how much
the classes' shares count, and the answers are settled on these rows.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy import sparse

from headstart.heads.facts import FitterFacts
from headstart.heads.fitter import pose_answers
from headstart.heads.head import ClassWeight, Head, HeadFit
from headstart.heads.problem import Problem
from headstart.heads.regularization_path import walk
from headstart.heads.sample_weights import uneven
from headstart.heads.score import score
from headstart.linalg.blas import one_thread
from headstart.tasks.goal import Aim
from headstart.tasks.task import Array, Kind

__all__ = ["fit_sparse"]

FOLDS = 5
STRENGTHS = tuple(10.0 ** (k / 2) for k in range(-2, 6))
START = STRENGTHS.index(10.0)


class _Linear(NamedTuple):
    """x W + b: (V, C) and (C,)."""

    W: Array
    b: Array

    def logits(self, rows: sparse.csr_array) -> Array:
        return np.asarray(rows @ self.W) + self.b


class _Left(NamedTuple):
    """Out-of-fold logits (N, C), or values (N, 1), and their loss."""

    out: Array
    loss: float


def fit_sparse(
    features: sparse.csr_array,
    targets: Array,
    *,
    name: str,
    kind: Kind,
    classes: int,
    folds: Array,
    class_weight: ClassWeight = None,
    weights: Array | None = None,
    aim: Aim | None = None,
) -> HeadFit:
    """A head called `name` for sparse features (N, V); the other arguments as in `select.fit_probe`."""
    problem = pose_answers(
        targets, kind=kind, classes=classes, folds=folds, class_weight=class_weight, weights=weights
    ).merged(FOLDS)

    def visit(point: int, _: _Left | None) -> _Left:
        out = _held_out(features, problem, STRENGTHS[point])
        return _Left(out, problem.score(out).loss)

    with one_thread():
        best, left = walk(visit, len(STRENGTHS), START)
        linear = _fitted(features, problem, np.arange(len(targets)), STRENGTHS[best])
    scored = score(problem, left[best].out, aim=aim)
    account = {
        "strength": STRENGTHS[best],
        "losses": {f"{STRENGTHS[point]:.3g}": left[point].loss for point in sorted(left)},
        "loss": scored.loss,
    }
    arrays: dict[str, Array] = {
        "mean": np.zeros(len(linear.W)),
        "scale": np.ones(len(linear.W)),
        "weight.0": linear.W.astype(np.float32),
        "bias.0": linear.b + scored.settled.temperature * scored.settled.offsets,
    }
    head = Head(name=name, kind=kind, arrays=arrays, temperature=scored.settled.temperature)
    head = replace(head, facts=FitterFacts(account=account)).decided_by(scored.utility)
    return HeadFit(head, scored.settled.moved(left[best].out))


def _held_out(features: sparse.csr_array, problem: Problem, strength: float) -> Array:
    """(N, C) answers to each row by the fit to the rows of other folds."""
    out = np.empty((len(problem.order), problem.columns))
    for fold in range(int(problem.folds.max()) + 1):
        inside = problem.folds == fold
        linear = _fitted(features, problem, np.flatnonzero(~inside), strength)
        out[inside] = linear.logits(features[np.flatnonzero(inside)])
    return problem.filled(out) if problem.kind.has_classes else out


def _fitted(features: sparse.csr_array, problem: Problem, rows: Array, strength: float) -> _Linear:
    """The fit to some rows."""
    x, weights, kind = features[rows], problem.weights[rows], problem.kind
    if not kind.has_classes:
        from sklearn.linear_model import Ridge

        values = problem.truth[rows, 0]
        ridge = Ridge(alpha=1 / strength).fit(x, values, uneven(weights))
        return _Linear(np.asarray(ridge.coef_, np.float64)[:, None], np.atleast_1d(np.float64(ridge.intercept_)))
    if kind.exclusive:
        return _classes(x, problem.targets[rows], weights, problem.classes, strength)
    labels = [_classes(x, column.astype(np.int64), weights, 2, strength) for column in problem.targets[rows].T]
    return _Linear(
        np.stack([label.W[:, 1] - label.W[:, 0] for label in labels], axis=1),
        np.array([label.b[1] - label.b[0] for label in labels]),
    )


def _classes(x: sparse.csr_array, codes: Array, weights: Array, classes: int, strength: float) -> _Linear:
    """Logits whose mean over the classes that are there is 0; of the others, about the odds of add-half smoothing."""
    from sklearn.linear_model import LogisticRegression

    present = np.unique(codes)
    W, b = np.zeros((x.shape[1], classes)), np.full(classes, -np.log(2 * (len(codes) + 1.0)))
    b[present] = 0.0
    if len(present) == 1:
        return _Linear(W, b)
    model = LogisticRegression(C=strength, max_iter=1000, tol=1e-3).fit(x, codes, sample_weight=weights)
    coefficients, intercepts = model.coef_.T, model.intercept_
    if len(present) == 2:
        coefficients, intercepts = (np.concatenate([-part / 2, part / 2], -1) for part in (coefficients, intercepts))
    W[:, present], b[present] = coefficients, intercepts
    return _Linear(W, b)
