"""For `beside.py`: which method of headstart answers which of skada and ADAPT, under which options."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.linalg import solve
from scipy.optimize import nnls
from sides import Case, Rows, Side, by_adapt, by_skada, by_us, weights
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Ridge, RidgeClassifier
from sklearn.preprocessing import StandardScaler

from headstart.align.aligned import Align
from headstart.align.augment import FeatureAugmentation
from headstart.align.balanced import BalancedWeights
from headstart.align.boosting import TrAdaBoost, TrAdaBoostR2
from headstart.align.coral import Coral
from headstart.align.discriminator import DiscriminatorWeights
from headstart.align.gaussian import kernel, squared_distances
from headstart.align.jdot import JDOT, MOST
from headstart.align.kernels import width
from headstart.align.kliep import KLIEP
from headstart.align.kmm import KMM
from headstart.align.monge import LinearTransport
from headstart.align.neighbours import NearestNeighbourWeights
from headstart.align.parameters import L2SPRegressor
from headstart.align.ratio import ULSIF, RuLSIF
from headstart.align.subspace import SubspaceAlignment
from headstart.align.tca import TCA
from headstart.align.transport import Transport
from headstart.align.two_stage import TwoStageTrAdaBoostR2
from headstart.data.task import Array

__all__ = ["against_adapt", "against_skada"]

HEAD = RidgeClassifier()
# Weights come with any sum: the head must not care.
WEIGHED = RidgeClassifier(alpha=1e-6)
# Components of any scale will do for this one.
FREE = QuadraticDiscriminantAnalysis()
ALL = 10**6


def gamma(rows: Rows) -> float:
    """Of kernels, in units in which the toys have 1."""
    return 2 / rows.source.shape[1]


def against_skada(rows: Rows) -> Iterator[Case]:
    """Methods that skada 0.6 and headstart both have."""
    import skada

    def pair(name: str, step: Align, theirs: Any, **more: Any) -> Case:
        head = theirs[-1].base_estimator
        return Case(name, "skada", by_us(rows, step, head), by_skada(rows, theirs), **more)

    dim, cost = min(10, rows.source.shape[1]), float(np.median(squared_distances(rows.source, rows.target)))
    yield pair("CORAL, no penalty", Coral(penalty=0), skada.CORAL(HEAD, reg=None))
    yield pair("subspace alignment", SubspaceAlignment(dim=dim), skada.SubspaceAlignment(HEAD, n_components=dim))
    yield pair("linear transport", LinearTransport(penalty=0.1), skada.LinearOTMapping(HEAD, reg=0.1))
    yield pair("transport, exact", Transport(plan="emd"), skada.OTMapping(HEAD))
    reg = 0.1 * cost
    # to 1e-9 both; the class-wise form has no such option there
    sinkhorn = skada.EntropicOTMapping(HEAD, reg_e=reg, tol=1e-9)
    yield pair("transport, entropic", Transport(plan="sinkhorn", reg=reg, unit="none"), sinkhorn)
    by_class = skada.ClassRegularizerOTMapping(HEAD, reg_e=reg, reg_cl=reg)
    yield pair(
        "transport, by class", Transport(plan="class", reg=reg, group=reg, unit="none"), by_class, tolerance=1e-5
    )
    yield from _components(rows, skada)
    yield from _weights_of_skada(rows, skada)


def _components(rows: Rows, skada: Any) -> Iterator[Case]:
    g = 1 / rows.source.shape[1]

    def pair(name: str, mu: float, **more: Any) -> Case:
        theirs = by_skada(rows, skada.TransferComponentAnalysis(FREE, n_components=2, mu=mu))
        return Case(name, "skada", by_us(rows, TCA(dim=2, mu=mu, gamma=g), FREE), theirs, **more)

    yield pair("TCA, mu 0", 0.0, tolerance=1e-5, note="kernel PCA; a head to which scales are all one")
    yield pair("TCA, mu .1", 0.1, tolerance=None, note="theirs takes eigh of a matrix that is not symmetric")


def _weights_of_skada(rows: Rows, skada: Any) -> Iterator[Case]:
    X, y, domain = rows.together
    n, g = len(rows.source), gamma(rows)
    head = clone(WEIGHED).set_fit_request(sample_weight=True)

    def pair(name: str, step: Align, theirs: Any, **more: Any) -> Case:
        def found(model: Any) -> Array:
            return weights(model[0].base_estimator_.compute_weights(X, y=y, sample_domain=domain)[:n])

        return Case(name, "skada", _weighing(rows, step), by_skada(rows, theirs, values=found), **more)

    nearest = skada.NearestNeighborReweight(head)
    yield pair("nearest neighbours", NearestNeighbourWeights(prior=0), nearest)
    loss, note = _kmm_loss(rows, g), "Frank-Wolfe there, stopped short: by the programme's value"
    yield pair("KMM", KMM(gamma=g), skada.KMMReweight(head, gamma=g), tolerance=None, note=note, loss=loss)
    note = "its ascent moves by 2e-16 a step: by the likelihood"
    kliep = skada.KLIEPReweight(head, gamma=g, n_centers=len(rows.target), random_state=_Each())
    ours = KLIEP(gamma=g, centres=len(rows.target))
    yield pair("KLIEP, all centres", ours, kliep, tolerance=None, note=note, loss=_kliep_loss(rows, g))
    kliep = skada.KLIEPReweight(head, gamma=g, random_state=0)
    note = "other centres: drawn there with repetition; else as above"
    yield pair("KLIEP, 100 centres", KLIEP(gamma=g), kliep, tolerance=None, note=note)
    kliep = skada.KLIEPReweight(head, gamma=[g * by for by in (0.1, 0.3, 1, 3, 10)], random_state=0)
    yield pair("KLIEP, 5 widths x 5 folds", KLIEP(), kliep, tolerance=None, note=note)
    note = "ours: cross-fitted q/p; theirs: not, and p/q"
    disc = skada.DiscriminatorReweight(head)
    yield pair("discriminator", DiscriminatorWeights(), disc, tolerance=None, note=note)


class _Each(np.random.RandomState):
    """Draws every row once, as a draw without repetition of all rows would."""

    def choice(self, a: Any, size: Any = None, replace: bool = True, p: Any = None) -> Any:
        return np.asarray(a)[:size]


def jdot(rows: Rows) -> Iterator[Case]:
    """Of a regression: the same costs, and the same kernel ridge, for as many rows as ours stands on."""
    import skada

    both = np.concatenate([rows.source, rows.target])
    ways = squared_distances(rows.source, rows.target)
    ridge = KernelRidge(alpha=0.01 * len(rows.target), kernel="rbf", gamma=width(both))
    f = TransformedTargetRegressor(ridge, transformer=StandardScaler(with_std=False))
    alpha = float(ways.max() / (ways.mean() * rows.targets.var()))

    def brought(model: Any) -> Array:
        return np.asarray(len(rows.target) * model.sol_.plan.T @ rows.targets)

    def ours(model: Any) -> Array:
        return np.asarray(JDOT(alpha=alpha, rounds=100)(rows.domains).targets)

    theirs = by_skada(rows, skada.JDOTRegressor(f, alpha=0.5, tol=1e-12), values=brought)
    all_of_them = len(both) <= MOST
    note = "the answers brought" if all_of_them else f"our f stands on {MOST} rows, theirs on all"
    mine = by_us(rows, JDOT(alpha=alpha, rounds=100), f, values=ours)
    yield Case("JDOT, regression", "skada", mine, theirs, 1e-6 if all_of_them else None, note)


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


def _weighing(rows: Rows, step: Align) -> Side:
    return by_us(rows, step, WEIGHED, values=lambda model: step(rows.domains).weights)


def _weights_of_adapt(rows: Rows) -> Iterator[Case]:
    g = gamma(rows)

    def pair(name: str, step: Align, where: tuple[str, str], options: dict[str, Any], **more: Any) -> Case:
        theirs = by_adapt(rows, where, WEIGHED, values=lambda model: weights(model.weights_), **options)
        return Case(name, "ADAPT", _weighing(rows, step), theirs, **more)

    nearest = ("instance_based._nearestneighborsweighting", "NearestNeighborsWeighting")
    yield pair("nearest neighbours, k 5", NearestNeighbourWeights(k=5, prior=0), nearest, {"n_neighbors": 5})
    note = "a penalty at which no theta is below 0: they cut theta there, we cut w"
    strong = _strong(rows, g)
    same: dict[str, Any] = {"gamma": g, "lambdas": strong, "max_centers": ALL}
    ours: dict[str, Any] = {"gamma": g, "penalty": strong, "centres": ALL}
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


def _strong(rows: Rows, g: float) -> float:
    """A penalty under which theta = (H + lambda I)^-1 h has none below 0, for alpha 0 and .1."""
    k_p, k_q = (kernel(squared_distances(some, rows.target), g) for some in (rows.source, rows.target))
    by_p, by_q, h, penalty = k_p.T @ k_p / len(k_p), k_q.T @ k_q / len(k_q), k_q.mean(axis=0), 1.0
    eye = np.eye(len(h))
    while min(solve(a * by_q + (1 - a) * by_p + penalty * eye, h, assume_a="pos").min() for a in (0.0, 0.1)) < 0:
        penalty *= 2
    return penalty


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
    note = "4 x the fits, as in the paper: folds of the boosted model, of one learner there"
    theirs = by_adapt(
        values,
        (boost, "TwoStageTrAdaBoostR2"),
        ridge,
        labels=True,
        values=lambda model: model.predict(values.new)[:, 0],
    )
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


def _kmm_loss(rows: Rows, g: float) -> Any:
    """The value of the programme at the best multiple of the weights."""
    K = kernel(squared_distances(rows.source, rows.source), g)
    kappa = kernel(squared_distances(rows.source, rows.target), g).mean(axis=1)
    return lambda w: -float((kappa @ w) ** 2 / (w @ K @ w))


def _kliep_loss(rows: Rows, g: float) -> Any:
    """- mean log w(z), by the theta >= 0 that gives the weights of source rows."""
    k_p, k_q = (kernel(squared_distances(some, rows.target), g) for some in (rows.source, rows.target))

    def loss(w: Array) -> float:
        theta = nnls(k_p, w, maxiter=10**5)[0]
        return -float(np.log(k_q @ theta / (k_p @ theta).mean()).mean())

    return loss
