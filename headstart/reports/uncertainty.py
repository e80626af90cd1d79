"""What a report says of sets and intervals, of answers that are withheld, and of the flag of strange inputs."""

from __future__ import annotations

from collections.abc import Iterator

from headstart.evidence.uncertainty import AlarmFacts, SelectiveFacts, SetFacts, UncertaintyFacts
from headstart.evidence.verdict import figure, spread
from headstart.reports.words import Words

__all__ = ["uncertainty_lines"]


def uncertainty_lines(words: Words, facts: UncertaintyFacts | None) -> Iterator[str]:
    """A sentence for each of the three that is known."""
    if facts is None:
        return
    if facts.sets is not None:
        yield _of_sets(words, facts.sets)
    if facts.selective is not None:
        yield _of_selective(words, facts.selective)
    if facts.alarms is not None:
        yield _of_alarms(words, facts.alarms)


def _of_sets(words: Words, sets: SetFacts) -> str:
    shares = {
        "asked": figure(sets.coverage),
        "covered": figure(sets.covered.value),
        "interval": spread(sets.covered),
    }
    if sets.single is None:
        return words("uncertainty.intervals", **shares, size=f"{sets.size:.3g}")
    return words("uncertainty.sets", **shares, size=sets.classes, single=f"{100 * sets.single:.0f}")


def _of_selective(words: Words, selective: SelectiveFacts) -> str:
    asked, answered, right = figure(selective.accuracy), selective.answered.value, selective.right
    if not answered:
        return words("uncertainty.unanswered", asked=asked)
    return words(
        "uncertainty.selective",
        asked=asked,
        answered=f"{100 * answered:.0f}",
        right=figure(right.value),
        interval=spread(right),
    )


def _of_alarms(words: Words, alarms: AlarmFacts) -> str:
    flagged = alarms.flagged
    return words(
        "uncertainty.alarms", asked=figure(alarms.rate), flagged=figure(flagged.value), interval=spread(flagged)
    )
