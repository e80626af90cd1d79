"""What a model of several targets says of new inputs: one row out for each row in, with a column a target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.artefact import Model
from headstart.messages import printable
from headstart.study.predictions import Answers
from headstart.tasks.task import Array, SetAside, Task

__all__ = ["MultiTaskAnswers"]

_WIDTH = 36


@dataclass(frozen=True)
class MultiTaskAnswers:
    """targets   the answers to each, by its name: of the same inputs, in the same order"""

    targets: dict[str, Answers]

    @classmethod
    def of(cls, models: Mapping[str, Model], task: Task, values: Mapping[str, Array]) -> MultiTaskAnswers:
        """Of fitted models; `values` as `MultiTask.all_answers`."""
        return cls(
            {
                name: Answers(
                    kind=model.kind,
                    names=task.names,
                    values=np.asarray(values[name]),
                    classes=model.classes,
                    places=task.positions,
                    set_aside=task.set_aside,
                )
                for name, model in models.items()
            }
        )

    def __len__(self) -> int:
        return len(self._first)

    @property
    def names(self) -> list[str]:
        """Of the inputs that are answered."""
        return list(self._first.names)

    @property
    def unanswered(self) -> tuple[SetAside, ...]:
        """The inputs without an answer, in their order."""
        return self._first.unanswered

    @property
    def summary(self) -> str:
        """How many rows there are, and how many of them have no answer."""
        return self._first.summary

    def rows(self) -> list[dict[str, Any]]:
        """One record an input: its name, by target the prediction and (but for numbers) the probability of each class,
        and the reason where there is no prediction."""
        each = {name: answers.rows() for name, answers in self.targets.items()}
        records = []
        for place in range(len(self)):
            by_target = {name: rows[place] for name, rows in each.items()}
            first = next(iter(by_target.values()))
            targets = {
                name: {key: row[key] for key in ("prediction", "probabilities") if key in row}
                for name, row in by_target.items()
            }
            records.append({"name": first["name"], "targets": targets, "reason": first["reason"]})
        return records

    def to_json(self) -> dict[str, Any]:
        """Everything, as JSON."""
        return {"predictions": self.rows(), "set_aside": [item._asdict() for item in self._first.set_aside]}

    def columns(self) -> dict[str, list[Any]]:
        """As a table, one list a column: name, one a target, p(TARGET=CLASS) of each class, reason."""
        each = {name: answers.columns() for name, answers in self.targets.items()}
        first = next(iter(each.values()))
        table: dict[str, list[Any]] = {"name": first["name"]}
        table |= {name: columns["prediction"] for name, columns in each.items()}
        for name, columns in each.items():
            chances = {key: values for key, values in columns.items() if key.startswith("p(")}
            table |= {f"p({name}={key[2:]}": values for key, values in chances.items()}
        return table | {"reason": first["reason"]}

    def __str__(self) -> str:
        records = self.rows()
        names = [_end(printable(record["name"], newlines=False)) for record in records]
        width = max(map(len, names), default=0)
        lines = [f"{name:<{width}}  {_said(record)}" for name, record in zip(names, records, strict=True)]
        lines += [f"set aside: {item.name}: {item.why}" for item in self._first.set_aside if item.place is None]
        return "\n".join(lines)

    @property
    def _first(self) -> Answers:
        return next(iter(self.targets.values()))


def _said(record: dict[str, Any]) -> str:
    if record["reason"] is not None:
        return printable(f"no answer: {record['reason']}", newlines=False)
    words = (f"{name} {_words(answer['prediction'])}" for name, answer in record["targets"].items())
    return printable(", ".join(words), newlines=False)


def _words(answer: Any) -> str:
    if isinstance(answer, list):
        return "+".join(map(str, answer)) or "none"
    return f"{answer:.6g}" if isinstance(answer, float) else str(answer)


def _end(name: str) -> str:
    return name if len(name) <= _WIDTH else "…" + name[1 - _WIDTH :]
