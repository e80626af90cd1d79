"""What a report shows of scores: against baselines, of each step, of classes, groups and domains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from headstart.drawing.intervals import Axis, axis_of, foot, strip
from headstart.evidence.confusion import ClassScore
from headstart.evidence.examples import GroupScore
from headstart.evidence.intervals import Interval
from headstart.evidence.record import Record
from headstart.evidence.scores import LOWER_IS_BETTER
from headstart.evidence.steps import count
from headstart.evidence.verdict import figure, signed, spread
from headstart.reports.words import Words

__all__ = ["CLASSES", "ScoreRow", "class_rows", "cost_rows", "group_rows", "score_rows", "score_table", "time_rows"]

CLASSES = 30
_NAN = float("nan")


class ScoreRow(NamedTuple):
    """A row of a dot-and-interval plot: its strip is SVG."""

    name: str
    value: str
    interval: str
    strip: str
    gain: str = ""
    ours: bool = False
    rows: str = ""


def score_rows(words: Words, evidence: Record) -> tuple[list[ScoreRow], str]:
    """This model and its baselines in the headline score, the best first, and the foot of the axis."""
    metric = evidence.headline
    scores = [("", evidence.metrics[metric]), *((name, row[metric]) for name, row in evidence.baselines.items())]
    axis = axis_of([value for _, score in scores for value in score])
    ordered = sorted(scores, key=lambda row: _rank(metric, row[1]))
    rows = [
        ScoreRow(
            words.model(name) if name else words("scores.ours"),
            figure(score.value),
            spread(score),
            strip(axis, *score, ours=not name),
            _gain(evidence, name),
            not name,
        )
        for name, score in ordered
    ]
    return rows, _foot(axis)


def _rank(metric: str, score: Interval) -> float:
    if score.value != score.value:
        return float("inf")
    return score.value if metric in LOWER_IS_BETTER else -score.value


def _gain(evidence: Record, name: str) -> str:
    """How much better this model is than the one of this name."""
    gain = evidence.assessment.gains.get(name)
    return "" if gain is None else f"{signed(gain.value)} {spread(gain.interval)}"


def _foot(axis: Axis) -> str:
    return foot(axis, [figure(tick) if tick else "0" for tick in axis.ticks])


def score_table(words: Words, evidence: Record) -> tuple[list[str], list[tuple[str, list[tuple[str, str]]]]]:
    """All scores that are known: the names of the models, and by score their values and intervals."""
    models = {words("scores.ours"): evidence.metrics} | {words.model(n): s for n, s in evidence.baselines.items()}
    table = []
    for metric, own in evidence.metrics.items():
        if own.value == own.value:
            cells = [scores.get(metric, Interval(_NAN)) for scores in models.values()]
            table.append((words.metric(metric), [(figure(cell.value), spread(cell)) for cell in cells]))
    return list(models), table


def cost_rows(words: Words, evidence: Record) -> list[dict[str, str]]:
    """What each dearer step bought; none where no weights moved."""
    return [
        {
            "step": words.model(step.step),
            "score": figure(step.score.value),
            "interval": spread(step.score),
            "gain": "" if step.gain is None else f"{signed(step.gain.value)} {spread(step.gain)}",
            "over": "" if step.gain is None else words.model(step.over),
            "seconds": seconds_in_words(step.seconds),
            "learnt": count(step.parameters),
        }
        for step in evidence.facts.steps
    ]


def time_rows(words: Words, seconds: Mapping[str, float]) -> list[tuple[str, str, float]]:
    """Of each part of the fit its name, its seconds, and its share of the whole; the whole last. Of none: nothing."""
    if not seconds:
        return []
    total = seconds.get("total") or sum(seconds.values()) or 1.0
    parts = {name: spent for name, spent in seconds.items() if name != "total"}
    parts = dict(sorted(parts.items(), key=lambda part: -part[1])) | {"total": total}
    return [
        (words.sentences.get(f"cost.{name}", name), seconds_in_words(spent), min(1.0, spent / total))
        for name, spent in parts.items()
    ]


def seconds_in_words(spent: float) -> str:
    return f"{spent:,.2f}" if spent < 10 else f"{spent:,.1f}" if spent < 100 else f"{spent:,.0f}"


def class_rows(classes: Sequence[ClassScore]) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[str]]:
    """The weakest classes, the others, and the names of those that were tested and never answered."""
    ranked = sorted((row for row in classes if row.support), key=lambda row: row.f1)
    rows = [
        {
            "name": str(row.label),
            "figures": [figure(value) for value in (row.precision, row.recall, row.f1)],
            "rows": f"{row.support:,}",
            "share": row.f1,
        }
        for row in ranked
    ]
    never = [str(row.label) for row in ranked if not row.precision and not row.recall]
    return rows[:CLASSES], rows[CLASSES:], never


def group_rows(scores: Sequence[GroupScore], *, shares: bool) -> tuple[list[ScoreRow], str]:
    """Groups or domains as rows of a plot, and the foot of their axis."""
    known = [Interval(*(_NAN if part is None else part for part in group[2:])) for group in scores]
    axis = axis_of([value for score in known for value in score])
    if shares:
        axis = Axis(0.0, 1.0, (0.0, 0.5, 1.0))
    ends = foot(axis, [figure(tick) if tick in (0, 1) else "" for tick in axis.ticks]) if shares else _foot(axis)
    return list(_group_rows(scores, known, axis)), ends


def _group_rows(scores: Sequence[GroupScore], known: Sequence[Interval], axis: Axis) -> Iterator[ScoreRow]:
    for group, score in zip(scores, known, strict=True):
        yield ScoreRow(
            group.name,
            figure(score.value),
            spread(score),
            strip(axis, *score, ours=True),
            rows=f"{group.rows:,}",
        )
