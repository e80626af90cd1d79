"""How a source and a target task differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headstart.face import face

if TYPE_CHECKING:
    from headstart.adaptation.shift.columns import column_shifts
    from headstart.adaptation.shift.diagnose import Shift, diagnose
    from headstart.adaptation.shift.two_sample import classifier_test, mmd

__all__ = ["Shift", "classifier_test", "column_shifts", "diagnose", "mmd"]

face(
    __name__,
    {
        "Shift": "diagnose",
        "classifier_test": "two_sample",
        "column_shifts": "columns",
        "diagnose": "diagnose",
        "mmd": "two_sample",
    },
)
