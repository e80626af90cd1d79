"""What a pretraining was worth: a kept backbone beside what it began from, on the same held-out rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from headstart.artefact.backbone_folder import holds_backbone, read_pretraining
from headstart.backbones.backbone import Backbone
from headstart.backbones.load import load
from headstart.backbones.windowed import windowed
from headstart.errors import BackboneError
from headstart.evidence.evidence import Evidence
from headstart.evidence.verdict import signed, spread, verdict

__all__ = ["BEFORE", "RANDOM", "Began", "began_from", "with_worth"]

BEFORE = "before-pretraining"
RANDOM = "random-weights"
_WORDS = {"helps": "pretraining helps", "hurts": "pretraining hurts", "cannot tell": "cannot tell whether it helps"}


class Began(NamedTuple):
    """Of a backbone that `pretrain` kept.

    method    by which it learnt
    name      of what it began from
    backbone  that; None where it began from random weights, or `why` it cannot be compared with
    """

    method: str
    name: str
    backbone: Backbone | None
    why: str = ""


def began_from(name: str | None, window: tuple[float, float] | None = None) -> Began | None:
    """What the backbone of this name began from; None where `pretrain` did not make it.

    window   through which pictures of more than 8 bits are seen
    """
    folder = Path((name or "").removeprefix("file:").partition("?")[0])
    if not name or "?" in name or not folder.is_dir() or not holds_backbone(folder):
        return None
    made = read_pretraining(folder)
    began = made.facts.get("began")
    if not isinstance(began, dict) or not isinstance(began.get("name"), str):
        return None
    if began.get("random"):
        return Began(made.method, began["name"], None)
    try:
        before = load(began["name"])
    except BackboneError as error:
        return Began(made.method, began["name"], None, f"it cannot be loaded here ({error})")
    if before.fingerprint != began.get("fingerprint"):
        return Began(made.method, began["name"], None, "its weights are others here than those that it began from")
    return Began(made.method, began["name"], windowed(before, window))


def with_worth(evidence: Evidence, began: Began | None) -> Evidence:
    """The evidence with a note of what the pretraining was worth."""
    if began is None:
        return evidence
    notes = []
    if evidence.facts.instead is not None:
        note = f"Pretraining by {began.method} is not judged: the model that is saved does not use it."
        return replace(evidence, notes=(*evidence.notes, note))
    if began.why:
        notes.append(
            f"Pretraining by {began.method} is not judged over {began.name}, from which it began: {began.why}."
        )
    for contender, over in ((BEFORE, f"{began.name}, from which it began"), (RANDOM, "random weights")):
        gain = evidence.assessment.gains.get(contender)
        if gain is not None:
            words = _WORDS[verdict(gain.interval)]
            figures = f"{gain.metric.replace('_', ' ')} {signed(gain.value)} {spread(gain.interval)}"
            notes.append(f"Pretraining by {began.method}, over {over}: {figures}: {words}.")
    return replace(evidence, notes=(*evidence.notes, *notes))
