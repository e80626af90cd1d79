"""The page: what the evidence and the data give, in the order a reader needs it, through one template."""

from __future__ import annotations

import base64
import os
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup, escape

from headstart.data.installed import installed_version
from headstart.evidence.evidence import Evidence
from headstart.evidence.scores import LOWER_IS_BETTER
from headstart.messages import printable
from headstart.reports.choice import command_of, environment, head_rows, race_rows, source_lines, step_rows
from headstart.reports.inputs import Inputs, inputs_of
from headstart.reports.plots import confusion_view, map_view, reliability_view
from headstart.reports.rows import cards, doubtful_rows, rows_of
from headstart.reports.scores import class_rows, cost_rows, group_rows, score_rows, score_table, time_rows
from headstart.reports.subject import Subject
from headstart.reports.uncertainty import uncertainty_lines
from headstart.reports.verdict import verdict_in
from headstart.reports.words import Words
from headstart.tasks import AUDIO

__all__ = ["make_page"]

_TEMPLATES = ("page.html", "parts.html", "style.css")
_LONGEST, _LARGEST_CURVE = 2000, 400_000


def make_page(subject: Subject, words: Words, *, curve: str | os.PathLike[str] | None = None) -> str:
    """The HTML of the report of a model. ValueError where the curve is no .svg, or too large."""
    evidence = subject.evidence
    view: dict[str, Any] = {
        "w": words,
        "name": subject.name,
        "version": installed_version("headstart"),
        "curve": None if curve is None else _curve(Path(curve)),
        "gap": "",
        "evidence": evidence,
        "environment": list(environment(words, subject)),
        "command": command_of(words, None if evidence is None else evidence.origin),
    }
    if evidence is None:
        view["gap"] = words("bad.evidence", why=subject.why) if subject.why else words("no.evidence")
    else:
        view |= _of_scores(words, subject, evidence) | _of_rows(words, subject, evidence)
        view |= _of_choice(words, evidence)
    return _environment().get_template("page.html").render(view)


@cache
def _environment() -> Environment:
    """Everything is escaped, and what is not seen, or turns text, is written out: see `messages.printable`."""
    folder = files("headstart.reports") / "templates"
    made = Environment(
        loader=DictLoader({name: (folder / name).read_text("utf-8") for name in _TEMPLATES}),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_safe,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"short": _short, "code": _code}
    return made


def _safe(value: Any) -> Any:
    """Text from data as it may be shown; markup of our own stays."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return printable(value if len(value) <= _LONGEST else value[: _LONGEST - 1] + "…")


def _short(value: object, most: int = 60) -> str:
    text = str(value)
    return text if len(text) <= most else text[: most - 1] + "…"


def _code(text: str) -> Markup:
    """Words between back quotes as code."""
    parts = [escape(printable(part)) for part in text.split("`")]
    return Markup("").join(Markup("<code>{}</code>").format(part) if at % 2 else part for at, part in enumerate(parts))


def _of_scores(words: Words, subject: Subject, evidence: Evidence) -> dict[str, Any]:
    answer, figures = verdict_in(words, evidence)
    rows, axis = score_rows(words, evidence)
    models, table = score_table(words, evidence)
    weak, others, never = class_rows(evidence.classes)
    return {
        "answer": answer,
        "figures": figures,
        "facts": list(_facts(words, subject, evidence)),
        "metric": words.metric(evidence.headline),
        "lower": evidence.headline in LOWER_IS_BETTER,
        "scores": [row._replace(strip=Markup(row.strip)) for row in rows],  # noqa: S704 - made by `drawing`
        "axis": Markup(axis),  # noqa: S704 - made by `drawing`
        "models": models,
        "table": table,
        "left_out": words("comma").join(words.model(name) for name in evidence.facts.left_out),
        "costs": cost_rows(words, evidence),
        "times": time_rows(words, evidence),
        "moved": "tuning" in evidence.seconds,
        "classes": (weak, others, words("comma").join(never)),
        "confusion": confusion_view(words, evidence),
        "reliability": reliability_view(words, evidence),
        "uncertainty": list(uncertainty_lines(words, evidence.uncertainty)),
    }


def _facts(words: Words, subject: Subject, evidence: Evidence) -> Any:
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


def _of_rows(words: Words, subject: Subject, evidence: Evidence) -> dict[str, Any]:
    examples = evidence.examples
    findings = [dict(finding) for finding in evidence.findings]
    if examples is None:
        return {"examples": None, "findings": findings, "groups": []}
    sound = subject.modality == AUDIO
    inputs = inputs_of(evidence.origin, subject.config, rows_of(examples, sound=sound))
    shares = evidence.kind.has_classes
    groups = []
    for name, scores in (("group", examples.groups), ("domain", examples.domains)):
        if scores:
            rows, axis = group_rows(scores, shares=shares)
            rows = [row._replace(strip=Markup(row.strip)) for row in rows]  # noqa: S704 - made by `drawing`
            groups.append((words(f"groups.{name}"), rows, Markup(axis)))  # noqa: S704 - made by `drawing`
    return {
        "examples": examples,
        "findings": findings,
        "mistakes": cards(words, examples, inputs),
        "doubtful": doubtful_rows(words, examples, inputs),
        "input_gaps": list(_gaps(words, inputs)),
        "groups": groups,
        "group_metric": words.metric(examples.metric),
        "map": None if examples.map is None else map_view(words, examples.map, numbers=not shares),
    }


def _gaps(words: Words, inputs: Inputs) -> Any:
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


def _curve(path: Path) -> str:
    """A data URI of a drawing; as the source of a picture it runs nothing and loads nothing."""
    data = path.read_bytes()
    if b"<svg" not in data[:1000] or len(data) > _LARGEST_CURVE:
        raise ValueError(f"{path} is no .svg of at most {_LARGEST_CURVE:,} bytes: give that of `headstart curve --out`")
    return Markup(f"data:image/svg+xml;base64,{base64.b64encode(data).decode('ascii')}")  # noqa: S704 - base64 alone
