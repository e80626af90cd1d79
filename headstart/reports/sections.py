"""The sections of one model: what its evidence and its data give, in the order that a reader needs it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from markupsafe import Markup

from headstart.evidence.evidence import Evidence
from headstart.evidence.scores import LOWER_IS_BETTER
from headstart.reports.choice import head_rows, race_rows, source_lines, step_rows
from headstart.reports.inputs import Inputs, Rows
from headstart.reports.plots import confusion_view, map_view, reliability_view
from headstart.reports.rendering import drawn, rendered
from headstart.reports.rows import cards, doubtful_rows, rows_of
from headstart.reports.scores import ScoreRow, class_rows, cost_rows, group_rows, score_rows, score_table, time_rows
from headstart.reports.subject import Subject
from headstart.reports.uncertainty import uncertainty_lines
from headstart.reports.verdict import verdict_in
from headstart.reports.words import Words
from headstart.tasks import AUDIO

__all__ = ["Place", "Sections", "rows_drawn", "sections_of"]


class Place(NamedTuple):
    """Where sections stand on the page.

    at      what their anchors begin with
    level   of their headings
    alone   whether the page is about them alone: else what is true of all targets stands elsewhere
    """

    at: str = ""
    level: int = 2
    alone: bool = True


class Sections(NamedTuple):
    """answer, figures   the verdict, and what is behind it
    facts     of the task, the rows and the model
    contents  the anchor and the heading of each section
    body      all of them, as HTML
    """

    answer: str
    figures: str
    facts: list[str]
    contents: list[tuple[str, str]]
    body: Markup


def sections_of(
    words: Words, subject: Subject, evidence: Evidence, rows: Rows, place: Place, curve: str | None = None
) -> Sections:
    """Of a model with evidence, whose data are read again by `rows`."""
    answer, figures = verdict_in(words, evidence)
    view = (
        _of_scores(words, evidence, place.at)
        | _of_rows(words, subject, evidence, rows, place.at)
        | _of_choice(words, evidence)
    )
    view |= {"w": words, "evidence": evidence, "at": place.at, "level": place.level, "curve": curve}
    numbers = not evidence.kind.has_classes
    view["titles"] = titles = {
        key: words("mistakes.title.numbers" if key == "mistakes" and numbers else f"{key}.title")
        for key in _shown(view, evidence, alone=place.alone)
    }
    contents = [(f"{place.at}{key}-h", title) for key, title in titles.items()]
    return Sections(answer, figures, list(_facts(words, subject, evidence)), contents, rendered("sections.html", view))


def _shown(view: dict[str, Any], evidence: Evidence, *, alone: bool) -> Iterator[str]:
    """The sections that there are, in their order."""
    there = {
        "scores": True,
        "cost": view["costs"] or view["times"],
        "classes": view["classes"][0],
        "confusion": view["confusion"],
        "reliability": view["reliability"],
        "uncertainty": view["uncertainty"],
        "curve": alone,
        "mistakes": True,
        "doubtful": evidence.kind.exclusive,
        "check": alone or view["findings"],
        "groups": view["groups"],
        "map": True,
        "choice": True,
        "source": view["source"],
    }
    return (key for key, shown in there.items() if shown)


def rows_drawn(rows: list[ScoreRow]) -> list[ScoreRow]:
    """With their strips as drawings."""
    return [row._replace(strip=drawn(row.strip)) for row in rows]


def _of_scores(words: Words, evidence: Evidence, at: str) -> dict[str, Any]:
    rows, axis = score_rows(words, evidence)
    models, table = score_table(words, evidence)
    weak, others, never = class_rows(evidence.classes)
    return {
        "metric": words.metric(evidence.headline),
        "lower": evidence.headline in LOWER_IS_BETTER,
        "scores": rows_drawn(rows),
        "axis": drawn(axis),
        "models": models,
        "table": table,
        "left_out": words("comma").join(words.model(name) for name in evidence.facts.left_out),
        "costs": cost_rows(words, evidence),
        "times": time_rows(words, evidence.seconds),
        "moved": "tuning" in evidence.seconds,
        "classes": (weak, others, words("comma").join(never)),
        "confusion": confusion_view(words, evidence, at),
        "reliability": reliability_view(words, evidence, at),
        "uncertainty": list(uncertainty_lines(words, evidence.uncertainty)),
    }


def _facts(words: Words, subject: Subject, evidence: Evidence) -> Iterator[str]:
    config, model = subject.config, evidence.facts.model
    classes = len(config.get("classes", ()))
    of = {"kind": config["kind"], "modality": config["modality"]}
    yield words("facts.kind", classes=classes, **of) if classes else words("facts.kind.plain", **of)
    yield words("facts.rows", train=f"{evidence.n_train:,}", test=f"{evidence.n_test:,}")
    if evidence.protocol:
        yield words("facts.protocol", protocol=evidence.protocol)
    backbone = None if model is None else model.backbone
    method = config["method"]
    yield (
        words("facts.model", method=method, backbone=backbone) if backbone else words("facts.model.none", method=method)
    )


def _of_rows(words: Words, subject: Subject, evidence: Evidence, rows: Rows, at: str) -> dict[str, Any]:
    examples = evidence.examples
    findings = [dict(finding) for finding in evidence.findings]
    if examples is None:
        return {"examples": None, "findings": findings, "groups": []}
    inputs = rows.shown(rows_of(examples, sound=subject.modality == AUDIO))
    shares = evidence.kind.has_classes
    groups = []
    for name, scores in (("group", examples.groups), ("domain", examples.domains)):
        if scores:
            plotted, axis = group_rows(scores, shares=shares)
            groups.append((words(f"groups.{name}"), rows_drawn(plotted), drawn(axis)))
    return {
        "examples": examples,
        "findings": findings,
        "mistakes": cards(words, examples, inputs),
        "doubtful": doubtful_rows(words, examples, inputs),
        "input_gaps": list(_gaps(words, inputs)),
        "groups": groups,
        "group_metric": words.metric(examples.metric),
        "map": None if examples.map is None else map_view(words, examples.map, numbers=not shares, at=at),
    }


def _gaps(words: Words, inputs: Inputs) -> Iterator[str]:
    if inputs.gap is not None:
        yield words(inputs.gap[0], **inputs.gap[1])
    if inputs.changed:
        yield words("inputs.changed", count=inputs.changed)
    if inputs.full:
        yield words("inputs.full", count=inputs.full)


def _of_choice(words: Words, evidence: Evidence) -> dict[str, Any]:
    facts = evidence.facts
    source = None if facts.model is None else facts.model.source
    method = "" if facts.model is None else str(facts.model.method)
    return {
        "heads": head_rows(evidence),
        "race": None if facts.race is None else race_rows(words, facts.race),
        "notes": evidence.notes,
        "source": None if source is None else list(source_lines(words, source, method)),
        "step": [] if source is None else step_rows(source),
        "set_aside": 0 if facts.model is None else facts.model.n_set_aside,
    }
