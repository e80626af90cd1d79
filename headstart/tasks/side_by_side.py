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

    def joined(self, answers: Iterable[Array], known: Array) -> Array:
        """The targets (N, ...) of each part, as its kind has them -> (N, K); known (N, T)."""
        columns = [np.asarray(own, np.float64).reshape(len(known), -1).copy() for own in answers]
        for own, there in zip(columns, known.T, strict=True):
            own[~there] = np.nan
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
        known, first = self.known_apart(targets), 0
        rows, strata = [], []
        for part, own, there in zip(self.parts, self.apart(np.asarray(targets)), known.T, strict=True):
            at = np.flatnonzero(there)
            which, of = part.kind.strata(own[at].astype(part.kind.dtype))
            rows.append(at[which])
            strata.append(of + first)
            first += int(of.max(initial=-1)) + 1
        return np.concatenate(rows), np.concatenate(strata)

    def constant(self, targets: Array, classes: int, rows: int) -> Array:
        parts = [
            part.kind.constant(own, len(part.classes), rows).reshape(rows, -1)
            for part, own in self._known_parts(targets)
        ]
        return np.concatenate(parts, axis=1)

    def in_words(self, target: Any, classes: Sequence[Any]) -> Any:
        """{name: the answer in words}."""
        row = np.asarray(target)[None]
        there = self.known_apart(row)[0]
        return {
            part.name: part.kind.in_words(own[0].astype(part.kind.dtype), part.classes) if known else None
            for part, own, known in zip(self.parts, self.apart(row), there, strict=True)
        }

    def truth(self, targets: Array, classes: int) -> Array:
        parts = [
            part.kind.truth(own, len(part.classes))
            for part, own in zip(self.parts, self.apart(np.asarray(targets)), strict=True)
        ]
        return np.concatenate(parts, axis=1)

    def checked(self, targets: Array, classes: int) -> Array:
        """ValueError where a part has nothing to learn from, which it names."""
        for part, own in self._known_parts(targets):
            if not len(own):
                raise ValueError(f"target {part.name!r} is not known in any row: leave it out")
            try:
                part.kind.checked(own, max(1, len(part.classes)))
            except ValueError as error:
                raise ValueError(f"target {part.name!r}: {error}") from error
        return np.asarray(targets, np.float64)

    def probabilities(self, logits: Array, temperature: float) -> Array:
        parts = [part.kind.probabilities(np.asarray(logits)[:, part.outputs], temperature) for part in self.parts]
        return np.concatenate([own.reshape(len(logits), -1) for own in parts], axis=1)

    def decide(self, predictions: Array) -> Array:
        rows = len(predictions)
        parts = [
            part.kind.decide(own if part.kind.has_classes else own[:, 0])
            for part, own in ((part, predictions[:, part.outputs]) for part in self.parts)
        ]
        return np.concatenate([np.asarray(own, np.float64).reshape(rows, -1) for own in parts], axis=1)

    def row_losses(self, logits: Tensor, targets: Tensor, *, label_smoothing: float) -> Tensor:
        """(N, T)."""
        import torch  # so that what only reads data does without it

        losses = [
            part.kind.row_losses(
                logits[:, part.outputs],
                own.long() if part.kind.exclusive else own,
                label_smoothing=label_smoothing,
            )
            for part, own in zip(self.parts, self.apart(targets), strict=True)
        ]
        return torch.stack(losses, dim=1)

    def task(self, inputs: str, classes: int) -> str:
        return "; ".join(f"{part.name}: {part.kind.task(inputs, len(part.classes))}" for part in self.parts)

    def _known_parts(self, targets: Array) -> list[tuple[Part, Array]]:
        """Each part with its known answers, as its kind has them."""
        known = self.known_apart(targets)
        return [
            (part, own[there].astype(part.kind.dtype))
            for part, own, there in zip(self.parts, self.apart(np.asarray(targets)), known.T, strict=True)
        ]


def side_by_side(parts: Iterable[tuple[str, Kind, tuple[Hashable, ...]]]) -> SideBySide:
    """The value of (name, kind, classes) of each question. ValueError where there is none."""
    kind, made = SideBySide("side by side"), []
    outputs = columns = 0
    for name, own, classes in parts:
        logits = own.outputs(max(1, len(classes)))
        width = len(classes) if own.several else 1
        made.append(Part(name, own, classes, slice(outputs, outputs + logits), slice(columns, columns + width)))
        outputs, columns = outputs + logits, columns + width
    if not made:
        raise ValueError("several kinds side by side need at least one")
    kind.parts = tuple(made)
    return kind
