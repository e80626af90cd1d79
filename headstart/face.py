"""The face of a package: public names that are loaded when they are first used, so that importing one costs nothing."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from types import ModuleType

__all__ = ["face"]


class _Face(ModuleType):
    """A package with public names. They stand before modules called alike: `headstart.backbones.load` is the function,
    whether or not its file was imported before."""

    _home: Mapping[str, str]

    def __getattr__(self, name: str) -> object:
        if name not in self._home:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{self.__name__}.{self._home[name]}"), name)

    def __setattr__(self, name: str, value: object) -> None:
        if not (isinstance(value, ModuleType) and name in self._home):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return [*self._home, *({"__version__"} & self.__dict__.keys())]


def face(package: str, home: Mapping[str, str]) -> None:
    """Give a package its public names: name -> the module in the package that has it."""
    module = sys.modules[package]
    module.__dict__["_home"] = home
    module.__class__ = _Face
