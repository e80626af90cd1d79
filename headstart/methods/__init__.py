"""The table of methods, and from a row of it to a fitted model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headstart.face import face

if TYPE_CHECKING:
    from headstart.methods.adaptation import Adaptation
    from headstart.methods.describe import Description, describe
    from headstart.methods.finetune import FineTune
    from headstart.methods.probe import Probe
    from headstart.methods.table import METHODS

__all__ = ["METHODS", "Adaptation", "Description", "FineTune", "Probe", "describe"]

face(
    __name__,
    {
        "Adaptation": "adaptation",
        "Description": "describe",
        "FineTune": "finetune",
        "METHODS": "table",
        "Probe": "probe",
        "describe": "describe",
    },
)
