"""What a student kept of its teacher, and what either costs: one table of accuracy against cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, get_args

from headstart.errors import DataError
from headstart.evidence.assess import Assessment, Gain, assess
from headstart.evidence.held_out import HeldOut
from headstart.evidence.intervals import Interval
from headstart.evidence.verdict import Verdict, figure, signed, spread, verdict
from headstart.tasks.goal import Answers

__all__ = [
    "NO_TEACHER",
    "TEACHER",
    "Compared",
    "Distillation",
    "distillation_from",
    "distillation_of",
    "in_words",
    "table",
]

NO_TEACHER, TEACHER, _OWN = "no-teacher", "teacher", "this model"
_CALIBRATION = "calibration_error"


class Compared(NamedTuple):
    """One of those that are compared.

    score         in the headline metric; None where nobody knows the true answers
    agreement     with the teacher: the share of rows on which it answers alike, of a regression R2 of its values
    calibration   the calibration error; None of values
    megabytes     of all its weights
    parameters    how many figures those are
    milliseconds  for one input, by itself, through network and head on this machine; without reading it
    """

    name: str
    score: Interval | None
    agreement: Interval
    calibration: Interval | None
    megabytes: float
    parameters: int
    milliseconds: float


class Distillation(NamedTuple):
    """Did the teacher help the student? The paired gain over the same student without it.

    teacher         its name
    metric, compared   the headline metric; the student, the same without a teacher, and the teacher
    gain, verdict   None where that was not tested
    why             in words why not; "" where it was
    labelled, unlabelled   rows that were learnt from, with and without a label
    """

    teacher: str
    metric: str
    compared: tuple[Compared, ...]
    gain: Gain | None
    verdict: Verdict | None
    why: str
    labelled: int
    unlabelled: int

    def to_json(self) -> dict[str, Any]:
        """As JSON, but for figures that are not known, which are NaN."""
        rows = [
            row._asdict()
            | {name: _interval_record(getattr(row, name)) for name in ("score", "agreement", "calibration")}
            for row in self.compared
        ]
        return self._asdict() | {"compared": rows, "gain": None if self.gain is None else self.gain._asdict()}


def distillation_of(
    held_out: HeldOut,
    assessment: Assessment | None,
    answers: Mapping[str, Answers],
    costs: Mapping[str, tuple[float, int, float]],
    *,
    teacher: str,
    rows: tuple[int, int],
    why: str = "",
    seed: int = 0,
) -> Distillation:
    """Of the answers to rows that were held out.

    assessment   of the student, the others among its baselines; None where nobody knows the true answers
    answers   by name, of the student ("this model"), of "no-teacher" where it was tried, and of "teacher": (N, C)
              probabilities or (N,) values, or with an axis of repeats before
    costs     (megabytes, parameters, milliseconds) by the same names
    rows      how many were learnt from with and without a label
    why       why the gain over the student without a teacher is not known; "" where it is
    """
    kind, first = held_out.kind, {name: held_out.repeats(predictions)[0] for name, predictions in answers.items()}
    theirs = held_out._replace(
        targets=first[TEACHER].decisions, learnt=None, goal=None
    )  # `repeats` gave those not learnt a 0
    agreed = {
        name: assess(theirs, predictions, {}, seed=seed).metrics[kind.metrics[0]] for name, predictions in first.items()
    }
    scores = {} if assessment is None else {_OWN: assessment.metrics, **assessment.baselines}
    compared = tuple(
        Compared(
            name,
            None if name not in scores else scores[name][held_out.headline],
            agreed[name],
            scores.get(name, {}).get(_CALIBRATION),
            *costs[name],
        )
        for name in answers
    )
    gain = None if assessment is None else assessment.gains.get(NO_TEACHER)
    judged = None if gain is None else verdict(gain.interval)
    return Distillation(teacher, held_out.headline, compared, gain, judged, why, *rows)


def distillation_from(record: Any) -> Distillation | None:
    """What `to_json` gave; None for None. DataError, or TypeError in words, where it is damaged."""
    if record is None:
        return None
    keys = set(Distillation._fields)
    if not isinstance(record, Mapping) or keys - record.keys():
        raise DataError(f"this evidence is damaged: distillation is {record!r:.40}, expected {', '.join(sorted(keys))}")
    if record["verdict"] not in (*get_args(Verdict), None):
        raise DataError(f"this evidence is damaged: the verdict of distillation is {record['verdict']!r:.40}")
    rows = tuple(
        Compared(
            str(row["name"]),
            _interval(row["score"]),
            _interval(row["agreement"]) or Interval(float("nan")),
            _interval(row["calibration"]),
            _number(row["megabytes"]),
            int(row["parameters"]),
            _number(row["milliseconds"]),
        )
        for row in record["compared"]
    )
    gain = record["gain"]
    parsed_gain = None
    if gain is not None:
        parsed_gain = Gain(
            str(gain["metric"]), str(gain["over"]), *map(_number, (gain["value"], gain["low"], gain["high"]))
        )
    counts = (int(record["labelled"]), int(record["unlabelled"]))
    words = (str(record["teacher"]), str(record["metric"]))
    return Distillation(*words, rows, parsed_gain, record["verdict"], str(record["why"]), *counts)


def table(distillation: Distillation) -> Iterator[str]:
    """Accuracy against cost, in lines of less than 80 columns."""
    rows = [["", distillation.metric.replace("_", " "), "as teacher", "calibr.", "MB", "figures", "ms"]]
    for row in distillation.compared:
        score = "?" if row.score is None else f"{figure(row.score.value)} {spread(row.score)}"
        calibration = "-" if row.calibration is None else figure(row.calibration.value)
        cost = [f"{row.megabytes:,.1f}", _count(row.parameters), f"{row.milliseconds:,.1f}"]
        rows.append([row.name, score, figure(row.agreement.value), calibration, *cost])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for cells in rows:
        left = "  ".join(f"{cell:<{width}}" for cell, width in zip(cells[:2], widths, strict=False))
        right = "  ".join(f"{cell:>{width}}" for cell, width in zip(cells[2:], widths[2:], strict=True))
        yield f"{left}  {right}"


def in_words(distillation: Distillation, phrases: Mapping[str, str]) -> str:
    """The gain over the same student without a teacher, and the verdict as `phrases` has it."""
    gain = distillation.gain
    if gain is None:
        return f"whether the teacher helps is not known: {distillation.why}"
    change = f"{signed(gain.value)} {spread(gain.interval)}"
    return f"gain over the same student without a teacher {change}: {phrases[str(distillation.verdict)]}"


def _count(figures: int) -> str:
    return (
        f"{figures / 1e6:,.1f}M" if figures >= 1e6 else f"{figures / 1e3:,.0f}k" if figures >= 1e4 else f"{figures:,}"
    )


def _interval_record(interval: Interval | None) -> dict[str, float] | None:
    return None if interval is None else interval._asdict()


def _interval(record: Any) -> Interval | None:
    return None if record is None else Interval(*(_number(record[name]) for name in Interval._fields))


def _number(value: Any) -> float:
    if value is None:
        return float("nan")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r:.40} is not a number")
    return float(value)
