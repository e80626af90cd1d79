"""Evidence: what is known about a fitted model from rows that it did not see. `evidence.json`, and a page in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from headstart.data.task import Array, Kind
from headstart.errors import DataError
from headstart.evidence.assess import Assessment, Gain, assess
from headstart.evidence.calibration import reliability
from headstart.evidence.confusion import ClassScore, Mistake, class_scores, confusion, mistakes
from headstart.evidence.held import Held
from headstart.evidence.intervals import Interval
from headstart.evidence.verdict import Verdict

__all__ = ["Evidence", "of_answers"]

_LARGEST_MATRIX = 100
_REQUIRED = ("kind", "n_train", "n_test", "seed", "protocol", "metrics", "baselines", "gain", "verdict", "seconds")


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What held-out rows say of a model.

    protocol     in words: which rows were held out, and how often
    assessment   scores with 95 % intervals, baselines on the same rows, the gain and the verdict
    seconds      {"features", "head", "baselines", "total", ...}
    classes      precision, recall, F1 and rows of each class
    mistakes     the confusions made most often
    confusion    (C, C) counts as lists; empty for regression, multilabel, and more than 100 classes
    reliability  of the probabilities, bin by bin
    about        what was fitted: backbone, method, head, engine, rows set aside
    notes        what a reader should know before believing the figures
    findings     what the check of the data found, as JSON
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
    about: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    findings: tuple[dict[str, Any], ...] = ()

    @property
    def metrics(self) -> dict[str, Interval]:
        """Each score of the model with its interval."""
        return self.assessment.metrics

    @property
    def baselines(self) -> dict[str, dict[str, Interval]]:
        """The same scores of "majority", "no-transfer" and "random-weights"."""
        return self.assessment.baselines

    @property
    def gain(self) -> Gain | None:
        """The paired difference over "no-transfer"."""
        return self.assessment.gain

    @property
    def verdict(self) -> Verdict | None:
        """ "helps", "cannot tell" or "hurts"; None where there was nothing to compare with."""
        return self.assessment.verdict

    def to_json(self) -> dict[str, Any]:
        """`evidence.json`; a figure that is not known is null."""
        assessment = self.assessment
        return _known(
            {
                "kind": self.kind,
                "n_train": self.n_train,
                "n_test": self.n_test,
                "seed": self.seed,
                "protocol": self.protocol,
                "metrics": _scores(assessment.metrics),
                "baselines": {name: _scores(scores) for name, scores in assessment.baselines.items()},
                "gain": None if assessment.gain is None else assessment.gain._asdict(),
                "gains": {name: gain._asdict() for name, gain in assessment.gains.items()},
                "verdict": assessment.verdict,
                "seconds": self.seconds,
                "classes": [one._asdict() for one in self.classes],
                "mistakes": [one._asdict() for one in self.mistakes],
                "confusion": [list(row) for row in self.confusion],
                "reliability": self.reliability,
                "about": self.about,
                "notes": list(self.notes),
                "findings": list(self.findings),
            }
        )

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Evidence:
        """The evidence that `to_json` gave. Raises DataError where a key is missing or of the wrong form."""
        missing = [key for key in _REQUIRED if key not in data]
        if missing or data["kind"] not in get_args(Kind):
            raise DataError(f"this is no evidence of headstart: expected the keys {', '.join(_REQUIRED)}")
        try:
            return cls(
                **{key: data[key] for key in ("kind", "n_train", "n_test", "seed", "protocol", "seconds")},
                assessment=_assessment(data),
                classes=tuple(ClassScore(**_unknown(one)) for one in data.get("classes", ())),
                mistakes=tuple(Mistake(**one) for one in data.get("mistakes", ())),
                confusion=tuple(tuple(row) for row in data.get("confusion", ())),
                **{key: data.get(key, {}) for key in ("reliability", "about")},
                **{key: tuple(data.get(key, ())) for key in ("notes", "findings")},
            )
        except (TypeError, AttributeError, KeyError) as error:
            raise DataError(f"this evidence is damaged: {error}; fit the model again") from error

    def __str__(self) -> str:
        from headstart.evidence.page import page

        return page(self)


def of_answers(held: Held, predictions: Array, baselines: Mapping[str, Array], *, seed: int = 0) -> Evidence:
    """The evidence of answers to held-out rows; who learnt from what, at which cost, is for the caller to fill in.

    predictions, baselines   (N, C) probabilities or (N,) values, or with an axis of repeats before
    """
    counts = confusion(held, predictions)
    return Evidence(
        kind=held.kind,
        n_train=0,
        n_test=len(held.targets),
        seed=seed,
        protocol="",
        assessment=assess(held, predictions, baselines, seed=seed),
        seconds={},
        classes=class_scores(held, predictions),
        mistakes=mistakes(held, counts),
        confusion=tuple(map(tuple, counts.tolist())) if len(counts) <= _LARGEST_MATRIX else (),
        reliability=reliability(held, predictions) if held.kind != "regression" else {},
    )


def _assessment(data: dict[str, Any]) -> Assessment:
    return Assessment(
        metrics=_intervals(data["metrics"]),
        baselines={name: _intervals(scores) for name, scores in data["baselines"].items()},
        gains={name: Gain(**_unknown(gain)) for name, gain in data.get("gains", {}).items()},
        gain=None if data["gain"] is None else Gain(**_unknown(data["gain"])),
        verdict=data["verdict"],
    )


def _scores(scores: dict[str, Interval]) -> dict[str, dict[str, float]]:
    return {name: one._asdict() for name, one in scores.items()}


def _intervals(scores: dict[str, Any]) -> dict[str, Interval]:
    return {name: Interval(**_unknown(one)) for name, one in scores.items()}


def _known(value: Any) -> Any:
    """NaN and infinity, which JSON cannot say, as null."""
    if isinstance(value, dict):
        return {str(key): _known(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_known(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _unknown(record: dict[str, Any]) -> dict[str, Any]:
    return {key: math.nan if value is None else value for key, value in record.items()}
