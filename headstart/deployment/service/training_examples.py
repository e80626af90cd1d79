"""The training rows of a served model, by their features: which of them are most like what is asked.

A process of its own reads them, since its threads are not to be there when workers are forked, and leaves two files in
a folder; the workers share one map of the features.
"""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from headstart.artefact.model import Model
from headstart.deployment.service.training_rows_file import unit_rows
from headstart.errors import HeadstartError
from headstart.explanations.neighbours import standardised_features
from headstart.preprocessing.decode import decode
from headstart.tasks.task import Array

__all__ = [
    "MOST",
    "NEAREST_INPUTS",
    "NearestRows",
    "TrainingExamples",
    "Unavailable",
    "load_training_examples",
    "read_training_examples",
]

MOST = 20
"""So many nearest rows of an input may be asked for."""
NEAREST_INPUTS = 256
"""Of so many inputs at a time."""
_THUMB = 128
_SCRIPT = "import sys; from headstart.deployment.service.training_rows_file import write; write(*sys.argv[1:])"

NearestRows = list[list[dict[str, Any]]]
"""Of each input its nearest training rows, as JSON."""


class Unavailable(HeadstartError):
    """The training rows cannot be had; the service goes on without them."""


@dataclass(frozen=True, eq=False)
class TrainingExamples:
    """rows    (M, D) float32, features as the head standardises them, of length one
    about   of each what is told of it: name, label, and of a text or a row of a table what it says
    files   of each its picture, where it is a file; () where they are none
    """

    rows: Array
    about: list[dict[str, Any]]
    files: list[str]

    def __len__(self) -> int:
        return len(self.about)

    def nearest(self, model: Model, features: Array, count: int) -> NearestRows:
        """Of each of (N, D) features the `count` rows with the largest cosine, the largest first."""
        x = unit_rows(standardised_features(model, features))
        return [[self._told(place, row[place]) for place in _largest(row, count)] for row in x @ self.rows.T]

    def _told(self, place: int, similarity: float) -> dict[str, Any]:
        told = self.about[place] | {"similarity": round(float(min(1.0, similarity)), 6)}
        picture = _thumbnail(self.files[place]) if self.files else None
        return told if picture is None else told | {"picture": picture}


def _largest(row: Array, count: int) -> list[int]:
    """Places of the largest numbers, in order; of equal ones the first comes first."""
    count = min(count, len(row))
    limit = np.partition(row, len(row) - count)[len(row) - count]
    places = np.flatnonzero(row >= limit)
    order: list[int] = places[np.argsort(-row[places], kind="stable")][:count].tolist()
    return order


@lru_cache(maxsize=512)
def _thumbnail(file: str) -> str | None:
    """A picture of at most 128 pixels, as an address of its data; None where the file is no picture any more."""
    try:
        pixels = decode(Path(file).read_bytes(), draft=True)
    except (OSError, HeadstartError):
        return None
    small = Image.fromarray(np.ascontiguousarray(pixels.permute(1, 2, 0).numpy()))
    small.thumbnail((_THUMB, _THUMB))
    held = io.BytesIO()
    small.save(held, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(held.getvalue()).decode()}"


def load_training_examples(folder: Path, model: Model, data: str | None, device: Any) -> TrainingExamples:
    """Those of the model in a folder, from its cache of features or by its backbone.

    data   where the training data are; None: where they were when it was fitted

    Raises Unavailable, which says why, where they are not there or cannot be read.
    """
    place = _origin(model) if data is None else data
    if not os.path.exists(place):
        raise Unavailable("the training data are not where they were; give --data DATA")
    with tempfile.TemporaryDirectory(prefix="headstart-rows-") as held:
        words = [sys.executable, "-c", _SCRIPT, str(folder), os.fspath(place), str(device), held]
        code = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False).returncode
        if code:
            raise Unavailable(f"the process that reads the training data ended with {code}")
        return read_training_examples(held)


def read_training_examples(folder: str | Path) -> TrainingExamples:
    """What `training_rows_file.write` left in a folder, which may go then: the map of the features stays.

    Raises Unavailable where it left only the reason.
    """
    told = json.loads(Path(folder, "about.json").read_text("utf-8"))
    if told["why"]:
        raise Unavailable(told["why"])
    rows = np.load(Path(folder, "rows.npy"), mmap_mode="r", allow_pickle=False)
    return TrainingExamples(rows, told["about"], told["files"])


def _origin(model: Model) -> str:
    """Where the training data lay."""
    record = (model.evidence or {}).get("origin") or {}
    if record.get("withheld"):
        raise Unavailable("the model keeps no provenance, so give --data DATA")
    if not record.get("data"):
        raise Unavailable("the model does not know where its training data lie: give --data DATA")
    return str(record["data"])
