"""A model as a whole: which training rows matter, what separates classes, and why transfer helped."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from headstart.defaults import with_own_defaults
from headstart.errors import DataError
from headstart.explanations.explanation import finite
from headstart.explanations.influence import influence_of
from headstart.explanations.question import code_of
from headstart.explanations.separation import Separation, separation_of
from headstart.explanations.training_rows import training_rows
from headstart.explanations.transfer_gain import TransferGain, transfer_gain
from headstart.features.feature_set import FeatureSet
from headstart.listener import LOGGED, Listener
from headstart.methods.answers import answer
from headstart.tasks.task import Array
from headstart.transfer import Transfer

__all__ = ["Matters", "Whole", "explain_whole"]

_SHOWN = 20


class Matters(NamedTuple):
    """A training row: its name and label, how much all answers change without it, and how far the answer of the fit
    without it is from its target: 0 right at it, above 1 of a class on the wrong side."""

    name: str
    label: Any
    effect: float
    residual: float


@dataclass(frozen=True, kw_only=True)
class Whole:
    """rows         the training rows that matter most
    exact        whether they are those of the model's own head; else of a ridge on the same features
    separation   of two classes; None for values, and where classes do not compete
    gain         why transfer helped; None where that cannot be told, of which there is a note
    """

    rows: tuple[Matters, ...]
    exact: bool
    separation: Separation | None
    gain: TransferGain | None
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        record = {
            "training_rows": [row._asdict() for row in self.rows],
            "exact": self.exact,
            "separation": None if self.separation is None else self.separation.to_json(),
            "transfer": None if self.gain is None else self.gain.to_json(),
            "notes": list(self.notes),
        }
        return {key: finite(value) for key, value in record.items()}

    def __str__(self) -> str:
        lines = ["training rows that matter most (effect on all answers, distance of its own without it):"]
        lines += [f"  {row.effect:8.4f}  {row.residual:6.2f}  {row.name}  {row.label}" for row in self.rows[:10]]
        lines += [str(part) for part in (self.separation, self.gain) if part is not None]
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])


@with_own_defaults
def explain_whole(
    model: Transfer,
    data: Any,
    *,
    label: Hashable = None,
    against: Hashable = None,
    seed: int = 0,
    listener: Listener = LOGGED,
) -> Whole:
    """Explain a fitted model by the data that it was fitted to.

    label, against   two classes that are told apart; None: the two that the model confuses most on these rows

    Raises DataError where the data cannot be read or is not there any more, ValueError for an unknown class.
    """
    fitted = model.model_
    codes = [None if name is None else code_of(name, fitted.classes, fitted.kind) for name in (label, against)]
    every = training_rows(model, data, listener, tested=True)
    if every.rows is None:
        raise DataError(every.notes[0] if every.notes else "no training data")
    split = every.rows.task.split
    learnt = every.rows if split is None else every.rows.take(np.flatnonzero(np.asarray(split) != "test"))
    notes = list(every.notes)
    rows, exact = _rows(model, learnt, notes, seed)
    separation = _separated(model, learnt, codes, seed)
    gain = None
    try:
        gain = transfer_gain(model, every.rows, listener)
    except ValueError as error:
        notes.append(f"why transfer helped is left out: {error}")
    return Whole(rows=rows, exact=exact, separation=separation, gain=gain, notes=tuple(notes))


def _rows(model: Transfer, rows: FeatureSet, notes: list[str], seed: int) -> tuple[tuple[Matters, ...], bool]:
    try:
        influence = influence_of(model.model_, rows, seed=model.seed)
    except ValueError as error:
        notes.append(f"training rows that matter are left out: {error}")
        return (), False
    if not influence.exact:
        notes.append(
            "training rows: of a ridge fitted to the same features and to all rows given, since the head of the model "
            f"({model.model_.head.name}), or the rows that it was fitted to, are others"
        )
    task, targets = rows.task, np.asarray(rows.task.targets)
    far = np.abs(influence.residual).max(1)
    order = np.argsort(-influence.effect, kind="stable")[:_SHOWN]
    matters = [
        Matters(
            task.names[row],
            task.kind.in_words(targets[row], task.classes),
            float(influence.effect[row]),
            float(far[row]),
        )
        for row in order
    ]
    return tuple(matters), influence.exact


def _separated(model: Transfer, rows: FeatureSet, codes: list[int | None], seed: int) -> Separation | None:
    fitted = model.model_
    if not fitted.kind.exclusive or len(fitted.classes) < 2:
        return None
    first, second = codes
    if first is None or second is None:
        first, second = _confused(answer(fitted, rows), np.asarray(rows.task.targets), first)
    if first == second:
        raise ValueError("one class cannot be told from itself: name two")
    return separation_of(fitted, rows, first, second, seed=seed)


def _confused(p: Array, targets: Array, first: int | None) -> tuple[int, int]:
    """The two classes that are given each other's probability most, or `first` and the one it is confused with."""
    mean = np.zeros((p.shape[1], p.shape[1]))
    for code in np.unique(targets):
        mean[code] = p[targets == code].mean(0)
    both = mean + mean.T
    np.fill_diagonal(both, -1.0)
    if first is not None:
        return first, int(both[first].argmax())
    a, b = np.unravel_index(int(both.argmax()), both.shape)
    return int(a), int(b)
