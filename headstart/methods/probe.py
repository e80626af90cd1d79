"""Probes: nothing below the head moves, and the head is chosen by cross-validation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self, cast

import numpy as np
import pandas as pd

from headstart.backbones.backbone import Backbone
from headstart.backbones.tables import is_table_prior, weights_folder
from headstart.data.splits.split import folds
from headstart.data.weights import repeats
from headstart.features.feature_set import FeatureSet
from headstart.heads.select import fit_probe
from headstart.heads.standardize import Scale
from headstart.methods.answers import features_of
from headstart.methods.method import Data, Fitted, Option, Source, typed
from headstart.methods.plan import Plan
from headstart.preprocessing.table_encoder import TableEncoder

__all__ = ["Probe", "counted", "features_of"]

_FIELDS = {"incontext": "in_context", "root": "root"}
"""By the name of an option the field that it sets."""


@dataclass(frozen=True)
class Probe:
    """A head on features that stay as they are.

    heads       those that cross-validation chooses among; None: those that suit the task, see `heads.select`
    in_context  whether answers in context are tried beside those that suit the task, on any features
    root        whether the square roots of a network's features are tried too, beside the features as they are
    """

    about: str
    heads: tuple[str, ...] | None = None
    in_context: bool = False
    root: bool = True
    needs_source: ClassVar[bool] = False
    needs_teacher: ClassVar[bool] = False
    needs_tasks: ClassVar[bool] = False
    moves_weights: ClassVar[bool] = False
    reuses: ClassVar[bool] = True

    def options(self) -> dict[str, Option]:
        """Whether square roots of features are tried too, and, where no heads are named, answers in context."""
        root = {"root": Option("root", "bool", self.root)}
        return root if self.heads else {"incontext": Option("incontext", "bool", self.in_context)} | root

    def configured(self, name: str, options: Mapping[str, Any], seed: int) -> Self:
        """The row with these options set. Raises ValueError for one that it does not have."""
        declared = self.options()
        for option, value in options.items():
            if option not in declared:
                has = ", ".join(declared)
                raise ValueError(f"method {name!r} moves no weights and has no option {option!r}; it has {has}")
            self = replace(self, **{_FIELDS[option]: typed(declared[option], value)})
        return self

    def fit(self, plan: Plan, data: Data, source: Source | None = None) -> Fitted:
        """The head that does best out of fold, on the features of the backbone or of an encoder of the columns."""
        rows, backbone = counted(data.rows), data.backbone
        task, targets = rows.task, np.asarray(rows.task.targets)
        raw = task.modality.has_names and rows.values is None
        encoder = TableEncoder.fit(cast(pd.DataFrame, task.inputs)) if raw else None
        name = None if backbone is None else backbone.name
        bare = name is None or is_table_prior(name)
        fitted = fit_probe(
            features_of(rows, encoder),
            targets,
            kind=task.kind,
            classes=max(1, len(task.classes)),
            folds=folds(targets, task.kind, rows.blocks, rows.keys, seed=plan.seed),
            class_weight=plan.weights(task.classes),
            seed=plan.seed,
            heads=self.heads,
            forms=("plain", "root") if self.root and not bare else ("plain",),
            scale=_scales(rows, backbone),
            aim=plan.aim(task.kind, task.classes),
            network=self._network(name),
            blocks=rows.blocks,
            weights=task.weight,
        )
        return Fitted(fitted.head, backbone, encoder, out_of_fold=fitted.out_of_fold)

    def _network(self, backbone: str | None) -> str | None:
        """The folder with the weights of the network that may answer in context, "" for those of the package."""
        if backbone is not None and is_table_prior(backbone):
            return weights_folder(backbone)
        return "" if self.in_context else None


def _scales(rows: FeatureSet, backbone: Backbone | None) -> tuple[Scale, ...]:
    """How features may be scaled: those of a network alike, the columns of a table each by itself; of a bare array
    nothing says whether its columns have one unit, so that the rows do."""
    if backbone is not None and not is_table_prior(backbone.name):
        return ("shared",)
    return ("each",) if rows.task.modality.has_names else ("each", "shared")


def counted(rows: FeatureSet) -> FeatureSet:
    """The rows that count: as often as whole weights say (`weights.repeats`), else those whose weight is above 0."""
    weights = rows.task.weight
    if weights is None:
        return rows
    times = repeats(weights)
    if times is None:
        return rows if weights.all() else rows.take(np.flatnonzero(weights))
    repeated = rows if (times == 1).all() else rows.take(np.repeat(np.arange(len(rows)), times))
    return replace(repeated, task=replace(repeated.task, weight=None))
