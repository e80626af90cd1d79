"""A sound model that reuses nothing, as it is stored: an encoder of the inputs, and a head on what that makes."""

from __future__ import annotations

from typing import Any, NamedTuple

from headstart.heads.head import HeadFit
from headstart.preprocessing.encoders import Encoder
from headstart.tasks.goal import Answers

__all__ = ["Untransferred"]


class Untransferred(NamedTuple):
    """encoder   of texts, or of thumbnails of pictures
    fit       of the head, with what it says of the training rows out of fold
    """

    encoder: Encoder
    fit: HeadFit

    def answers(self, inputs: Any) -> Answers:
        """To inputs as the encoder takes them: (M, C) probabilities, or (M,) values."""
        return self.fit.head.answer(self.encoder.transform(inputs))
