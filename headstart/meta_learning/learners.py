"""The learners by name, the simplest first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headstart.messages import nearest_hint
from headstart.meta_learning.anil import ANIL
from headstart.meta_learning.baseline_pp import BaselinePP
from headstart.meta_learning.learner import Learner
from headstart.meta_learning.maml import FOMAML, MAML
from headstart.meta_learning.matching import Matching
from headstart.meta_learning.protonet import ProtoNet
from headstart.meta_learning.pt_map import PTMAP
from headstart.meta_learning.reptile import Reptile
from headstart.meta_learning.ridge_head import R2D2
from headstart.meta_learning.simple_shot import SimpleShot

__all__ = ["LEARNERS", "learner_named"]

LEARNERS: dict[str, type[Learner]] = {
    "simpleshot": SimpleShot,
    "pt-map": PTMAP,
    "protonet": ProtoNet,
    "matching": Matching,
    "r2d2": R2D2,
    "baseline++": BaselinePP,
    "anil": ANIL,
    "maml": MAML,
    "fomaml": FOMAML,
    "reptile": Reptile,
}


def learner_named(name: str, options: Mapping[str, Any]) -> Learner:
    """The learner of this name with these options. ValueError where there is none such."""
    if name not in LEARNERS:
        raise ValueError(
            f"learner {name!r} is unknown{nearest_hint(name, LEARNERS)}; expected one of {', '.join(LEARNERS)}"
        )
    return LEARNERS[name](**options)
