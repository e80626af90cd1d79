"""How a head came about: by a fitter alone, by a choice among candidates, or by a training that moved weights.

An account is what a fitter or a tune tells of its own, as JSON for the reader; nothing here reads it back.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["FitterFacts", "HeadFacts", "ProbeFacts", "TrainingFacts", "facts_from", "facts_record"]

_CHOICE = frozenset({"candidates", "standard_errors", "rule", "share_exponent"})
_TRAINING = frozenset({"epochs", "parameters", "rows", "rule", "curves", "target_rows", "seconds", "steps"})


@dataclass(frozen=True, kw_only=True)
class FitterFacts:
    """What one fitter tells: the strength that it chose, scores by strength, ..."""

    account: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ProbeFacts:
    """How one of several candidates was chosen, out of fold.

    account           of its fitter
    candidates        the loss of each, by name
    standard_errors   of each one's difference to the best, by name; empty in models of earlier versions
    rule              what was chosen by, in words
    share_exponent    how much the classes' shares count, see `prior`; None where that was not settled
    """

    account: Mapping[str, Any]
    candidates: Mapping[str, float]
    standard_errors: Mapping[str, float]
    rule: str
    share_exponent: float | None = None


@dataclass(frozen=True, kw_only=True)
class TrainingFacts:
    """How a head was trained, and the weights below it with it.

    epochs        over all stages
    parameters    how many figures learnt, below the head and in it
    rows          to learn from, and held out to stop by
    rule          when a stage ends, in words
    curves        an epoch each: stage, epoch, training loss, and where there are rows held out theirs; None for a loss
                  that was not finite
    target_rows   of a target task, to learn from; None without one
    seconds       on the machine that did it
    account       of the tune: what it decided
    steps         in all of these epochs; 0 in models of earlier versions, which do not tell
    """

    epochs: int
    parameters: int
    rows: tuple[int, int]
    rule: str
    curves: tuple[tuple[float | None, ...], ...]
    target_rows: int | None
    seconds: float
    account: Mapping[str, Any] = field(default_factory=dict)
    steps: int = 0


HeadFacts = FitterFacts | ProbeFacts | TrainingFacts


def facts_record(facts: HeadFacts) -> dict[str, Any]:
    """The object "config" of a saved head."""
    if isinstance(facts, TrainingFacts):
        beside = {} if facts.target_rows is None else {"target_rows": facts.target_rows}
        return {
            "epochs": facts.epochs,
            "parameters": facts.parameters,
            "rows": list(facts.rows),
            "rule": facts.rule,
            "curves": [list(row) for row in facts.curves],
            **beside,
            "seconds": facts.seconds,
            "steps": facts.steps,
            **facts.account,
        }
    if isinstance(facts, ProbeFacts):
        errors = {"standard_errors": dict(facts.standard_errors)} if facts.standard_errors else {}
        exponent = {} if facts.share_exponent is None else {"share_exponent": facts.share_exponent}
        return {**facts.account, "candidates": dict(facts.candidates), **errors, "rule": facts.rule, **exponent}
    return dict(facts.account)


def facts_from(record: Mapping[str, Any]) -> HeadFacts:
    """The facts in the object "config" of a saved head, whose values are of the kinds that `artefact.schema` asks for.

    Models of earlier versions may lack some of the keys.
    """
    if "parameters" in record:
        learnt, held_out = record.get("rows", (0, 0))
        return TrainingFacts(
            epochs=record.get("epochs", 0),
            parameters=record["parameters"],
            rows=(learnt, held_out),
            rule=record.get("rule", ""),
            curves=tuple(tuple(row) for row in record.get("curves", ())),
            target_rows=record.get("target_rows"),
            seconds=_known(record.get("seconds")),
            account=_without(record, _TRAINING),
            steps=record.get("steps", 0),
        )
    if "candidates" in record:
        exponent = record.get("share_exponent")
        return ProbeFacts(
            account=_without(record, _CHOICE),
            candidates={name: _known(loss) for name, loss in record["candidates"].items()},
            standard_errors={name: _known(error) for name, error in record.get("standard_errors", {}).items()},
            rule=record.get("rule", ""),
            share_exponent=exponent,
        )
    return FitterFacts(account=dict(record))


def _without(record: Mapping[str, Any], keys: frozenset[str]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key not in keys}


def _known(figure: float | None) -> float:
    """JSON has null where there is no figure."""
    return math.nan if figure is None else figure
