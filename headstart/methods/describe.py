"""A row of the table of methods in words: what it is for, what it needs, and its options with their defaults."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap
from typing import Any, NamedTuple

from headstart.methods.method import Method, Option
from headstart.methods.table import METHODS, method
from headstart.pretraining.table import PRETRAINING

__all__ = ["Description", "describe", "listing"]

_WIDTH = 79
_PRETRAIN = "of headstart pretrain"


class Description(NamedTuple):
    """A row of the table."""

    name: str
    about: str
    needs_source: bool
    moves_weights: bool
    options: tuple[Option, ...]
    needs_tasks: bool = False
    needs_teacher: bool = False

    @property
    def family(self) -> str:
        """What moves, and whether a source is drawn on; or the verb that it belongs to."""
        if self.name in PRETRAINING:
            return _PRETRAIN
        moves = "weights move" if self.moves_weights else "features stay"
        if self.needs_tasks:
            return f"{moves}, for several targets"
        if self.needs_teacher:
            return f"{moves}, with a teacher"
        return f"{moves}, with a source" if self.needs_source else moves

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        return self._asdict() | {"options": [option._asdict() for option in self.options]}

    def __str__(self) -> str:
        lines = [*wrap(f"{self.name}: {self.about}", _WIDTH), self.family]
        if not self.options:
            return "\n".join([*lines, "no options"])
        width = max(len(option.name) for option in self.options)
        option_lines = [f"  {option.name:<{width}}  {option.type:<12}  {option.default}" for option in self.options]
        return "\n".join([*lines, "options (--option NAME=VALUE), with type and default:", *option_lines])


def describe(name: str) -> Description:
    """The row of this name, of a pair TUNE+LOSS, or of pretraining. ValueError for a name that there is not."""
    if name in PRETRAINING:
        row = PRETRAINING[name]
        return Description(name, row.about, False, True, tuple(row.options().values()))
    return _described(name, method(name))


def listing() -> str:
    """All rows, a line or more each, by what moves and whether a source is drawn on, and those of other verbs."""
    rows = [describe(name) for name in (*METHODS, *PRETRAINING)]
    lines: list[str] = []
    for family in dict.fromkeys(row.family for row in rows):
        lines += [f"{family}:", *(line for row in rows if row.family == family for line in _lines(row)), ""]
    return "\n".join([*lines, "Options of one: headstart methods NAME.", "Pairs: TUNE+LOSS, such as gradual+l2-sp."])


def _described(name: str, row: Method) -> Description:
    options = tuple(row.options().values())
    return Description(
        name, row.about, row.needs_source, row.moves_weights, options, row.needs_tasks, row.needs_teacher
    )


def _lines(row: Description) -> Iterator[str]:
    about = row.about
    for prefix in ("with a source: ", "several targets: ", "with a teacher: "):
        about = about.removeprefix(prefix)
    first, *more = wrap(about, _WIDTH - 20)
    yield f"  {row.name:<16}  {first}"
    yield from (f"{'':20}{line}" for line in more)
