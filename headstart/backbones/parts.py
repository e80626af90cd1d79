"""What a hub hands over: the pieces of a backbone before they are put together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from torch import nn

from headstart.preprocessing.spec import Preprocess
from headstart.tasks.task import Array

__all__ = ["Labelled", "Parts"]


class Labelled(NamedTuple):
    """A whole network, classifier included, that nobody else holds, and the name of each of its logits.

    head, engine   as in `backbone.Classifier`
    """

    module: nn.Module
    labels: tuple[str, ...]
    head: Callable[[Array], Array] | None = None
    engine: dict[str, Any] | None = None


class Parts(NamedTuple):
    """A module that nobody else holds, with what is needed to name it, feed it and build it again.

    spec         JSON, all that `assemble.build` needs: "hub" and the keys of that hub
    classifier   reads the network with its classifier; gives None where the weights or the names of its labels lack
    """

    name: str
    spec: dict[str, Any]
    module: nn.Module
    preprocess: Preprocess
    licence: str = ""
    classifier: Callable[[], Labelled | None] | None = None
