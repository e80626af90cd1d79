"""What a model is to be good at: the score by which heads are chosen and models compared, and how answers are decided.

Probabilities p (C,) of a row become the answer of the highest expected utility (Elkan, 2001, section 1),

    argmax_k  sum_c p_c U_ck                U_ck: what it is worth to answer k where c is true

accuracy            U = I: the likeliest class
balanced_accuracy   U = diag(1 / pi), pi the shares of the classes that were learnt from: in a class of half the rows
                    each counts twice (Menon et al., 2013)
cost                U = -costs
macro_f1, f1        what is best hangs on all rows, so U is found on rows held out, see `heads.decision`
log_loss, auroc     hang on probabilities alone: as for accuracy
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, NamedTuple

import numpy as np

from headstart.tasks.kind import Array, Kind

__all__ = ["GOALS", "Aim", "Answers", "Costs", "Decided", "Goal", "in_words", "taken"]

GOALS: dict[str, str] = {
    "accuracy": "accuracy",
    "balanced-accuracy": "balanced_accuracy",
    "macro-f1": "macro_f1",
    "micro-f1": "micro_f1",
    "log-loss": "log_loss",
    "auc": "auroc",
    "f1": "f1",
    "cost": "cost",
    "r2": "r2",
    "mae": "mae",
    "rmse": "rmse",
}
"""How a person names a score -> its name in the evidence."""


_WORDS = {
    "r2": "R2", "mae": "MAE", "rmse": "RMSE", "f1": "F1", "macro_f1": "macro F1", "micro_f1": "micro F1",
    "auroc": "AUROC",
}  # fmt: skip


def in_words(metric: str) -> str:
    """The name of a score as a person reads it."""
    return _WORDS.get(metric, metric.replace("_", " "))


class Costs(NamedTuple):
    """What answers cost.

    labels   of the classes, as text, in the order of rows and columns
    matrix   (C, C) nested tuples: row c, column k is what it costs to answer k where c is true; negative is a gain
    """

    labels: tuple[str, ...]
    matrix: tuple[tuple[float, ...], ...]

    def refuse_bad(self) -> None:
        """ValueError where they are not one finite number for each pair of different labels."""
        size = len(self.labels)
        if len(set(self.labels)) < size or len(self.matrix) != size or any(len(row) != size for row in self.matrix):
            raise ValueError(f"expected {size} rows of {size} costs, one of each for each label, and no label twice")
        if not np.isfinite(self.matrix).all():
            raise ValueError("costs must be finite numbers")


class Decided(NamedTuple):
    """What a model says of rows, and what it answers where that is not simply the likeliest class.

    predictions   (N, C) probabilities, or (N,) values; or with an axis of repeats before
    decisions     (N,) codes, or with that axis
    """

    predictions: Array
    decisions: Array


Answers = Array | Decided
"""Predictions, of which the likeliest class is the answer, or with answers of their own."""


def taken(answers: Answers, rows: Array) -> Answers:
    """The answers (N, ...) to these rows."""
    return Decided(*(part[rows] for part in answers)) if isinstance(answers, Decided) else answers[rows]


class Aim(NamedTuple):
    """A goal in codes of classes: what fitters take.

    code    of the class of "f1"
    costs   (C, C) of "cost"
    """

    metric: str
    code: int | None = None
    costs: Array | None = None


class Goal(NamedTuple):
    """metric   name of a score
    label    of "f1" the class
    costs    of "cost"
    """

    metric: str
    label: Hashable | None = None
    costs: Costs | None = None

    @property
    def words(self) -> str:
        """As a person reads it: "balanced accuracy", "F1 of 'rare'"."""
        return f"F1 of {str(self.label)!r}" if self.metric == "f1" else in_words(self.metric)

    def to_json(self) -> dict[str, Any]:
        """As JSON, with only what there is to say."""
        record: dict[str, Any] = {"metric": self.metric}
        if self.label is not None:
            record["label"] = str(self.label)
        if self.costs is not None:
            record["costs"] = {"labels": list(self.costs.labels), "matrix": [list(row) for row in self.costs.matrix]}
        return record

    @classmethod
    def from_json(cls, record: Any) -> Goal | None:
        """What `to_json` gave; None for None. TypeError or KeyError where it is damaged."""
        if record is None:
            return None
        costs = record.get("costs")
        if costs is not None:
            matrix = tuple(tuple(float(value) for value in row) for row in costs["matrix"])
            costs = Costs(tuple(map(str, costs["labels"])), matrix)
        return cls(str(record["metric"]), record.get("label"), costs)

    def code(self, classes: tuple[Hashable, ...]) -> int | None:
        """The place of the class of "f1"; None for other goals. ValueError where the data do not have it."""
        if self.metric != "f1":
            return None
        places = [place for place, label in enumerate(classes) if str(label) == str(self.label)]
        if not places:
            raise ValueError(f"f1:{self.label} names no class of the data; expected one of {_few(classes)}")
        return places[0]

    def cost_matrix(self, classes: tuple[Hashable, ...]) -> Array | None:
        """(C, C) costs in the order of the classes; None for other goals. ValueError where the labels are others."""
        if self.costs is None:
            return None
        place = {label: at for at, label in enumerate(self.costs.labels)}
        missing = [str(label) for label in classes if str(label) not in place]
        if missing:
            raise ValueError(
                f"the costs name no class {', '.join(map(repr, missing[:3]))}; the data have {_few(classes)}, and the "
                f"costs {_few(self.costs.labels)}"
            )
        order = [place[str(label)] for label in classes]
        return np.array(self.costs.matrix, dtype=np.float64)[np.ix_(order, order)]

    def aim(self, classes: tuple[Hashable, ...]) -> Aim:
        """The same in codes of these classes. ValueError where they are others than the goal's."""
        return Aim(self.metric, self.code(classes), self.cost_matrix(classes))

    def refuse_other(self, kind: Kind) -> None:
        """ValueError where such a task has no such score, and for costs that are none."""
        own = {*kind.metrics, *(("f1", "cost") if kind.exclusive else ())} & set(GOALS.values())
        if self.metric not in own:
            names = [name for name, metric in GOALS.items() if metric in own]
            named = next((name for name, metric in GOALS.items() if metric == self.metric), self.metric)
            raise ValueError(f"{named} is no score of a {kind} task; expected one of {', '.join(names)}")
        if (self.metric == "cost") != (self.costs is not None):
            raise ValueError(
                "a goal has costs where its metric is 'cost', and only there: give Goal('cost', costs=...)"
            )
        if self.costs is not None:
            self.costs.refuse_bad()


def _few(labels: tuple[Any, ...]) -> str:
    more = f" and {len(labels) - 6} more" if len(labels) > 6 else ""
    return ", ".join(repr(str(label)) for label in labels[:6]) + more
