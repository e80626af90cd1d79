"""Learning to learn from a few examples: episodes, learners, the outer loop, and what unseen classes say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headstart.face import face

if TYPE_CHECKING:
    from headstart.meta_learning.evidence import FewShotEvidence
    from headstart.meta_learning.learners import LEARNERS
    from headstart.meta_learning.options import MetaTraining

__all__ = ["LEARNERS", "FewShotEvidence", "MetaTraining"]

face(__name__, {"FewShotEvidence": "evidence", "LEARNERS": "learners", "MetaTraining": "options"})
