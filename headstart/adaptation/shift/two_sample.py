"""Are two sets of rows drawn from the same distribution? A kernel test, and a classifier that tries to tell them apart.

    k(a, b)  = exp(-|a - b|^2 / (2 h^2))                 h the median distance between rows of both sets
    MMD^2    = mean_{i != j} k(x_i, x_j) + mean_{i != j} k(y_i, y_j) - 2 mean_{ij} k(x_i, y_j)
                                                         (Gretton et al., 2012: unbiased; below 0 by chance)
    C2ST     = how well held-out rows are told apart     (Lopez-Paz and Oquab, 2017: area under the curve, accuracy)

p-values are by permutation: of which row is whose, in the classifier test within each held-out fold, whose classifier
did not see them. Columns are standardised over both sets before. Of a set of more than `most` rows a sample is taken:
the kernel test takes 2.5 (2 most)^2 numbers, and refuses above 2 GB.

Weights (of the rows of x) ask whether y looks like the weighted x. Rows of x are then kept with probability
w / max w, which makes of x a sample of the weighted distribution, exchangeable with y; the test is done on three such
samples, and the one with the median p-value is given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np
from scipy.spatial.distance import pdist, squareform
from scipy.stats import rankdata
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from headstart.adaptation.shift.thinning import checked, kept, some
from headstart.checks import affordable
from headstart.heads.bins import edges_of, in_bins
from headstart.linalg.blas import one_thread_if_few
from headstart.tasks.task import Array

__all__ = ["Classified", "Mmd", "classifier_test", "cost", "mmd"]

_SMALL = 1e-12
_WIDE = 50
_LIMIT = 2.0
_BINS = 255


class Mmd(NamedTuple):
    """value: unbiased MMD^2; distance: the biased MMD, 0 where both sets are the same; p: of no difference.

    width is that of the kernel, in standard deviations of the columns; rows: how many of each set were used.
    """

    value: float
    distance: float
    p: float
    width: float
    rows: tuple[int, int]


class Classified(NamedTuple):
    """auc, accuracy: on held-out rows, .5 where the sets cannot be told apart (accuracy: balanced); p: of that.

    scores   ((n,), (m,)) how much each row looks like one of y, from a classifier that did not see it; NaN: not used
    """

    auc: float
    accuracy: float
    p: float
    scores: tuple[Array, Array]

    def most_like_target(self, count: int = 5) -> tuple[int, ...]:
        """The rows of y that look least like x, the first the farthest."""
        scores = np.nan_to_num(self.scores[1], nan=-np.inf)
        return tuple(int(row) for row in np.argsort(-scores, kind="stable")[:count] if np.isfinite(scores[row]))


_Found = TypeVar("_Found", Mmd, Classified)


def cost(rows: int, draws: int = 500) -> int:
    """Bytes that `mmd` takes on this many rows of both sets together."""
    return 20 * rows * rows + 24 * rows * draws


def mmd(x: Array, y: Array, *, weights: Array | None = None, draws: int = 500, most: int = 1000, seed: int = 0) -> Mmd:
    """x (n, d) against y (m, d), two rows each at least.

    Raises ValueError in words for anything else, for NaN, and where the kernel would take more than 2 GB (`cost`).
    """
    x, y = checked(x, y, weights)
    random = np.random.default_rng(seed)
    return _of_thinnings(lambda chosen: _kernel_test(x[chosen], y[some(len(y), most, random)], draws, random),
                         kept(len(x), weights, most, random))  # fmt: skip


def classifier_test(
    x: Array,
    y: Array,
    *,
    weights: Array | None = None,
    kind: Literal["boosted", "logistic"] | None = None,
    draws: int = 500,
    most: int = 5000,
    seed: int = 0,
) -> Classified:
    """x (n, d) against y (m, d); kind None: boosted trees to 50 columns, logistic regression beyond.

    Raises ValueError in words for fewer than two rows a set, different columns, or NaN.
    """
    x, y = checked(x, y, weights)
    random = np.random.default_rng(seed)
    model = _model(kind or ("boosted" if x.shape[1] <= _WIDE else "logistic"), seed)

    def test(chosen: Array) -> Classified:
        theirs = some(len(y), most, random)
        score, fold, in_y = _cross_fitted(model, x[chosen], y[theirs], seed)
        aucs = _aucs(score, fold, np.stack([in_y, *(_shuffled(in_y, fold, random) for _ in range(draws))]))
        scores = np.full(len(x), np.nan), np.full(len(y), np.nan)
        scores[0][chosen], scores[1][theirs] = score[~in_y], score[in_y]
        return Classified(float(aucs[0]), _accuracy(score, in_y), _p(aucs[0], aucs[1:]), scores)

    return _of_thinnings(test, kept(len(x), weights, most, random))


def _of_thinnings(test: Callable[[Array], _Found], samples: list[Array]) -> _Found:
    tested = sorted((test(chosen) for chosen in samples), key=lambda result: result.p)
    return tested[len(tested) // 2]


def _kernel_test(x: Array, y: Array, draws: int, random: np.random.Generator) -> Mmd:
    n, m = len(x), len(y)
    affordable(cost(n + m, draws), _LIMIT, f"the kernel of {n + m:,} rows", "set most= lower, such as most=1000")
    apart = pdist(np.concatenate([x, y]), "sqeuclidean")
    width = float(np.median(np.sqrt(apart[apart > 0]))) if apart.any() else 1.0
    kernel = squareform(np.exp(-apart / (2 * width**2))) + np.eye(n + m)
    in_x = np.arange(n + m) < n
    members = np.stack([in_x, *(random.permutation(in_x) for _ in range(draws))], axis=1).astype(np.float64)
    towards = kernel @ members
    row_sums, total = kernel.sum(axis=1), kernel.sum()
    xx = (members * towards).sum(axis=0)
    xy = members.T @ row_sums - xx
    yy = total - xx - 2 * xy
    values = (xx - n) / (n * (n - 1)) + (yy - m) / (m * (m - 1)) - 2 * xy / (n * m)
    biased = max(0.0, float(xx[0] / n**2 + yy[0] / m**2 - 2 * xy[0] / (n * m)))
    distance = np.sqrt(biased) if biased > _SMALL else 0.0
    return Mmd(float(values[0]), float(distance), _p(values[0], values[1:]), width, (n, m))


def _model(kind: str, seed: int) -> Any:
    if kind == "boosted":
        return HistGradientBoostingClassifier(
            max_iter=60, max_leaf_nodes=8, min_samples_leaf=8, max_bins=_BINS, random_state=seed
        )
    return LogisticRegression(C=0.1, max_iter=500)


def _cross_fitted(model: Any, x: Array, y: Array, seed: int) -> tuple[Array, Array, Array]:
    """Of all rows, x first: log odds of being one of y, the fold in which each was held out, whether it is one of y."""
    rows, in_y = np.concatenate([x, y]), np.arange(len(x) + len(y)) >= len(x)
    if isinstance(model, HistGradientBoostingClassifier):
        rows = in_bins(rows, edges_of(rows, _BINS))
    score, fold = np.empty(len(rows)), np.empty(len(rows), dtype=np.int64)
    folds = StratifiedKFold(min(5, len(x), len(y)), shuffle=True, random_state=seed)
    with one_thread_if_few(rows.size):
        for number, (learn, held_out) in enumerate(folds.split(rows, in_y)):
            share = in_y[learn].mean()
            model.fit(rows[learn], in_y[learn], sample_weight=np.where(in_y[learn], 0.5 / share, 0.5 / (1 - share)))
            score[held_out], fold[held_out] = model.decision_function(rows[held_out]), number
    return score, fold, in_y


def _shuffled(in_y: Array, fold: Array, random: np.random.Generator) -> Array:
    shuffled, order = np.empty_like(in_y), np.argsort(fold, kind="stable")
    shuffled[order] = in_y[order[np.lexsort((random.random(len(in_y)), fold[order]))]]
    return shuffled


def _aucs(score: Array, fold: Array, owns: Array) -> Array:
    """Of each row of owns (B, N), over the pairs of a row of x and a row of y that were held out in the same fold."""
    rank, least, pairs = np.empty(len(score)), 0.0, 0
    for number in range(fold.max() + 1):
        rows = fold == number
        theirs = int(owns[0, rows].sum())
        rank[rows] = rankdata(score[rows])
        least, pairs = least + theirs * (theirs + 1) / 2, pairs + theirs * (int(rows.sum()) - theirs)
    return (owns @ rank - least) / pairs


def _accuracy(score: Array, in_y: Array) -> float:
    return float(((score[in_y] > 0).mean() + (score[~in_y] <= 0).mean()) / 2)


def _p(value: float, null: Array) -> float:
    return float((1 + (null >= value - _SMALL).sum()) / (1 + len(null)))
