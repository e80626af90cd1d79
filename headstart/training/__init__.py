"""The one training loop, and what it is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headstart.face import face

if TYPE_CHECKING:
    from headstart.training.options import Training

__all__ = ["Training"]

face(__name__, {"Training": "options"})
