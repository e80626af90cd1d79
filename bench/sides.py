"""For `beside.py`: two tasks of either size, and one way to fit and ask headstart, skada and ADAPT."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from adapts import method
from sklearn.base import clone

from headstart.adaptation.alignment.step import Align, Domains
from headstart.adaptation.estimators.adapted import Adapted
from headstart.tasks.task import Array

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "support"))

from two_tasks import make_classification_da, make_regression_da

__all__ = ["Case", "Rows", "Side", "ask", "by_adapt", "by_skada", "by_us", "realistic", "small", "weights"]


class Rows(NamedTuple):
    """Source rows and answers, target rows and answers, how many of these are known, and target rows to predict."""

    source: Array
    targets: Array
    target: Array
    answers: Array
    known: int
    new: Array
    classes: int

    @property
    def together(self) -> tuple[Array, Array, Array]:
        """X, y with the unknown masked, and the domain: 1 for the source, -2 for the target."""
        answers = self.answers.astype(np.float64 if not self.classes else int)
        answers = np.where(np.arange(len(answers)) < self.known, answers, -1 if self.classes else np.nan)
        domain = np.repeat([1, -2], [len(self.source), len(self.target)])
        return np.concatenate([self.source, self.target]), np.concatenate([self.targets, answers]), domain

    @property
    def domains(self) -> Domains:
        """As a step gets them, no target label known."""
        return Domains(self.source, self.targets, self.target, None, self.classes)


class Side(NamedTuple):
    """run      fits on both tasks, predicts `Rows.new`, and gives (model, predictions)
    values   what is compared, from the model; the time of this is not taken"""

    run: Callable[[], tuple[Any, Array]]
    values: Callable[[Any], Array]


class Case(NamedTuple):
    """name        method and options          library   "skada" or "ADAPT"
    tolerance   largest difference of the values, as a share of the largest; None: not the same algorithm
    note        what could not be set equal
    loss        of values, lower is better, where the other side stops short of the optimum that it seeks"""

    name: str
    library: str
    ours: Side
    theirs: Side
    tolerance: float | None = 1e-6
    note: str = ""
    loss: Callable[[Array], float] | None = None


def small(classes: int) -> Rows:
    """ADAPT's toys, 100 + 100 rows, rebuilt; all target rows are asked for, ten of them are known."""
    two = make_classification_da() if classes else make_regression_da()
    # A regression of ADAPT's own pages knows the first three.
    return Rows(two.source, two.targets, two.target, two.answers, 10, two.target, classes)


def realistic(classes: int, count: int = 1000, width: int = 100, known: int = 50) -> Rows:
    """Correlated columns, another scale, offset and a moved cloud in the target."""
    draw = np.random.default_rng(0)
    hidden = draw.normal(size=(3 * count, 30))
    hidden[count:, :3] += 0.4
    score = hidden[:, :3] @ (1.0, -0.7, 0.5) + 0.3 * draw.normal(size=len(hidden))
    x = hidden @ draw.normal(size=(30, width)) / np.sqrt(30) + 0.4 * draw.normal(size=(len(hidden), width))
    x[count:] = x[count:] * np.linspace(0.8, 1.2, width) + 0.1
    y = (score > 0).astype(int) if classes else score
    a, b = count, 2 * count
    return Rows(x[:a], y[:a], x[a:b], y[a:b], known, x[b:], classes)


def by_us(rows: Rows, step: Align, head: Any, *, labels: bool = False, values: Any = None) -> Side:
    """A step of headstart.adaptation before a head of scikit-learn."""
    X, y, domain = rows.together

    def run() -> tuple[Any, Array]:
        model = Adapted(step, head, target_labels=labels).fit(X, y, sample_domain=domain)
        return model, model.predict(rows.new)

    def scores(model: Any) -> Array:
        return ask(model.estimator_, model.move_(rows.new))

    return Side(run, scores if values is None else values)


def by_skada(rows: Rows, theirs: Any, *, values: Any = None) -> Side:
    """An estimator of skada, as its makers build it, without target labels."""
    X, y, domain = rows._replace(known=0).together
    new = np.full(len(rows.new), -2)

    def run() -> tuple[Any, Array]:
        model = clone(theirs)
        model.fit(X, y, sample_domain=domain)
        return model, model.predict(rows.new, sample_domain=new)

    def scores(model: Any) -> Array:
        return np.asarray(model.decision_function(rows.new, sample_domain=new))

    return Side(run, scores if values is None else values)


def by_adapt(rows: Rows, where: tuple[str, str], head: Any, *, values: Any = None, **options: Any) -> Side:
    """A method of ADAPT by (module, name). With target labels where it takes them."""
    kind = method(*where)
    known = slice(rows.known) if options.pop("labels", False) else slice(None)
    given = {"Xt": rows.target[known], "yt": rows.answers[known] if known.stop else None}
    given = {name: value for name, value in given.items() if value is not None}

    def run() -> tuple[Any, Array]:
        model = kind(head, verbose=0, random_state=0, **given, **options)
        model.fit(rows.source, rows.targets)
        return model, np.asarray(model.predict(rows.new)).reshape(len(rows.new))

    def scores(model: Any) -> Array:
        moved = model.transform(rows.new) if hasattr(model, "transform") else rows.new
        return ask(model.estimator_, moved)

    return Side(run, scores if values is None else values)


def ask(head: Any, rows: Array) -> Array:
    """Scores of a classifier, answers of a regression."""
    return np.asarray(head.decision_function(rows) if hasattr(head, "decision_function") else head.predict(rows))


def weights(found: Array) -> Array:
    """Of mean 1."""
    return found / found.mean()
