"""One fit that draws on a source task: features of both, a step between them, a head that answers for the target."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import pandas as pd

from headstart.align.aligned import Aligned, Domains, unmoved
from headstart.align.way import Way
from headstart.backbones.tables import TableEncoder
from headstart.data.split import folds
from headstart.data.task import Array, Kind
from headstart.heads.head import Form, Head, shaped
from headstart.heads.select import fit_probe
from headstart.seen import Seen

__all__ = ["Ground", "answered", "composed", "fit_way", "ground"]

_BLOCKS_OF_BOTH = 2


@dataclass(frozen=True)
class Ground:
    """Both tasks as features of one form; of the target only rows that may be looked at.

    known   (m,) answers of target rows that may be used, -1 or NaN where not; None: none may
    folds   (n,) and (m,) in which rows are held out together
    """

    domains: Domains
    folds: tuple[Array, Array]
    kind: Kind
    form: Form
    encoder: TableEncoder | None
    seed: int


def ground(source: Seen, target: Seen, known: Array | None, *, seed: int) -> Ground:
    """The common ground of a source and the target rows that a fit may see."""
    x, z, encoder = _features(source, target)
    y = np.asarray(source.task.targets)
    apart = tuple(_folds(seen, answers, seed) for seen, answers in ((source, y), (target, None)))
    classes = max(1, len(source.task.classes))
    form: Form = "plain"
    if encoder is None and source.task.modality != "array":
        fitted = _probe(x, y, apart[0], source.task.kind, classes, ("plain", "root"), "shared", seed, None)
        form = fitted.form
    domains = Domains(
        shaped(x, form).astype(np.float64),
        y.astype(np.float64 if source.task.kind == "regression" else np.int64),
        shaped(z, form).astype(np.float64),
        known,
        classes if source.task.kind == "classification" else 0,
    )
    return Ground(domains, cast("tuple[Array, Array]", apart), source.task.kind, form, encoder, seed)


def fit_way(on: Ground, way: Way) -> Head:
    """A head for target features, in the form that the ground has. Raises ValueError where the way cannot be gone."""
    domains, kind = on.domains, on.kind
    rows = np.flatnonzero(answered(domains.known, kind))
    if way.target and not len(rows):
        raise ValueError("no labelled target rows may be used: give some, or learn from the source alone")
    moved = Aligned(domains.source, domains.targets, None, unmoved, {}) if way.align is None else way.align(domains)
    learn, answers, fold = moved.source, moved.targets, on.folds[0]
    if not way.source:
        learn, answers, fold = domains.target[rows], cast(Array, domains.known)[rows], on.folds[1][rows]
    elif way.target:
        learn = np.concatenate([learn, domains.target[rows]])
        answers = np.concatenate([answers, cast(Array, domains.known)[rows]])
        fold = np.concatenate([fold, on.folds[1][rows]])
    elif moved.of is not None:
        fold = np.concatenate(on.folds)[moved.of]
    scale = "shared" if on.encoder is None else "each"
    classes = max(1, domains.classes)
    head = _probe(learn, answers, fold, kind, classes, ("plain",), scale, on.seed, moved.weights)
    return composed(replace(head, form=on.form), moved.move, domains.target.shape[1])


def composed(head: Head, move: Callable[[Array], Array], width: int) -> Head:
    """The head that says of target features x what `head` says of move(x): W'((A x + b - mean) / scale) + c.

    Raises ValueError where the move is not affine: a saved model holds one layer.
    """
    if move is unmoved:
        return head
    draw = np.random.default_rng(0).normal(size=(3, width))
    b = move(np.zeros((1, width)))
    A = move(np.eye(width)) - b
    if not np.allclose(draw @ A + b, move(draw), atol=1e-6 * max(1.0, float(np.abs(b).max()))):
        raise ValueError("this step bends the features of the target, which a saved model cannot hold: use another")
    arrays = head.arrays
    W = arrays["weight.0"].astype(np.float64) / arrays["scale"][:, None]
    whole = {
        "mean": np.zeros(width),
        "scale": np.ones(width),
        "weight.0": (A @ W).astype(np.float32),
        "bias.0": (b[0] - arrays["mean"]) @ W + arrays["bias.0"],
    }
    return replace(head, arrays=whole)


def _probe(
    x: Array, y: Array, fold: Array, kind: Kind, classes: int, forms: Any, scale: Any, seed: int, weights: Array | None
) -> Head:
    heads = ("ridge",) if kind == "regression" else ("ridge", "logistic")
    fitted = fit_probe(
        x, y, kind=kind, classes=classes, folds=fold, seed=seed, heads=heads, forms=forms, scale=scale, weights=weights
    )
    return fitted.head


def _features(source: Seen, target: Seen) -> tuple[Array, Array, TableEncoder | None]:
    ours, theirs = source.task.inputs, target.task.inputs
    if isinstance(ours, pd.DataFrame) and isinstance(theirs, pd.DataFrame):
        encoder = TableEncoder.fit(pd.concat([ours, theirs], ignore_index=True))
        return encoder.transform(ours), encoder.transform(theirs), encoder
    return np.asarray(source.values), np.asarray(target.values), None


def _folds(seen: Seen, answers: Array | None, seed: int) -> Array:
    if len(seen) < _BLOCKS_OF_BOTH or len(np.unique(seen.blocks)) < _BLOCKS_OF_BOTH:
        return np.zeros(len(seen), dtype=np.int64)
    return folds(answers, seen.task.kind, seen.blocks, seen.keys, seed=seed)


def answered(known: Array | None, kind: Kind) -> Array:
    if known is None:
        return np.zeros(0, dtype=bool)
    return np.isfinite(known) if kind == "regression" else known >= 0
