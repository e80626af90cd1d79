"""Features of candidates, a row at a time as rows are asked for: those of one backbone in one pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from headstart.automl.candidates import Trunk
from headstart.backbones.backbone import Backbone
from headstart.features.extraction import Extraction
from headstart.features.feature_set import look, through_window
from headstart.heads.standardize import standard
from headstart.listener import Listener
from headstart.tasks.task import Array, SetAside, Task

__all__ = ["Candidate", "Pass", "candidates_of"]


@dataclass
class Candidate:
    """A reading of a backbone, and its features of the rows that it was asked for, by their place in the task.

    seconds   of the passes that gave them
    """

    name: str
    dim: int
    seconds: float = 0.0
    rows: dict[int, Array] = field(default_factory=dict)

    def features(self, rows: Sequence[int]) -> Array:
        """(M, D) of these rows, scaled as the heads of `fit` scale them."""
        values = np.stack([self.rows[row] for row in rows])
        return np.asarray(standard(values, np.arange(len(values)), np.ones(len(values)), "shared").apply(values))


@dataclass
class Pass:
    """A backbone, and those of its candidates that are still of interest.

    keys     content keys of the rows that could be read, by their place in the task
    failed   those that could not
    """

    trunk: Trunk
    candidates: list[Candidate]
    task: Task
    extraction: Extraction
    listener: Listener
    keys: dict[int, bytes] = field(default_factory=dict)
    failed: dict[int, SetAside] = field(default_factory=dict)
    asked: int = 0
    _backbone: Backbone | None = None

    def keep(self, names: set[str]) -> None:
        """Go on with these only."""
        if any(candidate.name not in names for candidate in self.candidates):
            self.candidates = [candidate for candidate in self.candidates if candidate.name in names]
            self._backbone = None

    def grow(self, positions: Array) -> None:
        """Run over those rows that are new, once for all candidates."""
        new = self.task.take(positions[self.asked :])
        self.asked = len(positions)
        if not len(new):
            return
        backbone, new = through_window(self._reading(), new, (self.task,), None, self.listener)
        feature_set = look(new, backbone, self.extraction, self.listener, f"features of {self._name}")
        self.extraction = self.extraction.as_fitted(feature_set.engine)
        place = {int(name): int(row) for name, row in zip(new.positions, positions[-len(new) :], strict=True)}
        values = np.asarray(feature_set.values)
        ends = np.cumsum([candidate.dim for candidate in self.candidates])[:-1]
        parts = np.split(values, ends, axis=1)
        for number, (name, key) in enumerate(zip(feature_set.task.positions, feature_set.keys, strict=True)):
            row = place[int(name)]
            self.keys[row] = key
            for candidate, part in zip(self.candidates, parts, strict=True):
                candidate.rows[row] = part[number]
        self.failed |= {place[item.place]: item for item in feature_set.task.set_aside if item.place in place}
        seconds = 0.0 if feature_set.features is None else feature_set.features.seconds
        for candidate in self.candidates:
            candidate.seconds += seconds

    @property
    def _name(self) -> str:
        return self.candidates[0].name if len(self.candidates) == 1 else self.trunk.backbone.name

    def _reading(self) -> Backbone:
        """Made anew where candidates went, so that nothing is computed for them."""
        if self._backbone is None:
            self._backbone = self.trunk.backbone_of([candidate.name for candidate in self.candidates])
        return self._backbone


def candidates_of(trunk: Trunk) -> list[Candidate]:
    """Each reading of a backbone."""
    return [Candidate(name, dim) for name, dim in trunk.dims.items()]
