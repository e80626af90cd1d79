"""Readers: from a path or an object to a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headstart.face import face

if TYPE_CHECKING:
    from headstart.data.content import row_keys

__all__ = ["row_keys"]

face(__name__, {"row_keys": "content"})
