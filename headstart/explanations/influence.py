"""Which training rows matter: what the answers of ridge regression would be without each of them, exactly.

    A = R' W R + lambda I,   beta = A^-1 R' W y,   e_i = y_i - r_i beta,   h_i = w_i r_i A^-1 r_i'
    z beta - z beta_(-i) = z A^-1 r_i' w_i e_i / (1 - h_i)

in the basis of `heads.basis`, an identity (Sherman and Morrison, 1950; as Cook's distance, 1977). Standardisation,
class weights and the strength lambda stay those of all rows. Another head is stood for by a ridge fitted to the same
features, which is said.
"""

from __future__ import annotations

from typing import NamedTuple, get_args

import numpy as np

from headstart.artefact.model import Model
from headstart.data.splits.split import folds
from headstart.features.feature_set import FeatureSet
from headstart.heads.fitter import pose
from headstart.heads.head import Head, shaped
from headstart.heads.problem import Problem
from headstart.heads.ridge import Ridge
from headstart.heads.standardize import Scale
from headstart.linalg.blas import one_thread
from headstart.methods.model import class_weight_of, features
from headstart.methods.plan import Plan
from headstart.tasks.task import Array

__all__ = ["Influence", "influence_of"]

_SAME = 1e-3


class Influence(NamedTuple):
    """Of N training rows, in their order.

    effect    (N,) the root mean square change of all answers to training rows that leaving it out brings
    residual  (N, C) of each row from the answer of the fit without it, in targets of +1 and -1, or values
    exact     whether this is the head of the model itself, and no other that stands for it
    strength  lambda
    lift      (D, K) from standardised features to the basis; mean, scale (D,) and the form of features as the head's
    pull      (K + 1, N, C) A^-1 r_i' w_i e_i / (1 - h_i)
    """

    effect: Array
    residual: Array
    exact: bool
    strength: float
    lift: Array
    mean: Array
    scale: Array
    pull: Array

    def on(self, values: Array) -> Array:
        """(M, N, C): by how much leaving out each row lowers each output for new rows (M, D) in the form of the head
        (`heads.head.shaped`)."""
        z = (np.asarray(values, np.float64) - self.mean) / self.scale @ self.lift
        z = np.column_stack([z, np.ones(len(z))])
        return np.asarray(np.einsum("mk,knc->mnc", z, self.pull))


def influence_of(model: Model, rows: FeatureSet, *, seed: int = 0) -> Influence:
    """Of the rows that a model learnt from. ValueError where the features are sparse, as those of words without a
    backbone are."""
    raw = features(model, rows)
    if not isinstance(raw, np.ndarray):
        raise ValueError("influence needs dense features, and those of words without a backbone are sparse")
    with one_thread():
        values = shaped(raw.astype(np.float32), model.head.form)
        problem = _posed(model, rows, values, seed)
        strength = Ridge().strength(problem)
        return _influence(model.head, problem, strength)


def _posed(model: Model, rows: FeatureSet, values: Array, seed: int) -> Problem:
    """The problem as it was posed to the head, with the scale that its arrays show."""
    task, targets = rows.task, np.asarray(rows.task.targets)
    plan = Plan(class_weight=class_weight_of(model), seed=seed)
    problems = []
    for scale in get_args(Scale):
        problems.append(
            pose(
                values,
                targets,
                kind=model.kind,
                classes=max(1, len(model.classes)),
                folds=folds(targets, model.kind, rows.blocks, rows.keys, seed=seed),
                class_weight=plan.weights(model.classes),
                scale=scale,
                weights=task.weight,
            )
        )
        own = problems[-1].basis.standard.scale
        if np.shape(own) == np.shape(model.head.arrays["scale"]) and np.allclose(own, model.head.arrays["scale"], 1e-4):
            return problems[-1]
    return problems[0]


def _influence(head: Head, problem: Problem, strength: float) -> Influence:
    basis, w = problem.basis, problem.weights[:, None]
    y = 2 * problem.truth - 1 if problem.kind.has_classes else problem.truth - problem.truth.mean(0)
    R = np.asarray(basis.rows, np.float64)
    inverse = 1 / (basis.squares + basis.penalty(strength))
    beta = inverse[:, None] * (R.T @ (w * y))
    h = w[:, 0] * np.einsum("nk,k,nk->n", R, inverse, R)
    residual = (y - R @ beta) / (1 - h)[:, None]
    of_pull = (R * inverse).T[:, :, None] * (w * residual)[None]
    gram = np.sqrt(np.mean(np.square(R @ (R * inverse).T), axis=0))
    effect = gram * w[:, 0] * np.linalg.norm(residual, axis=1)
    back = np.argsort(problem.order)
    lift = basis.lift(np.eye(len(basis.squares) - 1))
    exact = head.name == "ridge" and _same(head, lift @ beta[:-1])
    standard = basis.standard
    return Influence(
        effect[back], residual[back], exact, strength, lift, standard.mean, standard.scale, of_pull[:, back]
    )


def _same(head: Head, W: Array) -> bool:
    """Whether the head's weights are these."""
    own = np.asarray(head.arrays["weight.0"], np.float64)
    return own.shape == W.shape and float(np.abs(own - W).max()) <= _SAME * float(np.abs(W).max() or 1.0)
