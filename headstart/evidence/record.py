"""Evidence as JSON and back: one version, every key checked, null for what is not known."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

import numpy as np

from headstart.errors import DataError
from headstart.evidence.assess import Adaptation, Assessment, Gain
from headstart.evidence.confusion import ClassScore, Mistake
from headstart.evidence.distillation import Distillation, distillation_from
from headstart.evidence.examples import Examples, examples_from
from headstart.evidence.facts import EvidenceFacts
from headstart.evidence.facts_record import facts_from, facts_record
from headstart.evidence.intervals import Interval
from headstart.evidence.origin import Origin, origin_from
from headstart.evidence.uncertainty import UncertaintyFacts
from headstart.evidence.verdict import Verdict
from headstart.tasks.goal import Goal
from headstart.tasks.kind import KINDS, Kind, kind_named

__all__ = ["FORMAT", "Record", "from_record", "to_record"]

FORMAT = 1
_FACTS = "about"
_PLAIN: dict[str, Any] = {"kind": str, "n_train": int, "n_test": int, "seed": int, "protocol": str, "seconds": dict}
_MORE = {"confusion": list, "reliability": dict, _FACTS: dict, "notes": list, "findings": list}
_TABLES = {"classes": list, "mistakes": list}
_OBJECTS = ("goal", "distillation", "examples", "origin", "uncertainty")
"""Of these there is a key only where there is something to say."""
_LATER = ("auroc", "average_precision")
"""Scores that evidence of an earlier version does not have."""
_SCORES: dict[str, Any] = {
    "metrics": dict,
    "baselines": dict,
    "gains": dict,
    "gain": dict | None,
    "verdict": str | None,
}


@dataclass(frozen=True, kw_only=True)
class Record:
    """What held-out rows say of a model, as data: `evidence.json` holds it, and `page` shows it.

    protocol     in words: which rows were held out, and how often
    assessment   scores with 95 % intervals, baselines on the same rows, the gain and the verdict
    seconds      {"features", "head", "baselines", "total", ...}
    classes      precision, recall, F1 and rows of each class
    mistakes     the confusions made most often
    confusion    (C, C) counts as lists; empty for regression, multilabel, and more than 100 classes
    reliability  of the probabilities, bin by bin
    facts        what was fitted, what was set aside, what each dearer step bought; "about" in JSON
    notes        what a reader should know before believing the figures
    findings     what the check of the data found, as JSON
    adaptation   with a source: whether adaptation helped; None without one
    distillation  of a student: what it kept of its teacher, and whether that helped; None without one
    goal         what the model was to be good at; None: the headline of the kind, as in evidence of earlier versions
    examples, origin   rows that a report shows, and where they come from; None in evidence of earlier versions
    uncertainty  how often sets hold the true answer, and more; None where it is not known, as in earlier versions
    """

    kind: Kind
    n_train: int
    n_test: int
    seed: int
    protocol: str
    assessment: Assessment
    seconds: dict[str, float]
    classes: tuple[ClassScore, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    confusion: tuple[tuple[float, ...], ...] = ()
    reliability: dict[str, list[Any]] = field(default_factory=dict)
    facts: EvidenceFacts = field(default_factory=EvidenceFacts)
    notes: tuple[str, ...] = ()
    findings: tuple[dict[str, Any], ...] = ()
    adaptation: Adaptation | None = None
    distillation: Distillation | None = None
    goal: Goal | None = None
    examples: Examples | None = None
    origin: Origin | None = None
    uncertainty: UncertaintyFacts | None = None

    @property
    def headline(self) -> str:
        """The name of the score by which models are compared."""
        return self.kind.headline if self.goal is None else self.goal.metric

    @property
    def metrics(self) -> dict[str, Interval]:
        """Each score of the model with its interval."""
        return self.assessment.metrics

    @property
    def baselines(self) -> dict[str, dict[str, Interval]]:
        """The same scores of "majority", "no-transfer" and the others that there are."""
        return self.assessment.baselines

    @property
    def gain(self) -> Gain | None:
        """The paired difference over "no-transfer", or over "no-pretraining", see `Assessment`."""
        return self.assessment.gain

    @property
    def verdict(self) -> Verdict | None:
        """ "helps", "cannot tell" or "hurts"; None where there was nothing to compare with."""
        return self.assessment.verdict


def to_record(evidence: Record) -> dict[str, Any]:
    """Valid JSON: NaN and infinity are null, labels that JSON cannot hold are text."""
    assessment = evidence.assessment
    record = {
        "format": FORMAT,
        **{key: getattr(evidence, key) for key in _PLAIN},
        "metrics": _scores(assessment.metrics),
        "baselines": {name: _scores(scores) for name, scores in assessment.baselines.items()},
        "gain": None if assessment.gain is None else assessment.gain._asdict(),
        "gains": {name: gain._asdict() for name, gain in assessment.gains.items()},
        "verdict": assessment.verdict,
        "adaptation": _adaptation_record(evidence.adaptation),
        **{key: [_of_labels(row._asdict()) for row in getattr(evidence, key)] for key in _TABLES},
        **{key: facts_record(evidence.facts) if key == _FACTS else getattr(evidence, key) for key in _MORE},
    }
    for name in _OBJECTS:
        if (value := getattr(evidence, name)) is not None:
            record[name] = value.to_json()
    return {key: _plain(value) for key, value in record.items()}


def from_record(data: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a `Record`. Raises DataError for another version, a missing key, or a value of another kind."""
    _check(data)
    try:
        _check_scores(data)
        return {
            **{key: data[key] for key in _PLAIN},
            "kind": kind_named(data["kind"]),
            "assessment": _assessment(data),
            "classes": tuple(ClassScore(**row) for row in data["classes"]),
            "mistakes": tuple(Mistake(**row) for row in data["mistakes"]),
            "confusion": tuple(tuple(row) for row in data["confusion"]),
            "reliability": data["reliability"],
            "facts": facts_from(data[_FACTS]),
            **{key: tuple(data[key]) for key in ("notes", "findings")},
            "adaptation": _adaptation(data.get("adaptation")),  # a record of an earlier version has none
            "goal": Goal.from_json(data.get("goal")),
            "distillation": distillation_from(data.get("distillation")),  # nor has one without a teacher
            "examples": examples_from(data.get("examples")),
            "origin": origin_from(data.get("origin")),
            "uncertainty": UncertaintyFacts.from_json(data.get("uncertainty")),
        }
    except DataError:
        raise
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise _damaged(str(error)) from error


