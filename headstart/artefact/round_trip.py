"""A saved model is asked before it is trusted: the same made-up inputs must give the same answers."""

from __future__ import annotations

import numpy as np

from headstart.artefact import Model
from headstart.errors import ArtefactError
from headstart.features.engines.agreement import probe, run
from headstart.features.engines.torch_engine import TorchEngine
from headstart.tasks.task import Array

__all__ = ["same_answers"]

_ROWS = 8


def same_answers(model: Model, again: Model) -> None:
    """Raises ArtefactError unless both models answer alike, bit for bit."""
    for member, other in zip(model.members, again.members, strict=True):
        if not np.array_equal(_answers(member.model), _answers(other.model)):
            raise ArtefactError("the model was not saved: read back, it answers otherwise than the one in memory")


def _answers(model: Model) -> Array:
    """To the probe batch of the backbone; without one, to made-up features."""
    if model.backbone is None or model.backbone.module is None:
        return model.head.predict(np.random.default_rng(0).standard_normal((_ROWS, model.head.width)))
    engine = TorchEngine(model.backbone, "float32", "cpu")
    return model.head.predict(run(engine, engine.lane(), probe(model.backbone)))
