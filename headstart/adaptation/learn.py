"""One fit that draws on a source task: a step between the two, and a head that answers for the target."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal, NamedTuple, cast

import numpy as np

from headstart.adaptation.alignment.step import Aligned, Turn, unmoved
from headstart.adaptation.domain_pair import DomainPair
from headstart.adaptation.strategy import Strategy
from headstart.heads.head import Head, probabilities
from headstart.heads.select import fit_probe
from headstart.tasks.task import Array

__all__ = ["BASES", "Base", "Learnt", "composed", "fit_strategy", "learn"]

Base = Literal["linear", "kernel", "boosting"]
BASES: dict[Base, tuple[str, ...]] = {
    "linear": ("ridge", "logistic"),
    "kernel": ("kernel",),
    "boosting": ("boosting",),
}
"""What may stand on the features, the simplest first."""


class Learnt(NamedTuple):
    """A head that answers target features in the form of the pair, and how it came about.

    source       (n, C) or (n,) what it says of source rows, each by a fit that did not see the row; None where the way
                 does not learn from just these
    target       (L, C) or (L,) what it says of the labelled target rows, by a fit that did not see the row; None where
                 the step learns from other target rows than these
    moved        the step's own account
    """

    head: Head
    source: Array | None
    target: Array | None
    moved: Aligned


def fit_strategy(on: DomainPair, strategy: Strategy, base: Base = "linear") -> Head:
    """A head for target features of the pair. Raises ValueError where the strategy cannot be used."""
    return learn(on, strategy, base).head


def learn(on: DomainPair, strategy: Strategy, base: Base = "linear") -> Learnt:
    """Fit on the rows that the strategy takes; of two small tasks once. Raises ValueError where it cannot be used."""
    if (strategy, base) in on.learnt:
        return cast(Learnt, on.learnt[strategy, base])
    domains, rows = on.domains, on.labelled
    if strategy.target and not len(rows):
        raise ValueError("no labelled target rows may be used: give some, or learn from the source alone")
    moved = (
        Aligned(domains.source, domains.targets, None, unmoved, {})
        if strategy.align is None
        else strategy.align(domains)
    )
    x, answers, fold = moved.source, moved.targets, on.folds[0]
    n, of = len(domains.source), moved.of
    if not strategy.source:
        x, answers, fold, of = domains.target[rows], cast(Array, domains.known)[rows], _apart(on, rows), n + rows
    elif strategy.target:
        x = np.concatenate([x, domains.target[rows]])
        answers = np.concatenate([answers, cast(Array, domains.known)[rows]])
        fold, of = np.concatenate([fold, on.folds[1][rows]]), np.append(np.arange(n), n + rows)
    elif of is not None:
        fold = np.concatenate(on.folds)[of]
    fitted = fit_probe(
        x,
        answers,
        kind=on.kind,
        classes=max(1, domains.classes),
        folds=fold,
        class_weight=on.class_weight,
        seed=on.seed,
        heads=BASES[base],
        scale=on.scale,
        weights=moved.weights,
    )
    held_out = probabilities(fitted.out_of_fold, on.kind, fitted.head.temperature)
    head = composed(fitted.head, moved.move, domains.target.shape[1])
    if of is None:
        learnt = Learnt(head, held_out, head.predict(domains.target[rows]) if len(rows) else None, moved)
    else:
        of_target = held_out[of >= n] if np.array_equal(of[of >= n], n + rows) else None
        learnt = Learnt(head, None, of_target, moved)
    if on.small:
        on.learnt[strategy, base] = learnt
    return learnt


def _apart(on: DomainPair, rows: Array) -> Array:
    """The folds of some target rows; where all of these are in one, each block of them is its own."""
    fold = on.folds[1][rows]
    if (fold != fold[0]).any():
        return fold
    return rows if on.blocks is None else on.blocks[rows]


def composed(head: Head, move: Callable[[Array], Array], width: int) -> Head:
    """The head that says of target features x what `head` says of move(x) = A x + b, or of that at length 1.

    Where a linear one can stay one layer it does: W'((A x + b - mean) / scale) + c. Raises ValueError for other moves.
    """
    if move is unmoved:
        return head
    if isinstance(move, Turn) and move.unit:
        return replace(head, arrays=head.arrays | {"turn": move.A, "shift": move.b, "unit": np.ones(1)})
    draw = np.random.default_rng(0).normal(size=(3, width))
    b = move(np.zeros((1, width)))
    A = move(np.eye(width)) - b
    if not np.allclose(draw @ A + b, move(draw), atol=1e-6 * max(1.0, float(np.abs(b).max()))):
        raise ValueError("this step bends the features of the target, which a saved model cannot hold: use another")
    arrays = head.arrays
    if not arrays.keys() <= {"mean", "scale", "weight.0", "bias.0"}:
        return replace(head, arrays=arrays | {"turn": A, "shift": b[0]})
    W = arrays["weight.0"].astype(np.float64) / arrays["scale"][:, None]
    layer = {
        "mean": np.zeros(width),
        "scale": np.ones(width),
        "weight.0": (A @ W).astype(np.float32),
        "bias.0": (b[0] - arrays["mean"]) @ W + arrays["bias.0"],
    }
    return replace(head, arrays=layer)
