"""A recipe: what moves, by which loss, and how it is trained."""

from __future__ import annotations

from typing import NamedTuple

from headstart.finetuning.stage import Tune
from headstart.losses.supervised import Supervised
from headstart.training.options import Training

__all__ = ["Tuning"]


class Tuning(NamedTuple):
    """A row of the table of methods with its options set."""

    tune: Tune
    loss: Supervised
    training: Training
