"""From what is stored of the uncertainty of a model to sets, intervals and flags: nothing is loaded that only a fit
needs."""

from __future__ import annotations

import numpy as np

from headstart.artefact.model import Model
from headstart.errors import DataError
from headstart.features.feature_set import FeatureSet
from headstart.linalg.blas import one_thread
from headstart.methods.answers import features
from headstart.tasks.task import Array
from headstart.uncertainty.conformal import Conformity
from headstart.uncertainty.out_of_distribution import RATE, OutOfDistribution
from headstart.uncertainty.quantile import share_of

__all__ = ["conformity_stored", "distribution_stored", "flags_of", "scores_for"]

_AGAIN = "fit it again with this version, by a method whose head is chosen out of fold, such as 'probe'"


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


def flags_of(model: Model, rows: FeatureSet, rate: float = RATE) -> Array | None:
    """(N,) bool, whether rows are unlike what the model learnt from; None where it does not know."""
    stored = model.uncertainty
    if stored is None or stored.distribution is None:
        return None
    with one_thread():
        return stored.distribution.flags(np.asarray(features(model, rows)), rate)
