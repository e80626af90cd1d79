"""What more labels would bring: the protocol (`headstart.curve`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from headstart.automl.learning_curves.measure import Study, draws_of
from headstart.automl.learning_curves.subsamples import A_CLASS, COUNT, SMALLEST, named_sizes, sizes_for
from headstart.checks import one_of, whole
from headstart.errors import DataError
from headstart.features.feature_set import FeatureSet
from headstart.study.comparison import held_out_of
from headstart.study.resampling import REPEATS, plan_trials

__all__ = ["study_of"]

DRAWS = 5
"""Draws of subsamples from one training split; a repeat of cross-validation draws in each fold."""


def study_of(rows: FeatureSet, *, sizes: Sequence[int] | None, draws: int | None, metric: str | None, seed: int) -> Study:
    """The trials and the sizes that suit the rows. DataError where they are too few, ValueError for sizes that cannot
    be."""
    trials = plan_trials(rows, seed, repeats=REPEATS if draws is None else draws)
    draws = draws or (DRAWS if trials.held_out else REPEATS)
    pool = min(len(trial.train) for trial in trials.trials)
    classes = len(rows.task.classes)
    settled = sizes_for(pool, classes) if sizes is None else named_sizes(sizes, pool, classes)
    if not settled:
        least = 2 * max(SMALLEST, A_CLASS * classes)
        raise DataError(
            f"too few to draw a curve: {pool} of {len(rows)} rows are there to learn from, and {least} are needed, twice "
            f"the smallest subsample ({SMALLEST} rows, {A_CLASS} of each class): add about "
            f"{int(np.ceil(least * len(rows) / pool)) - len(rows)} labelled rows"
        )
    tested = held_out_of(rows.take(trials.tested))
    metric = metric or rows.task.kind.headline
    one_of("metric", metric, rows.task.kind.metrics)
    return Study(
        rows=rows, draws=draws_of(trials, draws), sizes=settled, held_out=tested, metric=metric, seed=seed
    )
