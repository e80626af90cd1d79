"""The engine that was last used for each backbone, kept as long as the backbone is, so that a second call need not
convert, compile or copy it again. A forked process keeps its own and leaves its parent's alone: their threads, which
even their end would wait for, stayed with the parent."""

from __future__ import annotations

import os
from collections import defaultdict
from weakref import WeakKeyDictionary

from torch import nn

from headstart.backbones.backbone import Backbone
from headstart.features.engines.engine import Choice, Engine
from headstart.features.engines.torch_engine import TorchEngine

__all__ = ["inherit", "keep", "kept", "last_engine"]

_Engines = WeakKeyDictionary[nn.Module, tuple[tuple[object, ...], Engine]]

_engines: defaultdict[int, _Engines] = defaultdict(WeakKeyDictionary)
"""By process."""


def keep(engine: Engine, choice: Choice, backbone: Backbone, lanes: int) -> None:
    """Keep it in the place of the one before."""
    if backbone.module is not None:
        _engines[os.getpid()][backbone.module] = (_what(choice, backbone, lanes), engine)


def kept(choice: Choice, backbone: Backbone, lanes: int) -> Engine | None:
    """The engine that was kept, if it is this one."""
    if backbone.module is None:
        return None
    what, engine = _engines[os.getpid()].get(backbone.module, ((), None))
    return engine if what == _what(choice, backbone, lanes) else None


def last_engine(backbone: Backbone) -> Engine | None:
    """The engine that was last used for it here, whatever it was chosen for."""
    own = None if backbone.module is None else _engines[os.getpid()].get(backbone.module)
    return None if own is None else own[1]


def inherit(parent: int) -> None:
    """In a process forked from `parent`: take over its engines of torch on the CPU, which share its memory. They have
    no threads of their own where the parent calculated on one."""
    for module, (what, engine) in list(_engines[parent].items()):
        if isinstance(engine, TorchEngine) and not engine.flight:
            _engines[os.getpid()][module] = what, engine


def _what(choice: Choice, backbone: Backbone, lanes: int) -> tuple[object, ...]:
    return *choice[:3], backbone.fingerprint, lanes
