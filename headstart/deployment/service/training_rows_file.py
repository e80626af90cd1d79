"""What a process of its own does for `training_examples`: it reads the training rows of a model, and writes down what
is shown of them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from headstart.artefact.model import Model
from headstart.errors import HeadstartError
from headstart.explanations.neighbours import of_length_one, standardised
from headstart.explanations.training_rows import training_rows
from headstart.features.feature_set import FeatureSet
from headstart.listener import SILENT
from headstart.tasks import IMAGE, TABLE, TEXT
from headstart.tasks.task import Array, Task
from headstart.transfer import Transfer

__all__ = ["unit_rows", "write"]

LARGEST = 1 << 30
"""Bytes of features that are held for it."""
_LETTERS = 300


def write(folder: str, data: str, device: str, out: str) -> None:
    """Writes rows.npy, (M, D) float32, and about.json into `out`; about.json alone, with the reason, where the rows
    cannot be had.

    folder   the model
    data     its training data
    """
    record: dict[str, Any] = {"why": "", "about": [], "files": []}
    try:
        model = Transfer.load(folder).set_params(device=device)
        rows = _rows(model, data)
        np.save(Path(out, "rows.npy"), unit_rows(standardised(model.model_, rows)))
        record |= {"about": about(rows.task, data), "files": files(rows.task)}
    except (HeadstartError, OSError, ValueError) as error:
        record["why"] = f"the training data cannot be read: {error}"
    Path(out, "about.json").write_text(json.dumps(record, default=_plain), "utf-8")


def unit_rows(standard: Array) -> Array:
    """(N, D) standardised features as float32 of length one; what is missing is a mean, which is 0."""
    return of_length_one(np.nan_to_num(standard, posinf=0.0, neginf=0.0)).astype(np.float32)


def _rows(model: Transfer, data: str) -> FeatureSet:
    fitted = model.model_
    if _words_only(fitted):
        raise ValueError("the model stands on the words of texts, and not on features")
    read = training_rows(model, data, SILENT)
    if read.rows is None:
        raise ValueError("; ".join(read.notes))
    size = 4 * len(read.rows) * fitted.head.width
    if size > LARGEST:
        raise ValueError(f"their features would take {size / (1 << 30):.1f} GiB of memory, more than 1 GiB")
    return read.rows


def _words_only(model: Model) -> bool:
    return model.backbone is None and model.modality == TEXT


def about(task: Task, data: str) -> list[dict[str, Any]]:
    """Of each row its name, within the data, its label, and what it says where that is words."""
    targets = np.asarray(task.targets)
    told = []
    for place, name in enumerate(task.names):
        label = task.kind.in_words(targets[place], task.classes)
        row = {"name": _within(name, data), "label": label}
        text = _said(task, place)
        told.append(row if text is None else row | {"text": text})
    return told


def _within(name: str, data: str) -> str:
    """The name of a file without the folders above the data."""
    above = f"{os.path.abspath(data)}{os.sep}"
    if not os.path.isabs(name) or name.startswith(above):
        return name.removeprefix(above)
    return os.path.basename(name)


def _said(task: Task, place: int) -> str | None:
    if task.modality == TEXT:
        text = str(task.inputs[place])
    elif task.modality == TABLE:
        text = ", ".join(f"{name} = {value}" for name, value in task.inputs.iloc[place].items())  # type: ignore[union-attr]
    else:
        return None
    return text if len(text) <= _LETTERS else f"{text[: _LETTERS - 1]}…"


def files(task: Task) -> list[str]:
    """The files of pictures; [] where there are none, or pictures are no files."""
    places = [os.path.abspath(item) for item in task.inputs if isinstance(item, str)]
    return places if task.modality == IMAGE and len(places) == len(task) else []


def _plain(value: Any) -> Any:
    """A number of numpy as one of Python."""
    return value.item()
