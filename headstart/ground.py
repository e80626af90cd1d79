"""The common ground of a source and a target: features of both in one form, and what a fit may know of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np
import pandas as pd

from headstart.align.aligned import Domains
from headstart.backbones.tables import TableEncoder
from headstart.data.split import folds
from headstart.data.task import Array, Kind
from headstart.heads.head import ClassWeight, Form, shaped
from headstart.heads.select import fit_probe
from headstart.heads.standardize import Scale
from headstart.seen import Seen

__all__ = ["Ground", "Origin", "answered", "features_of_both"]

_BLOCKS_OF_BOTH = 2


@dataclass(frozen=True)
class Ground:
    """Both tasks as features of one form; of the target only rows that may be looked at.

    folds   (n,) and (m,) in which rows are held out together
    blocks  (m,) target rows of one number stay together whatever the folds; None: each on its own
    class_weight   as in `heads.head.Fitter`
    form    what was done to the features of the backbone, see `heads.head.shaped`
    scale   whether the features have units of their own, see `heads.standardize`
    """

    domains: Domains
    folds: tuple[Array, Array]
    kind: Kind
    blocks: Array | None = None
    form: Form = "plain"
    scale: Scale = "shared"
    encoder: TableEncoder | None = None
    seed: int = 0
    class_weight: ClassWeight = None

    @property
    def labelled(self) -> Array:
        """Which target rows have answers that may be used, by number."""
        return np.flatnonzero(answered(self.domains.known, self.kind))


@dataclass(frozen=True)
class Origin:
    """A source that a backbone has seen, and what of it is the same whatever the target."""

    seen: Seen
    seed: int
    class_weight: ClassWeight = None

    def ground(self, target: Seen, known: Array | None, bare: Seen | None = None) -> Ground:
        """With the target rows that a fit may see: some whose answers are known (None: may not be looked at), and
        bare ones, whose answers nobody knows."""
        targets = [target] if bare is None else [target, bare]
        x, z, encoder = features_of_both(self.seen, targets)
        kind, own = self.seen.task.kind, encoder is not None or self.seen.task.modality == "array"
        classes = max(1, len(self.seen.task.classes)) if kind == "classification" else 0
        y = np.asarray(self.seen.task.targets).astype(np.float64 if kind == "regression" else np.int64)
        if known is not None and bare is not None:
            unknown = np.full(len(bare), np.nan if kind == "regression" else -1, y.dtype)
            known = np.concatenate([known, unknown])
        domains = Domains(shaped(x, self.form), y, shaped(z, self.form), known, classes)
        apart = np.concatenate([_folds(one, None, self.seed) for one in targets])
        scale: Scale = "each" if own else "shared"
        together = target.blocks if bare is None else np.concatenate([target.blocks, np.full(len(bare), -1)])
        return Ground(
            domains, (self.folds, apart), kind, together, self.form, scale, encoder, self.seed, self.class_weight
        )

    @cached_property
    def folds(self) -> Array:
        """(n,) in which source rows are held out together."""
        return _folds(self.seen, np.asarray(self.seen.task.targets), self.seed)

    @cached_property
    def form(self) -> Form:
        """The form of a backbone's features on which ridge answers best for the source itself."""
        task = self.seen.task
        if task.modality in ("table", "array"):
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


def features_of_both(source: Seen, targets: Sequence[Seen]) -> tuple[Array, Array, TableEncoder | None]:
    """(n, d) of the source and (m, d) of all targets, float64; of tables by an encoder of both."""
    frames = [seen.task.inputs for seen in (source, *targets)]
    if isinstance(frames[0], pd.DataFrame):
        rows = pd.concat(cast("list[pd.DataFrame]", frames), ignore_index=True)
        encoder = TableEncoder.fit(rows)
        both = encoder.transform(rows).astype(np.float64)
        return both[: len(source)], both[len(source) :], encoder
    x, *z = (np.asarray(seen.values, np.float64) for seen in (source, *targets))
    return x, np.concatenate(z), None


def answered(known: Array | None, kind: Kind) -> Array:
    """(m,) which of the answers are known."""
    if known is None:
        return np.zeros(0, dtype=bool)
    return np.isfinite(known) if kind == "regression" else known >= 0


def _folds(seen: Seen, answers: Array | None, seed: int) -> Array:
    if len(seen) < _BLOCKS_OF_BOTH or len(np.unique(seen.blocks)) < _BLOCKS_OF_BOTH:
        return np.zeros(len(seen), dtype=np.int64)
    return folds(answers, seen.task.kind, seen.blocks, seen.keys, seed=seed)
