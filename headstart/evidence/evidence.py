"""Evidence: what is known about a fitted model from rows that it did not see. `evidence.json`, and a page in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headstart.evidence.always import always_the_same
from headstart.evidence.assess import assess
from headstart.evidence.calibration import reliability
from headstart.evidence.confusion import class_scores, confusion, mistakes
from headstart.evidence.facts import EvidenceFacts
from headstart.evidence.held_out import HeldOut
from headstart.evidence.notebook import head_of
from headstart.evidence.page import page
from headstart.evidence.record import Record, from_record, to_record
from headstart.evidence.unlearnt import unlearnt
from headstart.tasks.goal import Answers

__all__ = ["Evidence", "of_answers"]

_LARGEST_MATRIX = 100


@dataclass(frozen=True, kw_only=True)
class Evidence(Record):
    """What held-out rows say of a model."""

    def to_json(self) -> dict[str, Any]:
        """`evidence.json`; a figure that is not known is null."""
        return to_record(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Evidence:
        """The evidence that `to_json` gave. Raises DataError where a key is missing or holds something else."""
        return cls(**from_record(data))

    def __str__(self) -> str:
        return page(self)

    def _repr_html_(self) -> str:
        return head_of(self)


def of_answers(held_out: HeldOut, predictions: Answers, baselines: Mapping[str, Answers], *, seed: int = 0) -> Evidence:
    """The evidence of answers to held-out rows; who learnt from what, at which cost, is for the caller to fill in.

    predictions, baselines   (N, C) probabilities or (N,) values, or with an axis of repeats before
    """
    counts = confusion(held_out, predictions)
    strange, notes = unlearnt(held_out, predictions)
    assessment, classes = assess(held_out, predictions, baselines, seed=seed), class_scores(held_out, predictions)
    return Evidence(
        kind=held_out.kind,
        goal=held_out.goal,
        n_train=0,
        n_test=len(held_out.targets),
        seed=seed,
        protocol="",
        assessment=assessment,
        seconds={},
        classes=classes,
        mistakes=mistakes(held_out, counts),
        confusion=tuple(map(tuple, counts.tolist())) if len(counts) <= _LARGEST_MATRIX else (),
        reliability=reliability(held_out, predictions) if held_out.kind.has_classes else {},
        facts=EvidenceFacts(unlearnt=strange),
        notes=(*notes, *always_the_same(held_out, counts, assessment.metrics)),
    )
