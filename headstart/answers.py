"""What a fitted model says of new inputs, by name, ready to print or to write."""

from __future__ import annotations

import csv
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headstart.data.task import Array, Kind, SetAside

__all__ = ["Answers"]


@dataclass(frozen=True, kw_only=True)
class Answers:
    """Answers to N inputs.

    values      (N, C) probabilities in the order of `classes`; regression: (N,) values
    set_aside   inputs that could not be read: they have no answer, and are named
    notes       what the model met that it had not seen: missing cells, unknown categories
    """

    kind: Kind
    names: Sequence[str]
    values: Array
    classes: tuple[Hashable, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    def rows(self) -> list[dict[str, Any]]:
        """One record an input: name, prediction, and (but for regression) the probability of each class."""
        return [{"name": name} | self._record(row) for name, row in zip(self.names, self.values, strict=True)]

    def to_json(self) -> dict[str, Any]:
        """Everything, as JSON."""
        aside = [item._asdict() for item in self.set_aside]
        return {"predictions": self.rows(), "set_aside": aside, "notes": list(self.notes)}

    def write_csv(self, path: Path) -> None:
        """Write name, prediction and one column a class. UTF-8."""
        header = ["name", "prediction", *(f"p({label})" for label in self.classes)]
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(header)
            for record in self.rows():
                said = record["prediction"]
                shown = "; ".join(map(str, said)) if isinstance(said, list) else said
                writer.writerow([record["name"], shown, *record.get("probabilities", {}).values()])

    def __str__(self) -> str:
        width = min(48, max((len(name) for name in self.names), default=0))
        lines = [f"{_end(record['name'], width):<{width}}  {_said(record)}" for record in self.rows()]
        lines += [f"set aside: {item.name}: {item.why}" for item in self.set_aside]
        lines += [f"note: {note}" for note in self.notes]
        return "\n".join(lines)

    def _record(self, row: Array) -> dict[str, Any]:
        if self.kind == "regression":
            return {"prediction": float(row)}
        chances = {str(label): round(float(p), 6) for label, p in zip(self.classes, row, strict=True)}
        if self.kind == "multilabel":
            said: Any = [label for label, p in zip(self.classes, row, strict=True) if p >= 0.5]
        else:
            said = self.classes[int(row.argmax())]
        return {"prediction": said, "probabilities": chances}


def _said(record: dict[str, Any]) -> str:
    said, chances = record["prediction"], record.get("probabilities")
    if chances is None:
        return f"{said:.6g}"
    if isinstance(said, list):
        return ", ".join(f"{label} {chances[str(label)]:.2f}" for label in said) or "none"
    return f"{said}  {chances[str(said)]:.2f}"


def _end(name: str, width: int) -> str:
    return name if len(name) <= width else "…" + name[1 - width :]
