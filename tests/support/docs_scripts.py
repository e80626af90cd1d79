"""The scripts of docs/, which is no package."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

from pages import PROJECT

__all__ = ["docstrings", "gallery", "hooks"]


def _script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"docs_{name}", PROJECT / "docs" / f"{name}.py")
    if spec is None or spec.loader is None:
        raise ImportError(name)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


gallery, hooks, docstrings = _script("gallery"), _script("hooks"), _script("docstrings")
