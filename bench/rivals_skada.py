"""For `beside.py`: which method of headstart answers which of skada, under which options."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from judged import FREE, HEAD, WEIGHED, gamma, kliep_loss, kmm_loss, weighing
from sides import Case, Rows, by_skada, by_us, weights
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.kernel_ridge import KernelRidge
from sklearn.preprocessing import StandardScaler

from headstart.adaptation.alignment.coral import Coral
from headstart.adaptation.alignment.jdot import JDOT, MOST
from headstart.adaptation.alignment.linear_transport import LinearTransport
from headstart.adaptation.alignment.step import Align
from headstart.adaptation.alignment.subspace import SubspaceAlignment
from headstart.adaptation.alignment.tca import TCA
from headstart.adaptation.alignment.transport import Transport
from headstart.adaptation.reweighting.discriminator import DiscriminatorWeights
from headstart.adaptation.reweighting.kliep import KLIEP
from headstart.adaptation.reweighting.kmm import KMM
from headstart.adaptation.reweighting.nearest_neighbours import NearestNeighbourWeights
from headstart.linalg.distances import squared_distances
from headstart.linalg.kernels import width
from headstart.tasks.task import Array

__all__ = ["against_skada", "jdot"]


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

        return Case(name, "skada", weighing(rows, step), by_skada(rows, theirs, values=found), **more)

    nearest = skada.NearestNeighborReweight(head)
    yield pair("nearest neighbours", NearestNeighbourWeights(prior=0), nearest)
    loss, note = kmm_loss(rows, g), "Frank-Wolfe there, stopped short: by the programme's value"
    yield pair("KMM", KMM(gamma=g), skada.KMMReweight(head, gamma=g), tolerance=None, note=note, loss=loss)
    note = "its ascent moves by 2e-16 a step: by the likelihood"
    kliep = skada.KLIEPReweight(head, gamma=g, n_centers=len(rows.target), random_state=_Each())
    ours = KLIEP(gamma=g, centres=len(rows.target))
    yield pair("KLIEP, all centres", ours, kliep, tolerance=None, note=note, loss=kliep_loss(rows, g))
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
