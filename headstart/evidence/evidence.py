"""Evidence: what is known about a fitted model from rows that it did not see. `evidence.json`, and a page in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from headstart.evidence.assess import Adaptation, Assessment, Gain, assess
from headstart.evidence.calibration import reliability
from headstart.evidence.confusion import ClassScore, Mistake, class_scores, confusion, mistakes
from headstart.evidence.held_out import HeldOut
from headstart.evidence.intervals import Interval
from headstart.evidence.record import from_record, to_record
from headstart.evidence.unlearnt import unlearnt
from headstart.evidence.verdict import Verdict
from headstart.tasks.task import Array, Kind

__all__ = ["Evidence", "of_answers"]

_LARGEST_MATRIX = 100


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
    about        what was fitted: backbone, method, head, engine, rows set aside; "unlearnt", see `unlearnt.py`
    notes        what a reader should know before believing the figures
    findings     what the check of the data found, as JSON
    adaptation   with a source: whether adaptation helped; None without one
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
    adaptation: Adaptation | None = None

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

    def to_json(self) -> dict[str, Any]:
        """`evidence.json`; a figure that is not known is null."""
        return to_record(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Evidence:
        """The evidence that `to_json` gave. Raises DataError where a key is missing or holds something else."""
        return cls(**from_record(data))

    def __str__(self) -> str:
        from headstart.evidence.page import page

        return page(self)


def of_answers(held: HeldOut, predictions: Array, baselines: Mapping[str, Array], *, seed: int = 0) -> Evidence:
    """The evidence of answers to held-out rows; who learnt from what, at which cost, is for the caller to fill in.

    predictions, baselines   (N, C) probabilities or (N,) values, or with an axis of repeats before
    """
    counts = confusion(held, predictions)
    about, notes = unlearnt(held, predictions)
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
        about=about,
        notes=notes,
    )
