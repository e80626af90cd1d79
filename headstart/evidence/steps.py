"""What each dearer step bought, from no transfer to moved weights: its gain over the one before, and its cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from headstart.evidence.bootstrap import bootstrap
from headstart.evidence.facts import StepFacts
from headstart.evidence.held_out import HeldOut
from headstart.evidence.intervals import interval
from headstart.evidence.scores import better_by
from headstart.evidence.verdict import figure, signed, spread
from headstart.tasks.goal import Answers

__all__ = ["Cost", "count", "steps", "table"]


class Cost(NamedTuple):
    """Of one fit: seconds on this machine, features apart, and how many figures were learnt (-1: not counted)."""

    seconds: float
    parameters: int = -1


def steps(
    held_out: HeldOut,
    answers: Mapping[str, Answers],
    costs: Mapping[str, Cost],
    order: Sequence[tuple[str, str]],
    seed: int,
) -> tuple[StepFacts, ...]:
    """The steps that there are among `order`, pairs of (name, over which other).

    answers   to the same held-out rows; gains are paired: both are drawn on the same resamples
    """
    drawn = bootstrap(held_out, dict(answers), seed=seed)
    metric = held_out.headline
    bought = []
    for name, over in order:
        if name not in drawn:
            continue
        draws = drawn[name].draws(metric)
        gain = interval(better_by(metric, draws, drawn[over].draws(metric))) if over in drawn else None
        bought.append(StepFacts(name, metric, interval(draws), over, gain, *costs.get(name, Cost(0.0))))
    return tuple(bought)


def table(steps: Sequence[StepFacts]) -> Iterator[str]:
    """The same in lines of less than 80 columns."""
    rows = [["step", "score", "gain", "over", "seconds", "learnt"]]
    for step in steps:
        gain = step.gain
        rows.append(
            [
                step.step,
                figure(step.score.value),
                "" if gain is None else f"{signed(gain.value)} {spread(gain)}",
                "" if gain is None else step.over,
                f"{step.seconds:,.1f}" if step.seconds < 100 else f"{step.seconds:,.0f}",
                count(step.parameters),
            ]
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        left = "  ".join(f"{cell:<{width}}" for cell, width in zip(row[:4], widths, strict=False))
        yield f"{left}  {row[4]:>{widths[4]}}  {row[5]:>{widths[5]}}".rstrip()


def count(parameters: int) -> str:
    if parameters < 0:
        return "-"
    if parameters < 10_000:
        return f"{parameters:,}"
    return f"{parameters / 1e3:,.0f}k" if parameters < 1e6 else f"{parameters / 1e6:,.1f}M"
