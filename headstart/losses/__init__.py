"""What is minimised: one file a loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headstart.face import face

if TYPE_CHECKING:
    from headstart.losses.attention import Attention
    from headstart.losses.cdan import CDAN
    from headstart.losses.dan import DAN
    from headstart.losses.dann import DANN
    from headstart.losses.decoupled import Decoupled
    from headstart.losses.deep_coral import DeepCoral
    from headstart.losses.delta import Delta
    from headstart.losses.distilled import Distilled, TeacherAnswers
    from headstart.losses.graph import Graph
    from headstart.losses.hints import Hints
    from headstart.losses.l2_sp import L2SP
    from headstart.losses.mcc import MCC
    from headstart.losses.penalty import Context, Pass, Penalty
    from headstart.losses.relational import Relational
    from headstart.losses.soft_targets import SoftTargets
    from headstart.losses.supervised import Supervised

__all__ = [
    "CDAN",
    "DAN",
    "DANN",
    "L2SP",
    "MCC",
    "Attention",
    "Context",
    "Decoupled",
    "DeepCoral",
    "Delta",
    "Distilled",
    "Graph",
    "Hints",
    "Pass",
    "Penalty",
    "Relational",
    "SoftTargets",
    "Supervised",
    "TeacherAnswers",
]

face(
    __name__,
    {
        "Attention": "attention",
        "CDAN": "cdan",
        "Context": "penalty",
        "DAN": "dan",
        "DANN": "dann",
        "Decoupled": "decoupled",
        "DeepCoral": "deep_coral",
        "Delta": "delta",
        "Distilled": "distilled",
        "Graph": "graph",
        "Hints": "hints",
        "L2SP": "l2_sp",
        "MCC": "mcc",
        "Pass": "penalty",
        "Penalty": "penalty",
        "Relational": "relational",
        "SoftTargets": "soft_targets",
        "Supervised": "supervised",
        "TeacherAnswers": "distilled",
    },
)
