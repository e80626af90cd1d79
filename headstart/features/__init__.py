"""One forward pass of a frozen backbone: features of pictures and texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headstart.face import face

if TYPE_CHECKING:
    from headstart.features.extract import Extraction, extract
    from headstart.features.features import Features

__all__ = ["Extraction", "Features", "extract"]

face(__name__, {"Extraction": "extract", "Features": "features", "extract": "extract"})
