"""What a report shows of how the model came to be: heads, race, source, environment."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from headstart.evidence.facts import SourceFacts
from headstart.evidence.origin import Origin
from headstart.evidence.race import RaceFacts
from headstart.evidence.record import Record
from headstart.evidence.verdict import figure
from headstart.messages import lasting
from headstart.reports.words import Words

__all__ = ["command_of", "environment", "head_rows", "race_rows", "source_lines", "step_rows"]

_TRIALS = 12


def head_rows(evidence: Record) -> tuple[str, list[tuple[str, str, str]], str]:
    """The head that is kept; those that were tried with their losses and standard errors, the best first; the rule."""
    head: Mapping[str, Any] = (evidence.facts.model and evidence.facts.model.head) or {}
    losses = {name: value for name, value in head.get("candidates", {}).items() if isinstance(value, float | int)}
    errors = head.get("standard_errors", {})
    rows = [
        (name, f"{losses[name]:.3f}", "" if errors.get(name) is None else f"{errors[name]:.3f}")
        for name in sorted(losses, key=lambda name: (math.isnan(losses[name]), losses[name]))
    ]
    return str(head.get("name", "")), rows, str(head.get("rule", ""))


def race_rows(words: Words, race: RaceFacts) -> dict[str, Any]:
    """A race in words, its best settings, and what was not tried."""
    shown = [
        (
            trial.name,
            f"{trial.loss:.3f}",
            f"{trial.gain:.3f} ± {trial.error:.3f}",
            f"{trial.folds}/{race.folds}",
            f"{trial.seconds:,.1f}",
        )
        for trial in race.trials[:_TRIALS]
    ]
    more = len(race.trials) - len(shown)
    return {
        "lead": words(
            "choice.race" if len(race.trials) != 1 else "choice.race.1",
            count=len(race.trials),
            spent=lasting(race.spent),
            budget=lasting(race.budget),
            ended=race.ended,
            winner=race.winner,
        ),
        "weights": words("comma").join(f"{name} {weight:.2f}" for name, weight in race.weights.items()),
        "rows": shown,
        "more": words("choice.more", count=more) if more > 0 else "",
        "failed": [words("choice.failed", name=name, why=why) for name, why in race.failures],
        "outlook": race.outlook,
    }


def source_lines(words: Words, source: SourceFacts, method: str) -> Iterator[str]:
    """How the model drew on its source."""
    learnt = words("source.learnt" if source.of_source else "source.unlearnt")
    yield words("source.rows", count=f"{source.rows:,}", learnt=learnt)
    yield words("source.asked", asked=source.asked, method=method, base=source.base)
    if source.guard:
        yield words("source.guard", why=source.guard)
    yield words(f"source.labels.{'all' if source.target_labels == 'all' else 'none'}")
    if source.bare:
        yield words("source.bare", count=f"{source.bare:,}")
    yield words("source.ways")


def step_rows(source: SourceFacts) -> list[tuple[str, str]]:
    """What the step told of the two tasks and of the shift between them: numbers and short words."""
    return [
        (name.replace("_", " "), figure(float(value)) if isinstance(value, float) else str(value))
        for name, value in source.step.items()
        if isinstance(value, str | int | float) and len(str(value)) <= 200
    ]


def command_of(words: Words, origin: Origin | None) -> tuple[str, bool]:
    """The command, or why there is none, and whether there is."""
    if origin is None:
        return words("environment.unknown"), False
    if origin.withheld:
        return words("environment.withheld"), False
    if origin.command is None:
        return words("environment.no_command"), False
    return shlex.join(origin.command), True


def environment(words: Words, config: Mapping[str, Any], origin: Origin | None) -> Iterator[tuple[str, str]]:
    """What was fitted where: names and values."""
    if origin is not None and not origin.withheld:
        places = [place for place in (origin.data, origin.test, origin.source) if place]
        yield words("environment.data"), words("semicolon").join(places) or words("inputs.memory")
    engine = config.get("engine") or {}
    if engine:
        parts = (engine.get("name"), engine.get("precision"), engine.get("device"))
        yield words("environment.engine"), " ".join(str(part) for part in parts if part)
    yield words("environment.seed"), str(config.get("options", {}).get("seed", ""))
    if config.get("checksum"):
        yield words("environment.checksum"), str(config["checksum"])[:16]
    yield "headstart", str(config.get("headstart", ""))
    yield from ((str(name), str(version)) for name, version in config.get("libraries", {}).items())
