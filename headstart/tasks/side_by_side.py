"""Several kinds side by side: a row is asked several questions, and may have the answers to some of them only.

targets   (N, K) float64, of each part the columns that its kind needs (one, or C of a multilabel), NaN where not known
logits    (N, O), of each part as many as its kind has
loss      (N, T), a column a part; where an answer is not known its column is to weigh nothing

Such a value is what a training of one network for several tasks goes by. It has no name of its own to be stored under:
a model of several tasks stores a head a task, each with its kind.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from headstart.tasks.kind import Array, Kind

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Part", "SideBySide", "side_by_side"]


class Part(NamedTuple):
    """One of the questions: its name, kind and classes, and which logits and columns of targets are its own."""

    name: str
    kind: Kind
    classes: tuple[Hashable, ...]
    outputs: slice
    columns: slice


class SideBySide(Kind):
    """Several kinds side by side. `parts` are the questions, in the order of their columns."""

    parts: tuple[Part, ...]
    dtype = np.float64
    has_classes = False
    metrics = ()
    summary = ()
    headline = ""

    def __reduce__(self) -> tuple[Callable[..., Kind], tuple[Any, ...]]:
        """Copied by its parts."""
        return side_by_side, ([(part.name, part.kind, part.classes) for part in self.parts],)

    def apart(self, targets: Any) -> list[Any]:
        """Targets (N, K), an array or a tensor -> of each part (N,), or (N, C) of a multilabel, in float."""
        return [
            targets[:, part.columns] if part.kind.several else targets[:, part.columns.start] for part in self.parts
        ]

    def known_apart(self, targets: Array) -> Array:
        """(N, T) bool: which answers are known."""
        firsts = [part.columns.start for part in self.parts]
        return np.asarray(np.isfinite(np.asarray(targets)[:, firsts]))

    def joined(self, answers: Iterable[Array], labelled: Array) -> Array:
        """The targets (N, ...) of each part, as its kind has them -> (N, K); labelled (N, T)."""
        columns = [np.asarray(answer, np.float64).reshape(len(labelled), -1).copy() for answer in answers]
        for column, labelled_rows in zip(columns, labelled.T, strict=True):
            column[~labelled_rows] = np.nan
        return np.concatenate(columns, axis=1)

    def outputs(self, classes: int) -> int:
        """See `Kind`, as all that follows."""
        return int(self.parts[-1].outputs.stop)

    def shape(self, rows: int, classes: int) -> tuple[int, ...]:
        return (rows, self.outputs(classes))

    def known(self, targets: Array) -> Array:
        """(N,) the rows of which some answer is known."""
        return np.asarray(self.known_apart(targets).any(axis=1))

    def unknown(self, shape: int | tuple[int, ...], dtype: npt.DTypeLike) -> Array:
        return np.full(shape, np.nan, dtype)

    def strata(self, targets: Array) -> tuple[Array, Array]:
        """Those of every part, numbered one after another; a row belongs to some of each part that it answers."""
        labelled, first = self.known_apart(targets), 0
        rows, strata = [], []
        for part, part_targets, labelled_rows in zip(
            self.parts, self.apart(np.asarray(targets)), labelled.T, strict=True
        ):
            at = np.flatnonzero(labelled_rows)
            which, of = part.kind.strata(part_targets[at].astype(part.kind.dtype))
            rows.append(at[which])
            strata.append(of + first)
            first += int(of.max(initial=-1)) + 1
        return np.concatenate(rows), np.concatenate(strata)

    def constant(self, targets: Array, classes: int, rows: int) -> Array:
        parts = [
            part.kind.constant(part_targets, len(part.classes), rows).reshape(rows, -1)
            for part, part_targets in self._known_parts(targets)
        ]
        return np.concatenate(parts, axis=1)

    def in_words(self, target: Any, classes: Sequence[Any]) -> Any:
        """{name: the answer in words}."""
        row = np.asarray(target)[None]
        labelled = self.known_apart(row)[0]
        return {
            part.name: part.kind.in_words(part_target[0].astype(part.kind.dtype), part.classes) if is_labelled else None
            for part, part_target, is_labelled in zip(self.parts, self.apart(row), labelled, strict=True)
        }

    def truth(self, targets: Array, classes: int) -> Array:
        parts = [
            part.kind.truth(part_targets, len(part.classes))
            for part, part_targets in zip(self.parts, self.apart(np.asarray(targets)), strict=True)
        ]
        return np.concatenate(parts, axis=1)

    def checked(self, targets: Array, classes: int) -> Array:
        """ValueError where a part has nothing to learn from, which it names."""
        for part, part_targets in self._known_parts(targets):
            if not len(part_targets):
                raise ValueError(f"target {part.name!r} is not known in any row: leave it out")
            try:
                part.kind.checked(part_targets, max(1, len(part.classes)))
            except ValueError as error:
                raise ValueError(f"target {part.name!r}: {error}") from error
        return np.asarray(targets, np.float64)

    def probabilities(self, logits: Array, temperature: float) -> Array:
        parts = [part.kind.probabilities(np.asarray(logits)[:, part.outputs], temperature) for part in self.parts]
        return np.concatenate([values.reshape(len(logits), -1) for values in parts], axis=1)

    def decide(self, predictions: Array) -> Array:
        rows = len(predictions)
        parts = [
            part.kind.decide(values if part.kind.has_classes else values[:, 0])
            for part, values in ((part, predictions[:, part.outputs]) for part in self.parts)
        ]
        return np.concatenate([np.asarray(values, np.float64).reshape(rows, -1) for values in parts], axis=1)

    def row_losses(self, logits: Tensor, targets: Tensor, *, label_smoothing: float) -> Tensor:
        """(N, T)."""
        import torch  # so that what only reads data does without it

        losses = [
            part.kind.row_losses(
                logits[:, part.outputs],
                part_targets.long() if part.kind.exclusive else part_targets,
                label_smoothing=label_smoothing,
            )
            for part, part_targets in zip(self.parts, self.apart(targets), strict=True)
        ]
        return torch.stack(losses, dim=1)

    def task(self, inputs: str, classes: int) -> str:
        return "; ".join(f"{part.name}: {part.kind.task(inputs, len(part.classes))}" for part in self.parts)

    def _known_parts(self, targets: Array) -> list[tuple[Part, Array]]:
        """Each part with its known answers, as its kind has them."""
        labelled = self.known_apart(targets)
        return [
            (part, part_targets[labelled_rows].astype(part.kind.dtype))
            for part, part_targets, labelled_rows in zip(
                self.parts, self.apart(np.asarray(targets)), labelled.T, strict=True
            )
        ]


def side_by_side(parts: Iterable[tuple[str, Kind, tuple[Hashable, ...]]]) -> SideBySide:
    """The value of (name, kind, classes) of each question. ValueError where there is none."""
    kind, made = SideBySide("side by side"), []
    outputs = columns = 0
    for name, part_kind, classes in parts:
        logits = part_kind.outputs(max(1, len(classes)))
        width = len(classes) if part_kind.several else 1
        made.append(Part(name, part_kind, classes, slice(outputs, outputs + logits), slice(columns, columns + width)))
        outputs, columns = outputs + logits, columns + width
    if not made:
        raise ValueError("several kinds side by side need at least one")
    kind.parts = tuple(made)
    return kind
