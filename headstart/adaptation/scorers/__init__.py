"""Choosing among models without target labels: a criterion a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headstart.face import face

if TYPE_CHECKING:
    from headstart.adaptation.scorers.by_shift import choose_by_shift
    from headstart.adaptation.scorers.criteria import CRITERIA, Choice, Criterion, Said, choose

__all__ = ["CRITERIA", "Choice", "Criterion", "Said", "choose", "choose_by_shift"]

face(
    __name__,
    {
        "CRITERIA": "criteria",
        "Choice": "criteria",
        "Criterion": "criteria",
        "Said": "criteria",
        "choose": "criteria",
        "choose_by_shift": "by_shift",
    },
)
