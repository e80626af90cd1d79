"""What separates two classes: the margin z_a - z_b of the rows of both, and what it is made of.

The area under the ROC curve says how well it tells them apart. Of a linear head on columns the difference of the mean
margins of the two classes is the sum of what each column adds to it; of another head, how much of the area goes where
the cells of a column are shuffled among the rows (permutation importance: Breiman, 2001).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from sklearn.metrics import roc_auc_score

from headstart.artefact.model import Model
from headstart.explanations.columns import contributions, features_by_column
from headstart.explanations.explanation import Part
from headstart.explanations.question import Question
from headstart.explanations.texts import is_linear
from headstart.features.feature_set import FeatureSet
from headstart.methods.answers import answer
from headstart.methods.model import features
from headstart.tasks.task import Array

__all__ = ["Separation", "separation_of"]

_SHOWN = 5


class Separation(NamedTuple):
    """first, second   the classes
    area       under the ROC curve of the margin, .5 where nothing separates them
    typical    the rows of each class that lie deepest in it, by name
    between    the rows that lie nearest to the border, or beyond it: name, label, margin in log-odds
    columns    what each column adds to the difference of the mean margins, or how much of the area it bears
    unit       of the columns
    """

    first: Any
    second: Any
    area: float
    typical: dict[Any, list[str]]
    between: list[tuple[str, Any, float]]
    columns: tuple[Part, ...]
    unit: str

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "classes": [self.first, self.second],
            "roc_area": self.area,
            "typical": [{"class": label, "rows": rows} for label, rows in self.typical.items()],
            "between": [{"name": name, "label": label, "margin": margin} for name, label, margin in self.between],
            "columns": [{"name": part.name, "attribution": part.attribution} for part in self.columns],
            "unit": self.unit,
        }

    def __str__(self) -> str:
        lines = [f"{self.first} and {self.second}: area under the ROC curve {self.area:.3f}"]
        lines += [f"  most {label}: {', '.join(rows)}" for label, rows in self.typical.items()]
        lines += [f"  between: {name}  {label}  {margin:+.2f}" for name, label, margin in self.between]
        return "\n".join([*lines, *(f"  {part.attribution:+9.3f}  {part.name}" for part in self.columns[:8])])


def separation_of(model: Model, rows: FeatureSet, first: int, second: int, *, seed: int = 0) -> Separation:
    """Of the classes with these codes, by rows of both. ValueError where there are none of one of them."""
    targets = np.asarray(rows.task.targets)
    codes = np.flatnonzero((targets == first) | (targets == second))
    labels = targets[codes] == first
    if not labels.any() or labels.all():
        raise ValueError(f"no rows of {model.classes[second if labels.any() else first]!r} are in the data")
    some, question = rows.take(codes), Question(kind=model.kind, code=first, against=second)
    margins = question.of_predictions(answer(model, some))
    names, classes = some.task.names, (model.classes[first], model.classes[second])
    order = np.argsort(-margins)
    typical = {
        label: [names[row] for row in rows_in if labels[row] == (label == classes[0])][:_SHOWN]
        for label, rows_in in zip(classes, (order, order[::-1]), strict=True)
    }
    wrong = np.argsort(np.where(labels, margins, -margins), kind="stable")[:_SHOWN]
    between = [(names[row], classes[0] if labels[row] else classes[1], float(margins[row])) for row in wrong]
    columns, unit = _columns(model, some, labels, question, seed)
    return Separation(*classes, float(roc_auc_score(labels, margins)), typical, between, columns, unit)


def _columns(
    model: Model, rows: FeatureSet, labels: Array, question: Question, seed: int
) -> tuple[tuple[Part, ...], str]:
    if not rows.task.modality.has_columns or model.beside or (model.backbone is not None and model.backbone.dim):
        return (), ""
    names, of_column = features_by_column(model, rows)
    values = np.asarray(features(model, rows), np.float64)
    if is_linear(model.head):
        each = np.stack([contributions(model.head.arrays, row, question, model.head.temperature)[0] for row in values])
        added = np.bincount(of_column, each[labels].mean(0) - each[~labels].mean(0), len(names))
        unit = "log-odds between the mean rows of the two classes"
    else:
        added = _shuffled(model, values, labels, question, of_column, len(names), seed)
        unit = "area under the ROC curve that is lost where the column is shuffled"
    order = np.argsort(-np.abs(added), kind="stable")
    return tuple(Part(names[place], float(added[place])) for place in order), unit


def _shuffled(
    model: Model, values: Array, labels: Array, question: Question, of_column: Array, count: int, seed: int
) -> Array:
    rng = np.random.default_rng(seed)

    def area(some: Array) -> float:
        return float(roc_auc_score(labels, question.of_predictions(model.head.predict(some.astype(np.float32)))))

    whole, lost = area(values), np.zeros(count)
    for place in range(count):
        shuffled, columns = values.copy(), of_column == place
        shuffled[:, columns] = values[rng.permutation(len(values))][:, columns]
        lost[place] = whole - area(shuffled)
    return lost
