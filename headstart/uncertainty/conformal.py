"""Prediction sets and intervals: with a probability of at least the coverage they hold the true answer.

The scores of rows that the model did not learn from set the threshold (`quantile.py`). Of a class y of probability p_y,
where P_y is the probability of the likelier classes and r_y how many these are:

    lac    1 - p_y                                 the smallest sets on average    (Sadinle, Lei and Wasserman, 2019)
    aps    P_y + p_y                               larger sets where it is hard    (Romano, Sesia and Candes, 2020)
    raps   P_y + p_y + .01 max(0, r_y + 1 - 5)     without its long tails          (Angelopoulos et al., 2021)

"aps" and "raps" are without randomisation. A set holds each class whose score is at most the threshold, and always the
likeliest, so that it is never empty: a model that is more often right than the coverage asks for covers more than that.

Thresholds are for each class by itself (Mondrian; Vovk et al., 2005, section 4.5) where `ROWS` rows or more are of it;
classes of fewer rows share a threshold. A set of several labels covers a row where it holds all that are true of it:
the score of a row is 1 - the least p_y of these. An interval is value +- q of the residuals |y - value|.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from headstart.tasks.kind import Array, Kind
from headstart.uncertainty.quantile import share_of, threshold

__all__ = ["MOST", "ROWS", "Conformity", "ScoreName"]

ScoreName = Literal["lac", "aps", "raps"]
ROWS = 50
"""Rows of a class from which on it has a threshold of its own: sets then cover it by at most 1 / 51 too often."""
MOST = 10_000
"""Rows that are stored, drawn from all: thresholds of more would not differ by what matters."""
_PENALTY, _FREE_RANKS = 0.01, 5
_FIELDS = ("truth", "above", "rank", "codes")


@dataclass(frozen=True, kw_only=True, eq=False)
class Conformity:
    """What was said of n rows that the model did not learn from.

    kind     of the task
    classes  how many there are; 0 for a regression
    truth    (n,) float32, the probability of the true class; of several labels the least of a true one, 1 where none
             is; of values |y - value|, float64
    above    (n,) float32, the probability of the likelier classes; classification only, as below
    rank     (n,) float32, how many classes are likelier
    codes    (n,) int64, the true class
    """

    kind: Kind
    classes: int
    truth: Array
    above: Array | None = None
    rank: Array | None = None
    codes: Array | None = None

    @classmethod
    def of(cls, kind: Kind, predictions: Array, targets: Array) -> Conformity:
        """Of answers (n, C) probabilities or (n,) values, and targets as in `Task`. Raises ValueError without a row."""
        predictions, targets = np.asarray(predictions), np.asarray(targets)
        if not len(predictions) or len(predictions) != len(targets):
            raise ValueError(f"scores need answers to as many rows as targets: {len(predictions)} and {len(targets)}")
        rows = _drawn(len(targets))
        predictions, targets = predictions[rows], targets[rows]
        if not kind.has_classes:
            return cls(kind=kind, classes=0, truth=np.abs(targets - predictions).astype(np.float64))
        p = predictions.astype(np.float32)
        classes = p.shape[1]
        if kind.several:
            return cls(kind=kind, classes=classes, truth=np.where(targets > 0, p, np.float32(1)).min(axis=1))
        rows, codes = np.arange(len(p)), targets.astype(np.int64)
        above, rank = _likelier(p)
        return cls(
            kind=kind, classes=classes, truth=p[rows, codes], above=above[rows, codes], rank=rank[rows, codes],
            codes=codes,
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.truth)

    def sets(self, probabilities: Array, coverage: float, score: ScoreName = "lac", *, per_class: bool = True) -> Array:
        """(N, C) probabilities -> (N, C) bool, the classes of each set.

        per_class   thresholds of each class by itself, where rows allow
        """
        self.check(coverage, score)
        p = np.asarray(probabilities).astype(np.float32)
        limits = self._limits(coverage, score, per_class)
        if self.kind.several:
            return np.asarray(1 - p <= limits)
        inside = np.asarray(_score(score, p, *_likelier(p)) <= limits)
        inside[np.arange(len(p)), p.argmax(axis=1)] = True
        return inside

    def intervals(self, values: Array, coverage: float) -> Array:
        """(N,) values -> (N, 2) lower and upper ends. Raises ValueError where so few rows can promise no such thing."""
        half, values = self.half_width(coverage), np.asarray(values, dtype=np.float64)
        return np.stack([values - half, values + half], axis=1)

    def check(self, coverage: float, score: ScoreName = "lac") -> None:
        """ValueError where there are no such sets."""
        share_of(coverage)
        if not self.kind.has_classes:
            raise ValueError("a regression has intervals, not sets: use predict_interval")
        if score not in get_args(ScoreName):
            raise ValueError(f"score is {score!r}, expected {', '.join(get_args(ScoreName))}")
        if score != "lac" and self.kind.several:
            raise ValueError(f"score {score!r} is for one class a row, and rows have several labels: use 'lac'")

    def half_width(self, coverage: float) -> float:
        """Of intervals. ValueError where there are none, or so few rows can promise none of this coverage."""
        coverage = share_of(coverage)
        if self.kind.has_classes:
            raise ValueError(f"a {self.kind} has sets, not intervals: use predict_set")
        half = threshold(self.truth, coverage)
        if not np.isfinite(half):
            raise ValueError(f"{len(self)} rows can promise no interval of coverage {coverage:g}: fit on more rows")
        return half

    def arrays(self) -> dict[str, Array]:
        """As named arrays, for a file."""
        return {name: array for name in _FIELDS if (array := getattr(self, name)) is not None}

    @classmethod
    def from_arrays(cls, kind: Kind, classes: int, arrays: dict[str, Array]) -> Conformity:
        """What `arrays` gave. Raises ValueError where they are no scores of such a task."""
        wanted = _FIELDS if kind.exclusive else _FIELDS[:1]
        if sorted(arrays) != sorted(wanted):
            raise ValueError(f"scores of a {kind} are {', '.join(wanted)}; these are {', '.join(sorted(arrays))}")
        shapes = {array.shape for array in arrays.values()}
        if len(shapes) > 1 or not all(len(shape) == 1 and shape[0] for shape in shapes):
            raise ValueError(f"scores have the shapes {sorted(shapes)}, expected one (n,) for all")
        if not all(np.isfinite(array).all() and array.min() >= 0 for array in arrays.values()):
            raise ValueError("scores hold NaN, infinity or a number below 0")
        codes = arrays.get("codes")
        if codes is not None and (codes.dtype != np.int64 or codes.max() >= classes):
            raise ValueError(f"scores are of classes from 0 to {classes - 1}")
        return cls(kind=kind, classes=classes, **arrays)

    def _limits(self, coverage: float, score: ScoreName, per_class: bool) -> Array:
        """(C,) the threshold of each class."""
        if self.codes is None or self.above is None or self.rank is None:
            return np.full(self.classes, threshold(1 - self.truth, coverage), dtype=np.float64)
        scores = _score(score, self.truth, self.above, self.rank)
        group = groups(np.bincount(self.codes, minlength=self.classes)) if per_class else np.zeros(self.classes, int)
        of_group = [threshold(scores[group[self.codes] == number], coverage) for number in range(group.max() + 1)]
        return np.asarray(of_group)[group]


def groups(counts: Array) -> Array:
    """(C,) rows of each class -> (C,) numbers from 0 of those that share a threshold.

    Classes of fewer than `ROWS` rows are one group, with the rarest of the others where they have too few together.
    """
    number = np.zeros(len(counts), dtype=np.int64)
    order = np.argsort(counts, kind="stable")
    few = int((counts < ROWS).sum())
    while few and few < len(counts) and counts[order[:few]].sum() < ROWS:
        few += 1
    own = order[few:]
    number[own] = np.arange(len(own)) + (few > 0)
    return number


def _score(score: ScoreName, p: Array, above: Array, rank: Array) -> Array:
    if score == "lac":
        return np.asarray(1 - p)
    cumulated = above + p
    return cumulated if score == "aps" else cumulated + _PENALTY * np.maximum(0, rank + 1 - _FREE_RANKS)


def _likelier(p: Array) -> tuple[Array, Array]:
    """(N, C) -> for each class the probability of those before it in order of probability, and how many they are."""
    order = np.argsort(-p, axis=1, kind="stable")
    cumulated = np.cumsum(np.take_along_axis(p, order, axis=1), axis=1, dtype=np.float32)
    before = np.concatenate([np.zeros((len(p), 1), np.float32), cumulated[:, :-1]], axis=1)
    above, rank = np.empty_like(p), np.empty_like(p)
    np.put_along_axis(above, order, before, axis=1)
    np.put_along_axis(rank, order, np.broadcast_to(np.arange(p.shape[1], dtype=np.float32), p.shape), axis=1)
    return above, rank


def _drawn(rows: int) -> Array:
    """At most `MOST` of so many rows, ascending."""
    if rows <= MOST:
        return np.arange(rows)
    return np.sort(np.random.default_rng(0).choice(rows, MOST, replace=False))
