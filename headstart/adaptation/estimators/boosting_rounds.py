"""What the boosting methods over two tasks share: labelled rows of both, a loop of rounds, the weighted median."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, cast

import numpy as np
from sklearn import config_context
from sklearn.base import clone

from headstart.adaptation.estimators.sample_domain import answered, domains_of, weighable
from headstart.tasks.task import Array

__all__ = ["Both", "Round", "boosted", "both_of", "fitted", "halved", "relative", "weighted_median"]

_LEAST = 1e-10


class Both(NamedTuple):
    """Rows of the source and labelled rows of the target under them, their answers, and how many are of the source."""

    rows: Array
    answers: Array
    n: int


class Round(NamedTuple):
    """A learner, its error, beta_t, and the weights that it was fitted with."""

    learner: Any
    error: float
    beta: float
    weights: Array


def both_of(estimator: Any, learner: Any, tasks: tuple[Any, Any, Any]) -> Both:
    """From (X, y, sample_domain). Raises ValueError without a labelled target row, or where no weights are taken."""
    who = type(estimator).__name__
    weighable(learner, who)
    domains = domains_of(estimator, *tasks)
    if domains.targets.ndim > 1:
        raise ValueError(f"y has shape {np.shape(tasks[1])}: {who} expected one answer a row; fit one model an answer")
    rows, answers = answered(domains, who)
    return Both(np.vstack([domains.source, rows]), np.append(domains.targets, answers), len(domains.source))


def boosted(
    learner: Any, both: Both, rounds: int, loss: Callable[[Array], Array], odds: Callable[[float], float]
) -> Iterator[Round]:
    """The rounds, one after the other: `loss` of predictions (n + m,) within 0 and 1, `odds` of an error is beta_t."""
    rows, answers, n = both
    weights = np.ones(len(rows))
    beta = 1 / (1 + np.sqrt(2 * np.log(n) / rounds))
    for _ in range(rounds):
        weights = weights / weights.mean()
        h_t, predictions = fitted(learner, rows, answers, weights)
        e = loss(predictions)
        eps = float(weights[n:] @ e[n:] / weights[n:].sum())
        beta_t = odds(eps)
        yield Round(h_t, eps, beta_t, weights)
        weights = weights * np.append(beta ** e[:n], beta_t ** -e[n:])


def fitted(learner: Any, rows: Array, answers: Array, weights: Array) -> tuple[Any, Array]:
    """A clone and its predictions. The rows have been checked once, and it need not do so again in each round."""
    with config_context(assume_finite=True):
        model = clone(learner).fit(rows, answers, sample_weight=weights)
        return model, model.predict(rows)


def relative(predictions: Array, answers: Array) -> Array:
    """Distances as a share of the greatest."""
    far = np.abs(predictions - answers)
    return cast(Array, far / max(far.max(), np.finfo(float).tiny))


def halved(error: float) -> float:
    """eps / (2 - eps): a loss within 0 and 1 counts half, so that no round is worse than chance."""
    error = min(max(error, _LEAST), 1 - _LEAST)
    return error / (2 - error)


def weighted_median(values: Array, votes: Array) -> Array:
    """(N, T) values and (T,) votes -> (N,): the least value with half of the votes at or under it."""
    order = values.argsort(1)
    reached = np.cumsum(votes[order], 1)
    place = (reached >= 0.5 * reached[:, -1:]).argmax(1)
    each = np.arange(len(values))
    return cast(Array, values[each, order[each, place]])