def _damaged(why: str) -> DataError:
    return DataError(f"this evidence is damaged: {why}; fit the model again")


def _check(data: Mapping[str, Any]) -> None:
    if not isinstance(data, Mapping) or "format" not in data:
        raise DataError("this is no evidence of headstart: it has no key 'format'; give what `Evidence.to_json` gave")
    if data["format"] != FORMAT:
        raise DataError(
            f"this evidence has format {data['format']!r:.40}, and this headstart reads {FORMAT}: "
            "use the version of headstart that wrote it"
        )
    for key, kind in (_PLAIN | _MORE | _TABLES | _SCORES).items():
        if key not in data:
            raise _damaged(f"it has no key {key!r}")
        if not isinstance(data[key], kind) or isinstance(data[key], bool):
            raise _damaged(f"{key} is {data[key]!r:.40}, expected {getattr(kind, '__name__', kind)}")
    for key, allowed in (("kind", tuple(map(str, KINDS))), ("verdict", (*get_args(Verdict), None))):
        if data[key] not in allowed:
            raise _damaged(f"{key} is {data[key]!r:.40}, expected one of {allowed}")


def _check_scores(data: Mapping[str, Any]) -> None:
    for scores in (data["metrics"], *data["baselines"].values()):
        if lacking := set(kind_named(data["kind"]).metrics).difference(scores, _LATER):
            raise _damaged(f"{', '.join(sorted(lacking))} is not among the scores")
    if (goal := Goal.from_json(data.get("goal"))) is not None and goal.metric not in data["metrics"]:
        raise _damaged(f"{goal.metric!r:.40}, which it is about, is not among the scores")
    if data["gain"] is not None and data["gain"].get("over") not in data["baselines"]:
        raise _damaged(f"the gain is over {data['gain'].get('over')!r:.40}, which is no baseline of it")


def _assessment(data: Mapping[str, Any]) -> Assessment:
    return Assessment(
        metrics=_all_scores(data["metrics"], data["kind"]),
        baselines={name: _all_scores(scores, data["kind"]) for name, scores in data["baselines"].items()},
        gains={name: _gain(gain) for name, gain in data["gains"].items()},
        gain=None if data["gain"] is None else _gain(data["gain"]),
        verdict=data["verdict"],
    )


def _adaptation_record(adaptation: Adaptation | None) -> dict[str, Any] | None:
    if adaptation is None:
        return None
    gain = adaptation.gain
    over = None if gain is None else gain.over
    return adaptation._asdict() | {"gain": None if gain is None else gain._asdict(), "over": over}


def _adaptation(record: Any) -> Adaptation | None:
    if record is None:
        return None
    if not isinstance(record, Mapping) or not {"gain", "verdict", "why"} <= record.keys():
        raise _damaged(f"adaptation is {record!r:.40}, expected gain, over, verdict and why")
    if record["verdict"] not in (*get_args(Verdict), None):
        raise _damaged(f"the verdict of adaptation is {record['verdict']!r:.40}, expected one of {get_args(Verdict)}")
    gain = None if record["gain"] is None else _gain(record["gain"])
    return Adaptation(gain, record["verdict"], str(record["why"]))


def _scores(scores: dict[str, Interval]) -> dict[str, dict[str, float]]:
    return {name: interval._asdict() for name, interval in scores.items()}


def _intervals(scores: Mapping[str, Mapping[str, Any]]) -> dict[str, Interval]:
    return {name: Interval(**_figures(figures)) for name, figures in scores.items()}


def _all_scores(scores: Mapping[str, Mapping[str, Any]], kind: str) -> dict[str, Interval]:
    """With those that are not known, in the order of the kind."""
    known = _intervals(scores)
    absent = {name: Interval(math.nan) for name in kind_named(kind).metrics if name not in known}
    return known | absent


def _gain(gain: Mapping[str, Any]) -> Gain:
    figures = _intervals({"gain": {key: gain[key] for key in gain if key not in ("metric", "over")}})
    return Gain(str(gain.get("metric")), str(gain.get("over")), *figures["gain"])


def _figures(record: Mapping[str, Any]) -> dict[str, float]:
    wrong = [value for value in record.values() if isinstance(value, bool) or not isinstance(value, float | int | None)]
    if wrong:
        raise TypeError(f"{wrong[0]!r:.40} is not a number")
    return {key: math.nan if value is None else float(value) for key, value in record.items()}


def _of_labels(record: dict[str, Any]) -> dict[str, Any]:
    return {key: str(value) if isinstance(value, tuple) else value for key, value in record.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, str | int) else str(value)
