"""One picture at a time, where they come one by one: a service that is asked for one need not calculate four.

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

__all__ = ["allow_single_pictures", "same_bits"]


def allow_single_pictures(backbone: Backbone) -> bool:
    """Let the engine that was last used for a backbone take one picture at a time where that gives the same bits, and
    tell whether it does. False where no engine was used, where it is a GPU, and for anything but pictures."""
    engine = last_engine(backbone)
    if engine is None or engine.flight or not isinstance(backbone.preprocess, PicturePreprocess):
        return False
    if isinstance(engine, OpenVINOEngine):
        with suppress(Unfit):  # `same_bits` finds that it is not there
            engine.compile_for(1)
    if same_bits(engine, backbone):
        engine.lengths = (1, engine.batch)
    return engine.lengths[0] == 1


def same_bits(engine: Engine, backbone: Backbone) -> bool:
    """Whether one picture at a time gives the features that a whole batch gives it, bit for bit, wherever it stands in
    that; of a batch of the probe."""
    (some,) = probe(backbone)
    pixels = np.resize(some, (engine.batch, *some.shape[1:]))
    run = engine.lane()
    whole = run(pixels)
    try:
        parts = [run(pixels[place : place + 1]) for place in range(engine.batch)]
    except (Unfit, RuntimeError, BackboneError):  # the network was traced for whole batches only
        return False
    return np.array_equal(np.concatenate(parts), whole)
