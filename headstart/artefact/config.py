"""A model as the JSON of config.json, and the parts of a model from that JSON."""

from __future__ import annotations

import os
import platform
from typing import Any

from headstart.artefact.files import seal
from headstart.artefact.model import Label, Model
from headstart.artefact.schema import FORMAT, VERSION
from headstart.artefact.strict_json import plain, without_gaps
from headstart.backbones.backbone import Backbone
from headstart.backbones.layer_name import parted
from headstart.data.installed import installed_version
from headstart.errors import ArtefactError, BackboneError
from headstart.heads.facts import facts_record
from headstart.preprocessing import numbers, table_preprocess  # noqa: F401 - registers them
from headstart.preprocessing.preprocess import PREPROCESSES
from headstart.preprocessing.spec import Preprocess, preprocess_from_json, preprocess_to_json
from headstart.tasks.task import Columns

__all__ = ["backbone_record", "columns_from", "config_of", "labels", "made_by", "places", "preprocess_from"]

LIBRARIES = ("torch", "torchvision", "timm", "transformers", "tokenizers", "numpy", "scipy", "scikit-learn", "openvino")


def config_of(model: Model, *, slim: bool) -> dict[str, Any]:
    """Everything in config.json but the checksum and the list of files. Refuses what JSON cannot hold."""
    head = model.head
    config = {
        "format": FORMAT,
        "version": VERSION,
        **made_by(),
        "modality": model.modality,
        "kind": model.kind,
        "method": model.method,
        "options": plain(model.options, "options"),
        "classes": labels(model.classes),
        "columns": None if model.columns is None else plain(model.columns._asdict(), "columns"),
        "engine": plain(model.engine, "engine"),
        "notes": plain(model.notes, "notes"),
        "backbone": None if model.backbone is None else backbone_record(model.backbone, stored=not slim),
        "encoder": None if model.encoder is None else _encoder(*model.encoder),
        "head": {
            "name": head.name,
            "temperature": float(head.temperature),
            "form": head.form,
            "config": plain(without_gaps(facts_record(head.facts)), "head.config"),
        },
    }
    if model.beside:
        config["beside"] = _beside(model, slim=slim)
    return config


def _beside(model: Model, *, slim: bool) -> list[dict[str, Any]]:
    """What config.json holds of the models that are averaged with this one."""
    return [
        {
            "weight": float(member.weight),
            "backbone": place,
            "config": seal(config_of(member.model, slim=slim) | {"files": {}}),
        }
        for member, place in zip(model.beside, places(model), strict=True)
    ]


def places(model: Model) -> list[int | None]:
    """Of each model beside, where the backbone is stored that it stands on: 0 with the model itself, else the number,
    from 1 on, of the first beside it that has the same; None where it has none."""
    names = [None if each is None else each.fingerprint for each in (member.model.backbone for member in model.members)]
    return [None if name is None else names.index(name) for name in names[1:]]


def labels(classes: tuple[Any, ...]) -> list[Label]:
    """The class labels as JSON, numpy scalars made Python's. Each must be distinct text, number or truth value."""
    plain_labels = plain(classes, "classes")
    for label in plain_labels:
        if not isinstance(label, str | int | float | bool):
            raise ArtefactError(
                f"the class {label!r} is a {type(label).__name__}, expected text, a number or true/false"
            )
    if len({(type(label), label) for label in plain_labels}) != len(plain_labels):
        raise ArtefactError(f"a class stands twice in {plain_labels!r:.200}: each label is one class")
    return list(plain_labels)


def columns_from(config: dict[str, Any] | None) -> Columns | None:
    if config is None:
        return None
    types = tuple((name, kind) for name, kind in config.get("types", ()))
    plain_lists = {name: tuple(config.get(name, ())) for name in ("input", "classes")}
    return Columns(**(config | plain_lists | {"types": types}))


def preprocess_from(config: dict[str, Any] | None, files: dict[str, bytes]) -> Preprocess | None:
    """The preprocessing in config["backbone"]["preprocess"], with the tokenizer from its file."""
    try:
        if config is not None:
            config = config | {field: _content(config, name, files) for field, name in files_of(config).items()}
        return preprocess_from_json(config)
    except BackboneError as error:
        raise ArtefactError(f"config.json: {error}") from error


def files_of(config: dict[str, Any]) -> dict[str, str]:
    """By field of a stored preprocessing, the file that holds it; {} where its kind is not known."""
    kind = config.get("kind")
    return PREPROCESSES[kind].files if isinstance(kind, str) and kind in PREPROCESSES else {}


def _content(config: dict[str, Any], name: str, files: dict[str, bytes]) -> str:
    if name not in files:
        raise ArtefactError(f"config.json lists no {name}, which a {config['kind']} backbone needs")
    try:
        return files[name].decode("utf-8")
    except UnicodeDecodeError as error:
        raise ArtefactError(f"{name} is not UTF-8 text ({error})") from error


def made_by() -> dict[str, Any]:
    """The version of headstart, and by name those of Python and of the libraries that a model depends on."""
    libraries = {name: version for name in LIBRARIES if (version := installed_version(name))}
    python = {"python": platform.python_version()}
    return {"headstart": installed_version("headstart"), "libraries": python | libraries}


def backbone_record(backbone: Backbone, *, stored: bool) -> dict[str, Any]:
    """What config.json holds of a backbone."""
    return {
        "name": backbone.name if stored else _from_anywhere(backbone.name),
        "fingerprint": backbone.fingerprint,
        "dim": backbone.dim,
        "spec": plain(backbone.spec, "backbone.spec"),
        "preprocess": _preprocess(backbone.preprocess),
        "stages": [{"name": name, "prefixes": list(prefixes)} for name, prefixes in backbone.stages],
        "licence": backbone.licence,
        "stored": stored,
    }


def _from_anywhere(name: str) -> str:
    """A backbone's name by which it is found from every working directory: a folder's path becomes absolute."""
    path, mark, query = name.partition("?")
    plain = parted(path).base
    hub, colon, rest = plain.partition(":")
    folder = rest if colon else plain
    if not os.path.isdir(folder):
        return name
    layer = path.removeprefix(plain)
    return f"{hub if colon else 'file'}:{os.path.abspath(folder)}{layer}{mark}{query}"


def _preprocess(preprocess: Preprocess | None) -> dict[str, Any] | None:
    """As JSON, without what has a file of its own, such as a tokenizer."""
    fields = preprocess_to_json(preprocess)
    files = {} if preprocess is None else preprocess.files
    return None if fields is None else {name: value for name, value in fields.items() if name not in files}


def _encoder(config: dict[str, Any], arrays: dict[str, Any]) -> dict[str, Any]:
    return {"config": plain(config, "encoder"), "arrays": sorted(arrays)}
