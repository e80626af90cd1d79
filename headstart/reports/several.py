"""The page of a model of several targets: what sharing gained, and each target with the sections of a model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from markupsafe import Markup

from headstart.drawing.intervals import axis_of, foot, strip
from headstart.evidence.multi_task import MultiTaskEvidence
from headstart.evidence.sharing import Sharing
from headstart.evidence.verdict import figure, signed, spread
from headstart.reports.inputs import BUDGET, Rows, rows_again
from headstart.reports.rendering import drawn, rendered
from headstart.reports.scores import ScoreRow, time_rows
from headstart.reports.sections import Place, Sections, rows_drawn, sections_of
from headstart.reports.subject import SeveralSubject
from headstart.reports.words import Words

__all__ = ["several_of", "sharing_in"]


class TargetScore(NamedTuple):
    """A target: where its sections begin, its name, its headline score, and how the model that is kept learnt it."""

    at: str
    name: str
    metric: str
    value: str
    interval: str
    learnt: str


def sharing_in(words: Words, evidence: MultiTaskEvidence) -> tuple[str, str]:
    """Whether sharing helps, and the figures behind it: two strings without a stop at their end."""
    first = words("sharing.first", count=len(evidence.tasks), method=evidence.method)
    gain = None if evidence.overall is None else evidence.overall.gain
    if gain is None or evidence.overall is None:
        return words("sharing.nothing"), first
    figures = words("sharing.gain", first=first, gain=signed(gain.value), interval=spread(gain.interval))
    if evidence.hurt:
        figures = words("semicolon").join((figures, words("sharing.hurt", names=words("comma").join(evidence.hurt))))
    return words(f"sharing.{evidence.overall.verdict}"), figures


def several_of(words: Words, subject: SeveralSubject, evidence: MultiTaskEvidence) -> Sections:
    """Of a model with evidence."""
    answer, figures = sharing_in(words, evidence)
    rows = rows_again(evidence.origin, subject.config, list(evidence.tasks), budget=BUDGET // len(evidence.tasks))
    targets = list(_targets(words, subject, evidence, rows))
    gains, axis = _gains(words, evidence)
    view = {
        "w": words,
        "scores": list(_scores(words, evidence)),
        "judged": rows_drawn(gains),
        "axis": drawn(axis),
        "notes": evidence.notes,
        "findings": [dict(finding) for finding in evidence.findings],
        "times": time_rows(words, evidence.seconds),
        "moved": any("tuning" in task.seconds or task.facts.steps for task in evidence.tasks.values()),
        "targets": targets,
    }
    overview = [("sharing-h", words("sharing.title"))]
    overview += [(f"{target['at']}target-h", str(target["name"])) for target in targets]
    overview += [("check-h", words("check.title"))] + ([("cost-h", words("cost.title"))] if view["times"] else [])
    return Sections(answer, figures, [], overview, rendered("several.html", view))


def _scores(words: Words, evidence: MultiTaskEvidence) -> Iterator[TargetScore]:
    for number, (name, task) in enumerate(evidence.tasks.items(), 1):
        score, sharing = task.metrics[task.headline], evidence.sharing.get(name)
        learnt = words(f"sharing.learnt.{sharing.learnt}") if sharing is not None and sharing.learnt else ""
        yield TargetScore(f"t{number}-", name, words.metric(task.headline), figure(score.value), spread(score), learnt)


def _gains(words: Words, evidence: MultiTaskEvidence) -> tuple[list[ScoreRow], str]:
    """What each target gained over itself learnt alone, all in the mean last, and the foot of the axis."""
    judged: list[tuple[str, Sharing]] = list(evidence.sharing.items())
    if evidence.overall is not None:
        judged.append(("", evidence.overall))
    gains = [(name, sharing.gain, sharing.verdict) for name, sharing in judged if sharing.gain is not None]
    axis = axis_of([0.0, *(value for _, gain, _ in gains for value in gain.interval)])
    rows = [
        ScoreRow(
            name or words("sharing.mean"),
            signed(gain.value),
            spread(gain.interval),
            strip(axis, *gain.interval, ours=not name),
            words(f"sharing.short.{verdict}"),
            not name,
        )
        for name, gain, verdict in gains
    ]
    return rows, foot(axis, [signed(tick) if tick else "0" for tick in axis.ticks])


def _targets(
    words: Words, subject: SeveralSubject, evidence: MultiTaskEvidence, rows: Rows
) -> Iterator[dict[str, Any]]:
    for number, (name, task) in enumerate(evidence.tasks.items(), 1):
        place, part = Place(f"t{number}-", 3, alone=False), subject.parts.get(name)
        view: dict[str, Any] = {"at": place.at, "name": name, "gap": "", "body": Markup("")}
        if part is None:
            yield view | {"gap": words("sharing.lost")}
        else:
            yield view | sections_of(words, part, task, rows, place)._asdict()
