"""What a report is about: the config and the evidence of a saved model, or of one in memory, without its weights."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from headstart.artefact.files import read_files
from headstart.artefact.strict_json import parse
from headstart.errors import DataError
from headstart.evidence.evidence import Evidence

if TYPE_CHECKING:
    from headstart.transfer import Transfer

__all__ = ["Subject", "subject_of"]


class Subject(NamedTuple):
    """A model.

    name       of its folder, or of its method
    config     as in config.json
    modality   of its inputs
    evidence   None where there is none, or `why` it cannot be read
    """

    name: str
    config: dict[str, Any]
    modality: str
    evidence: Evidence | None
    why: str = ""


def subject_of(model: str | os.PathLike[str] | Transfer) -> Subject:
    """Of a folder, or of a fitted Transfer. ArtefactError where the folder holds no whole model, or one of several
    targets; NotFittedError for a Transfer that is not fitted."""
    if isinstance(model, str | os.PathLike):
        folder = Path(model)
        config, files = read_files(folder)
        stored = parse(files["evidence.json"], "evidence.json") if "evidence.json" in files else None
        return _with_evidence(folder.resolve().name, config, stored)
    from sklearn.utils.validation import check_is_fitted

    from headstart.artefact.config import config_of

    check_is_fitted(model, "model_")
    config = config_of(model.model_, slim=True)
    return _with_evidence(str(model.model_.method), config, model.model_.evidence)


def _with_evidence(name: str, config: dict[str, Any], stored: dict[str, Any] | None) -> Subject:
    modality = str(config["modality"])
    if stored is None:
        return Subject(name, config, modality, None)
    try:
        return Subject(name, config, modality, Evidence.from_json(stored))
    except DataError as error:  # of another version, or damaged: the page says so in its place
        return Subject(name, config, modality, None, str(error))
