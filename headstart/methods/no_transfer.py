"""The sound model that reuses nothing, as a method: whom transfer must beat, and what is kept where it does not.

texts      TF-IDF of words and word pairs, logistic or ridge regression
pictures   descriptions of thumbnails, likeness to training pictures, ridge
recordings cepstral coefficients, ridge or logistic regression or boosted trees
columns    the columns themselves, and the head that cross-validation chooses, as of a probe without a backbone
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from headstart.data.splits.split import folds
from headstart.evidence.baselines.no_transfer import fit_untransferred
from headstart.methods.method import Data, Fitted, Option, Source
from headstart.methods.plan import Plan
from headstart.methods.probe import Probe, counted
from headstart.preprocessing.description_encoder import DescriptionEncoder

__all__ = ["NoTransfer"]


@dataclass(frozen=True)
class NoTransfer:
    """A model of the inputs alone: no pretrained backbone, and no source."""

    about: str
    needs_source: ClassVar[bool] = False
    needs_teacher: ClassVar[bool] = False
    needs_tasks: ClassVar[bool] = False
    moves_weights: ClassVar[bool] = False
    reuses: ClassVar[bool] = False

    def options(self) -> dict[str, Option]:
        """None."""
        return {}

    def configured(self, name: str, options: Mapping[str, Any], seed: int) -> Self:
        """Itself. Raises ValueError for any option."""
        if options:
            raise ValueError(f"method {name!r} moves no weights and has no option {next(iter(options))!r}")
        return self

    def fit(self, plan: Plan, data: Data, source: Source | None = None) -> Fitted:
        """The head and its encoder; what a backbone made of the rows is not looked at."""
        task = data.rows.task
        if task.modality.has_columns:
            rows = replace(data.rows, values=task.modality.columns(task.inputs))
            return Probe(self.about).fit(plan, data._replace(rows=rows, backbone=None))
        rows = counted(data.rows)
        task, targets = rows.task, np.asarray(rows.task.targets)
        encoder, fit = fit_untransferred(
            replace(task, inputs=rows.plain_inputs),
            folds=folds(targets, task.kind, rows.blocks, rows.keys, seed=plan.seed),
            class_weight=plan.weights(task.classes),
            seed=plan.seed,
            aim=plan.aim(task.kind, task.classes),
        )
        if isinstance(encoder, DescriptionEncoder):
            encoder = replace(encoder, window=rows.window)
        return Fitted(fit.head, None, encoder, out_of_fold=fit.out_of_fold)
