"""From features to answers: one head a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headstart.face import face

if TYPE_CHECKING:
    from headstart.heads.boosting import Boosting
    from headstart.heads.head import Head, HeadFit
    from headstart.heads.kernel import Kernel
    from headstart.heads.logistic import Logistic
    from headstart.heads.neural import Neural
    from headstart.heads.prototypes import Prototypes
    from headstart.heads.ridge import Ridge
    from headstart.heads.select import HEADS, fit_probe
    from headstart.heads.trees import Trees

__all__ = [
    "HEADS",
    "Boosting",
    "Head",
    "HeadFit",
    "Kernel",
    "Logistic",
    "Neural",
    "Prototypes",
    "Ridge",
    "Trees",
    "fit_probe",
]

face(
    __name__,
    {
        "Boosting": "boosting",
        "HEADS": "select",
        "Head": "head",
        "HeadFit": "head",
        "Kernel": "kernel",
        "Logistic": "logistic",
        "Neural": "neural",
        "Prototypes": "prototypes",
        "Ridge": "ridge",
        "Trees": "trees",
        "fit_probe": "select",
    },
)
