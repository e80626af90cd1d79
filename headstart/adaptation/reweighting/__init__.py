"""Weights of source rows, and shares of classes in the target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headstart.face import face

if TYPE_CHECKING:
    from headstart.adaptation.reweighting.balanced import BalancedWeights
    from headstart.adaptation.reweighting.bbse import BBSE
    from headstart.adaptation.reweighting.discriminator import DiscriminatorWeights
    from headstart.adaptation.reweighting.kliep import KLIEP
    from headstart.adaptation.reweighting.kmm import KMM
    from headstart.adaptation.reweighting.mlls import MLLS
    from headstart.adaptation.reweighting.nearest_neighbours import NearestNeighbourWeights
    from headstart.adaptation.reweighting.rulsif import ULSIF, RuLSIF

__all__ = [
    "BBSE",
    "KLIEP",
    "KMM",
    "MLLS",
    "ULSIF",
    "BalancedWeights",
    "DiscriminatorWeights",
    "NearestNeighbourWeights",
    "RuLSIF",
]

face(
    __name__,
    {
        "BBSE": "bbse",
        "BalancedWeights": "balanced",
        "DiscriminatorWeights": "discriminator",
        "KLIEP": "kliep",
        "KMM": "kmm",
        "MLLS": "mlls",
        "NearestNeighbourWeights": "nearest_neighbours",
        "RuLSIF": "rulsif",
        "ULSIF": "rulsif",
    },
)
