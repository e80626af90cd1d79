"""Learning a backbone from the user's own data, which may have no labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headstart.face import face

if TYPE_CHECKING:
    from headstart.pretraining.objective import Encoded, Learner, Objective
    from headstart.pretraining.pretrain import Pretrained, pretrain
    from headstart.pretraining.table import PRETRAINING

__all__ = ["PRETRAINING", "Encoded", "Learner", "Objective", "Pretrained", "pretrain"]

face(
    __name__,
    {
        "Encoded": "objective",
        "Learner": "objective",
        "Objective": "objective",
        "PRETRAINING": "table",
        "Pretrained": "pretrain",
        "pretrain": "pretrain",
    },
)
