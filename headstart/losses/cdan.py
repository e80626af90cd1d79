"""CDAN (Long et al., 2018, equations 4, 7 and 8): domains that cannot be told apart, class by class.

    h = f (x) g,   g = softmax(z);   with more than `most` entries   h = (R_f f) * (R_g g) / sqrt(most)
    min  L_y + (mean_s w l(G_d(R_c(h)), 0) + mean_t w l(G_d(R_c(h)), 1)) / 2,   w = 1 + exp(-H(g))

The adversary sees the product of features and answers, so that a class of the source is matched with the same class of
the target; rows of which the network is sure count more. Use it where DANN would match different classes. For classes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, cast

import torch
from torch import Tensor, nn

from headstart.checks import at_least
from headstart.heads.module import HeadModule
from headstart.losses.adversary import Adversarial, adversary, told_apart
from headstart.losses.domains import Against, Domains
from headstart.losses.penalty import Context, Helper
from headstart.tasks import CLASSIFICATION
from headstart.tasks.task import Kind

__all__ = ["CDAN"]


@dataclass(frozen=True, kw_only=True)
class CDAN(Adversarial):
    """Options as of `Adversarial`, and

    entropy  whether rows count by w; else all alike
    most     entries of h, above which it is drawn at random
    """

    entropy: bool = True
    most: int = 4096
    kinds: ClassVar[tuple[Kind, ...]] = (CLASSIFICATION,)

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least("most", self.most, 1)

    def start(self, context: Context) -> Against:
        """With an adversary that knows nothing yet."""
        head = cast(HeadModule, context.network.head)
        product = Product(len(head.mean), head.linear.out_features, self.most, context.seed).to(head.mean.device)
        discriminator = adversary(product.width, self.width, context.seed, head.mean)

        def cost(both: Domains) -> Tensor:
            g = both.logits.softmax(1).detach()
            h = self.reversed(product(both.x, g), both.found.done)
            return told_apart(discriminator(h)[:, 0], both.target, certainty(g) if self.entropy else None)

        return Against(context.network, self, cost, Helper(discriminator, self.rate))


class Product(nn.Module):
    """h above: (N, D) and (N, C) to (N, width)."""

    def __init__(self, d: int, classes: int, most: int, seed: int) -> None:
        super().__init__()
        self.width = min(d * classes, most)
        self.drawn = d * classes > most
        generator = torch.Generator().manual_seed(seed)
        for name, size in (("of_f", d), ("of_g", classes)):
            matrix = torch.randn(size, most, generator=generator) if self.drawn else torch.empty(0)
            self.register_buffer(name, matrix)

    def forward(self, f: Tensor, g: Tensor) -> Tensor:
        if not self.drawn:
            return (g[:, :, None] * f[:, None, :]).flatten(1)
        product: Tensor = (f @ self.get_buffer("of_f")) * (g @ self.get_buffer("of_g")) / math.sqrt(self.width)
        return product


def certainty(g: Tensor) -> Tensor:
    """(N, C) shares -> (N,) w = 1 + exp(-H(g))."""
    return 1 + torch.exp(torch.special.entr(g).sum(1).neg())
