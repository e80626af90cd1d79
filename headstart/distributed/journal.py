"""What a server has learnt so far, step by step, so that it goes on where it was killed.

A step is one `.npz` of arrays and text, written beside and moved into place: it is there whole or not at all.
"""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from blake3 import blake3

from headstart.tasks.task import Array

__all__ = ["Journal", "Step"]

_TEXT = "text as JSON"


class Step(NamedTuple):
    """Arrays and texts by name."""

    arrays: Mapping[str, Array]
    texts: Mapping[str, str]


class Journal:
    """In a folder; what was begun with other words than `asked` is thrown away."""

    def __init__(self, folder: Path, asked: str) -> None:
        self._folder = folder / blake3(asked.encode()).hexdigest()[:16]
        self._parent = folder
        if folder.is_dir() and not self._folder.is_dir():
            shutil.rmtree(folder)
        self._folder.mkdir(parents=True, exist_ok=True)

    def read(self, name: str) -> Step | None:
        """A step that was done; None where it was not."""
        file = self._folder / f"{name}.npz"
        if not file.is_file():
            return None
        with np.load(file, allow_pickle=False) as stored:
            arrays = {key: stored[key] for key in stored.files if key != _TEXT}
            return Step(arrays, json.loads(str(stored[_TEXT])))

    def write(self, name: str, step: Step) -> Step:
        """Remember a step, and give it back."""
        buffer = io.BytesIO()
        arrays: dict[str, Any] = {_TEXT: np.array(json.dumps(dict(step.texts))), **step.arrays}
        np.savez(buffer, **arrays)
        part = self._folder / f"{name}.{os.getpid()}.part"
        with part.open("wb") as file:
            file.write(buffer.getvalue())
            file.flush()
            os.fsync(file.fileno())
        part.replace(self._folder / f"{name}.npz")
        return step

    def close(self) -> None:
        """Everything is done: nothing needs to be remembered."""
        shutil.rmtree(self._parent, ignore_errors=True)
