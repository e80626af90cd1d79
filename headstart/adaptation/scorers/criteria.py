"""Choosing among models for a target without a label of it: a table of criteria, and the choice with its rule in words.

Every criterion is a function of `Said`: the two tasks, and what a fitted model says of their rows. None sees a target
label, none fits anything but `reverse`, which learns back. They rank models; none is an estimate of accuracy.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from headstart.adaptation.scorers.confidence import infomax, mano, mean_entropy, power_mean
from headstart.adaptation.scorers.importance_weighted import Loss, dev, importance_weighted
from headstart.adaptation.scorers.neighbourhood_density import neighbourhood_density
from headstart.adaptation.scorers.reverse_validation import Fit, reverse_validation
from headstart.adaptation.scorers.share_gap import share_gap
from headstart.evidence.plain import plain
from headstart.tasks.task import Array

__all__ = ["CRITERIA", "Choice", "Criterion", "Said", "choose"]

T = TypeVar("T")


class Said(NamedTuple):
    """Two tasks and what one model says of them. A criterion names in words what it needs and has not got.

    source, answers, target  x (n, d), y (n,) codes or values, z (m, d)
    p_source   (n, C), in regression values (n,), of source rows as the model sees them, by fits that did not see them
    p_target   (m, C), in regression values (m,)
    logits     (m, C) of target rows, for MaNo; without them the norm of p_target
    weights    (n,) density ratios of the source rows where the model sees them, not scaled (for DEV)
    shares     (C,) of the classes in the target, estimated
    fit        the method from the target back to the source, for `reverse`
    """

    source: Array
    answers: Array
    target: Array
    p_target: Array
    p_source: Array | None = None
    logits: Array | None = None
    weights: Array | None = None
    shares: Array | None = None
    fit: Fit | None = None


class Criterion(NamedTuple):
    """of: its number for what a model says; higher: more is better; assumes: in words; regression: holds there too.

    most: of more target rows it takes so many, the same for every model; None: all
    """

    of: Callable[[Said], float]
    higher: bool
    assumes: str
    regression: bool = False
    most: int | None = None


class Choice(NamedTuple):
    """Which model, by which rule.

    name    the model chosen
    rule    in words, for the evidence
    scores  of every model by the criterion; NaN where it is not defined, which is never chosen
    """

    name: str
    rule: str
    criterion: str
    scores: Mapping[str, float]

    def to_json(self) -> dict[str, Any]:
        """Plain facts; a score that is not defined is null."""
        record: dict[str, Any] = plain(self._asdict())
        return record


def _needed(value: T | None, name: str, what: str) -> T:
    if value is None:
        raise ValueError(f"{name} is None: this criterion needs {what}; give it, or take another criterion")
    return value


def _weighted(measure: Callable[[Array, Array, Array, Loss], float], loss: Loss) -> Callable[[Said], float]:
    def of(model: Said) -> float:
        p = _needed(model.p_source, "p_source", "what the model says of source rows that it did not see")
        w = _needed(model.weights, "weights", "density ratios of the source rows")
        return measure(model.answers, p, w, loss if p.ndim == 2 else "square")

    return of


def _mano(model: Said) -> float:
    return power_mean(model.p_target) if model.logits is None else mano(model.logits)


def _density(model: Said) -> float:
    return neighbourhood_density(model.p_target, most=_DENSE)


def _reverse(model: Said) -> float:
    fit = _needed(model.fit, "fit", "a function that fits the method from the target back to the source")
    return reverse_validation(model.source, model.answers, model.target, model.p_target, fit)


def _gap(model: Said) -> float:
    shares = _needed(model.shares, "shares", "the estimated shares of the classes in the target")
    return share_gap(model.p_target, shares)


_DENSE = 10_000
_COVERED = "P(y | x) is the source's, and the source covers the target"
_SURE = "models are calibrated alike, and the surer one is right"

CRITERIA: Mapping[str, Criterion] = {
    "iwv": Criterion(_weighted(importance_weighted, "log"), False, _COVERED, True),
    "iwv-error": Criterion(_weighted(importance_weighted, "error"), False, _COVERED, True),
    "dev": Criterion(_weighted(dev, "log"), False, _COVERED, True),
    "dev-error": Criterion(_weighted(dev, "error"), False, _COVERED, True),
    "snd": Criterion(_density, True, "classes are clusters in the target", most=_DENSE),
    "entropy": Criterion(lambda model: mean_entropy(model.p_target), False, _SURE),
    "infomax": Criterion(lambda model: infomax(model.p_target), True, f"{_SURE}; the target's classes are even"),
    "reverse": Criterion(_reverse, True, "going back is like going there", True),
    "mano": Criterion(_mano, True, _SURE),
    "shares": Criterion(_gap, False, "only the shares of the classes changed, so that they can be estimated"),
}


def choose(criterion: str, models: Mapping[str, Said]) -> Choice:
    """The best model by a criterion of the table; of equals the first.

    Raises ValueError for an unknown criterion, no model, no model that it is defined for, and in words where the
    criterion does not hold for regression or lacks what it needs.
    """
    if criterion not in CRITERIA:
        raise ValueError(f"criterion={criterion!r}: expected one of {', '.join(CRITERIA)}")
    if not models:
        raise ValueError("no model to choose from: expected one at least, such as {'source only': said}")
    row = CRITERIA[criterion]
    if not row.regression and any(model.p_target.ndim == 1 for model in models.values()):
        others = ", ".join(name for name, other in CRITERIA.items() if other.regression)
        raise ValueError(f"{criterion} is for classes, and the models answer with values: use one of {others}")
    scores = {name: row.of(model) for name, model in models.items()}
    defined = [name for name, score in scores.items() if not math.isnan(score)]
    if not defined:
        raise ValueError(f"{criterion} is not a number for any of {', '.join(models)}: use another criterion")
    name = (max if row.higher else min)(defined, key=lambda name: scores[name])
    rule = (
        f"{name} has the {'highest' if row.higher else 'lowest'} {criterion} ({scores[name]:.4g}) of {len(defined)} "
        f"models; no target label was used; it assumes that {row.assumes}"
    )
    rows = len(models[name].p_target)
    if row.most is not None and rows > row.most:
        rule += f"; taken on {row.most:,} of the {rows:,} target rows, drawn at random"
    return Choice(name, rule, criterion, scores)
