"""For `beside.py`: which method of headstart answers which of ADAPT, under which options."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from judged import ALL, HEAD, WEIGHED, gamma, strong, weighing
from sides import Case, Rows, Side, by_adapt, by_us, weights
from sklearn.base import clone
from sklearn.linear_model import Ridge

from headstart.adaptation.alignment.augment import FeatureAugmentation
from headstart.adaptation.alignment.coral import Coral
from headstart.adaptation.alignment.step import Align
from headstart.adaptation.alignment.subspace import SubspaceAlignment
from headstart.adaptation.alignment.tca import TCA
from headstart.adaptation.estimators.l2_sp import L2SPRegressor
from headstart.adaptation.estimators.tradaboost import TrAdaBoost, TrAdaBoostR2
from headstart.adaptation.estimators.two_stage_tradaboost import TwoStageTrAdaBoostR2
from headstart.adaptation.reweighting.balanced import BalancedWeights
from headstart.adaptation.reweighting.kliep import KLIEP
from headstart.adaptation.reweighting.nearest_neighbours import NearestNeighbourWeights
from headstart.adaptation.reweighting.rulsif import ULSIF, RuLSIF
from headstart.tasks.task import Array

__all__ = ["against_adapt"]


def against_adapt(rows: Rows, values: Rows) -> Iterator[Case]:
    """Methods that ADAPT 0.4.5 has without TensorFlow; `values` are two regression tasks."""
    yield from _moves_of_adapt(rows)
    yield from _weights_of_adapt(rows)
    yield from _labelled_of_adapt(rows, values)


def _moves_of_adapt(rows: Rows) -> Iterator[Case]:
    dim, d = min(10, rows.source.shape[1]), rows.source.shape[1]

    def pair(name: str, step: Align, where: tuple[str, str], options: dict[str, Any], **more: Any) -> Case:
        labels = "labels" in options
        ours, theirs = by_us(rows, step, HEAD, labels=labels), by_adapt(rows, where, HEAD, **options)
        return Case(name, "ADAPT", ours, theirs, **more)

    coral = Coral(penalty=1e-5, center=False)
    yield pair("CORAL", coral, ("feature_based._coral", "CORAL"), {"lambda_": 1e-5})
    yield pair("subspace alignment", SubspaceAlignment(dim=dim), ("feature_based._sa", "SA"), {"n_components": dim})
    yield pair("feature augmentation", FeatureAugmentation(), ("feature_based._fa", "FA"), {"labels": True})
    note = "theirs takes eigh of a matrix that is not symmetric"
    options = {"n_components": 2, "mu": 0.1, "gamma": 1 / d}
    yield pair("TCA", TCA(dim=2, gamma=1 / d), ("feature_based._tca", "TCA"), options, tolerance=None, note=note)


def _weights_of_adapt(rows: Rows) -> Iterator[Case]:
    g = gamma(rows)

    def pair(name: str, step: Align, where: tuple[str, str], options: dict[str, Any], **more: Any) -> Case:
        theirs = by_adapt(rows, where, WEIGHED, values=lambda model: weights(model.weights_), **options)
        return Case(name, "ADAPT", weighing(rows, step), theirs, **more)

    nearest = ("instance_based._nearestneighborsweighting", "NearestNeighborsWeighting")
    yield pair("nearest neighbours, k 5", NearestNeighbourWeights(k=5, prior=0), nearest, {"n_neighbors": 5})
    note = "a penalty at which no theta is below 0: they cut theta there, we cut w"
    penalty = strong(rows, g)
    same: dict[str, Any] = {"gamma": g, "lambdas": penalty, "max_centers": ALL}
    ours: dict[str, Any] = {"gamma": g, "penalty": penalty, "centres": ALL}
    yield pair("uLSIF", ULSIF(**ours), ("instance_based._ulsif", "ULSIF"), same, note=note)
    yield pair("RuLSIF", RuLSIF(**ours), ("instance_based._rulsif", "RULSIF"), {"alpha": 0.1, **same}, note=note)
    note = "Frank-Wolfe there, 2,000 steps; both near the optimum"
    options = {"gamma": g, "max_centers": len(rows.target)}
    kliep = ("instance_based._kliep", "KLIEP")
    ours = {"gamma": g, "centres": len(rows.target)}
    yield pair("KLIEP, all centres", KLIEP(**ours), kliep, options, tolerance=5e-2, note=note)
    note = "100 centres, other ones"
    yield pair("KLIEP, 100 centres", KLIEP(gamma=g), kliep, {"gamma": g}, tolerance=None, note=note)
    options = {"gamma": [g * by for by in (0.1, 0.3, 1, 3, 10)]}
    yield pair("KLIEP, 5 widths x 5 folds", KLIEP(), kliep, options, tolerance=None, note=note)


def _labelled_of_adapt(rows: Rows, values: Rows) -> Iterator[Case]:
    balanced = ("instance_based._balancedweighting", "BalancedWeighting")
    theirs = by_adapt(rows, balanced, HEAD, labels=True, gamma=0.3)
    yield Case("balanced weights", "ADAPT", by_us(rows, BalancedWeights(gamma=0.3), HEAD, labels=True), theirs)
    source = Ridge().fit(values.source, values.targets)
    l2sp = ("parameter_based._regular", "RegularTransferLR")
    note = "lsqr to 1e-6 there; it pulls by the square of its option"
    # their method takes a fitted source model; ours fits one
    yield Case("L2-SP, regression", "ADAPT", _whole(values, L2SPRegressor(4.0, source=source)), _pulled(values, l2sp),
               tolerance=1e-4, note=note)  # fmt: skip
    boost = "instance_based._tradaboost"
    ridge = Ridge()
    theirs = by_adapt(
        values, (boost, "TrAdaBoostR2"), ridge, labels=True, values=lambda model: model.predict(values.new)[:, 0]
    )
    yield Case("TrAdaBoost.R2", "ADAPT", _whole(values, TrAdaBoostR2(ridge)), theirs)
    theirs = by_adapt(
        values,
        (boost, "TwoStageTrAdaBoostR2"),
        ridge,
        labels=True,
        values=lambda model: model.predict(values.new)[:, 0],
    )
    note = "as many fits; its shares lag by a stage, so that the last is never reached"
    ours = TwoStageTrAdaBoostR2(ridge, held="learner", seed=None)
    yield Case("two-stage, one learner held", "ADAPT", _whole(values, ours), theirs, None, note)
    note = "4 x the fits, as in the paper: folds of the boosted model, of one learner there"
    yield Case("two-stage TrAdaBoost.R2", "ADAPT", _whole(values, TwoStageTrAdaBoostR2(ridge)), theirs, None, note)
    note = "beta e / (2 - e) there, e / (1 - e) in the paper"
    theirs = by_adapt(rows, (boost, "TrAdaBoost"), HEAD, labels=True, values=lambda model: model.predict(rows.new))
    yield Case("TrAdaBoost", "ADAPT", _whole(rows, TrAdaBoost(HEAD)), theirs, None, note)


def _whole(rows: Rows, ours: Any) -> Side:
    """An estimator of headstart that is no step."""
    X, y, domain = rows.together

    def run() -> tuple[Any, Array]:
        model = clone(ours).fit(X, y, sample_domain=domain)
        return model, model.predict(rows.new)

    return Side(run, lambda model: model.predict(rows.new))


def _pulled(rows: Rows, where: tuple[str, str]) -> Side:
    """ADAPT's parameter transfer: the source model first, then the labelled target rows alone."""
    from adapts import method

    kind, X_t, y_t = method(*where), rows.target[: rows.known], rows.answers[: rows.known]

    def run() -> tuple[Any, Array]:
        model = kind(Ridge().fit(rows.source, rows.targets), lambda_=2.0, verbose=0, random_state=0).fit(X_t, y_t)
        return model, np.asarray(model.predict(rows.new)).reshape(len(rows.new))

    return Side(run, lambda model: np.asarray(model.predict(rows.new)).reshape(len(rows.new)))
