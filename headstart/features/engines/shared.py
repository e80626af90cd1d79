"""The engine of a process that is going to be forked: set up once, so that its children share the memory of it."""

from __future__ import annotations

from headstart.backbones.backbone import Backbone
from headstart.features.cache.session import Session
from headstart.features.engines.engine import Unfit
from headstart.features.engines.provider import Supply
from headstart.features.engines.support import obstacle
from headstart.features.engines.wish import Wish
from headstart.features.extraction import Extraction
from headstart.linalg.torch_threads import one_torch_thread

__all__ = ["set_up_to_fork"]


def set_up_to_fork(backbone: Backbone, extraction: Extraction) -> None:
    """Find out, in processes of their own, what can run here, and build the engine for a single input where it is one
    of torch on the CPU; children get it by `recorded.inherit`. An engine of OpenVINO has threads, and each child builds
    its own.
    """
    if backbone.module is None or backbone.preprocess is None or extraction.lanes is None:
        return
    if extraction.engine != "auto" and extraction.precision != "auto":
        obstacle(extraction.engine, extraction.precision, Session(None).memory)
    wish = Wish(extraction.engine, extraction.precision, extraction.device)
    supply = Supply(backbone, 1, wish, extraction.lanes, Session(None))
    if supply.choice is None or supply.choice.name != "torch" or supply.on_device:
        return
    with one_torch_thread():
        try:
            supply.provide()
        except Unfit:  # each run falls back, and says why
            return
