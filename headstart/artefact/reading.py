"""Reading a model folder: nothing is parsed before its size and hash are as written, nothing believed unchecked."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from headstart.artefact.config import columns_from, files_of, labels, preprocess_from
from headstart.artefact.files import numbered, read_files
from headstart.artefact.model import Member, Model
from headstart.artefact.schema import FILES, MOST_BESIDE
from headstart.artefact.strict_json import parse
from headstart.artefact.tensors import StoredTensors, arrays_under, as_tensors, check_head, stored_tensors, under
from headstart.backbones.backbone import Backbone
from headstart.backbones.layer_name import parted
from headstart.errors import ArtefactError
from headstart.heads.arrays import UTILITY
from headstart.heads.facts import facts_from
from headstart.heads.head import Head
from headstart.preprocessing.encoders import encoder_from, kind_of
from headstart.preprocessing.preprocess import PREPROCESSES
from headstart.tasks.goal import Goal
from headstart.tasks.kind import kind_named
from headstart.tasks.modality import modality_named
from headstart.uncertainty.stored import Uncertainty

__all__ = ["Stored", "backbone_of", "model_of", "read", "verify"]


class Stored(NamedTuple):
    """What a folder holds: its config, its tensors, and the bytes of its other files."""

    config: dict[str, Any]
    tensors: StoredTensors
    files: dict[str, bytes]


def read(folder: str | os.PathLike[str], *, backbone: bool = True) -> Model:
    """The model in `folder`, checked; `ArtefactError` where it is missing, damaged, foreign or of a newer format.

    With `backbone=False` the backbone is not built and the model's `backbone` is None: enough to use the head on
    features at hand, and fast.
    """
    return _checked(Path(folder), build=backbone)[1]


def verify(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """Check everything in `folder` that can be checked without building the backbone; returns its config (JSON).

    Raises `ArtefactError` as `read` does.
    """
    return _checked(Path(folder), build=False)[0]


def _checked(folder: Path, *, build: bool) -> tuple[dict[str, Any], Model]:
    stored = _stored(folder)
    try:
        return stored.config, model_of(stored, build=build)
    except ArtefactError as error:
        raise ArtefactError(f"{folder}: {error}") from error


def _stored(folder: Path) -> Stored:
    config, files = read_files(folder)
    if "model.safetensors" not in files:
        raise ArtefactError(f"{folder / 'config.json'} lists no model.safetensors: it is not what headstart wrote")
    tensors = stored_tensors(files.pop("model.safetensors"), str(folder / "model.safetensors"))
    return Stored(config, tensors, files)


def model_of(stored: Stored, *, build: bool) -> Model:
    config, tensors, files = stored
    _check_names(config, tensors)
    classes = tuple(labels(config["classes"]))
    described = config["backbone"]
    _check_modality(config)
    head, encoder = _head(stored, len(classes)), _encoder(stored)
    _check_encoder(encoder, head)
    _check_goal(config["options"])
    model = Model(
        modality=config["modality"],
        kind=kind_named(config["kind"]),
        classes=classes,
        columns=columns_from(config["columns"]),
        backbone=backbone_of(stored) if build and described is not None else None,
        encoder=encoder,
        head=head,
        method=config["method"],
        options=config["options"],
        engine=config["engine"],
        evidence=parse(files["evidence.json"], "evidence.json") if "evidence.json" in files else None,
        notes=tuple(config["notes"]),
        uncertainty=_uncertainty(stored, len(classes)),
    )
    return replace(model, beside=_beside(stored, model, build=build)) if config.get("beside") else model


def _beside(stored: Stored, model: Model, *, build: bool) -> tuple[Member, ...]:
    """The models that are averaged with this one, each as a folder of its own would hold it."""
    entries = stored.config.get("beside", [])
    if len(entries) > MOST_BESIDE or sum(entry["weight"] for entry in entries) >= 1:
        raise ArtefactError("config.json: models that are averaged weigh too much: it is not what headstart wrote")
    members: list[Member] = []
    built = [model.backbone]
    for number, entry in enumerate(entries, 1):
        config, place = entry["config"], entry["backbone"]
        alike = all(config[key] == stored.config[key] for key in ("modality", "kind", "classes"))
        if config.get("beside") or not alike or not (place is None or 0 <= place <= number):
            raise ArtefactError(f"config.json: model {number} is none to average: it is not what headstart wrote")
        files = {own: stored.files[file] for own in FILES if (file := numbered(own, number)) in stored.files}
        part = model_of(
            Stored(config, under(f"beside.{number}", stored.tensors), files), build=build and place == number
        )
        built.append(part.backbone)
        if place is not None and place < number:
            part = replace(part, backbone=built[place])
        members.append(Member(entry["weight"], part))
    return tuple(members)


def _check_names(config: dict[str, Any], tensors: StoredTensors) -> None:
    stored = config["backbone"] is not None and config["backbone"]["stored"]
    rooms = (
        {"head", "uncertainty"}
        | ({"beside"} if config.get("beside") else set())
        | ({"backbone"} if stored else set())
        | ({"encoder"} if config["encoder"] else set())
    )
    for name in tensors:
        if name.partition(".")[0] not in rooms:
            raise ArtefactError(
                f"model.safetensors holds {name!r}, expected only {' and '.join(sorted(rooms))} tensors"
            )


def _check_goal(options: dict[str, Any]) -> None:
    try:
        Goal.from_json(options.get("goal"))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ArtefactError(f"config.json: options.goal is {options['goal']!r:.60}, expected a goal") from error


def _check_modality(config: dict[str, Any]) -> None:
    modality, backbone = config["modality"], config["backbone"]
    encoder = {} if config["encoder"] is None else config["encoder"]["config"]
    if backbone is None and "kind" in encoder:
        if (takes := kind_of(encoder).modality) != modality:
            raise ArtefactError(f"config.json: a model for {modality} inputs has an encoder of {takes} inputs")
        return
    wanted = next((name for name, preprocess in PREPROCESSES.items() if preprocess.modality == modality), None)
    kind = None if backbone is None or backbone["preprocess"] is None else backbone["preprocess"].get("kind")
    columns = kind is None and modality_named(modality).has_columns  # the features are the columns themselves
    if kind != wanted and not columns:
        raise ArtefactError(f"config.json: a model for {modality} inputs has {kind} preprocessing, expected {wanted}")


def _head(stored: Stored, classes: int) -> Head:
    config, tensors, _ = stored
    arrays = arrays_under("head", tensors)
    kind, backbone = kind_named(config["kind"]), config["backbone"]
    width = None if backbone is None or config["encoder"] else backbone["dim"] or None
    if kind.has_classes and not classes:
        raise ArtefactError(f"config.json: a {kind} model has no classes, expected at least one")
    check_head(arrays, features=width, outputs=kind.outputs(classes))
    if UTILITY in arrays and not kind.exclusive:
        raise ArtefactError(f"the head holds a utility, by which no {kind} task is decided; fit again")
    head = config["head"]
    return Head(
        name=head["name"],
        kind=kind,
        arrays=arrays,
        temperature=float(head["temperature"]),
        form=head["form"],
        facts=facts_from(head["config"]),
    )


def _encoder(stored: Stored) -> tuple[dict[str, Any], dict[str, Any]] | None:
    described = stored.config["encoder"]
    if described is None:
        return None
    arrays = arrays_under("encoder", stored.tensors)
    if sorted(arrays) != described["arrays"]:
        raise ArtefactError(f"model.safetensors holds the encoder's {sorted(arrays)}, expected {described['arrays']}")
    return described["config"], arrays


def _uncertainty(stored: Stored, classes: int) -> Uncertainty | None:
    """What it says of its uncertainty; None in a model of an earlier version."""
    try:
        arrays = arrays_under("uncertainty", stored.tensors)
        return Uncertainty.from_arrays(kind_named(stored.config["kind"]), classes, arrays)
    except ValueError as error:
        raise ArtefactError(f"model.safetensors: uncertainty.* cannot be used: {error}; fit again") from error


def _check_encoder(encoder: tuple[dict[str, Any], dict[str, Any]] | None, head: Head) -> None:
    """One that bears no name, that of a table, is checked where it is used."""
    if encoder is not None and "kind" in encoder[0] and (width := encoder_from(*encoder).width) != head.width:
        raise ArtefactError(f"the head stands on {head.width:,} features, and the encoder makes {width:,}")


def backbone_of(stored: Stored, wanted: str = "the one the head was fitted on") -> Backbone:
    """The backbone that a folder holds, or names; `ArtefactError` where it cannot be built, or is not that `wanted`."""
    from headstart.backbones.load import load
    from headstart.backbones.windowed import windowed

    described = stored.config["backbone"]
    name = described["name"]
    try:
        built = _rebuilt(stored) if described["stored"] else windowed(load(name), _window(described["preprocess"]))
    except ArtefactError:
        raise
    except Exception as error:  # the architecture is other libraries' code, which raises what it likes
        saved = "is stored here, but cannot be rebuilt" if described["stored"] else "is not stored here (slim)"
        hint = "" if described["stored"] else _where_it_was(name)
        raise ArtefactError(f"the backbone {name} {saved}: {error}{hint}") from error
    if (built.fingerprint, built.dim) != (described["fingerprint"], described["dim"]):
        raise ArtefactError(
            f"the backbone {name} is not {wanted} (fingerprint {built.fingerprint:.12}..., "
            f"{built.dim} features; expected {described['fingerprint']:.12}..., {described['dim']}): "
            "install the versions that config.json lists under libraries, or fit again"
        )
    return built


def _where_it_was(name: str) -> str:
    """What to do where the folder that a slim model was fitted on is gone."""
    folder = parted(name.partition("?")[0]).base.partition(":")[2]
    if not os.path.isabs(folder) or os.path.isdir(folder):
        return ""
    return f" Put it there again (the place is written in config.json), or fit again without --slim. Looked in {folder}"


def _window(preprocess: dict[str, Any] | None) -> tuple[float, float] | None:
    if preprocess is None or files_of(preprocess):
        return None
    read = preprocess_from(preprocess, {})
    return None if read is None else read.window


def _rebuilt(stored: Stored) -> Backbone:
    from headstart.backbones.load import rebuild

    described = stored.config["backbone"]
    preprocess = preprocess_from(described["preprocess"], stored.files)
    tensors = as_tensors(under("backbone", stored.tensors))
    return rebuild(described["spec"], tensors, preprocess, described["name"], licence=described["licence"])
