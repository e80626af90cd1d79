"""What a model of several targets says of new inputs: one row out for each row in, with a column a target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from headstart.artefact.model import Model
from headstart.data.read import read
from headstart.data.roles import Roles
from headstart.defaults import with_own_defaults
from headstart.features.extraction import Extraction
from headstart.features.feature_set import FeatureSet
from headstart.listener import LOGGED, Listener
from headstart.messages import printable
from headstart.methods.answers import answer, look_as_fitted
from headstart.study.predictions import Answers
from headstart.tasks.task import Array, SetAside, Task

__all__ = ["MultiTaskAnswers", "all_answers", "answers_of_target", "answers_to_all"]

_WIDTH = 36


@dataclass(frozen=True)
class MultiTaskAnswers:
    """targets   the answers to each, by its name: of the same inputs, in the same order"""

    targets: dict[str, Answers]

    @classmethod
    def of(cls, models: Mapping[str, Model], task: Task, values: Mapping[str, Array]) -> MultiTaskAnswers:
        """Of fitted models; `values` as `all_answers`."""
        return cls(
            {
                name: Answers(
                    kind=model.kind,
                    names=task.names,
                    values=np.asarray(values[name]),
                    classes=model.classes,
                    places=task.positions,
                    set_aside=task.set_aside,
                    decide=model.head.decide,
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


@with_own_defaults
def answers_to_all(
    models: Mapping[str, Model], data: Any, extraction: Extraction, *, listener: Listener = LOGGED
) -> MultiTaskAnswers:
    """All targets of new inputs: one row out for each row in, with a column a target."""
    first = next(iter(models.values()))
    roles = Roles(modality=first.modality)
    task = read(data, roles=roles, need_target=False, columns=first.columns, to_answer=True)
    listener.say(f"read {len(task):,} {task.modality.noun}")
    rows = look_as_fitted(first, task, extraction.as_fitted(first.engine), listener) if len(task) else None
    values = all_answers(models, rows, extraction)
    return MultiTaskAnswers.of(models, task if rows is None else rows.task, values)


def all_answers(
    models: Mapping[str, Model], feature_set: FeatureSet | None, extraction: Extraction
) -> dict[str, Array]:
    """Of all targets; of no rows where nothing was seen."""
    if feature_set is None or not len(feature_set):
        return {name: np.empty(model.kind.shape(0, len(model.classes))) for name, model in models.items()}
    return {name: answers_of_target(models, name, feature_set, extraction) for name in models}


def answers_of_target(models: Mapping[str, Model], name: str, feature_set: FeatureSet, extraction: Extraction) -> Array:
    """Of one target, to rows that the backbone of the first has seen: probabilities (N, C), or values (N,)."""
    first, model = next(iter(models.values())), models[name]
    if _fingerprint(first) != _fingerprint(model):
        feature_set = look_as_fitted(model, feature_set.task, extraction.as_fitted(model.engine), LOGGED)
    return answer(model, feature_set)


def _fingerprint(model: Model) -> str:
    return "" if model.backbone is None else model.backbone.fingerprint
