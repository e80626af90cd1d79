"""How rows of a source and of a target task come into one fit."""

from __future__ import annotations

from typing import NamedTuple

from headstart.adaptation.alignment.step import Align

__all__ = ["Strategy"]


class Strategy(NamedTuple):
    """source, target   whether rows of the source, and labelled rows of the target, are learnt from
    align            a step between the two; None: none. One that takes target labels adds the labelled rows itself
    guarded          several ways are compared, and the best that is not adapted is kept unless another is better
    """

    source: bool = True
    target: bool = False
    align: Align | None = None
    guarded: bool = False
