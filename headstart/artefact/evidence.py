"""The evidence that a saved model carries, read without building the model."""

from __future__ import annotations

from pathlib import Path

from headstart.artefact.reading import read
from headstart.errors import ArtefactError
from headstart.evidence.evidence import Evidence

__all__ = ["read_evidence"]


def read_evidence(folder: Path) -> Evidence:
    """Raises ArtefactError where the folder holds no whole model, or a model without evidence."""
    record = read(folder, backbone=False).evidence
    if record is None:
        raise ArtefactError(f"{folder} holds a model without evidence: fit it with `headstart fit`, which tests it")
    return Evidence.from_json(record)
