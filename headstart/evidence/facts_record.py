"""The facts as the object "about" of `evidence.json`, and back: the one place that reads its keys."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from headstart.evidence.facts import EvidenceFacts, Instead, ModelFacts, SourceFacts, StepFacts, Unlearnt
from headstart.evidence.intervals import Interval
from headstart.evidence.race import race_from
from headstart.tasks.task import SetAside

__all__ = ["facts_from", "facts_record", "left_out", "transfer_untold"]

_REQUIRED: Any = object()


def facts_record(facts: EvidenceFacts) -> dict[str, Any]:
    """The object "about"; what is not said has no key."""
    record: dict[str, Any] = {}
    if facts.unlearnt is not None:
        record["unlearnt"] = _said(facts.unlearnt._asdict())
    if facts.model is not None:
        record |= _model_record(facts.model)
    if facts.steps:
        record["steps"] = [_step_record(step) for step in facts.steps]
    if facts.transfer_untold:
        record["transfer_untold"] = facts.transfer_untold
    if facts.left_out:
        record["left_out"] = list(facts.left_out)
    if facts.instead is not None:
        record["instead_of"] = facts.instead._asdict()
    if facts.race is not None:
        record["race"] = facts.race.to_json()
    return record


def facts_from(record: Mapping[str, Any]) -> EvidenceFacts:
    """The facts in the object "about". TypeError, in words, where a value is of another kind than was written."""
    unlearnt = _get(record, "unlearnt", dict, None)
    instead = _get(record, "instead_of", dict, None)
    return EvidenceFacts(
        unlearnt=None if unlearnt is None else _unlearnt(unlearnt),
        model=_model(record) if "backbone" in record else None,
        steps=tuple(_step(step) for step in _get(record, "steps", list, [])),
        transfer_untold=_get(record, "transfer_untold", str, ""),
        left_out=tuple(_each(_get(record, "left_out", list, []), "left_out", str)),
        instead=None if instead is None else Instead(_get(instead, "method", str), _get(instead, "why", str)),
        race=race_from(_get(record, "race", dict, None)),
    )


def transfer_untold(evidence: Mapping[str, Any]) -> object:
    """Why it is not known whether transfer helps, of a whole `evidence.json` as it was stored; None where not said."""
    about = evidence.get("about")
    return about.get("transfer_untold") if isinstance(about, Mapping) else None


def left_out(evidence: Mapping[str, Any]) -> tuple[str, ...]:
    """Who was left out as the user asked, of a whole `evidence.json` as it was stored."""
    about = evidence.get("about")
    names = about.get("left_out") if isinstance(about, Mapping) else None
    return tuple(name for name in names if isinstance(name, str)) if isinstance(names, list) else ()


def _model_record(model: ModelFacts) -> dict[str, Any]:
    return {"backbone": model.backbone} | _said(
        {
            "method": model.method,
            **({} if model.source is None else _source_record(model.source)),
            "head": model.head,
            "engine": model.engine,
            "n_set_aside": model.n_set_aside,
            "set_aside": None if model.set_aside is None else [item._asdict() for item in model.set_aside],
        }
    )


def _source_record(source: SourceFacts) -> dict[str, Any]:
    return {
        "base": source.base,
        "asked": source.asked,
        "source_rows": source.rows,
        "of_source": source.of_source,
        "source_set_aside": [item._asdict() for item in source.set_aside],
        "target_labels": source.target_labels,
        "target_rows_without_label": source.bare,
        "guard": source.guard,
        "step": source.step,
    }


def _step_record(step: StepFacts) -> dict[str, Any]:
    gain = None if step.gain is None else step.gain._asdict()
    return step._asdict() | {"score": step.score._asdict(), "gain": gain}


def _said(record: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if value is not None}


def _unlearnt(record: Mapping[str, Any]) -> Unlearnt:
    without = _get(record, "scores_without", dict, None)
    labels = {name: _get(record["labels"], name, int) for name in _get(record, "labels", dict)}
    scores = None if without is None else {name: _number(without, name) for name in without}
    return Unlearnt(_get(record, "rows", int), _get(record, "of", int), labels, scores)


def _model(record: Mapping[str, Any]) -> ModelFacts:
    aside = _get(record, "set_aside", list, None)
    return ModelFacts(
        backbone=None if record["backbone"] is None else _get(record, "backbone", str),
        n_set_aside=_get(record, "n_set_aside", int, 0),
        set_aside=None if aside is None else _set_aside(aside),
        method=_get(record, "method", str, None),
        source=_source(record) if "source_rows" in record else None,
        head=_get(record, "head", dict, None),
        engine=_get(record, "engine", dict, None),
    )


def _source(record: Mapping[str, Any]) -> SourceFacts:
    """Records of earlier versions lack some of these."""
    return SourceFacts(
        base=_get(record, "base", str, "linear"),
        asked=_get(record, "asked", str, ""),
        rows=_get(record, "source_rows", int),
        of_source=_get(record, "of_source", bool, False),
        set_aside=_set_aside(_get(record, "source_set_aside", list, [])),
        target_labels=_get(record, "target_labels", str, "all"),
        bare=_get(record, "target_rows_without_label", int, 0),
        guard=_get(record, "guard", str, ""),
        step=_get(record, "step", dict, {}),
    )


def _set_aside(items: list[Any]) -> tuple[SetAside, ...]:
    return tuple(SetAside(**item) for item in items)


def _step(record: Mapping[str, Any]) -> StepFacts:
    gain = _get(record, "gain", dict, None)
    return StepFacts(
        step=_get(record, "step", str),
        metric=_get(record, "metric", str),
        score=_interval(_get(record, "score", dict)),
        over=_get(record, "over", str),
        gain=None if gain is None else _interval(gain),
        seconds=_number(record, "seconds"),
        parameters=_get(record, "parameters", int),
    )


def _interval(record: Mapping[str, Any]) -> Interval:
    return Interval(**{key: _number(record, key) for key in record})


def _get(record: Mapping[str, Any], key: str, kind: type, default: Any = _REQUIRED) -> Any:
    """The value of a key; where it is not there, or null and the default is None, the default."""
    value = record.get(key, default)
    if value is default and default is not _REQUIRED:
        return value
    if type(value) is not kind:
        shown = "missing" if value is _REQUIRED else f"{value!r:.40}"
        raise TypeError(f"{key} is {shown}, expected {kind.__name__}")
    return value


def _each(items: list[Any], key: str, kind: type) -> list[Any]:
    for item in items:
        if type(item) is not kind:
            raise TypeError(f"{key} holds {item!r:.40}, expected {kind.__name__}")
    return items


def _number(record: Mapping[str, Any], key: str) -> float:
    """A figure; null, which stands for one that is not known, is NaN."""
    value = record.get(key)
    if value is not None and type(value) not in (int, float):
        raise TypeError(f"{value!r:.40} is not a number")
    return math.nan if value is None else float(value)
