"""Fewer pictures at a time, where they come one by one: a service that is asked for one need not calculate four.

An engine takes pictures in batches of one length, so that a row is the same numbers whatever is beside it. Kernels are
chosen by shape, so a shorter batch may give other last bits: it is used only where it was found to give the same ones.
"""

from __future__ import annotations

from contextlib import suppress

import numpy as np

from headstart.backbones.backbone import Backbone
from headstart.errors import BackboneError
from headstart.features.engines.agreement import probe
from headstart.features.engines.engine import Engine, Unfit
from headstart.features.engines.openvino_engine import OpenVINOEngine
from headstart.features.engines.recorded import last_engine
from headstart.preprocessing.spec import PicturePreprocess

__all__ = ["allow_short_batches", "same_bits"]

_SHORTER = (1, 2)


def allow_short_batches(backbone: Backbone) -> tuple[int, ...]:
    """Let the engine that was last used for a backbone take 1 and 2 pictures at a time where that gives the same bits;
    the lengths that it takes now. () where no engine was used, or it takes any number, or is a GPU."""
    engine = last_engine(backbone)
    if engine is None or engine.flight or not isinstance(backbone.preprocess, PicturePreprocess):
        return ()
    shorter = [length for length in _SHORTER if length < engine.batch]
    if isinstance(engine, OpenVINOEngine):
        for length in shorter:
            with suppress(Unfit):  # `same_bits` finds that it is not there
                engine.compile_for(length)
    engine.lengths = (*(length for length in shorter if same_bits(engine, backbone, length)), engine.batch)
    return engine.lengths


def same_bits(engine: Engine, backbone: Backbone, length: int) -> bool:
    """Whether so many pictures at a time give the features that a whole batch gives them, bit for bit, wherever they
    stand in it; of a batch of the probe."""
    (some,) = probe(backbone)
    pixels = np.resize(some, (engine.batch, *some.shape[1:]))
    run = engine.lane()
    whole = run(pixels)
    try:
        parts = [run(pixels[at : at + length]) for at in range(0, engine.batch - length + 1, length)]
    except (Unfit, RuntimeError, BackboneError):  # the network was traced for whole batches only
        return False
    return all(np.array_equal(part, whole[length * at : length * at + length]) for at, part in enumerate(parts))
