"""From what was fitted to what is stored of its uncertainty, and from a model to sets, intervals and flags."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from headstart.backbones.tables import is_table_prior
from headstart.features.feature_set import FeatureSet
from headstart.heads.head import probabilities
from headstart.linalg.blas import one_thread
from headstart.methods.answers import features_of
from headstart.methods.probe import counted
from headstart.preprocessing.table_encoder import TableEncoder
from headstart.tasks.task import Array
from headstart.uncertainty.conformal import Conformity
from headstart.uncertainty.decided import Decided
from headstart.uncertainty.kernel_mean import KernelMean
from headstart.uncertainty.out_of_distribution import OutOfDistribution, Placed
from headstart.uncertainty.stored import Uncertainty

if TYPE_CHECKING:
    from headstart.methods.method import Fitted

__all__ = [
    "Calibration",
    "calibration_of",
    "conformity_of",
    "placed",
    "trained_on",
    "uncertainty_of",
]


class Calibration(NamedTuple):
    """What a model says of rows that it did not learn from: predictions (n, C) or (n,), decisions and targets as in
    `Task`.

    rows   (n,) their numbers among those that it was fitted to and that count (`probe.counted`); None: all of them
    """

    predictions: Array
    decisions: Array
    targets: Array
    rows: Array | None = None


def calibration_of(fitted: Fitted, rows: FeatureSet) -> Calibration | None:
    """Of the rows that it was fitted to, each from a fit without it: of all, or where weights moved of those that the
    training held out. None where the method makes no such answers."""
    rows = counted(rows)
    targets, outputs, some = np.asarray(rows.task.targets), fitted.out_of_fold, None
    if fitted.held_out is not None:
        some, outputs = fitted.held_out
        targets = targets[some]
    if outputs is None or len(outputs) != len(targets) or rows.task.kind.parts:
        return None
    predictions = probabilities(outputs, rows.task.kind, fitted.head.temperature)
    return Calibration(predictions, fitted.head.decide(predictions), targets, some)


def placed(fitted: Fitted, rows: FeatureSet) -> Placed | None:
    """Where rows lie among the features that the head stands on; None for those of a model of words or thumbnails.

    rows   as the backbone that was fitted sees them
    """
    encoder, backbone = fitted.encoder, fitted.backbone
    if encoder is not None and not isinstance(encoder, TableEncoder):
        return None
    unit = encoder is None and backbone is not None and not is_table_prior(backbone.name)
    return Placed(features_of(rows, encoder), rows.blocks, unit)


def uncertainty_of(fitted: Fitted, rows: FeatureSet, *, moved: bool = False) -> Uncertainty | None:
    """Of a fit to these rows, as the backbone sees them that was fitted; or where it has moved, as the one before it
    does, among whose features nothing lies any more. None where nothing is known."""
    calibration, classes = calibration_of(fitted, rows), len(rows.task.classes)
    trained = Uncertainty() if moved else trained_on(placed(fitted, rows))
    decided = None if calibration is None else Decided.of(rows.task.kind, calibration.decisions, classes)
    stored = replace(trained, conformity=conformity_of(calibration, rows), decided=decided)
    return stored if not moved or stored.arrays() else None


def trained_on(where: Placed | None) -> Uncertainty:
    """What is stored of training rows alone; nothing of rows that lie nowhere."""
    if where is None:
        return Uncertainty()
    with one_thread():
        distribution = OutOfDistribution.of(where)
        means = None if distribution is None else KernelMean.of(where, distribution)
    return Uncertainty(distribution=distribution, means=means)


def conformity_of(calibration: Calibration | None, rows: FeatureSet) -> Conformity | None:
    """The scores of these answers."""
    if calibration is None:
        return None
    return Conformity.of(rows.task.kind, calibration.predictions, calibration.targets)
