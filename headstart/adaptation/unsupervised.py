"""The choice without target labels: nothing shows that adapting helps, so that much must speak for it.

    1. The base of the source alone: linear, unless another has a lower loss on source rows that it did not see, weighed
       by the density ratio (Sugiyama et al., 2007), by a standard error of the paired difference.
    2. Of classifiers, where the tasks differ: `choose_by_shift` among the source alone, `likeness` and `coral`, where
       its story allows a move; else, where other shares of the classes explain the target and nothing else does,
       `mlls`; else a step that weighs rows, if it beats the source alone as in 1.

Why these, with figures: docs/decisions/0007.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import numpy as np

from headstart.adaptation.choice import ChosenStrategy, strategy_of
from headstart.adaptation.domain_pair import DomainPair
from headstart.adaptation.learn import BASES, Base, learn
from headstart.adaptation.scorers.by_shift import choose_by_shift
from headstart.adaptation.scorers.criteria import Said
from headstart.adaptation.scorers.importance_weighted import losses
from headstart.adaptation.shift.diagnose import diagnose
from headstart.adaptation.shift.hypotheses import log_ratios
from headstart.heads.paired import lower
from headstart.tasks.task import Array

__all__ = ["bases", "choose_unlabelled"]

_SHARES = "mlls"
_WEIGHING = ("kmm", "rulsif", _SHARES)
_ALONE: tuple[Base, ...] = ("linear", "kernel")
_FEWEST = 10


def bases(on: DomainPair) -> list[Base]:
    """Those that suit the features: trees ask for columns that mean something one by one, as those of a table do."""
    return [base for base in BASES if base != "boosting" or on.encoder is not None]


def choose_unlabelled(on: DomainPair) -> ChosenStrategy:
    """By the source's answers and both tasks' features alone."""
    domains = on.domains
    if len(domains.target) < _FEWEST:
        why = f"{len(domains.target)} target rows are too few to compare with"
        return ChosenStrategy("source-only", strategy_of("source-only"), why=why)
    shift = diagnose(domains.source, domains.targets, domains.target, kind=cast(Any, on.kind), seed=on.seed)
    ratios = np.exp(log_ratios(domains.source, domains.target, seed=on.seed))
    weights = ratios / ratios.mean()
    linear, kernel = (_tried(on, "source-only", base, weights) for base in _ALONE)
    plain = kernel if _beats(kernel, linear) else linear
    if not on.kind.has_classes or not shift.shifted:
        return plain.chosen(f"too few target labels to compare, and {shift.why}")
    moved, unmoved = _possible(on, [("coral", base) for base in _ALONE[: 2 if on.scale == "each" else 1]], weights)
    alike, unlike = _possible(on, [("likeness", "linear")], weights)
    tried = [linear, kernel, *alike, *moved]
    choice = choose_by_shift({trial.words: trial.said for trial in tried}, [trial.words for trial in moved], shift)
    if choice.criterion == "infomax":
        taken = next(trial for trial in tried if trial.words == choice.name)
        return taken.chosen(f"too few target labels to compare; {choice.rule}{unlike}{unmoved}")
    weighed, unweighed = _possible(on, [(name, plain.base) for name in _WEIGHING], weights)
    if shift.kind == "label" and weighed and weighed[-1].name == _SHARES:
        return weighed[-1].chosen(f"too few target labels to compare; {shift.why}")
    better = [trial for trial in weighed if _beats(trial, plain)]
    if not better:
        return plain.chosen(
            f"too few target labels to compare, and no weights are better by a standard error; {shift.why}"
        )
    taken = min(better, key=lambda trial: trial.losses.mean())
    return taken.chosen(
        f"too few target labels to compare; lower weighted loss than {plain.words}; {shift.why}{unweighed}"
    )


class _Tried(NamedTuple):
    """What a way on a base says of both tasks, and what each source row that it did not see costs it, weighed."""

    name: str
    base: Base
    said: Said
    losses: Array

    @property
    def words(self) -> str:
        return self.chosen("").words

    def chosen(self, why: str) -> ChosenStrategy:
        return ChosenStrategy(self.name, strategy_of(self.name), self.base, why)


def _tried(on: DomainPair, name: str, base: Base, weights: Array) -> _Tried:
    """Raises ValueError where the way cannot be gone."""
    domains = on.domains
    made = learn(on, strategy_of(name), base)
    p_source = cast(Array, made.source)
    answers = Said(
        domains.source, domains.targets, domains.target, made.head.predict(domains.target), p_source, weights=weights
    )
    cost = losses(domains.targets, p_source, "log" if p_source.ndim == 2 else "square")
    return _Tried(name, base, answers, weights * cost)


def _possible(on: DomainPair, strategies: Sequence[tuple[str, Base]], weights: Array) -> tuple[list[_Tried], str]:
    """Those that can be gone, and in words why the others cannot; "" where all can."""
    trials, refused = [], []
    for name, base in strategies:
        try:
            trials.append(_tried(on, name, base, weights))
        except ValueError as error:
            refused.append(f"; without {name}: {error}")
    return trials, "".join(refused)


def _beats(trial: _Tried, other: _Tried) -> bool:
    """Whether its loss is lower by more than a standard error of the paired difference."""
    return lower(trial.losses, other.losses, 1.0)
