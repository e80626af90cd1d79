"""What test episodes say of a learner: its mean score with an interval, beside others on the same episodes, a verdict.

    mean +- t_{.975, E-1} s / sqrt(E)        over E episodes, as papers give it; of a gain, over paired differences

The interval is over episodes of the classes at hand: it does not tell how the mean varies with other classes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from headstart.evidence.intervals import ALPHA, Interval
from headstart.evidence.lines import wrapped
from headstart.evidence.verdict import figure, signed, spread, verdict
from headstart.tasks.task import Kind

__all__ = ["FewShotEvidence", "ShotScores", "mean_of"]

_VERDICTS = {
    "helps": "meta-training helps",
    "hurts": "meta-training does not help: {} is better",
    "cannot tell": "cannot tell whether meta-training helps",
}
_BETTER = {"helps": "it is better", "hurts": "it is worse", "cannot tell": "cannot tell which is better"}
SHOWN = 6


class ShotScores(NamedTuple):
    """Episodes of so many shots.

    scores   by name of who answered, the learner first: mean accuracy, or mean squared error
    gains    over each other, paired: above 0 where the learner is better
    """

    shot: int
    scores: dict[str, Interval]
    gains: dict[str, Interval]

    @classmethod
    def of(cls, shot: int, scores: Mapping[str, Sequence[float]], kind: Kind) -> ShotScores:
        """From what each scored in the same episodes, the learner first."""
        arrays = {name: np.asarray(values, np.float64) for name, values in scores.items()}
        name, *others = arrays
        sign = 1 if kind.has_classes else -1
        gains = {other: mean_of(sign * (arrays[name] - arrays[other])) for other in others}
        return cls(shot, {who: mean_of(values) for who, values in arrays.items()}, gains)


@dataclass(frozen=True, kw_only=True)
class FewShotEvidence:
    """learner, backbone   who was judged, and on what; trained whether anything was meta-trained
    over       the name of whom the verdict is over
    way        classes of an episode (of a regression 0), query rows of each that are asked, at most
    units      of meta-training, validation and test: "classes" or "tasks" as `noun`, by name
    training   JSON: epochs, which was best, curves, parameters, seconds
    """

    learner: str
    backbone: str
    trained: bool
    over: str
    kind: Kind
    way: int
    query: int
    episodes: int
    noun: str
    units: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]
    shots: tuple[ShotScores, ...]
    training: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def verdicts(self) -> dict[int, str]:
        """By shot: "helps", "cannot tell" or "hurts", over `over`."""
        return {row.shot: verdict(row.gains[self.over]) for row in self.shots if self.over in row.gains}

    def to_json(self) -> dict[str, Any]:
        """One JSON document."""
        sides = ("train", "validation", "test")
        return {
            "learner": self.learner,
            "backbone": self.backbone,
            "trained": self.trained,
            "kind": str(self.kind),
            "metric": self.metric.replace(" ", "_"),
            "way": self.way,
            "query": self.query,
            "episodes": self.episodes,
            self.noun: {side: list(names) for side, names in zip(sides, self.units, strict=True)},
            "over": self.over,
            "shots": [
                {
                    "shot": row.shot,
                    "scores": {name: _json(score) for name, score in row.scores.items()},
                    "gains": {name: _json(gain) for name, gain in row.gains.items()},
                    "verdict": self.verdicts.get(row.shot),
                }
                for row in self.shots
            ],
            "training": self.training,
            "notes": list(self.notes),
            "seconds": self.seconds,
        }

    @property
    def metric(self) -> str:
        """What scores are."""
        return "accuracy" if self.kind.has_classes else "mean squared error"

    def __str__(self) -> str:
        blocks = [
            [line for row in self.shots for line in wrapped(self._headline(row), indent="  ")],
            wrapped(self._tested()),
            list(self._table()),
            [line for note in self.notes for line in wrapped(note, indent="  ")],
        ]
        return "\n\n".join("\n".join(block) for block in blocks if block)

    def _headline(self, row: ShotScores) -> str:
        score, gain = row.scores[self.learner], row.gains.get(self.over)
        parts = [f"{self._shape(row)}: {self.metric} {figure(score.value)} {spread(score)}"]
        if gain is not None:
            words = (_VERDICTS if self.trained else _BETTER)[verdict(gain)].format(self.over)
            parts.append(f"{self.over} {figure(row.scores[self.over].value)}")
            parts.append(f"gain {signed(gain.value)} {spread(gain)}: {words}")
        return "; ".join(parts)

    def _tested(self) -> str:
        train, validation, test = self.units
        middle = f", {len(validation)} for validation" if validation else ""
        names = ", ".join(test[:SHOWN]) + (f" and {len(test) - SHOWN} more" if len(test) > SHOWN else "")
        unseen = f"{self.episodes:,} episodes of {len(test)} {self.noun} that nothing was learnt from: {names}"
        return f"{unseen}; {len(train)} {self.noun} to learn from{middle}; in brackets: 95 % intervals"

    def _table(self) -> Iterator[str]:
        """A line for each that answered, and for each gain; a column for each shot, as many as 79 columns hold."""
        names = list(self.shots[0].scores)
        lines = [[self.metric, *(self._shape(row) for row in self.shots)]]
        lines += [[name, *(_cell(row.scores[name]) for row in self.shots)] for name in names]
        lines += [
            [f"gain over {name}", *(_cell(row.gains[name], sign=True) for row in self.shots)] for name in names[1:]
        ]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        while sum(widths) + 2 * len(widths) - 2 > 79:
            widths.pop()
        for line in lines:
            yield "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=False)).rstrip()

    def _shape(self, row: ShotScores) -> str:
        return f"{self.way}-way {row.shot}-shot" if self.way else f"{row.shot}-shot"


def mean_of(values: Sequence[float] | np.ndarray[Any, Any]) -> Interval:
    """The mean of E scores and its interval; unknown ends for a single one."""
    array = np.asarray(values, np.float64)
    mean, count = float(array.mean()), len(array)
    if count < 2:
        return Interval(mean)
    half = float(stats.t.ppf(1 - ALPHA / 2, count - 1) * array.std(ddof=1) / math.sqrt(count))
    return Interval(mean, mean - half, mean + half)


def _cell(score: Interval, *, sign: bool = False) -> str:
    return f"{(signed if sign else figure)(score.value)} {spread(score)}"


def _json(score: Interval) -> dict[str, float | None]:
    return {name: None if math.isnan(value) else value for name, value in score._asdict().items()}
