"""From what was fitted to what is stored of its uncertainty, and from a model to sets, intervals and flags."""

from __future__ import annotations

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
from headstart.uncertainty.out_of_distribution import OutOfDistribution, Placed
from headstart.uncertainty.stored import Uncertainty

if TYPE_CHECKING:
    from headstart.methods.method import Fitted

__all__ = [
    "Calibration",
    "calibration_of",
    "conformity_of",
    "placed",
    "uncertainty_of",
]


class Calibration(NamedTuple):
    """What a model says of rows that it did not learn from: predictions (n, C) or (n,), decisions and targets as in
    `Task`."""

    predictions: Array
    decisions: Array
    targets: Array


def calibration_of(fitted: Fitted, rows: FeatureSet) -> Calibration | None:
    """Of the rows that it was fitted to, each from a fit without it: of all, or where weights moved of those that the
    training held out. None where the method makes no such answers."""
    rows = counted(rows)
    targets, outputs = np.asarray(rows.task.targets), fitted.out_of_fold
    if fitted.held_out is not None:
        targets, outputs = targets[fitted.held_out.rows], fitted.held_out.outputs
    if outputs is None or len(outputs) != len(targets) or rows.task.kind.parts:
        return None
    predictions = probabilities(outputs, rows.task.kind, fitted.head.temperature)
    return Calibration(predictions, fitted.head.decide(predictions), targets)


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
    where = None if moved else placed(fitted, rows)
    with one_thread():
        distribution = None if where is None else OutOfDistribution.of(where)
    conformity = conformity_of(calibration_of(fitted, rows), rows)
    stored = Uncertainty(conformity=conformity, distribution=distribution)
    return stored if not moved or stored.arrays() else None


def conformity_of(calibration: Calibration | None, rows: FeatureSet) -> Conformity | None:
    """The scores of these answers."""
    if calibration is None:
        return None
    return Conformity.of(rows.task.kind, calibration.predictions, calibration.targets)
