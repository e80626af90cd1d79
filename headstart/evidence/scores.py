"""The scores, from sums of tallies. Each equals scikit-learn's of the same name.

accuracy            share of rows answered right; multilabel: with every label right
balanced_accuracy   mean over classes of the share of the class found (Brodersen et al., 2010). Classes without a
                    row do not count. Multilabel: of each label's yes and no, then over labels
macro_precision, macro_recall, macro_f1
                    means over classes that occur among the targets or the answers; 0 / 0 is 0.
                    Multilabel: labels that occur in neither do not count
micro_f1            multilabel: all labels pooled
log_loss            mean -log p(truth), in nats
auroc, average_precision
                    of the order of the probabilities, one class against the rest, see `ranking.py`
calibration_error   see `calibration.py`
f1                  of the class of the goal
cost                mean cost of an answer, by the costs of the goal
r2, mae, rmse       R2 is NaN where the targets do not vary
"""

from __future__ import annotations

import numpy as np

from headstart.evidence.calibration import BINS
from headstart.evidence.held_out import HeldOut
from headstart.evidence.intervals import Draws
from headstart.evidence.tally import tally
from headstart.tasks.goal import Answers
from headstart.tasks.task import Array

__all__ = ["LOWER_IS_BETTER", "better_by", "score", "scores_of_sums"]

LOWER_IS_BETTER = frozenset({"log_loss", "calibration_error", "mae", "rmse", "cost"})


def better_by(metric: str, draws: Draws, other: Draws) -> Draws:
    """The paired difference of two models in a score, above 0 where the first is better."""
    return other.minus(draws) if metric in LOWER_IS_BETTER else draws.minus(other)


def score(held_out: HeldOut, predictions: Answers) -> dict[str, float]:
    """Every score of these answers, (N, C) or (N,); with a leading axis of repeats, the mean over repeats."""
    repeats = [
        scores_of_sums(np.asarray(tally(held_out, repeat).sum(axis=0)).reshape(-1, 1), held_out)
        for repeat in held_out.repeats(predictions)
    ]
    return {name: float(np.mean([scores[name][0] for scores in repeats])) for name in held_out.metrics}


def scores_of_sums(sums: Array, held_out: HeldOut) -> dict[str, Array]:
    """(K, B) sums of tallies -> (B,) of each score."""
    return _of_labels(sums, held_out) if held_out.kind.has_classes else held_out.kind.scores(sums)


def _of_labels(sums: Array, held_out: HeldOut) -> dict[str, Array]:
    classes = len(held_out.classes)
    support, predicted, hits = sums[: 3 * classes].reshape(3, classes, -1)
    rows, exact, log_loss, cost = sums[3 * classes : 3 * classes + 4]
    gaps, (auroc, precision) = np.split(sums[3 * classes + 4 : 3 * classes + 6 + BINS], [BINS])
    present = support + predicted > 0
    recall, f1 = _ratio(hits, support), _ratio(2 * hits, support + predicted)
    scores = {
        "accuracy": exact / rows,
        "balanced_accuracy": _mean(recall, support > 0),
        "macro_precision": _mean(_ratio(hits, predicted), present),
        "macro_recall": _mean(recall, present),
        "macro_f1": _mean(f1, present),
        "log_loss": log_loss / rows,
        "auroc": np.clip(auroc / rows, 0, 1),
        "average_precision": np.clip(precision / rows, 0, 1),
        "calibration_error": np.abs(gaps).sum(axis=0) / rows,
    }
    if held_out.kind.several:
        absent = rows - support
        both = np.stack([recall, _ratio(absent - predicted + hits, absent)])
        scores["balanced_accuracy"] = _mean(both, np.stack([support, absent]) > 0, axis=0).mean(axis=0)
        scores["micro_f1"] = _ratio(2 * hits.sum(axis=0), (support + predicted).sum(axis=0))
    code = None if held_out.goal is None else held_out.goal.code(held_out.classes)
    scores |= {"cost": cost / rows} if code is None else {"f1": f1[code]}
    return {name: scores[name] for name in held_out.metrics}


def _ratio(part: Array, whole: Array) -> Array:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _mean(values: Array, where: Array, axis: int = 0) -> Array:
    """The mean over classes that count; 0 where none does."""
    return _ratio((values * where).sum(axis=axis), where.sum(axis=axis).astype(np.float64))
