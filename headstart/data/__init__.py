"""Readers: from a path or an object to a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headstart.face import face

if TYPE_CHECKING:
    from headstart.data.content import row_keys
    from headstart.data.sound_sketch import described, sketch
    from headstart.data.sounds import clip_of

__all__ = ["clip_of", "described", "row_keys", "sketch"]

face(__name__, {"clip_of": "sounds", "described": "sound_sketch", "row_keys": "content", "sketch": "sound_sketch"})
