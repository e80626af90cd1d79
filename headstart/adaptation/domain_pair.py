"""A source and a target side by side: features of both in one form, and what a fit may know of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from headstart.adaptation.alignment.step import Domains
from headstart.data.splits.split import folds
from headstart.features.feature_set import FeatureSet
from headstart.heads.head import ClassWeight, Form, shaped
from headstart.heads.select import fit_probe
from headstart.heads.standardize import Scale
from headstart.preprocessing.table_encoder import TableEncoder
from headstart.tasks.task import Array, Kind

__all__ = ["DomainPair", "SourceSide", "answered", "features_of_both"]

_BLOCKS_OF_BOTH = 2
_KEPT = 16 << 20


@dataclass(frozen=True)
class DomainPair:
    """Both tasks as features of one form; of the target only rows that may be looked at.

    folds   (n,) and (m,) in which rows are held out together
    class_weight   as in `heads.head.Fitter`
    form    what was done to the features of the backbone, see `heads.head.shaped`
    scale   whether the features have units of their own, see `heads.standardize`
    blocks  (m,) target rows of one number stay together whatever the folds; None: each on its own
    """

    domains: Domains
    folds: tuple[Array, Array]
    kind: Kind
    form: Form = "plain"
    scale: Scale = "shared"
    encoder: TableEncoder | None = None
    seed: int = 0
    class_weight: ClassWeight = None
    blocks: Array | None = None

    @cached_property
    def tried(self) -> dict[tuple[str, str], Array]:
        """(way, base) -> what each labelled row cost it, so that nobody tries one twice."""
        return {}

    @cached_property
    def learnt(self) -> dict[Any, Any]:
        """(strategy, base) -> what was learnt by it, see `learn`; for two small tasks, so that a way that was tried and
        is then taken is not fitted twice."""
        return {}

    @property
    def small(self) -> bool:
        """Whether what is learnt by every way can be kept at once: some hold features of their own."""
        return self.domains.source.nbytes + self.domains.target.nbytes <= _KEPT

    @property
    def labelled(self) -> Array:
        """Which target rows have answers that may be used, by number."""
        return np.flatnonzero(answered(self.domains.known, self.kind))


class SourceSide:
    """A source that a backbone has seen, and what of it is the same whatever the target."""

    def __init__(self, feature_set: FeatureSet, seed: int, class_weight: ClassWeight = None) -> None:
        self.seen, self.seed, self.class_weight = feature_set, seed, class_weight
        self._form: Form | None = None

    def pair(self, target: FeatureSet, answers: Array | None) -> DomainPair:
        """With the target rows that a fit may see, and what is known of their answers: -1 or NaN where nothing is,
        None where none may be looked at."""
        x, z, encoder = features_of_both(self.seen, target)
        kind = self.seen.task.kind
        classes = max(1, len(self.seen.task.classes)) if kind.exclusive else 0
        y = np.asarray(self.seen.task.targets).astype(kind.dtype)
        form = self.best_form()
        return DomainPair(
            Domains(shaped(x, form), y, shaped(z, form), answers, classes),
            (self.folds, _folds(target, None, self.seed)),
            kind,
            form,
            "each" if self.seen.task.modality.has_columns else "shared",
            encoder,
            self.seed,
            self.class_weight,
            target.blocks,
        )

    @cached_property
    def folds(self) -> Array:
        """(n,) in which source rows are held out together."""
        return _folds(self.seen, np.asarray(self.seen.task.targets), self.seed)

    def best_form(self) -> Form:
        """The form of a backbone's features on which ridge answers best for the source itself, fitted once."""
        if self._form is None:
            self._form = self._fitted_form()
        return self._form

    def _fitted_form(self) -> Form:
        task = self.seen.task
        if task.modality.has_columns:
            return "plain"
        fitted = fit_probe(
            np.asarray(self.seen.values),
            np.asarray(task.targets),
            kind=task.kind,
            classes=max(1, len(task.classes)),
            folds=self.folds,
            class_weight=self.class_weight,
            seed=self.seed,
            heads=("ridge",),
            forms=("plain", "root"),
            scale="shared",
        )
        return fitted.head.form


def features_of_both(source: FeatureSet, target: FeatureSet) -> tuple[Array, Array, TableEncoder | None]:
    """(n, d) of the source and (m, d) of the target, float64; of tables by an encoder of both."""
    if source.task.modality.has_names:
        rows = source.task.modality.stack(source.task.inputs, target.task.inputs)
        encoder = TableEncoder.fit(rows)
        both = encoder.transform(rows).astype(np.float64)
        return both[: len(source)], both[len(source) :], encoder
    return np.asarray(source.values, np.float64), np.asarray(target.values, np.float64), None


def answered(answers: Array | None, kind: Kind) -> Array:
    """(m,) which of the answers are known."""
    if answers is None:
        return np.zeros(0, dtype=bool)
    return kind.known(answers)


def _folds(features: FeatureSet, answers: Array | None, seed: int) -> Array:
    if len(features) < _BLOCKS_OF_BOTH or len(np.unique(features.blocks)) < _BLOCKS_OF_BOTH:
        return np.zeros(len(features), dtype=np.int64)
    return folds(answers, features.task.kind, features.blocks, features.keys, seed=seed)
