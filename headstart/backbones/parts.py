"""What a hub hands over: the pieces of a backbone before they are put together."""

from __future__ import annotations

from typing import Any, NamedTuple

from torch import nn

from headstart.backbones.backbone import PicturePreprocess, TextPreprocess

__all__ = ["Parts"]


class Parts(NamedTuple):
    """A module that nobody else holds, with what is needed to name it, feed it and build it again.

    spec   JSON, all that `assemble.build` needs: "hub" and the keys of that hub
    """

    name: str
    spec: dict[str, Any]
    module: nn.Module
    preprocess: PicturePreprocess | TextPreprocess
    licence: str = ""
