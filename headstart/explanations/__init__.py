"""Why a model answers as it does: parts of an input that count, training rows that count, and checks of both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headstart.face import face

if TYPE_CHECKING:
    from headstart.explanations.deletion import Deletion, deletion
    from headstart.explanations.explain import case_of, explain
    from headstart.explanations.explanation import Explanation, Explanations
    from headstart.explanations.randomisation import Randomisation, randomisation, randomised

__all__ = [
    "Deletion",
    "Explanation",
    "Explanations",
    "Randomisation",
    "case_of",
    "deletion",
    "explain",
    "randomisation",
    "randomised",
]

face(
    __name__,
    {
        "Deletion": "deletion",
        "Explanation": "explanation",
        "Explanations": "explanation",
        "Randomisation": "randomisation",
        "case_of": "explain",
        "deletion": "deletion",
        "explain": "explain",
        "randomisation": "randomisation",
        "randomised": "randomisation",
    },
)
