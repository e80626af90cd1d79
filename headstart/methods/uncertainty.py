"""From what was fitted to what is stored of its uncertainty, and from a model to sets, intervals and flags."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from headstart.backbones.tables import is_table_prior
from headstart.errors import DataError
from headstart.features.feature_set import FeatureSet
from headstart.heads.head import probabilities
from headstart.methods.answers import features, features_of
from headstart.methods.probe import counted
from headstart.preprocessing.table_encoder import TableEncoder
from headstart.tasks.task import Array
from headstart.uncertainty.conformal import Conformity
from headstart.uncertainty.out_of_distribution import OutOfDistribution, Placed
from headstart.uncertainty.quantile import share_of
from headstart.uncertainty.stored import Uncertainty

if TYPE_CHECKING:
    from headstart.artefact.model import Model
    from headstart.methods.method import Fitted

__all__ = [
    "Calibration",
    "calibration_of",
    "conformity_of",
    "conformity_stored",
    "distribution_stored",
    "flags_of",
    "placed",
    "scores_for",
    "uncertainty_of",
]

_AGAIN = "fit it again with this version, by a method whose head is chosen out of fold, such as 'probe'"


class Calibration(NamedTuple):
    """What a model says of rows that it did not learn from: predictions (n, C) or (n,), decisions and targets as in
    `Task`."""

    predictions: Array
    decisions: Array
    targets: Array


def calibration_of(fitted: Fitted, rows: FeatureSet) -> Calibration | None:
    """Of the rows that it was fitted to, each from a fit without it; None where the method makes no such answers."""
    rows = counted(rows)
    targets = np.asarray(rows.task.targets)
    if fitted.out_of_fold is None or len(fitted.out_of_fold) != len(targets) or rows.task.kind.parts:
        return None
    predictions = probabilities(fitted.out_of_fold, rows.task.kind, fitted.head.temperature)
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


def uncertainty_of(fitted: Fitted, rows: FeatureSet) -> Uncertainty:
    """Of a fit to these rows, as the backbone that was fitted sees them."""
    where = placed(fitted, rows)
    return Uncertainty(
        conformity=conformity_of(calibration_of(fitted, rows), rows),
        distribution=None if where is None else OutOfDistribution.of(where),
    )


def conformity_of(calibration: Calibration | None, rows: FeatureSet) -> Conformity | None:
    """The scores of these answers."""
    if calibration is None:
        return None
    return Conformity.of(rows.task.kind, calibration.predictions, calibration.targets)


def conformity_stored(model: Model) -> Conformity:
    """The scores that a model stores. Raises DataError where it has none."""
    if model.uncertainty is None or model.uncertainty.conformity is None:
        why = "it was saved by an earlier version" if model.uncertainty is None else "no rows were held out in its fit"
        raise DataError(f"the model stores no scores for sets and intervals ({why}): {_AGAIN}")
    return model.uncertainty.conformity


def scores_for(model: Model, coverage: float) -> Conformity:
    """The scores of a model from which sets or intervals of this coverage follow. Raises ValueError for a coverage that
    is no share, DataError where the model has none."""
    share_of(coverage)
    scores = conformity_stored(model)
    if model.kind.has_classes:
        scores.check(coverage)
    else:
        scores.half_width(coverage)
    return scores


def distribution_stored(model: Model) -> OutOfDistribution:
    """What a model stores of what it learnt from. Raises DataError where it has nothing."""
    if model.uncertainty is None or model.uncertainty.distribution is None:
        raise DataError(f"the model does not store what it learnt from, so that nothing is strange to it: {_AGAIN}")
    return model.uncertainty.distribution


def flags_of(model: Model, rows: FeatureSet) -> Array | None:
    """(N,) bool, whether rows are unlike what the model learnt from; None where it does not know."""
    stored = model.uncertainty
    if stored is None or stored.distribution is None:
        return None
    return stored.distribution.flags(np.asarray(features(model, rows)))
