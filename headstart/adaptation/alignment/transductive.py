"""Transductive kernels (Ionescu and Butnaru, 2018): a row is what it is like, among the rows of source and target.

    phi(x) = [k(x, z)] over z in Z,  the rows of both tasks;    phi^(x) = phi(x) / |phi(x)|
    x  ->  phi^(x)     for source and target rows alike: a linear head then has the kernel phi^(x)'phi^(x')
    then, with `added` above 0: ridge classes C(phi^(z)) of target rows; the surest join the source under those classes

Target rows that are alike to the same rows come together, though no two share a feature. With k Gaussian at gamma 1/2
on `StringKernel()`, k = exp(k^ - 1), it is the paper's; a Gaussian head is an SVC. Use it where the clusters of the
target are its classes, and there are as many target rows as source rows. Not with a few target rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
from sklearn.linear_model import RidgeClassifierCV

from headstart.adaptation.alignment.checks import rows_of_both
from headstart.adaptation.alignment.step import Aligned, Domains
from headstart.checks import above, affordable, one_of, whole
from headstart.linalg.kernels import Kernel, kernel, width
from headstart.linalg.kernels import landmarks as drawn
from headstart.linalg.moments import BLOCK, blocks
from headstart.tasks.task import Array

__all__ = ["Transductive"]


@dataclass(frozen=True, kw_only=True)
class Transductive:
    """Rows as similarities to rows of both tasks.

    kernel      "rbf": exp(-gamma |x - z|^2), "linear": x . z, "cosine"
    gamma       of "rbf", in 1 / squared units of the features; None: 1 / median squared distance
    landmarks   rows of Z, half from each task, drawn by `seed` (Nystroem); None: all
    added       share of the target rows, the surest, that join the source as the classes they look like, 0 to 1
    limit       GB above which it refuses
    """

    kernel: Kernel = "rbf"
    gamma: float | None = None
    landmarks: int | None = None
    added: float = 0.0
    limit: float = 2.0
    seed: int = 0

    def __post_init__(self) -> None:
        one_of("kernel", self.kernel, get_args(Kernel))
        if self.gamma is not None:
            above("gamma", self.gamma, 0, "0.5, or None for the median distance")
        if self.landmarks is not None:
            whole("landmarks", self.landmarks, 2, "1000, or None for all")
        above("added", self.added, 0, "0.3", equal=True)
        if self.added > 1:
            raise ValueError(f"added={self.added!r}: expected a share from 0 to 1, such as 0.3")
        above("limit", self.limit, 0, "2")

    def memory(self, source: int, target: int) -> int:
        """Bytes that a call takes beyond the data: similarities of the rows it learns from, and a block of them."""
        learnt = source + (target if self.added else 0)
        p = min(source + target, self.landmarks or source + target)
        ridge = 3 * learnt * p if self.added else 0
        return 8 * (learnt * p + ridge + 2 * min(source + target, BLOCK) * p + (p * p if self.gamma is None else 0))

    def __call__(self, domains: Domains) -> Aligned:
        """Source rows (n, d) -> (n, p). Raises ValueError: too much memory; `added` in regression."""
        rows_of_both(domains, 1, "to be like")
        n, m = len(domains.source), len(domains.target)
        p = min(n + m, self.landmarks or n + m)
        instead = "set landmarks=1000 (Nystroem)"
        affordable(self.memory(n, m), self.limit, f"similarities of {n + m} rows to {p}", instead)
        z = drawn(domains.source, domains.target, p, self.seed)
        gamma = (self.gamma or width(z)) if self.kernel == "rbf" else 1.0

        def move(rows: Array) -> Array:
            phi = np.empty((len(rows), len(z)))
            for part in blocks(len(rows)):
                k = kernel(self.kernel, rows[part], z, gamma)
                lengths = np.linalg.norm(k, axis=1, keepdims=True)
                phi[part] = k / np.where(lengths > 0, lengths, 1.0)
            return phi

        facts: dict[str, object] = {"kernel_rows": len(z), "gamma": gamma}
        aligned = Aligned(move(domains.source), domains.targets, domains.weights, move, facts)
        return _joined(aligned, domains, self.added) if self.added else aligned


def _joined(aligned: Aligned, domains: Domains, share: float) -> Aligned:
    """With the surest target rows, as a ridge on the source rows calls them."""
    if not domains.classes:
        raise ValueError(
            f"added={share:g} takes rows as the classes they look like, and this is regression: set added=0"
        )
    phi, n, m = aligned.move(domains.target), len(aligned.source), len(domains.target)
    ridge = RidgeClassifierCV(alphas=np.logspace(-6, 3, 10)).fit(aligned.source, aligned.targets, aligned.weights)
    scores, called = ridge.decision_function(phi), ridge.predict(phi)
    sure = np.abs(scores) if scores.ndim == 1 else np.diff(np.sort(scores, axis=1)[:, -2:])[:, 0]
    taken = np.sort(np.argsort(-sure, kind="stable")[: round(share * m)])
    return aligned._replace(
        source=np.concatenate([aligned.source, phi[taken]]),
        targets=np.append(aligned.targets, called[taken]),
        weights=None if aligned.weights is None else np.append(aligned.weights, np.ones(len(taken))),
        facts={**aligned.facts, "added": len(taken)},
        of=np.append(np.arange(n), n + taken),
    )
