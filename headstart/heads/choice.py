"""Which candidate is kept: the simplest within one standard error of the best (Breiman et al., 1984, section 3.4.3).

Heads of one layer are equally simple, whatever fitted them, and are told apart by their score alone. Class weights in
the fit are less simple than none, for the answers are then those of a population that is not there; a kernel keeps
rows of the training data, and trees keep some thousand numbers that nobody reads; answers in context keep both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from headstart.heads.paired import standard_error
from headstart.heads.score import Score
from headstart.tasks.task import Array

__all__ = ["WEIGHTED", "Choice", "choose"]

WEIGHTED = "logistic, classes alike"
_LESS_SIMPLE = {WEIGHTED: 1, "kernel": 2, "trees": 3, "incontext": 4}


class Choice(NamedTuple):
    """The candidate's name; and of every candidate the standard error of its difference to the best score."""

    name: str
    standard_errors: dict[str, float]


def choose(scores: Mapping[str, Score], blocks: Array | None = None) -> Choice:
    """Of candidates by name, in the order in which a tie is settled; blocks as in `standard_error`."""
    best = min(scores.values(), key=lambda score: score.mean)
    errors = {name: standard_error(score.rows - best.rows, score.weights, blocks) for name, score in scores.items()}
    within = [name for name, score in scores.items() if score.mean - best.mean <= errors[name]]
    name = min(within, key=lambda name: (_LESS_SIMPLE.get(name, 0), scores[name].mean))
    return Choice(name, errors)
