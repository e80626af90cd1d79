"""Feature augmentation (Daume, 2007): every feature in a common, a source-only and a target-only copy.

    x  ->  [x, x, 0]     for source rows
    x  ->  [x, 0, x]     for target rows; those with a known answer are learnt from too

The head decides, feature by feature, what the tasks share. Use it with some target labels of every class and a linear
head with a penalty. Not without target labels, and not with trees, for which a copy adds nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.adaptation.alignment.checks import labelled, rows_of_both
from headstart.adaptation.alignment.step import Aligned, Domains
from headstart.checks import above
from headstart.tasks.task import Array

__all__ = ["FeatureAugmentation"]


@dataclass(frozen=True, kw_only=True)
class FeatureAugmentation:
    """Three copies of the features, and the labelled target rows appended to the source rows.

    share   of all the weight that the labelled target rows have together, below 1; None: every row weighs alike
    """

    share: float | None = None

    def __post_init__(self) -> None:
        if self.share is not None:
            above("share", self.share, 0, "0.5, or None for rows that weigh alike")
            if not self.share < 1:
                raise ValueError(f"share={self.share!r}: expected less than 1, such as 0.5")

    def __call__(self, domains: Domains) -> Aligned:
        """Rows (n + labelled, 3 d). Raises ValueError: no target label is known."""
        rows_of_both(domains, 1, "to learn from")
        answered, target_answers = labelled(domains)
        n, d = domains.source.shape
        both = np.zeros((n + len(target_answers), 3 * d))
        both[:n, :d] = both[:n, d : 2 * d] = domains.source
        both[n:] = _as_target(domains.target[answered])
        answers = np.concatenate([domains.targets, target_answers])
        weights = self._weights(n, len(both), domains.weights)
        of = np.append(np.arange(n), n + np.flatnonzero(answered))
        return Aligned(both, answers, weights, _as_target, {"labelled": len(target_answers)}, of, of_target=True)

    def _weights(self, n: int, total: int, source_weights: Array | None) -> Array | None:
        if self.share is None and source_weights is None:
            return None
        weights = np.ones(total)
        weights[:n] = 1.0 if source_weights is None else source_weights
        if self.share is not None:
            weights[:n] *= (1 - self.share) / weights[:n].sum()
            weights[n:] *= self.share / weights[n:].sum()
        return np.asarray(weights / weights.mean())


def _as_target(rows: Array) -> Array:
    """[x, 0, x]: (q, d) -> (q, 3 d)."""
    return np.concatenate([rows, np.zeros_like(rows), rows], axis=1)
