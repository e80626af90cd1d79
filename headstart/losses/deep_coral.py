"""Deep CORAL (Sun and Saenko, 2016, equations 1 to 3): the covariances of both domains' answers are drawn together.

    min  L_y + weight / (4 d^2) ||C_s - C_t||_F^2,   C = (D'D - (1'D)'(1'D) / n) / (n - 1)

D (n, d) is what the last layer says, as in the paper (section 4): there the loss of the labels keeps the scale, and the
covariance of features could be made small by making features small. Covariances only: where the domains are shifted and
not turned, `DAN` or `DANN` see more. In parts of a batch the covariances are those of a part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from headstart.losses.domains import Between, Domains
from headstart.losses.penalty import Context
from headstart.losses.supervised import Needs, Supervised
from headstart.tasks import CLASSIFICATION, REGRESSION
from headstart.tasks.task import Kind

__all__ = ["DeepCoral", "coral"]


@dataclass(frozen=True, kw_only=True)
class DeepCoral(Supervised):
    """weight   of the distance"""

    weight: float = 1.0
    needs: ClassVar[Needs] = "target"
    kinds: ClassVar[tuple[Kind, ...]] = (CLASSIFICATION, REGRESSION)
    amounts: ClassVar[tuple[str, ...]] = ("l1", "l2", "weight")

    def start(self, context: Context) -> Between:
        """Nothing is kept between batches."""

        def cost(both: Domains) -> Tensor:
            return coral(both.logits[~both.target], both.logits[both.target])

        return Between(context.network, self, self.weight, cost)


def coral(x: Tensor, y: Tensor) -> Tensor:
    """||C_x - C_y||_F^2 / (4 d^2) of (n, d) and (m, d)."""
    apart: Tensor = (_covariance(x) - _covariance(y)).square().sum() / (4 * x.shape[1] ** 2)
    return apart


def _covariance(D: Tensor) -> Tensor:
    """C above; that of one row is 0."""
    centred = D - D.mean(0)
    return centred.T @ centred / max(1, len(D) - 1)
