"""What a report is about: the config and the evidence of a saved model, or of one in memory, without its weights."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from headstart.artefact.files import read_files
from headstart.artefact.multi_task_folder import holds_multi_task
from headstart.artefact.schema import MULTI_TASK
from headstart.artefact.strict_json import parse
from headstart.errors import DataError
from headstart.evidence.evidence import Evidence
from headstart.evidence.multi_task import MultiTaskEvidence

if TYPE_CHECKING:
    from headstart.study.multi_task import MultiTask
    from headstart.transfer import Transfer

__all__ = ["SeveralSubject", "Subject", "subject_of"]


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


class SeveralSubject(NamedTuple):
    """A model of several targets.

    name, evidence, why   as of `Subject`
    config     of the whole, and of the first target what is common to all: the modality, the options, the engine
    parts      the model of each target, by its name; their evidence stands in that of the whole
    """

    name: str
    config: dict[str, Any]
    parts: dict[str, Subject]
    evidence: MultiTaskEvidence | None
    why: str = ""


def subject_of(model: str | os.PathLike[str] | Transfer | MultiTask) -> Subject | SeveralSubject:
    """Of a folder, or of what is fitted. ArtefactError where the folder holds no whole model; NotFittedError for what
    is not fitted."""
    if isinstance(model, str | os.PathLike):
        folder = Path(model)
        several = holds_multi_task(folder)
        config, files = read_files(folder, MULTI_TASK) if several else read_files(folder)
        stored = parse(files["evidence.json"], "evidence.json") if "evidence.json" in files else None
        make = _of_targets if several else _with_evidence
        return make(folder.resolve().name, config, stored)
    from sklearn.utils.validation import check_is_fitted

    from headstart.artefact.config import config_of
    from headstart.study.multi_task import MultiTask

    if isinstance(model, MultiTask):
        check_is_fitted(model, "models_")
        configs = [{"target": name, "config": config_of(fitted, slim=True)} for name, fitted in model.models_.items()]
        facts = None if model.known_evidence is None else {"facts": model.known_evidence.to_json()}
        return _of_targets(model.method, {"method": model.method, "models": configs}, facts)
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


def _of_targets(name: str, config: dict[str, Any], stored: dict[str, Any] | None) -> SeveralSubject:
    parts = {entry["target"]: _with_evidence(name, entry["config"], None) for entry in config["models"]}
    whole = {**next(iter(parts.values())).config, "checksum": None, **config}
    if stored is None:
        return SeveralSubject(name, whole, parts, None)
    try:
        return SeveralSubject(name, whole, parts, MultiTaskEvidence.from_json(stored.get("facts", {})))
    except DataError as error:
        return SeveralSubject(name, whole, parts, None, str(error))
