"""The guard: a model that is not adapted, unless another is better by more than its margin.

Each way is tested on labelled target rows that it did not learn from. It begins with both tasks pooled under a linear
head, which is seldom far from the best, and leaves that for another way that does not adapt, or another base, only
where its mean loss is lower by two standard errors of the paired difference (Breiman et al., 1984, section 3.4.3): many
are compared on few rows. An adaptation is taken where the tasks differ and it is then better by a quarter of one. Why
these margins, with figures: docs/decisions/0007. Without target labels see `unsupervised`.

One fit of a way says what it says of labelled rows that it did not see: that its strength was chosen by these among all
its rows makes no odds. Where they are few and alone, or weigh as much as the whole source, it would, so that such a way
is fitted anew for each part of them. Whether the tasks differ is asked only where an adaptation would be taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple, cast

import numpy as np

from headstart.adaptation.choice import ChosenStrategy, strategy_of
from headstart.adaptation.domain_pair import DomainPair
from headstart.adaptation.learn import BASES, Base, fit_strategy, learn
from headstart.adaptation.shift.diagnose import differ
from headstart.adaptation.strategy import Strategy
from headstart.adaptation.unsupervised import bases, choose_unlabelled
from headstart.data.splits.folds import merged, numbered
from headstart.heads.paired import lower
from headstart.linalg.blas import at_once, one_thread
from headstart.tasks.task import Array, Kind

__all__ = ["best_plain", "choose"]

_FEWEST = 10
_FEW, _PARTS = 50, 10
_WEIGH_MUCH = ("target-only", "balanced")
_FIRST: tuple[str, Base] = ("pooled", "linear")
_DEAREST: Base = "boosting"
_PLAIN = ("pooled", "target-only", "source-only")
_ADAPTED = ("augment", "balanced")
_LEAVE, _ADAPT = 2.0, 0.25


class _Tried(NamedTuple):
    """A way on a base, and what each labelled target row costs it."""

    name: str
    base: Base
    losses: Array

    @property
    def chosen(self) -> ChosenStrategy:
        return ChosenStrategy(self.name, strategy_of(self.name), self.base)

    def beats(self, other: _Tried, margin: float) -> bool:
        """Whether its mean loss is lower by more than so many standard errors of the paired difference."""
        return lower(self.losses, other.losses, margin)


@one_thread()
def choose(on: DomainPair) -> ChosenStrategy:
    """The strategy for this pair of tasks, and the base of its head."""
    if len(on.labelled) < _FEWEST or _fewest(on) < 2:
        return choose_unlabelled(on)
    candidates = bases(on)
    moving = [(name, base) for base in candidates if base != _DEAREST for name in _ADAPTED]
    still = [(name, base) for base in candidates for name in _PLAIN if base != _DEAREST or name == _FIRST[0]]
    tried = _all_tried(on, [*still, *moving])  # at once, so that no core waits in between
    first = _tried(on, *_FIRST)
    others = [*tried[: len(still)], *_on_trees(on, tried[: len(still)])]
    plain = min([first, *(trial for trial in others if trial.beats(first, _LEAVE))], key=_mean)
    where = f"on {len(on.labelled)} labelled target rows held out in turn"
    adapted = min(tried[len(still) :], key=_mean)
    better = adapted.beats(plain, _ADAPT)
    if better and _differ(on):
        return adapted.chosen._replace(why=f"better than {plain.chosen.words} {where}")
    if plain is not first:
        why = "the tasks do not differ otherwise" if better else "no adaptation is better still"
        return plain.chosen._replace(why=f"better than pooled {where}, and {why}")
    why = "the tasks do not differ, and " if better else ""
    return plain.chosen._replace(why=f"{why}nothing is better by its margin {where}")


def _on_trees(on: DomainPair, plain: Sequence[_Tried]) -> list[_Tried]:
    """Ways that do not adapt on boosted trees, which are the dearest, beside both tasks pooled: only where pooled trees
    are the best of those that do not adapt."""
    if min(plain, key=_mean).base != _DEAREST:
        return []
    return _all_tried(on, [(name, _DEAREST) for name in _PLAIN if name != _FIRST[0]])


def best_plain(on: DomainPair, names: Sequence[str], base: Base) -> ChosenStrategy | None:
    """Of ways that do not adapt, by name, the one with the lowest mean loss on labelled target rows held out in turn,
    under a linear head or on this base; None where there are too few such rows to say."""
    if len(names) == 1:
        return ChosenStrategy(names[0], strategy_of(names[0]), base)
    if len(on.labelled) < _FEWEST or _fewest(on) < 2:
        return None
    candidates: tuple[Base, ...] = ("linear",) if base == "linear" else ("linear", base)
    return min((_tried(on, name, on_base) for on_base in candidates for name in names), key=_mean).chosen


def _differ(on: DomainPair) -> bool:
    """Whether the diagnosis, with the labels that may be used, finds a shift that could be adapted to."""
    domains = on.domains
    return differ(domains.source, domains.targets, domains.target, domains.known, kind=on.kind, seed=on.seed)


def _mean(trial: _Tried) -> float:
    return float(trial.losses.mean())


def _all_tried(on: DomainPair, strategies: Sequence[tuple[str, Base]]) -> list[_Tried]:
    """Each in its place; the dearest begin, so that none is left for one core at the end."""
    dearness = {base: number for number, base in enumerate(BASES)}
    order = sorted(strategies, key=lambda strategy: -dearness[strategy[1]])
    tried = dict(zip(order, at_once(lambda strategy: _tried(on, *strategy), order), strict=True))
    return [tried[strategy] for strategy in strategies]


def _tried(on: DomainPair, name: str, base: Base) -> _Tried:
    if (name, base) not in on.tried:
        once = len(on.labelled) > _FEW or name not in _WEIGH_MUCH
        on.tried[name, base] = (_losses if once else _losses_of_parts)(on, strategy_of(name), base)
    return _Tried(name, base, on.tried[name, base])


def _losses(on: DomainPair, strategy: Strategy, base: Base) -> Array:
    """Of the labelled target rows, by what one fit says of each that it did not see."""
    predictions = cast(Array, learn(on, strategy, base).target)
    return _loss(on.kind, predictions, cast(Array, on.domains.known)[on.labelled])


def _losses_of_parts(on: DomainPair, strategy: Strategy, base: Base) -> Array:
    """Of the labelled target rows, each by a fit that did not know its answer."""
    labelled, answers = on.labelled, cast(Array, on.domains.known)
    part = _parts(on)
    losses = np.zeros(len(labelled))
    for number in range(int(part.max()) + 1):
        hidden = labelled[part == number]
        masked = answers.astype(on.kind.dtype).copy()
        masked[hidden] = on.kind.unknown(len(hidden), on.kind.dtype)
        head = fit_strategy(replace(on, domains=on.domains._replace(known=masked)), strategy, base)
        losses[part == number] = _loss(on.kind, head.predict(on.domains.target[hidden]), answers[hidden])
    return losses


def _parts(on: DomainPair) -> Array:
    """(L,) the part in which each labelled row is held out: whole blocks, alike in classes and in size."""
    labelled = on.labelled
    blocks = np.arange(len(labelled)) if on.blocks is None else on.blocks[labelled]
    codes = on.kind.codes(cast(Array, on.domains.known)[labelled])
    drawn = np.random.default_rng(on.seed).permutation(len(labelled))
    block = numbered(blocks[drawn])
    part = np.empty(len(labelled), np.int64)
    part[drawn] = merged(block, codes[drawn].astype(np.int64), _PARTS)
    return part


def _loss(kind: Kind, predictions: Array, answers: Array) -> Array:
    """(Q,) sum_c (p_c - [y = c])^2 (Brier, 1950), or the absolute error: one sure mistake does not decide."""
    if not kind.has_classes:
        return np.asarray(np.abs(predictions - answers))
    return np.asarray(np.square(predictions - np.eye(predictions.shape[1])[answers]).sum(axis=1))


def _fewest(on: DomainPair) -> int:
    """In how many blocks two classes stand, each at least; in regression, in how many all labelled rows stand."""
    labelled = on.labelled
    blocks = labelled if on.blocks is None else on.blocks[labelled]
    if not on.kind.has_classes:
        return len(np.unique(blocks))
    codes = cast(Array, on.domains.known)[labelled]
    counts = sorted(len(np.unique(blocks[codes == code])) for code in np.unique(codes))
    return counts[-2] if len(counts) > 1 else 0
