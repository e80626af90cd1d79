"""A fitted model that is asked over and over: the path of `predict`, and nothing is kept of what it was asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from blake3 import blake3

from headstart import artefact
from headstart.artefact.model import Model
from headstart.deployment.service.inputs import TOGETHER, task_of
from headstart.deployment.service.picture_path import PicturePath, picture_path
from headstart.deployment.service.training_examples import (
    NearestRows,
    TrainingExamples,
    Unavailable,
    load_training_examples,
)
from headstart.errors import ArtefactError
from headstart.features.engines.engine import Unfit
from headstart.features.engines.shared import set_up_to_fork
from headstart.features.engines.short_batches import allow_single_pictures
from headstart.features.extraction import Extraction
from headstart.features.feature_set import FeatureSet
from headstart.listener import SILENT
from headstart.methods.answers import answer, answer_features, features, look_as_fitted
from headstart.tasks.task import Array, Task
from headstart.transfer import Transfer

__all__ = ["Answer", "Served", "load_served"]


class Answer(NamedTuple):
    """Of one input.

    values    (C,) probabilities, or a number; None where it could not be read
    outlier   whether it is unlike all that the model learnt from; None where the model does not know
    features  (D,) what the head stands on; None for words of texts, which are sparse
    why       it could not be read; "" where it was
    """

    values: Array | None
    outlier: bool | None = None
    features: Array | None = None
    why: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class Served:
    """fitted        the model
    fingerprint   of its folder: other than that of every other model
    extraction    how its backbone is run: on one thread, without a cache
    card          of the model, Markdown; "" where its folder has none
    name          of the model, that of its folder
    examples      the training rows; None where there are none to show, which `no_examples` explains
    """

    fitted: Transfer
    fingerprint: str
    extraction: Extraction
    card: str = ""
    name: str = "model"
    examples: TrainingExamples | None = None
    no_examples: str = "the service was not asked to show them (--nearest)"
    _path: list[PicturePath] = field(default_factory=list, init=False, repr=False)
    """The short way of its pictures, once there is one."""

    @property
    def model(self) -> Model:
        """The model as plain data."""
        return self.fitted.model_

    @property
    def together(self) -> int | None:
        """How many inputs of several requests are answered together; None: those of one request only."""
        return TOGETHER.get(self.model.modality)

    def task(self, items: Sequence[Any]) -> Task:
        """See `inputs.task_of`."""
        return task_of(self.model, items)

    def set_up_to_fork(self) -> None:
        """Set up what the processes that are forked from this one share."""
        for member in self.model.members:
            if member.model.backbone is not None:
                set_up_to_fork(member.model.backbone, self.extraction.as_fitted(member.model.engine))

    def allow_single_inputs(self) -> bool:
        """Whether its networks take one picture at a time from now on, and not batches filled up with black; to be
        called once it has answered something."""
        networks = [member.model.backbone for member in self.model.members]
        single = bool(networks) and all(network is not None and allow_single_pictures(network) for network in networks)
        self._path.clear()  # one that was made before knows nothing of it
        return single

    def answers(self, items: Sequence[Any]) -> list[Answer]:
        """Of each input, in order. Raises DataError where a table cannot be read as a whole."""
        path = self._picture_path()
        if path is not None:
            try:
                return self._of_pictures(items, path)
            except Unfit:  # the long way falls back on another engine
                self._path.clear()
        return self._of_task(items)

    def nearest(self, answers: Sequence[Answer], count: int) -> list[list[dict[str, Any]] | None]:
        """Of each answer the `count` training rows that are most like its input; None where there are none to show."""
        told: list[list[dict[str, Any]] | None] = [None] * len(answers)
        places = [place for place, own in enumerate(answers) if own.features is not None]
        if self.examples is None or not places:
            return told
        dense = np.array([answers[place].features for place in places])
        rows: NearestRows = self.examples.nearest(self.model, dense, count)
        for place, own in zip(places, rows, strict=True):
            told[place] = own
        return told

    def _picture_path(self) -> PicturePath | None:
        """Once its engines are ready: the first inputs are answered without."""
        for path in self._path:
            return path
        new = picture_path(self.model, self.extraction)
        if new is not None:
            self._path.append(new)
        return new

    def _of_pictures(self, items: Sequence[Any], path: PicturePath) -> list[Answer]:
        values, failed = path(items)
        answered = iter(self._of_features(answer_features(self.model, values), values[0]) if len(values[0]) else ())
        return [Answer(None, why=failed[place]) if place in failed else next(answered) for place in range(len(items))]

    def _of_task(self, items: Sequence[Any]) -> list[Answer]:
        task = self.task(items)
        rows = look_as_fitted(self.model, task, self.extraction, SILENT) if len(task) else None
        task = task if rows is None else rows.task
        result = [Answer(None, why="it could not be read")] * len(items)
        for item in task.set_aside:
            if item.place is not None:
                result[item.place] = Answer(None, why=item.why)
        if rows is not None and len(rows):
            for place, own in zip(rows.task.positions.tolist(), self._of_rows(rows), strict=True):
                result[place] = own
        return result

    def _of_rows(self, rows: FeatureSet) -> list[Answer]:
        return self._of_features(answer(self.model, rows), _dense(features(self.model, rows)))

    def _of_features(self, values: Array, dense: Array | None) -> list[Answer]:
        flags = None if dense is None else self._flags(dense)
        return [
            Answer(
                values[row],
                None if flags is None else bool(flags[row]),
                None if dense is None else dense[row],
            )
            for row in range(len(values))
        ]

    def _flags(self, dense: Array) -> Array | None:
        """As `methods.doubts.flags_of`, which looks for the libraries whose threads it limits: a worker has done so."""
        stored = self.model.uncertainty
        if stored is None or stored.distribution is None:
            return None
        with np.errstate(invalid="ignore"):
            return stored.distribution.flags(dense)


def _dense(values: Any) -> Array | None:
    return None if hasattr(values, "todense") else np.asarray(values)


def load_served(folder: str | Path, *, device: Any = "auto", nearest: bool = False, data: str | None = None) -> Served:
    """The model in a folder. Raises ArtefactError where it is missing, damaged, foreign, or of several targets.

    nearest   whether its training rows are to be shown, where they can be had
    data      where they are; None: where they were when it was fitted
    """
    folder = Path(folder)
    if artefact.holds_multi_task(folder):
        raise ArtefactError(f"{folder} answers several targets, and a model of one target is served: fit one of them")
    before = fingerprint_of(folder)
    fitted = Transfer.load(folder).set_params(device=device, cache=False)
    if fingerprint_of(folder) != before:
        raise ArtefactError(f"{folder} was written while it was read: read it again")
    extraction = fitted.extraction(fitted.model_.engine)
    quiet = replace(extraction, lanes=1, thumbs=False)
    page = folder / "README.md"
    card = page.read_text("utf-8") if page.is_file() else ""
    served = Served(fitted=fitted, fingerprint=before, extraction=quiet, card=card, name=folder.resolve().name)
    return _with_examples(served, folder, device, data) if nearest else served


def _with_examples(served: Served, folder: Path, device: Any, data: str | None) -> Served:
    try:
        return replace(served, examples=load_training_examples(folder, served.model, data, device))
    except Unavailable as error:
        return replace(served, no_examples=str(error))


def fingerprint_of(folder: str | Path) -> str:
    """Of what a folder lists, with the hash of each file."""
    try:
        return blake3((Path(folder) / "config.json").read_bytes()).hexdigest()[:16]
    except OSError as error:
        raise ArtefactError(f"{folder} holds no model: config.json cannot be read ({error.strerror})") from error
