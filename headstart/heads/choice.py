"""Which candidate is kept.

1. Of the aim (right answers, right answers by class, costs) none may lose more than the best by over two standard
   errors of the paired difference. What is counted by answers is coarse on some hundred rows, so it only rules out.
   Aims that are no sum over rows (macro F1, AUROC), and the log loss itself, rule nobody out.
2. Of those that are left the lowest log loss counts; those within half a standard error of it are as good.
3. Of these the simplest is kept (Breiman et al., 1984, section 3.4.3). Where answers are not decided for an aim, and of
   regressions and of several labels: the simplest within one standard error of the lowest loss.

Heads of one layer are equally simple, whatever fitted them, and are told apart by their score alone. Class weights in
the fit are less simple than none, for the answers are then those of a population that is not there; a kernel keeps
rows of the training data, and trees keep some thousand numbers that nobody reads; answers in context keep both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from headstart.heads.paired import standard_error
from headstart.heads.score import Losses, Score
from headstart.tasks.task import Array

__all__ = ["WEIGHTED", "Choice", "choose"]

WEIGHTED = ", classes alike"
"""Behind the name of a candidate that is fitted with class weights."""
_RULED_OUT, _TIE, _TIE_ALONE = 2.0, 0.5, 1.0
_LESS_SIMPLE = {"kernel": 2, "trees": 3, "incontext": 4}


class Choice(NamedTuple):
    """The candidate's name; and of every candidate the standard error of its difference to the best score."""

    name: str
    standard_errors: dict[str, float]


def choose(scores: Mapping[str, Score], blocks: Array | None = None) -> Choice:
    """Of candidates by name, in the order in which a tie is settled; blocks as in `standard_error`."""
    aimed = {name: score.aimed for name, score in scores.items() if score.aimed is not None}
    left = within(aimed, _RULED_OUT, blocks) if aimed else list(scores)
    own = {name: scores[name].own for name in left}
    tied = within(own, _TIE if any(score.decided for score in scores.values()) else _TIE_ALONE, blocks)
    name = min(tied, key=lambda name: (_simplicity(name), own[name].mean))
    return Choice(name, _errors({name: score.own for name, score in scores.items()}, blocks))


def within(losses: Mapping[str, Losses], times: float, blocks: Array | None = None) -> list[str]:
    """The names whose mean loss is within so many standard errors of the lowest."""
    best = min(each.mean for each in losses.values())
    errors = _errors(losses, blocks)
    return [name for name, each in losses.items() if each.mean - best <= times * errors[name]]


def _errors(losses: Mapping[str, Losses], blocks: Array | None) -> dict[str, float]:
    best = min(losses.values(), key=lambda each: each.mean)
    return {name: standard_error(each.rows - best.rows, each.weights, blocks) for name, each in losses.items()}


def _simplicity(name: str) -> int:
    weighted = name.endswith(WEIGHTED)
    return _LESS_SIMPLE.get(name.removesuffix(WEIGHTED), 0) + weighted
