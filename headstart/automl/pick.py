"""Which of a few backbones `fit` stands on where none is named: the default, unless another is better beyond chance.

    t_ci = what row i adds to the exact leave-one-out score of candidate c (`leave_one_out.py`), of rows to learn from
    g_c  = sum_i w_i (t_ci - t_0i)      s_c = its standard error, rows of one block counting as drawn together
    taken: the first candidate 0, or of those with g_c > MARGIN s_c the one whose score is highest

The candidates are few, so that the whole takes one more pass at most beside that of the default: for texts what stands
after the fourth of MiniLM's six layers, which most often served best in `bench/rank.py`, and word vectors; for pictures
the other bundled network. See `docs/decisions/0021-the-backbone-that-is-picked.md`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from headstart.automl.leave_one_out import leave_one_out_rows
from headstart.automl.measures import DEFAULT, measure_in_words
from headstart.automl.sample import stratified_order
from headstart.automl.wanted import wanted
from headstart.features.feature_set import FeatureSet
from headstart.heads.paired import standard_error
from headstart.heads.standardize import standard
from headstart.study.backbone_choice import Choice
from headstart.tasks import IMAGE, TEXT, Modality
from headstart.tasks.kind import Kind
from headstart.tasks.task import Array, Task

__all__ = ["CANDIDATES", "Picker"]

CANDIDATES: dict[str, tuple[str, ...]] = {
    IMAGE: ("bundled:efficientnet-lite0", "bundled:mobilenetv2"),
    TEXT: ("bundled:minilm", "bundled:minilm@4", "bundled:wordllama"),
}
"""By modality, the default and what may take its place."""

MARGIN = 1.0
"""Standard errors by which another must be better."""
SAMPLE, A_CLASS = 400, 8
"""Rows that a choice looks at, at most, and that many of each class where this is more."""


class Picker:
    """The choice of `headstart fit DATA`.

    candidates   names of backbones, or what `rank --candidates` takes, of which the first is the default; None: those
                 of `CANDIDATES`
    """

    def __init__(self, candidates: Sequence[str] | None = None) -> None:
        self.candidates = candidates

    @property
    def named(self) -> bool:
        """Whether the candidates were named."""
        return self.candidates is not None

    def names(self, modality: Modality) -> tuple[str, ...]:
        """The candidates for such inputs, the default first; () where there is nothing to choose among.

        ValueError where what was named means nothing, or names one twice.
        """
        if self.candidates is None:
            return CANDIDATES.get(modality, ())
        return wanted(",".join(self.candidates), modality).names

    def suits(self, kind: Kind) -> bool:
        """Whether it can score rows of such a kind."""
        return not (kind.several or kind.parts)

    def sample(self, task: Task, seed: int) -> Array:
        """Rows of a task that a choice looks at."""
        order = stratified_order(task, seed)
        return np.sort(order[: max(SAMPLE, A_CLASS * len(task.classes))])

    def choose(self, views: Sequence[FeatureSet]) -> Choice:
        """Of what the candidates make of the same rows, that of the default first."""
        first = views[0]
        weights = np.ones(len(first)) if first.task.weight is None else np.asarray(first.task.weight, dtype=np.float64)
        rows = np.flatnonzero(weights > 0)
        targets, kind, blocks = np.asarray(first.task.targets)[rows], first.task.kind, first.blocks[rows]
        measure = measure_in_words(DEFAULT, kind)
        if len(rows) < 2 or (targets == targets[0]).all() or (blocks == blocks[0]).all():
            return Choice(0, (0.0,) * len(views), (0.0,) * len(views), len(rows), measure)
        shares = weights[rows] / weights[rows].sum()
        terms = [leave_one_out_rows(_scaled(view, rows), targets, kind=str(kind), groups=blocks) for view in views]
        gains = [float(shares @ (each - terms[0])) for each in terms]
        errors = [standard_error(each - terms[0], shares, blocks) for each in terms]
        better = [number for number, gain in enumerate(gains) if number and gain > MARGIN * errors[number]]
        taken = max(better, key=lambda number: gains[number], default=0)
        return Choice(taken, tuple(gains), tuple(errors), len(rows), measure)


def _scaled(view: FeatureSet, rows: Array) -> Array:
    """(M, D) features as the heads of `fit` scale those of a network."""
    values = np.asarray(view.values)[rows]
    return np.asarray(standard(values, np.arange(len(values)), np.ones(len(values)), "shared").apply(values))
