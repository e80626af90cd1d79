"""What the evidence says of a fitted model beside its scores: what was fitted, and what a reader should know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from headstart.adaptation.choice import ChosenStrategy
from headstart.adaptation.strategies import UNADAPTED
from headstart.artefact import Model
from headstart.backbones.backbone import Backbone
from headstart.evidence.evidence import Evidence
from headstart.evidence.facts import ModelFacts, SourceFacts
from headstart.evidence.plain import plain
from headstart.evidence.verdict import signed, spread, verdict
from headstart.features.feature_set import FeatureSet
from headstart.heads.facts import facts_record
from headstart.heads.head import Head
from headstart.methods.method import Fitted, facts_of
from headstart.methods.plan import Plan
from headstart.methods.task_pair import StrategyFitter, TaskPair
from headstart.study.pretrained import RANDOM
from headstart.study.resampling import Trials

__all__ = ["left_out", "model_of_pair", "model_of_task", "notes_of_pair", "notes_of_task"]

_OVER_UNADAPTED = {
    True: {"helps": "adaptation helps", "hurts": "adaptation hurts", "cannot tell": "cannot tell whether it helps"},
    False: {"helps": "better", "hurts": "worse", "cannot tell": "cannot tell which is better"},
}


def model_of_task(rows: FeatureSet, backbone: Backbone | None, model: Model) -> ModelFacts:
    """What was fitted to the rows of one task."""
    return ModelFacts(
        backbone=None if backbone is None else backbone.name,
        n_set_aside=len(rows.task.set_aside),
        set_aside=rows.task.set_aside,
        method=model.method,
        head=_head_account(model.head),
        engine=model.engine,
    )


def left_out(plan: Plan, backbone: Backbone | None) -> tuple[str, ...]:
    """Who would have been tested too, and was left out as the user asked."""
    drawn = backbone is not None and backbone.random is not None and plan.method != "scratch"
    return (RANDOM,) if drawn and not plan.control else ()


def notes_of_task(rows: FeatureSet, backbone: Backbone | None, model: Model, trials: Trials) -> Iterator[str]:
    """Of a model of one task."""
    if not trials.held_out:
        yield (
            "Too few rows for a test split: each figure speaks of models fitted on most of the rows and tested on the "
            "rest; the saved model is fitted on all of them."
        )
    if backbone is None:
        columns = rows.task.modality.has_columns
        features = "are the columns; there are no weights to make random" if columns else "are made of the inputs alone"
        yield f"No pretrained backbone was used: the features {features}."
    yield from rows.task.notes
    yield from model.notes


def model_of_pair(tasks: TaskPair, fitter: StrategyFitter, fitted: Fitted) -> ModelFacts:
    """What was fitted to a source and a target task."""
    target, facts = tasks.target, facts_of(fitted)
    source = SourceFacts(
        base=facts.chosen.base,
        asked=fitter.plan.method,
        rows=len(fitter.source),
        of_source=facts.of_source,
        set_aside=tasks.source.task.set_aside,
        target_labels="all" if fitter.labels else "none",
        bare=len(tasks.bare),
        guard=facts.chosen.why,
        step={} if facts.learnt is None else plain(facts.learnt.moved.facts),
    )
    return ModelFacts(
        backbone=None if fitter.backbone is None else fitter.backbone.name,
        n_set_aside=len(target.task.set_aside),
        set_aside=target.task.set_aside,
        method=facts.chosen.name,
        source=source,
        head=_head_account(fitted.head),
        engine=target.engine,
    )


def _head_account(head: Head) -> dict[str, Any]:
    return {"name": head.name, "temperature": head.temperature} | facts_record(head.facts)


def notes_of_pair(
    tasks: TaskPair,
    fitter: StrategyFitter,
    fitted: Fitted,
    evidence: Evidence,
    strategies: Sequence[ChosenStrategy],
) -> Iterator[str]:
    """Of a model that drew on a source; `strategies` are those of all trials."""
    facts = facts_of(fitted)
    if facts.chosen.why:
        yield f"{facts.chosen.words}: {facts.chosen.why}."
    taken = Counter(chosen.words for chosen in strategies)
    if len(taken) > 1:
        often = ", ".join(f"{words} {count}" for words, count in taken.most_common())
        yield f"Taken in {len(strategies)} trials: {often}."
    for over in (name for name in UNADAPTED if name in evidence.assessment.gains):
        gain = evidence.assessment.gains[over]
        words = _OVER_UNADAPTED[facts.adapted][verdict(gain.interval)]
        yield f"Over {over}: {gain.metric} {signed(gain.value)} {spread(gain.interval)}: {words}."
    if evidence.adaptation is not None and evidence.adaptation.gain is not None:
        yield f"Adaptation is judged over {evidence.adaptation.gain.over}: {evidence.adaptation.why}."
    if copies := fitter.copies:
        yield f"{copies:,} source rows are in the target too, and were left out of the source."
    if lost := len(tasks.source.task.set_aside):
        yield f"{lost:,} source rows cannot be used, and were set aside."
    if kin := fitter.kin:
        yield f"{kin:,} source rows are of groups that the target has too, and were left out of the source."
    yield f"{_learnt(tasks, fitter, fitted)}."
    if bare := len(tasks.bare):
        yield f"{bare:,} target rows have no label: the encoding, the diagnosis and steps look at their features."
    yield from tasks.notes
    yield from tasks.target.task.notes
    yield from fitted.notes


def _learnt(tasks: TaskPair, fitter: StrategyFitter, fitted: Fitted) -> str:
    """From which answers, in words."""
    facts = facts_of(fitted)
    source = f"{len(fitter.source):,}" if facts.of_source else "no"
    learnt = f"Learnt from {source} source rows"
    if not fitter.labels:
        return f"{learnt}; answers of target rows are not looked at, but for the test"
    if not tasks.labelled:
        return learnt
    if facts.of_target:
        return f"{learnt}; answers of target rows are learnt from too"
    guard = "to choose the way and " if facts.chosen.why else ""
    return f"{learnt}; answers of target rows are looked at {guard}for the test, and not learnt from"
