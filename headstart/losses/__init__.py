"""What is minimised: one file a loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headstart.face import face

if TYPE_CHECKING:
    from headstart.losses.cdan import CDAN
    from headstart.losses.dan import DAN
    from headstart.losses.dann import DANN
    from headstart.losses.deep_coral import DeepCoral
    from headstart.losses.delta import Delta
    from headstart.losses.graph import Graph
    from headstart.losses.l2_sp import L2SP
    from headstart.losses.mcc import MCC
    from headstart.losses.penalty import Context, Pass, Penalty
    from headstart.losses.supervised import Supervised

__all__ = [
    "CDAN",
    "DAN",
    "DANN",
    "L2SP",
    "MCC",
    "Context",
    "DeepCoral",
    "Delta",
    "Graph",
    "Pass",
    "Penalty",
    "Supervised",
]

face(
    __name__,
    {
        "CDAN": "cdan",
        "Context": "penalty",
        "DAN": "dan",
        "DANN": "dann",
        "DeepCoral": "deep_coral",
        "Delta": "delta",
        "Graph": "graph",
        "L2SP": "l2_sp",
        "MCC": "mcc",
        "Pass": "penalty",
        "Penalty": "penalty",
        "Supervised": "supervised",
    },
)
