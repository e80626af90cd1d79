"""Attention transfer (Zagoruyko and Komodakis, 2017, equation 2): the student looks where the teacher looks.

    min  labels L_y + weight / 2 sum_l mean_i ||q^S_il - q^T_il||^2,   q = vec(Q) / ||vec(Q)||,   Q = sum_c |A_c|^2

A_c (H, W) are the channels that the last layer of a stage puts out; stages of student and teacher whose maps are of one
size belong together, the last of each size. The norm is squared, as in the authors' code. For pictures, and networks
that keep places: convolutions. The whole student runs in every step, and so does what is frozen of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from headstart.losses.distilled import Distilled
from headstart.losses.penalty import Context, Norms, Pass
from headstart.losses.supervised import Knowledge
from headstart.losses.taps import Taps

__all__ = ["Attention", "attention"]


@dataclass(frozen=True, kw_only=True)
class Attention(Distilled):
    """weight   of the distance between maps"""

    weight: float = 10.0
    learns_from: ClassVar[Knowledge] = "maps"
    amounts: ClassVar[tuple[str, ...]] = ("l1", "l2", "labels", "weight")

    def start(self, context: Context) -> Looks:
        """With taps at the ends of the network's stages."""
        return Looks(context, self)


class Looks(Norms):
    """The second term above."""

    def __init__(self, context: Context, loss: Attention) -> None:
        network = context.network
        super().__init__(network, l1=loss.l1, l2=loss.l2)
        if not context.teacher_maps:
            raise ValueError("Attention learns from the teacher's maps: give Data(teacher_maps=...)")
        self._weight, self._teacher = loss.weight, context.teacher_maps
        places = [end for stage in network.stages[:-1] for end in network.modules_of(stage)[-1:]]
        self._taps = Taps(network.backbone, places)

    def batch(self, forward_pass: Pass) -> Tensor | None:
        """Of all rows. ValueError where no map of the student is of a size that the teacher has."""
        if forward_pass.rows is None:
            raise ValueError("a teacher's maps go by the numbers of rows, and this pass has none")
        maps, rows = attention(self._taps.taken()), forward_pass.rows.cpu()
        shared = maps.keys() & self._teacher.keys()
        if not shared:
            raise ValueError(
                f"no map of the student is of a size that the teacher has: {_sizes(maps)}, and {_sizes(self._teacher)}"
                "; use hints, relational or distil"
            )
        apart = [maps[size] - self._teacher[size][rows].to(maps[size]) for size in sorted(shared)]
        return self._weight / 2 * torch.stack([each.square().sum(1).mean() for each in apart]).sum()

    def close(self) -> None:
        """Leave the network as it was."""
        self._taps.close()


def attention(maps: Iterable[Tensor]) -> dict[tuple[int, int], Tensor]:
    """By (H, W), q above (N, H W) of the last of (N, C, H, W) maps of this size; what has no places is passed over."""
    by_size = {}
    for A in maps:
        if A.ndim == 4 and A.shape[2] * A.shape[3] > 1:
            by_size[int(A.shape[2]), int(A.shape[3])] = functional.normalize(
                A.float().square().sum(1).flatten(1), dim=1
            )
    return by_size


def _sizes(maps: Iterable[tuple[int, int]]) -> str:
    return ", ".join(f"{height} x {width}" for height, width in sorted(maps)) or "none"
