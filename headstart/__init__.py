"""headstart: transfer learning that proves itself.

Public names are loaded when they are first used, so that the command line answers before torch is imported.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headstart.data.read import read
    from headstart.data.roles import Roles
    from headstart.errors import ArtefactError, BackboneError, CacheError, DataError, HeadstartError, MissingWeights
    from headstart.evidence.evidence import Evidence
    from headstart.features.cache.cache import Cache
    from headstart.study.protocol import check, evaluate, fit, predict
    from headstart.study.shift import shift
    from headstart.tasks.task import Task
    from headstart.transfer import Transfer

__version__ = "0.1.0"

_HOME = {
    "ArtefactError": "errors",
    "BackboneError": "errors",
    "Cache": "features.cache.cache",
    "CacheError": "errors",
    "DataError": "errors",
    "Evidence": "evidence.evidence",
    "HeadstartError": "errors",
    "MissingWeights": "errors",
    "Roles": "data.roles",
    "Task": "tasks.task",
    "Transfer": "transfer",
    "check": "study.protocol",
    "evaluate": "study.protocol",
    "fit": "study.protocol",
    "predict": "study.protocol",
    "read": "data.read",
    "shift": "study.shift",
}

__all__ = [
    "ArtefactError",
    "BackboneError",
    "Cache",
    "CacheError",
    "DataError",
    "Evidence",
    "HeadstartError",
    "MissingWeights",
    "Roles",
    "Task",
    "Transfer",
    "check",
    "evaluate",
    "fit",
    "predict",
    "read",
    "shift",
]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'headstart' has no attribute {name!r}")
    return getattr(import_module(f"headstart.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
