"""Pretrained models: from "hub:name" to a backbone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headstart.face import face

if TYPE_CHECKING:
    from headstart.backbones.backbone import Backbone
    from headstart.backbones.bundled import BUNDLED
    from headstart.backbones.load import load

__all__ = ["BUNDLED", "Backbone", "load"]

face(__name__, {"BUNDLED": "bundled", "Backbone": "backbone", "load": "load"})
