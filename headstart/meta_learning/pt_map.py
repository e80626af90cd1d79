"""PT-MAP (Hu, Gripon and Pateux, 2021): a power transform, and class centres that the query rows help to find.

    x <- x^beta / |x^beta|  (of a negative figure: -|x|^beta);  support and query each minus its mean;  x <- x / |x|
    M = Sinkhorn(-lambda |q - c_k|^2), rows summing to 1 and columns to Q / N           (N classes, Q query rows)
    mu_k = (sum of the support of k + sum_q M_qk q) / (shots + sum_q M_qk);   c_k <- c_k + alpha (mu_k - c_k)

Transductive: it takes for granted that the query holds as many rows of each class, and that it is answered together.
So it is a yardstick for episodes; `fit` answers one row at a time and uses prototypes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from headstart.checks import at_least, positive
from headstart.meta_learning.learner import FeatureLearner
from headstart.meta_learning.simple_shot import means, squared_distances

__all__ = ["PTMAP", "power", "sinkhorn"]


@dataclass(frozen=True, kw_only=True)
class PTMAP(FeatureLearner):
    """beta   exponent; lam of distances; alpha of the way that centres go in a step; steps of them"""

    about: ClassVar[str] = "nothing is trained: power transform, and centres that all query rows help to find"
    trains: ClassVar[bool] = False
    beta: float = 0.5
    lam: float = 10.0
    alpha: float = 0.2
    steps: int = 20

    def __post_init__(self) -> None:
        for name in ("beta", "lam", "alpha"):
            positive(name, getattr(self, name))
        at_least("steps", self.steps, 0)

    def from_features(self, head: nn.Module, support: Tensor, targets: Tensor, query: Tensor, way: int) -> Tensor:
        s, q = (_centred(power(x, self.beta)) for x in (support, query))
        c = means(s, targets, way)
        members = functional.one_hot(targets, way).to(s.dtype)
        for _ in range(self.steps):
            m = sinkhorn(-self.lam * squared_distances(q, c))
            mu = (members.T @ s + m.T @ q) / (members.sum(0) + m.sum(0)).unsqueeze(1)
            c = c + self.alpha * (mu - c)
        return sinkhorn(-self.lam * squared_distances(q, c)).clamp(min=1e-12).log()


def power(x: Tensor, beta: float) -> Tensor:
    """Each figure to the power beta, its sign kept; rows of unit length."""
    return functional.normalize(x.sign() * (x.abs() + 1e-6).pow(beta), dim=1)


def sinkhorn(logits: Tensor, *, rounds: int = 1000, tolerance: float = 1e-6) -> Tensor:
    """(Q, N) the plan exp(logits) scaled so that rows sum to 1 and columns to Q / N (Cuturi, 2013)."""
    count, way = logits.shape
    plan = functional.softmax(logits, dim=1)
    for _ in range(rounds):
        plan = plan * (count / way / plan.sum(0))
        rows = plan.sum(1, keepdim=True)
        plan = plan / rows
        if bool((rows - 1).abs().max() < tolerance):
            break
    return plan


def _centred(x: Tensor) -> Tensor:
    return functional.normalize(x - torch.mean(x, 0), dim=1)
