"""What a fitted model says of new inputs, by name, ready to print or to write: one row out for each row in."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headstart.messages import printable
from headstart.study.destination import Destination
from headstart.tasks import kind_named
from headstart.tasks.task import Array, Kind, SetAside

__all__ = ["Answers"]

NO_ANSWER = "no answer"
STRANGE = "?"
"""Beside the answer to an input that is unlike all that the model learnt from."""


@dataclass(frozen=True, kw_only=True)
class Answers:
    """Answers to the inputs that could be read, and what became of the others.

    names       (N,) of the answered inputs
    values      (N, C) probabilities in the order of `classes`; regression: (N,) values
    places      (N,) position of each among the inputs as they were read, from 0, ascending; None: 0, 1, 2, ...
    set_aside   inputs that have no answer, and why; those that are no row (`place` None) are named only
    decide      predictions (C,) of a row -> the answer to it, as targets are; None: that of the kind
    notes       what the model met that it had not seen: missing cells, unknown categories
    spans       by place, from where to where in the input of this name the answer is for, in seconds
    sets        (N, C) bool, the classes of each prediction set; None where none were asked for
    intervals   (N, 2) lower and upper ends, of a regression
    strange     (N,) bool, whether an input is unlike all that the model learnt from; None where it does not know
    """

    kind: Kind
    names: Sequence[str]
    values: Array
    classes: tuple[Hashable, ...] = ()
    places: Array | None = None
    set_aside: tuple[SetAside, ...] = ()
    decide: Callable[[Array], Array] | None = None
    notes: tuple[str, ...] = ()
    spans: Mapping[int, tuple[float, float]] | None = None
    sets: Array | None = None
    intervals: Array | None = None
    strange: Array | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", kind_named(self.kind))

    def __len__(self) -> int:
        """How many inputs there are, answered or not."""
        return len(self.names) + len(self.unanswered)

    @property
    def unanswered(self) -> tuple[SetAside, ...]:
        """The inputs without an answer, in their order."""
        rows = [item for item in self.set_aside if item.place is not None]
        return tuple(sorted(rows, key=lambda item: (item.place, item.name)))

    @property
    def summary(self) -> str:
        """How many rows there are, and how many of them have no answer."""
        lost = f", {len(self.unanswered):,} of them without an answer" if self.unanswered else ""
        return f"{len(self):,} rows{lost}"

    def rows(self) -> list[dict[str, Any]]:
        """One record an input, in the order of the inputs: name, prediction, (but for regression) the probability of
        each class, and the reason where there is no prediction. What is not there is None."""
        places = range(len(self.names)) if self.places is None else self.places.tolist()
        records = [
            (place, {"name": name} | self._span(place) | self._record(values) | self._doubt(row) | {"reason": None})
            for row, (place, name, values) in enumerate(zip(places, self.names, self.values, strict=True))
        ]
        nothing: dict[str, Any] = {"prediction": None}
        nothing |= {"probabilities": None} if self.kind.has_classes else {}
        nothing |= dict.fromkeys(self._doubts)
        records += [
            (int(item.place or 0), {"name": item.name} | self._span(item.place) | nothing | {"reason": item.why})
            for item in self.unanswered
        ]
        return [record for _, record in sorted(records, key=lambda pair: pair[0])]

    def to_json(self) -> dict[str, Any]:
        """Everything, as JSON."""
        aside = [item._asdict() for item in self.set_aside]
        return {"predictions": self.rows(), "set_aside": aside, "notes": list(self.notes)}

    def columns(self) -> dict[str, list[Any]]:
        """As a table, one list a column: name, prediction, p(CLASS) of each class, reason; None where there is none."""
        records = self.rows()
        spans = [] if self.spans is None else ["start", "end"]
        names = ["name", *spans, "prediction", "reason"]
        names[-1:] = [*self._doubts, "reason"]
        table: dict[str, list[Any]] = {name: [record[name] for record in records] for name in names}
        if "interval" in table:
            ends = [(None, None) if pair is None else pair for pair in table.pop("interval")]
            table |= {"low": [low for low, _ in ends], "high": [high for _, high in ends]}
        if "set" in table:
            table["set"] = [None if labels is None else ", ".join(map(str, labels)) for labels in table["set"]]
        reasons = table.pop("reason")
        for label in map(str, self.classes):
            table[f"p({label})"] = [
                None if record["probabilities"] is None else record["probabilities"][label] for record in records
            ]
        return table | {"reason": reasons}

    def write(self, path: str | Path) -> None:
        """Write a .csv, .tsv, .jsonl, .json or .parquet, by the suffix of `path`; the whole file or none.

        Raises ValueError where that cannot be (see `Destination`), ImportError for Parquet without pyarrow, OSError
        where the disk refuses.
        """
        Destination(path).write(self)

    def write_csv(self, path: str | Path) -> None:
        """Write a .csv: name, prediction, one column a class, and the reason where there is no prediction. UTF-8."""
        Destination(path, suffix=".csv").write(self)

    def __str__(self) -> str:
        records = self.rows()
        names = [printable(record["name"] + _time(record), newlines=False) for record in records]
        width = min(48, max(map(len, names), default=0))
        lines = [
            f"{_end(name, width):<{width}}  {printable(_said(record), newlines=False)}"
            for name, record in zip(names, records, strict=True)
        ]
        lines += [f"set aside: {item.name}: {item.why}" for item in self.set_aside if item.place is None]
        lines += [f"note: {note}" for note in self.notes]
        return "\n".join(lines)

    def _span(self, place: int | None) -> dict[str, float | None]:
        if self.spans is None:
            return {}
        start, end = self.spans.get(-1 if place is None else place, (None, None))
        return {"start": start, "end": end}

    @property
    def _doubts(self) -> list[str]:
        """What is told of each row beside the prediction."""
        told = {"set": self.sets, "interval": self.intervals, "out_of_distribution": self.strange}
        return [name for name, values in told.items() if values is not None]

    def _doubt(self, row: int) -> dict[str, Any]:
        """The set or interval of a row, and whether it is strange."""
        doubt: dict[str, Any] = {}
        if self.sets is not None:
            doubt["set"] = [label for label, inside in zip(self.classes, self.sets[row], strict=True) if inside]
        if self.intervals is not None:
            doubt["interval"] = self.intervals[row].tolist()
        if self.strange is not None:
            doubt["out_of_distribution"] = bool(self.strange[row])
        return doubt

    def _record(self, row: Array) -> dict[str, Any]:
        decide = self.decide or self.kind.decide
        answer = self.kind.in_words(decide(row), self.classes)
        if not self.kind.has_classes:
            return {"prediction": answer}
        chances = {str(label): round(float(p), 6) for label, p in zip(self.classes, row, strict=True)}
        return {"prediction": answer, "probabilities": chances}


def _time(record: dict[str, Any]) -> str:
    """From where to where in the input."""
    return "" if record.get("start") is None else f"  {record['start']:.6g}-{record['end']:.6g} s"


def _said(record: dict[str, Any]) -> str:
    if record["reason"] is not None:
        return f"{NO_ANSWER}: {record['reason']}"
    answer, chances = record["prediction"], record.get("probabilities") or {}
    if not chances:
        words = f"{answer:.6g}"
    elif isinstance(answer, list):
        words = ", ".join(f"{label} {chances[str(label)]:.2f}" for label in answer) or "none"
    else:
        words = f"{answer}  {chances[str(answer)]:.2f}"
    if record.get("out_of_distribution"):
        words += f"  {STRANGE}"
    if "interval" in record:
        words += "  [{:.6g}, {:.6g}]".format(*record["interval"])
    if "set" in record:
        words += "  {" + ", ".join(sorted(map(str, record["set"]), key=lambda label: -chances[label])) + "}"
    return words


def _end(name: str, width: int) -> str:
    return name if len(name) <= width else "…" + name[1 - width :]
