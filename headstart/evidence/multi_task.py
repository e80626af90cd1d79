"""Evidence of several tasks: that of each, what sharing gained, and a page in words for a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from headstart.errors import DataError
from headstart.evidence.assess import Gain
from headstart.evidence.evidence import Evidence
from headstart.evidence.lines import WIDTH, wrapped
from headstart.evidence.origin import Origin, origin_from
from headstart.evidence.page import page
from headstart.evidence.plain import plain
from headstart.evidence.sharing import ALONE, Sharing, hurt
from headstart.evidence.verdict import figure, signed, spread

__all__ = ["MultiTaskEvidence"]

FORMAT = 1
_NAME = 16
_SAID = {
    "helps": "sharing helps",
    "hurts": "sharing hurts",
    "cannot tell": "cannot tell whether sharing helps",
}
_LEARNT = {"together": "together", "alone": "alone", "probe": "alone", "": ""}


@dataclass(frozen=True, kw_only=True)
class MultiTaskEvidence:
    """What held-out rows say of a model of several tasks.

    method    by which they were learnt together
    tasks     the evidence of each as it is kept, by the name of its target
    sharing   what each gained over the same learner alone; empty where that was not asked, as on new data
    overall   the mean over tasks; None likewise
    notes     of the whole
    seconds   by what they were spent on
    findings  what the check of the inputs found, as JSON; those of one target are with its evidence
    origin    where the data lay and what the command was; None in evidence of earlier versions
    """

    method: str
    tasks: dict[str, Evidence]
    sharing: dict[str, Sharing] = field(default_factory=dict)
    overall: Sharing | None = None
    notes: tuple[str, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)
    findings: tuple[dict[str, Any], ...] = ()
    origin: Origin | None = None

    @property
    def hurt(self) -> tuple[str, ...]:
        """The tasks that are worse together, by name."""
        return hurt(self.sharing)

    def to_json(self) -> dict[str, Any]:
        """`evidence.json`; a figure that is not known is null."""
        record = {
            "format": FORMAT,
            "method": self.method,
            "tasks": {name: evidence.to_json() for name, evidence in self.tasks.items()},
            "sharing": {name: _record(sharing) for name, sharing in self.sharing.items()},
            "overall": None if self.overall is None else _record(self.overall),
            "hurt": list(self.hurt),
            "notes": list(self.notes),
            "seconds": plain(self.seconds),
            "findings": plain(list(self.findings)),
        }
        return record if self.origin is None else record | {"origin": self.origin.to_json()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> MultiTaskEvidence:
        """The evidence that `to_json` gave. Raises DataError where it is not of this version, or damaged."""
        if not isinstance(data, Mapping) or data.get("format") != FORMAT or not isinstance(data.get("tasks"), Mapping):
            raise DataError("this is no evidence of several tasks: give what `MultiTaskEvidence.to_json` gave")
        try:
            return cls(
                method=str(data["method"]),
                tasks={name: Evidence.from_json(record) for name, record in data["tasks"].items()},
                sharing={name: _sharing(record) for name, record in data["sharing"].items()},
                overall=None if data["overall"] is None else _sharing(data["overall"]),
                notes=tuple(map(str, data["notes"])),
                seconds=dict(data["seconds"]),
                findings=tuple(dict(finding) for finding in data.get("findings", ())),
                origin=origin_from(data.get("origin")),
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise DataError(f"this evidence of several tasks is damaged ({error}): fit the model again") from error

    def __str__(self) -> str:
        blocks = [
            *([wrapped(self.headline)] if self.sharing else []),
            list(self._table()),
            [line for note in self.notes for line in wrapped(note, indent="  ")],
            *([f"--- {name} ---"[:WIDTH], "", *page(evidence).splitlines()] for name, evidence in self.tasks.items()),
        ]
        return "\n\n".join("\n".join(block) for block in blocks if block)

    @property
    def headline(self) -> str:
        """Such as: 2 targets by joint: gain over each alone, in the mean +.01 [.00, .02]: sharing helps."""
        first = f"{len(self.tasks)} targets by {self.method}"
        if self.overall is None or self.overall.gain is None:
            return f"{first}: nothing but the features is shared"
        gain = self.overall.gain
        phrase = _SAID[str(self.overall.verdict)]
        worse = f"; hurt by it: {', '.join(self.hurt)}" if self.hurt else ""
        return (
            f"{first}: gain over each alone, in the mean {signed(gain.value)} {spread(gain.interval)}: {phrase}{worse}"
        )

    def _table(self) -> Iterator[str]:
        """A row a task."""
        judged = any(sharing.gain is not None for sharing in self.sharing.values())
        rows = [["target", "score", *(["gain over alone", "sharing", "kept"] if judged else [""])]]
        for name, evidence in self.tasks.items():
            metric = evidence.headline
            score = evidence.metrics[metric]
            row = [_short(name), f"{_words(metric)} {figure(score.value)}"]
            row += [] if judged else [spread(score)]
            rows.append(row + (self._judged(name) if judged else []))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            yield "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()

    def _judged(self, name: str) -> list[str]:
        sharing = self.sharing[name]
        if sharing.gain is None:
            return ["", "", _LEARNT[sharing.learnt]]
        return [
            f"{signed(sharing.gain.value)} {spread(sharing.gain.interval)}",
            str(sharing.verdict),
            _LEARNT[sharing.learnt],
        ]


def _record(sharing: Sharing) -> dict[str, Any]:
    gain = None if sharing.gain is None else plain(sharing.gain._asdict())
    return {"gain": gain, "verdict": sharing.verdict, "learnt": sharing.learnt}


def _sharing(record: Mapping[str, Any]) -> Sharing:
    gain = record["gain"]
    if gain is None:
        return Sharing(None, None, record["learnt"])
    figures = (float("nan") if gain[end] is None else float(gain[end]) for end in ("value", "low", "high"))
    return Sharing(Gain(str(gain["metric"]), ALONE, *figures), record["verdict"], record["learnt"])


def _short(name: str) -> str:
    return name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"


def _words(metric: str) -> str:
    return {"r2": "R2", "macro_f1": "macro F1", "balanced_accuracy": "bal. acc."}.get(metric, metric.replace("_", " "))
