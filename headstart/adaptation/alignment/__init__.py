"""Steps on the features of a source and a target task: moved features, weights of rows, or a head of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headstart.face import face

if TYPE_CHECKING:
    from headstart.adaptation.alignment.augment import FeatureAugmentation
    from headstart.adaptation.alignment.coral import Coral
    from headstart.adaptation.alignment.jdot import JDOT
    from headstart.adaptation.alignment.likeness import Likeness
    from headstart.adaptation.alignment.linear_transport import LinearTransport
    from headstart.adaptation.alignment.step import Align, Aligned, Domains
    from headstart.adaptation.alignment.subspace import SubspaceAlignment
    from headstart.adaptation.alignment.tca import TCA
    from headstart.adaptation.alignment.transductive import Transductive
    from headstart.adaptation.alignment.transport import Transport

__all__ = [
    "JDOT",
    "TCA",
    "Align",
    "Aligned",
    "Coral",
    "Domains",
    "FeatureAugmentation",
    "Likeness",
    "LinearTransport",
    "SubspaceAlignment",
    "Transductive",
    "Transport",
]

face(
    __name__,
    {
        "Align": "step",
        "Aligned": "step",
        "Coral": "coral",
        "Domains": "step",
        "FeatureAugmentation": "augment",
        "JDOT": "jdot",
        "Likeness": "likeness",
        "LinearTransport": "linear_transport",
        "SubspaceAlignment": "subspace",
        "TCA": "tca",
        "Transductive": "transductive",
        "Transport": "transport",
    },
)
