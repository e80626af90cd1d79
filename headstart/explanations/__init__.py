"""Why a model answers as it does: parts of an input that count, training rows that count, and checks of both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headstart.face import face

if TYPE_CHECKING:
    from headstart.explanations.deletion import Deletion, deletion
    from headstart.explanations.explain import case_of, explain
    from headstart.explanations.explanation import Explanation, Explanations
    from headstart.explanations.influence import Influence, influence_of
    from headstart.explanations.randomisation import Randomisation, randomisation, randomised
    from headstart.explanations.separation import Separation, separation_of
    from headstart.explanations.transfer_gain import TransferGain, transfer_gain
    from headstart.explanations.whole import Whole, explain_whole
    from headstart.explanations.written import bytes_of

__all__ = [
    "Deletion",
    "Explanation",
    "Explanations",
    "Influence",
    "Randomisation",
    "Separation",
    "TransferGain",
    "Whole",
    "bytes_of",
    "case_of",
    "deletion",
    "explain",
    "explain_whole",
    "influence_of",
    "randomisation",
    "randomised",
    "separation_of",
    "transfer_gain",
]

face(
    __name__,
    {
        "Deletion": "deletion",
        "Explanation": "explanation",
        "Explanations": "explanation",
        "Influence": "influence",
        "Randomisation": "randomisation",
        "Separation": "separation",
        "TransferGain": "transfer_gain",
        "Whole": "whole",
        "bytes_of": "written",
        "case_of": "explain",
        "deletion": "deletion",
        "explain": "explain",
        "explain_whole": "whole",
        "influence_of": "influence",
        "randomisation": "randomisation",
        "randomised": "randomisation",
        "separation_of": "separation",
        "transfer_gain": "transfer_gain",
    },
)
