"""A model as the JSON of config.json, and the parts of a model from that JSON."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from typing import Any

from headstart.artefact.model import Label, Model
from headstart.artefact.schema import FORMAT, VERSION
from headstart.artefact.strict_json import plain, without_gaps
from headstart.backbones.backbone import Backbone
from headstart.errors import ArtefactError, BackboneError
from headstart.heads.facts import facts_record
from headstart.preprocessing.spec import PicturePreprocess, TextPreprocess, preprocess_from_json, preprocess_to_json
from headstart.tasks.task import Columns

__all__ = ["columns_from", "config_of", "labels", "preprocess_from"]

LIBRARIES = ("torch", "torchvision", "timm", "transformers", "tokenizers", "numpy", "scipy", "scikit-learn", "openvino")


def config_of(model: Model, *, slim: bool) -> dict[str, Any]:
    """Everything in config.json but the checksum and the list of files. Refuses what JSON cannot hold."""
    head = model.head
    return {
        "format": FORMAT,
        "version": VERSION,
        "headstart": importlib.metadata.version("headstart"),
        "libraries": {"python": platform.python_version()} | _installed(),
        "modality": model.modality,
        "kind": model.kind,
        "method": model.method,
        "options": plain(model.options, "options"),
        "classes": labels(model.classes),
        "columns": None if model.columns is None else plain(model.columns._asdict(), "columns"),
        "engine": plain(model.engine, "engine"),
        "notes": plain(model.notes, "notes"),
        "backbone": None if model.backbone is None else _backbone(model.backbone, stored=not slim),
        "encoder": None if model.encoder is None else _encoder(*model.encoder),
        "head": {
            "name": head.name,
            "temperature": float(head.temperature),
            "form": head.form,
            "config": plain(without_gaps(facts_record(head.facts)), "head.config"),
        },
    }


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


def preprocess_from(
    config: dict[str, Any] | None, files: dict[str, bytes]
) -> PicturePreprocess | TextPreprocess | None:
    """The preprocessing in config["backbone"]["preprocess"], with the tokenizer from its file."""
    try:
        if config is not None and config.get("kind") == "text":
            config = config | {"tokenizer_json": files["tokenizer.json"].decode("utf-8")}
        return preprocess_from_json(config)
    except KeyError as error:
        raise ArtefactError("config.json lists no tokenizer.json, which a text backbone needs") from error
    except UnicodeDecodeError as error:
        raise ArtefactError(f"tokenizer.json is not UTF-8 text ({error})") from error
    except BackboneError as error:
        raise ArtefactError(f"config.json: {error}") from error


def _installed() -> dict[str, str]:
    return {name: version for name in LIBRARIES if (version := _version(name))}


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _backbone(backbone: Backbone, *, stored: bool) -> dict[str, Any]:
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
    hub, colon, rest = path.partition(":")
    folder = rest if colon else path
    if not os.path.isdir(folder):
        return name
    return f"{hub if colon else 'file'}:{os.path.abspath(folder)}{mark}{query}"


def _preprocess(preprocess: PicturePreprocess | TextPreprocess | None) -> dict[str, Any] | None:
    """As JSON, without the tokenizer, which has a file of its own."""
    fields = preprocess_to_json(preprocess)
    return None if fields is None else {name: value for name, value in fields.items() if name != "tokenizer_json"}


def _encoder(config: dict[str, Any], arrays: dict[str, Any]) -> dict[str, Any]:
    return {"config": plain(config, "encoder"), "arrays": sorted(arrays)}
