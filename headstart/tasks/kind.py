"""A kind of question as a value: what its targets are, what a model answers, and by what the answers are judged.

One file a kind: `classification`, `regression`, `multilabel`. Everything that differs by kind is asked of the value, so
that a further kind is a file here and the heads that can answer it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from torch import Tensor

    from headstart.tasks.side_by_side import Part

__all__ = ["KINDS", "Kind", "kind_named", "register_kind"]

Array = npt.NDArray[Any]


class Kind(str):
    """The name of a kind, with which it is stored and printed, and its behaviour.

    dtype         of targets
    has_classes   targets name classes, and answers are probabilities; else both are numbers
    several       a row has any number of the classes, which are asked one by one
    metrics       the names of its scores, in the order in which they are shown
    summary       those that stand on a line of their own
    headline      the score by which models are compared
    parts         the questions that are asked side by side, see `side_by_side`; none where there is one

    N rows, C classes. Targets are as in `Task`, logits (N, outputs), predictions (N, C) probabilities or (N,) values.
    """

    __slots__ = ()

    dtype: ClassVar[type[np.generic]]
    has_classes: ClassVar[bool] = True
    several: ClassVar[bool] = False
    metrics: ClassVar[tuple[str, ...]]
    summary: ClassVar[tuple[str, ...]]
    headline: ClassVar[str]
    parts: tuple[Part, ...] = ()

    def __reduce__(self) -> tuple[Callable[[str], Kind], tuple[str]]:
        """Copied and pickled by its name: a kind is one value in a process."""
        return kind_named, (str(self),)

    @property
    def exclusive(self) -> bool:
        """Whether a row has one class and no other."""
        return self.has_classes and not self.several

    def outputs(self, classes: int) -> int:
        """How many logits a row has."""
        return classes

    def shape(self, rows: int, classes: int) -> tuple[int, ...]:
        """The shape of the predictions for so many rows."""
        return (rows, classes)

    @abstractmethod
    def known(self, targets: Array) -> Array:
        """(N,) bool: the rows whose target is known."""

    @abstractmethod
    def unknown(self, shape: int | tuple[int, ...], dtype: npt.DTypeLike) -> Array:
        """Targets that are not known."""

    def codes(self, targets: Array) -> Array:
        """(N,) int64: classes that folds keep in proportion; all alike where there is no one class a row."""
        return np.zeros(len(targets), np.int64)

    def counts(self, targets: Array, classes: int) -> Array:
        """(C,) int64: how many rows with a known target are of each class; none where there are no classes."""
        return np.zeros(0, np.int64)

    @abstractmethod
    def strata(self, targets: Array) -> tuple[Array, Array]:
        """The rows (M,) and the strata (M,) that they belong to, which a stratified split keeps in proportion."""

    @abstractmethod
    def constant(self, targets: Array, classes: int, rows: int) -> Array:
        """The same predictions for so many rows, whatever they hold: the shares of the classes, or the mean value."""

    @abstractmethod
    def in_words(self, target: Any, classes: Sequence[Any]) -> Any:
        """One target, or one answer, as a person writes it: a label, a list of labels, a number; None if not known."""

    @abstractmethod
    def truth(self, targets: Array, classes: int) -> Array:
        """(N, outputs) float64: 1 where the row is of the class, else 0; or the values."""

    @abstractmethod
    def checked(self, targets: Array, classes: int) -> Array:
        """Targets to learn from, in the type of `Task`. ValueError for others, or where there is nothing to learn."""

    @abstractmethod
    def probabilities(self, logits: Array, temperature: float) -> Array:
        """Predictions from logits."""

    @abstractmethod
    def decide(self, predictions: Array) -> Array:
        """The answers themselves, as targets are."""

    @abstractmethod
    def row_losses(self, logits: Tensor, targets: Tensor, *, label_smoothing: float) -> Tensor:
        """(N,) the loss of each row of a network's logits."""

    def tally(self, targets: Array, predictions: Array) -> Array:
        """(N, K) of values: numbers of each row whose sums tell all scores. None of classes: see `evidence.tally`."""
        return np.zeros((len(targets), 0))

    def scores(self, sums: Array) -> dict[str, Array]:
        """(K, B) sums of tallies -> (B,) of each of `metrics`; none of classes, as above."""
        return {}

    @abstractmethod
    def task(self, inputs: str, classes: int) -> str:
        """What a model does, in words: "sorts pictures into 3 classes"."""


KINDS: dict[str, Kind] = {}
"""By name, in the order in which they are told."""


def register_kind(kind: Kind) -> Kind:
    """Makes a kind known by its name, under which a model of it is stored and loaded. TypeError where it lacks
    something: what every kind must say, and of values the scores."""
    cls = type(kind)
    lacking = [name for name in dir(cls) if getattr(getattr(cls, name), "__isabstractmethod__", False)]
    if not kind.has_classes:
        lacking += [name for name in ("tally", "scores") if getattr(cls, name) is getattr(Kind, name)]
    if lacking:
        raise TypeError(f"kind {str(kind)!r} lacks {', '.join(lacking)}: define them")
    KINDS[str(kind)] = kind
    return kind


def kind_named(name: str) -> Kind:
    """The kind of this name; ValueError where there is none."""
    if isinstance(name, Kind):
        return name
    if name not in KINDS:
        raise ValueError(f"kind must be {_listed()}, got {name!r}")
    return KINDS[name]


def _listed() -> str:
    *first, last = map(repr, KINDS)
    return f"{', '.join(first)} or {last}"
