"""Explanations as data: of one input, and of several at once; in words, as JSON, and for whoever draws them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from headstart.explanations.deletion import Deletion
from headstart.explanations.neighbours import Neighbour
from headstart.explanations.randomisation import Randomisation
from headstart.messages import printable
from headstart.tasks.task import Array, SetAside

__all__ = ["Checks", "Explanation", "Explanations", "Part", "finite"]

_SHOWN = 8


class Part(NamedTuple):
    """A word, a column, a cell: its name, what stands in it where that is told, and how much it counts."""

    name: str
    attribution: float
    value: str | None = None


class Checks(NamedTuple):
    """deletion        see `deletion`
    randomisation   see `randomisation`
    """

    deletion: Deletion
    randomisation: Randomisation

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return {"deletion": self.deletion.to_json(), "randomisation": self.randomisation.to_json()}


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Of one input.

    answer      what the model answers, as a person writes it
    explained   the class that is explained; None for a value
    against     the class against which; None: all others, or a value
    chance      the probability of the class, or the value, by the model itself
    how         the way, by its name
    unit        in what attributions are counted
    parts       how much each counts
    grid        (rows, columns) of the parts where they lie in a grid; else None
    base, score, gap   see `Attribution`
    fine        (H, W) attributions as finely as there are; picture the pixels (H, W, 3), levels (bands, frames),
                text the words as they stand: what belongs to the modality, else None
    seconds     how long a recording is; else None
    neighbours  the nearest training rows; none where the training data was not given
    checks      None where they were not asked for
    """

    name: str
    answer: Any
    explained: Any
    against: Any
    chance: float
    how: str
    unit: str
    parts: tuple[Part, ...]
    grid: tuple[int, int] | None = None
    base: float | None = None
    score: float | None = None
    gap: float | None = None
    fine: Array | None = None
    picture: Array | None = None
    levels: Array | None = None
    text: str | None = None
    seconds: float | None = None
    neighbours: tuple[Neighbour, ...] = ()
    checks: Checks | None = None
    notes: tuple[str, ...] = ()

    def strongest(self, count: int = _SHOWN) -> list[Part]:
        """Those that count most, for or against."""
        return sorted(self.parts, key=lambda part: -abs(part.attribution))[:count]

    @property
    def question(self) -> str:
        """What is explained, in words."""
        if self.explained is None:
            return f"the value {self.chance:.6g}"
        than = f" rather than {self.against}" if self.against is not None else ""
        return f"{self.explained}{than} ({self.chance:.2f})"

    def to_json(self) -> dict[str, Any]:
        """As JSON: numbers, no pictures."""
        parts = [{"name": part.name, "value": part.value, "attribution": part.attribution} for part in self.parts]
        record = {
            "name": self.name,
            "prediction": self.answer,
            "explained": self.explained,
            "against": self.against,
            "probability" if self.explained is not None else "value": self.chance,
            "how": self.how,
            "unit": self.unit,
            "base": self.base,
            "score": self.score,
            "gap": self.gap,
            "grid": None if self.grid is None else list(self.grid),
            "parts": parts,
            "neighbours": [neighbour.to_json() for neighbour in self.neighbours],
            "checks": None if self.checks is None else self.checks.to_json(),
            "notes": list(self.notes),
        }
        return {key: finite(value) for key, value in record.items()}

    def __str__(self) -> str:
        lines = [f"{printable(self.name, newlines=False)}: {self.question}, by {self.how}"]
        width = max((len(part.name) for part in self.strongest()), default=0)
        for part in self.strongest():
            value = "" if part.value is None else f"  = {part.value}"
            name = printable(part.name[:48], newlines=False)
            lines.append(f"  {part.attribution:+9.3f}  {name:<{min(48, width)}}{printable(value, newlines=False)}")
        lines += [f"  near: {neighbour}" for neighbour in self.neighbours]
        if self.checks is not None:
            lines += _in_words(self.checks)
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])


@dataclass(frozen=True, kw_only=True)
class Explanations:
    """Of several inputs, in their order.

    set_aside   inputs that could not be explained, and why
    """

    each: tuple[Explanation, ...]
    set_aside: tuple[SetAside, ...] = ()
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.each)

    def __getitem__(self, place: int) -> Explanation:
        return self.each[place]

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "explanations": [explanation.to_json() for explanation in self.each],
            "set_aside": [item._asdict() for item in self.set_aside],
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        lines = [str(explanation) for explanation in self.each]
        lines += [f"set aside: {printable(item.name, newlines=False)}: {item.why}" for item in self.set_aside]
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])


def finite(value: Any) -> Any:
    """A number, or None where it is none; anything else as it is."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    return [finite(item) for item in value] if isinstance(value, Sequence) and not isinstance(value, str) else value


def _in_words(checks: Checks) -> list[str]:
    curve, maps = checks.deletion, checks.randomisation
    worse = "better" if curve.better else "no better"
    changed = "changes" if maps.changed else "does not change"
    whole = "" if maps.all is None else f", {maps.all:+.2f} with all weights"
    return [
        f"  check: area under the deletion curve {curve.area:.3f}, of random orders {curve.random_areas.mean():.3f}: "
        f"{worse} than random",
        f"  check: with random weights of the head the map has a rank correlation of {maps.head:+.2f}{whole}: "
        f"it {changed}",
    ]
