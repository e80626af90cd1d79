"""Every class that takes two tasks, and tasks that are odd: for tests that run all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import is_regressor
from sklearn.linear_model import Ridge

from headstart.adaptation.alignment.augment import FeatureAugmentation
from headstart.adaptation.alignment.coral import Coral
from headstart.adaptation.alignment.jdot import JDOT
from headstart.adaptation.alignment.likeness import Likeness
from headstart.adaptation.alignment.linear_transport import LinearTransport
from headstart.adaptation.alignment.step import Align
from headstart.adaptation.alignment.subspace import SubspaceAlignment
from headstart.adaptation.alignment.tca import TCA
from headstart.adaptation.alignment.transductive import Transductive
from headstart.adaptation.alignment.transport import Transport
from headstart.adaptation.estimators.adapted import Adapted
from headstart.adaptation.estimators.domain_adaptive_regression import DomainAdaptiveRegressor
from headstart.adaptation.estimators.l2_sp import L2SPClassifier, L2SPRegressor
from headstart.adaptation.estimators.manifold import LaplacianRegularisedClassifier, LaplacianRegularisedRegressor
from headstart.adaptation.estimators.self_training import SelfTraining
from headstart.adaptation.estimators.tradaboost import TrAdaBoost, TrAdaBoostR2
from headstart.adaptation.estimators.two_stage_tradaboost import TwoStageTrAdaBoostR2
from headstart.adaptation.reweighting.balanced import BalancedWeights
from headstart.adaptation.reweighting.bbse import BBSE
from headstart.adaptation.reweighting.discriminator import DiscriminatorWeights
from headstart.adaptation.reweighting.kliep import KLIEP
from headstart.adaptation.reweighting.kmm import KMM
from headstart.adaptation.reweighting.mlls import MLLS
from headstart.adaptation.reweighting.nearest_neighbours import NearestNeighbourWeights
from headstart.adaptation.reweighting.rulsif import ULSIF, RuLSIF
from headstart.tasks.task import Array

__all__ = ["CLASSIFIERS", "EVERY", "ODD", "REGRESSORS", "TaskPair", "identical", "name", "tasks"]

BY_FEATURES: list[Align | None] = [
    None,
    Coral(),
    SubspaceAlignment(),
    TCA(dim=1),
    LinearTransport(),
    Transport(),
    Transport(plan="emd"),
    JDOT(),
    Transductive(),
    Transductive(kernel="linear"),
    Likeness(),
    KMM(),
    ULSIF(),
    RuLSIF(),
    KLIEP(),
    NearestNeighbourWeights(),
    DiscriminatorWeights(),
    FeatureAugmentation(),
    BalancedWeights(),
]
BY_CLASSES: list[Align] = [BBSE(), MLLS(), Transport(plan="class"), Transductive(added=0.5)]
CLASSIFIERS: list[Any] = [
    *(Adapted(step, target_labels=True) for step in BY_FEATURES + BY_CLASSES),
    SelfTraining(target_labels=True),
    LaplacianRegularisedClassifier(target_labels=True),
    LaplacianRegularisedClassifier("linear", target_labels=True),
    L2SPClassifier(),
    TrAdaBoost(),
]
REGRESSORS: list[Any] = [
    *(Adapted(step, Ridge(), target_labels=True) for step in BY_FEATURES),
    LaplacianRegularisedRegressor(target_labels=True),
    LaplacianRegularisedRegressor("linear", target_labels=True),
    L2SPRegressor(),
    DomainAdaptiveRegressor(),
    TrAdaBoostR2(),
    TwoStageTrAdaBoostR2(stages=2, rounds=2, folds=2),
]
EVERY = CLASSIFIERS + REGRESSORS


class TaskPair(NamedTuple):
    """X (N, d) and y (N,) of both tasks, the source first; sample_domain."""

    X: Array
    y: Array
    domain: Any

    def of(self, sign: int) -> Array:
        return np.asarray(self.domain) == sign


def tasks(model: Any, source: int = 30, target: int = 20, d: int = 3) -> TaskPair:
    """Two classes, or a line, that have moved a little; all target answers are known."""
    draw = np.random.default_rng(7)
    X, domain = draw.normal(size=(source + target, d)), np.repeat([1, -1], [source, target])
    X[source:, 0] += 0.5
    sign = np.where(np.arange(source + target) % 2, 1.0, -1.0)
    X[:, 1] += sign
    return TaskPair(
        X, X @ np.ones(d) if is_regressor(model) else np.where(sign > 0, "yes", "no").astype(object), domain
    )


def constant(model: Any) -> TaskPair:
    one = tasks(model)
    one.X[:, 2] = 4.0
    return one


def constant_in_the_source(model: Any) -> TaskPair:
    one = tasks(model)
    one.X[one.of(1), 2] = 4.0
    return one


def points(model: Any) -> TaskPair:
    one = tasks(model)
    one.X[:] = 1.0
    return one


def identical(model: Any) -> TaskPair:
    one = tasks(model, 20, 20)
    one.X[20:] = one.X[:20]
    return one


def far(model: Any) -> TaskPair:
    one = tasks(model)
    one.X[one.of(-1)] += 1e4
    return one


def a_class_of_one_row(model: Any) -> TaskPair:
    one = tasks(model)
    if not is_regressor(model):
        one.y[0] = "rare"
    return one


def an_answer_that_never_changes(model: Any) -> TaskPair:
    one = tasks(model)
    if is_regressor(model):
        one.y[:] = 2.0
    return one


def one_target_row(model: Any) -> TaskPair:
    return tasks(model, target=1)


def two_source_rows(model: Any) -> TaskPair:
    return tasks(model, source=2)


def fewer_rows_than_features(model: Any) -> TaskPair:
    return tasks(model, source=6, target=5, d=12)


def unknown_but_one(model: Any) -> TaskPair:
    one = tasks(model)
    one.y[31:] = np.nan if is_regressor(model) else -1
    return one


ODD: list[Callable[[Any], TaskPair]] = [
    constant,
    constant_in_the_source,
    points,
    far,
    a_class_of_one_row,
    an_answer_that_never_changes,
    unknown_but_one,
    one_target_row,
    two_source_rows,
    fewer_rows_than_features,
]


def name(model: Any) -> str:
    if not isinstance(model, Adapted):
        return type(model).__name__ + (":linear" if getattr(model, "kernel", "") == "linear" else "")
    form = getattr(model.align, "plan", getattr(model.align, "kernel", ""))
    return f"{type(model.align).__name__}{form}" + ("-regression" if is_regressor(model) else "")
