"""From the arguments of `Fitter` to a `Problem`: what is wrong is refused with words, and row order stops mattering."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cache
from typing import ClassVar, NamedTuple, NoReturn

import numpy as np
from blake3 import blake3

from headstart.data.splits.folds import numbered
from headstart.heads.basis import principal
from headstart.heads.head import ClassWeight, Head, HeadFit
from headstart.heads.problem import Problem
from headstart.heads.sample_weights import row_weights
from headstart.heads.standardize import Scale, refuse_bad
from headstart.linalg.blas import one_thread
from headstart.tasks.kind import kind_named
from headstart.tasks.task import Array, Kind

__all__ = ["Posed", "Proposal", "pose", "pose_answers"]


class Proposal(NamedTuple):
    """out_of_fold   (N, C) logits in the order of the problem
    finish        fits the head to all rows; not called for a candidate that loses
    """

    out_of_fold: Array
    finish: Callable[[], Head]


class Posed(ABC):
    """Gives a fitter its `Fitter` call: pose the problem, `propose`, and finish."""

    kinds: ClassVar[tuple[Kind, ...]] = ()

    @abstractmethod
    def propose(self, problem: Problem) -> Proposal:
        """Out-of-fold logits, and the head that goes with them once it is wanted."""

    def check(self, kind: Kind) -> None:
        """ValueError where this head cannot answer such a task."""
        if kind not in self.kinds:
            name = type(self).__name__.lower()
            others = "" if name in ("ridge", "neural") else ": use 'ridge' or 'neural'"
            raise ValueError(f"the {name} head answers {' and '.join(self.kinds)} tasks, not {kind}{others}")

    def __call__(
        self,
        features: Array,
        targets: Array,
        *,
        kind: Kind,
        classes: int,
        folds: Array,
        class_weight: ClassWeight = None,
        seed: int = 0,
    ) -> HeadFit:
        """Arguments as in `Fitter`."""
        with one_thread():
            problem = pose(
                features, targets, kind=kind, classes=classes, folds=folds, class_weight=class_weight, seed=seed
            )
            proposal = self.propose(problem)
            return HeadFit(proposal.finish(), problem.restored(proposal.out_of_fold))


def pose(
    features: Array,
    targets: Array,
    *,
    kind: Kind,
    classes: int,
    folds: Array,
    class_weight: ClassWeight = None,
    seed: int = 0,
    scale: Scale = "each",
    weights: Array | None = None,
) -> Problem:
    """Arguments as in `Fitter`; scale as in `standardize`; weights as in `sample_weights.row_weights`.

    Features are not copied if they are float32 or float64 rows in C order.
    """
    kind = kind_named(kind)
    features = np.ascontiguousarray(features, dtype=None if _floating(features) else np.float32)
    targets, folds = np.asarray(targets), np.asarray(folds)
    _check_shapes(features, targets, folds)
    refuse_bad(features)
    targets = kind.checked(targets, classes)
    order = _content_order(features, targets)
    targets = targets[order]
    weights = row_weights(targets, kind, class_weight, None if weights is None else np.asarray(weights)[order])
    return Problem(
        features=features,
        order=order,
        targets=targets,
        folds=numbered(folds[order]),
        weights=weights,
        kind=kind,
        classes=classes,
        seed=seed,
        scale=scale,
        axes=cache(lambda: principal(features, order, weights, scale)),
    )


def pose_answers(
    targets: Array,
    *,
    kind: Kind,
    classes: int,
    folds: Array,
    class_weight: ClassWeight = None,
    weights: Array | None = None,
) -> Problem:
    """A problem whose rows stand as they were given and have no features: all that a score of logits asks for.

    Arguments as in `pose`. It has no axes: TypeError where they are asked for.
    """
    kind = kind_named(kind)
    targets = kind.checked(np.asarray(targets), classes)
    return Problem(
        features=np.empty((len(targets), 0)),
        order=np.arange(len(targets)),
        targets=targets,
        folds=numbered(np.asarray(folds)),
        weights=row_weights(targets, kind, class_weight, weights),
        kind=kind,
        classes=classes,
        seed=0,
        scale="each",
        axes=_no_axes,
    )


def _no_axes() -> NoReturn:
    raise TypeError("rows without features have no principal axes")


def _floating(features: Array) -> bool:
    return getattr(features, "dtype", None) in (np.dtype(np.float32), np.dtype(np.float64))


def _check_shapes(features: Array, targets: Array, folds: Array) -> None:
    if features.ndim != 2 or features.shape[1] == 0:
        raise ValueError(f"features must be an (N, D) array with D > 0, got shape {features.shape}")
    if len(features) < 2:
        raise ValueError(f"a head needs at least 2 rows, got {len(features)}: add labelled data")
    if len(targets) != len(features) or folds.shape != (len(features),):
        raise ValueError(
            "features, targets and folds must have as many rows: "
            f"got shapes {features.shape}, {targets.shape} and {folds.shape}"
        )
    if (folds == folds[0]).all():
        raise ValueError("all rows are in one fold, so that none can be held out: give at least two folds")


def _content_order(features: Array, targets: Array) -> Array:
    contents = features.view(np.uint8)
    keys = [
        blake3(row).update(target.tobytes()).digest(length=16) for row, target in zip(contents, targets, strict=True)
    ]
    return np.argsort(np.array(keys, dtype="V16"), kind="stable")
