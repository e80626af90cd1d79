"""ADAPT's methods that need NumPy alone, loaded without TensorFlow, for `beside.py` alone.

`import adapt` reads all of ADAPT, deep methods too, and stops where TensorFlow is missing. Here `adapt` becomes a
package whose own `__init__` is not run, and every name of TensorFlow an empty class: enough for
`class X(tf.keras.Model)` and `isinstance`, and an error in any method that computes with it.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["INSTALL", "method"]

INSTALL = "pip install --no-deps adapt==0.4.5"
KERAS = ("optimizers", "layers", "models", "initializers", "callbacks", "wrappers", "wrappers.scikit_learn")
NAMES = ("", ".random", ".keras", *(f".keras.{room}" for room in KERAS))
ROOMS = ("adapt", "adapt.feature_based", "adapt.instance_based", "adapt.parameter_based")


class _Nothing(ModuleType):
    """A module in which every name is an empty class, and which counts as a package."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        inner = f"{self.__name__}.{name}"
        return sys.modules[inner] if inner in sys.modules else type(name, (), {})


def method(module: str, name: str) -> Any:
    """A class of ADAPT, such as method("feature_based._coral", "CORAL"). Raises ImportError where ADAPT is missing."""
    if "adapt" not in sys.modules:
        _prepare()
    return getattr(importlib.import_module(f"adapt.{module}"), name)


def _prepare() -> None:
    found = importlib.util.find_spec("adapt")
    if found is None or found.origin is None:
        raise ImportError(f"ADAPT is missing: {INSTALL}")
    if importlib.util.find_spec("tensorflow") is None:
        for name in NAMES:
            sys.modules[f"tensorflow{name}"] = _Nothing(f"tensorflow{name}")
        sys.modules["tensorflow.random"].set_seed = lambda seed: None  # type: ignore[attr-defined]
    folder = Path(found.origin).parent
    for room in ROOMS:
        package = ModuleType(room)
        package.__spec__ = ModuleSpec(room, None, is_package=True)
        package.__path__ = [str(folder.joinpath(*room.split(".")[1:]))]
        sys.modules[room] = package
