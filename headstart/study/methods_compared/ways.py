"""Whom `compare` compares: which methods, what the field calls each, and who measures it.

The order is that of how much is carried over and how much of it moves: nothing, answers, features, the last stages, one
stage after the other, all weights; then what draws on a source.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, NamedTuple

from headstart.adaptation.strategies import UNADAPTED
from headstart.evidence.assess import NO_TRANSFER
from headstart.messages import nearest_hint
from headstart.methods.table import METHODS, configured, method
from headstart.study.measured import Measured
from headstart.tasks.task import Array
from headstart.training.options import Training

__all__ = ["DIRECT", "PROBE", "Way", "Wish", "default_names", "of_training", "wish_of"]

DIRECT, PROBE, AUTO, SCRATCH = "direct", "probe", "auto", "scratch"
_CALLED = {
    NO_TRANSFER: "nothing is reused",
    SCRATCH: "from scratch",
    DIRECT: "direct application",
    PROBE: "feature extraction",
    "top": "partial fine-tuning",
    "gradual": "gradual fine-tuning",
    "fine-tune": "full fine-tuning",
    "lp-ft": "full, from the probe's head",
    "l2-sp": "full, near its origin (L2-SP)",
    "source-only": "the source's rows alone",
    "target-only": "the source is left aside",
    "pooled": "rows of both alike",
    AUTO: "adapted, under a guard",
}
_OF_TASK = (NO_TRANSFER, SCRATCH, DIRECT, PROBE, "top", "gradual", "fine-tune", "lp-ft", "l2-sp")
_CONTENDERS = (NO_TRANSFER, DIRECT)
"""What is compared and is no method: there is nothing to fit, or nothing that a fit keeps."""


class Way(NamedTuple):
    """One of those that are compared.

    about      what the field calls it
    moves      whether weights of a backbone move
    transfers  whether anything is carried over: weights, or answers of a source
    source     whether it draws on a source
    measure    rows to learn from, rows to answer -> the answers, and what one fit cost
    is_kept    of the same rows: whether an earlier run has answered
    """

    name: str
    about: str
    moves: bool
    transfers: bool
    source: bool
    measure: Callable[[Array, Array], Measured]
    is_kept: Callable[[Array, Array], bool]


class Wish(NamedTuple):
    """names of ways, in the order of the table; `asked` are those that the user named; options of every training."""

    names: tuple[str, ...]
    asked: frozenset[str]
    options: Mapping[str, Any]

    def options_of(self, name: str) -> dict[str, Any]:
        """Those that go with a way: all where weights move, none elsewhere."""
        return dict(self.options) if is_method(name) and method(name).moves_weights else {}


def default_names(source: bool) -> tuple[str, ...]:
    """Of all ways that are compared where none is named."""
    return (*_OF_TASK, *UNADAPTED, AUTO) if source else _OF_TASK


def wish_of(methods: Sequence[str] | None, options: Mapping[str, Any], seed: int, source: bool) -> Wish:
    """What is to be compared. ValueError for a name that there is not, that needs what is not there, or for options
    that are not of every training."""
    asked = tuple(dict.fromkeys(name.strip() for name in methods or ()))
    if methods is not None and not any(asked):
        raise ValueError("methods: none is named; expected such as probe,top,lp-ft (headstart methods lists them)")
    for name in asked:
        _refuse(name, source)
    _refuse_options(options)
    named = {NO_TRANSFER, PROBE, *asked} if asked else set(default_names(source))
    known = [name for name in default_names(True) if name in named]
    moving = [name for name in asked if name not in known and method(name).moves_weights]
    others = [name for name in asked if name not in known and name not in moving]
    at = 1 + known.index(PROBE)
    wish = Wish((*known[:at], *others, *known[at:], *moving), frozenset(asked), dict(options))
    for name in filter(is_method, wish.names):
        configured(name, wish.options_of(name), seed)
    return wish


def is_method(name: str) -> bool:
    """Whether `fit` can make it: a method, or a pair TUNE+LOSS."""
    return name not in _CONTENDERS or name in METHODS


def about_of(name: str) -> str:
    """What the field calls it."""
    if name in _CALLED:
        return _CALLED[name]
    return method(name).about.removeprefix("with a source: ").partition(",")[0].partition(":")[0]


def of_training(names: Sequence[str]) -> list[str]:
    """Those of them that move weights."""
    return [name for name in names if is_method(name) and method(name).moves_weights]


def _refuse(name: str, source: bool) -> None:
    """ValueError where it cannot be compared."""
    if name in _CONTENDERS:
        return
    if name not in METHODS and "+" not in name:
        names = list(dict.fromkeys([*_CONTENDERS, *METHODS]))
        raise ValueError(f"method {name!r} is unknown{nearest_hint(name, names)}; expected some of {', '.join(names)}")
    row = method(name)
    if row.needs_teacher:
        raise ValueError(f"method {name!r} learns from a teacher: headstart distil MODEL DATA --method {name}")
    if row.needs_tasks:
        raise ValueError(f"method {name!r} weighs the losses of several targets, and a comparison is of one")
    if row.needs_source and not source:
        raise ValueError(f"method {name!r} draws on a source task: give one as source (--source DATA)")


def _refuse_options(options: Mapping[str, Any]) -> None:
    """ValueError for one that is not the same for all that move weights."""
    common = [field.name for field in fields(Training) if field.name != "seed"]
    for name in options:
        if name not in common:
            hint = nearest_hint(name, common)
            raise ValueError(
                f"option {name!r} is not of every method that moves weights{hint}; expected one of {', '.join(common)}"
            )
