"""A backbone whose weights have moved, under a name and a fingerprint of its own."""

from __future__ import annotations

from dataclasses import replace

from headstart.backbones.backbone import Backbone
from headstart.backbones.fingerprint import fingerprint
from headstart.network import Network

__all__ = ["moved_backbone"]


def moved_backbone(network: Network, before: Backbone, name: str) -> Backbone:
    """The backbone of a network that a method of this name has trained; the same one where nothing below the head has
    moved."""
    module = network.backbone
    moved = fingerprint(module, before.preprocess, before.spec)
    if moved == before.fingerprint:
        return before
    label = f"{before.name.partition('+')[0]}+{name}"
    return replace(before, name=label, module=module, fingerprint=moved, classifier=None)
