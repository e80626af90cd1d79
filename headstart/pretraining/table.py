"""The table of pretraining: a name -> a row that knows what it is for, its options, and how a backbone learns by it."""

from __future__ import annotations

from headstart.messages import nearest_hint
from headstart.pretraining.objective import Objective
from headstart.pretraining.objectives.simclr import SimCLR
from headstart.pretraining.row import Unlabelled
from headstart.tasks import IMAGE, Modality
from headstart.training.options import Training

__all__ = ["DEFAULTS", "PRETRAINING", "row_named"]


def _row(about: str, objective: Objective, *, epochs: int = 30, batch: int = 64) -> Unlabelled:
    training = Training(epochs=epochs, batch=batch, statistics="batch")
    return Unlabelled(about=about, objective=objective, training=training)


PRETRAINING: dict[str, Unlabelled] = {
    "simclr": _row("pictures: two views of one are told from those of all others", SimCLR()),
}

DEFAULTS: dict[Modality, str] = {IMAGE: "simclr"}
"""By modality, the method where none is named."""


def row_named(name: str) -> Unlabelled:
    """The row of this name. ValueError where there is none, naming the nearest."""
    if name not in PRETRAINING:
        hint = nearest_hint(name, PRETRAINING)
        raise ValueError(f"method {name!r} is unknown to pretrain{hint}; expected one of: {', '.join(PRETRAINING)}")
    return PRETRAINING[name]
