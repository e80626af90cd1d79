"""What a hub hands over: the pieces of a backbone before they are put together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from torch import nn

from headstart.preprocessing.spec import Preprocess
from headstart.tasks.task import Array

__all__ = ["Labelled", "Parts", "Whole"]


class Labelled(NamedTuple):
    """A whole network, classifier included, that nobody else holds, and the name of each of its logits.

    head, engine   as in `backbone.Classifier`
    """

    module: nn.Module
    labels: tuple[str, ...]
    head: Callable[[Array], Array] | None = None
    engine: dict[str, Any] | None = None


class Whole(NamedTuple):
    """Reads a network with its classifier, of which something is known before.

    labels    reads what each logit stands for, and none of the weights; None where there are no names, or no classifier
    content   a hash of the files that the network is read from
    read      the network; None where the weights or the names of its labels lack
    """

    labels: Callable[[], tuple[str, ...] | None]
    content: Callable[[], str]
    read: Callable[[], Labelled | None]


class Parts(NamedTuple):
    """A module that nobody else holds, with what is needed to name it, feed it and build it again.

    spec         JSON, all that `assemble.build` needs: "hub" and the keys of that hub
    classifier   the network with its classifier; None where there cannot be one
    """

    name: str
    spec: dict[str, Any]
    module: nn.Module
    preprocess: Preprocess
    licence: str = ""
    classifier: Whole | None = None
