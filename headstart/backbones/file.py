"""A folder on this machine: timm's hub format, transformers' format, or a model that headstart saved."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor

from headstart.backbones import assemble, timm, transformers
from headstart.backbones.classifier import named
from headstart.backbones.encoders import Topped
from headstart.backbones.fingerprint import fingerprint
from headstart.backbones.parts import Labelled, Parts, Whole
from headstart.backbones.sentence import transformer_folder
from headstart.backbones.weights import SAFE, files_hash, parse_weights
from headstart.errors import BackboneError, MissingWeights
from headstart.heads.arrays import foreign_arrays, head_arrays
from headstart.heads.module import FORMS, HeadModule
from headstart.preprocessing.config_file import read_config
from headstart.preprocessing.preprocess import PREPROCESSES, preprocess_from_json
from headstart.tasks import CLASSIFICATION
from headstart.tasks.modality import MODALITIES

__all__ = ["PREFIX", "from_folder"]

PREFIX = "backbone."
HEAD = "head."


def from_folder(folder: Path, name: str) -> Parts:
    """The parts in a folder, told by its config.json. `BackboneError` where it is none of the three formats."""
    if not folder.is_dir():
        raise BackboneError(f"{name}: {folder} is not a folder; expected one with config.json and weights in it.")
    if transformer_folder(folder) != folder:
        return transformers.from_folder(folder, name)
    config = read_config(folder)
    if isinstance(config.get("backbone"), dict):
        tensors = _tensors(folder)
        _check_head(folder, config, _under(HEAD, tensors))
        saved = _saved(folder, config["backbone"], _under(PREFIX, tensors))
        labels, content = partial(_labels, config), partial(files_hash, folder)
        return saved._replace(classifier=Whole(labels, content, partial(_classifier, folder, config)))
    modality = MODALITIES.get(str(config.get("modality")))
    if modality is not None and modality.has_columns:
        raise BackboneError(
            f"{name}: {folder} is a model of a {modality}, which has no backbone: its features are the "
            "columns themselves. Leave --backbone out, or give a model of pictures or texts."
        )
    if "architecture" in config:
        return timm.from_folder(folder, name)
    if "model_type" in config:
        return transformers.from_folder(folder, name)
    raise BackboneError(
        f"{folder / 'config.json'}: keys {', '.join(sorted(config)[:5]) or 'none'}; expected 'architecture' (timm), "
        "'model_type' (transformers) or 'backbone' (a model that headstart saved)."
    )


def _saved(folder: Path, stored: dict[str, Any], tensors: dict[str, Tensor]) -> Parts:
    """The backbone of a fitted model: config.json's "backbone", tokenizer.json, its own tensors."""
    missing = {"name", "spec", "preprocess", "fingerprint"} - stored.keys()
    if missing:
        raise BackboneError(
            f"{folder / 'config.json'}: the backbone lacks {', '.join(sorted(missing))}; save it again."
        )
    name = str(stored["name"])
    preprocess = preprocess_from_json(_with_files(folder, stored["preprocess"]))
    if not tensors or preprocess is None:
        raise MissingWeights(f"{folder}: this model was saved without its backbone's weights; load {name} by its name.")
    module = assemble.filled(stored["spec"], tensors, str(folder))
    if fingerprint(module, preprocess, stored["spec"]) != stored["fingerprint"]:
        raise BackboneError(f"{folder}: the backbone's fingerprint is not the stored one: damaged; save it again.")
    return Parts(name, stored["spec"], module, preprocess, str(stored.get("licence", "")))


def _classifier(folder: Path, config: dict[str, Any]) -> Labelled | None:
    """The fitted model as a whole, where it has labels."""
    labels, head = _labels(config), config.get("head")
    if labels is None or not isinstance(head, dict):
        return None
    tensors = _tensors(folder)
    parts = _saved(folder, config["backbone"], _under(PREFIX, tensors))
    try:
        last = HeadModule.stored(_under(HEAD, tensors), head["form"], float(head["temperature"]))
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        raise BackboneError(f"{folder}: the head of this model cannot be read ({error!r}); save it again.") from error
    engine = config.get("engine")
    return Labelled(Topped(parts.module, last), labels, last.logits, engine if isinstance(engine, dict) else None)


def _labels(config: dict[str, Any]) -> tuple[str, ...] | None:
    """The classes of a fitted model that tells classes apart that have names."""
    head, classes = config.get("head"), config.get("classes")
    if config.get("kind") != CLASSIFICATION or not isinstance(head, dict) or head.get("form") not in FORMS:
        return None
    return named(classes, len(classes)) if isinstance(classes, list) else None


def _check_head(folder: Path, config: dict[str, Any], head: dict[str, Tensor]) -> None:
    """Refuse, before any work, a head that holds what no head here can use: its answers would be other ones."""
    if isinstance(config.get("head"), dict) and (foreign := foreign_arrays(head)):
        raise BackboneError(
            f"{folder}: its head holds {', '.join(foreign)}, expected only {', '.join(head_arrays(head))}: use the "
            "version of headstart that saved it, or fit it again."
        )


def _tensors(folder: Path) -> dict[str, Tensor]:
    """The folder's model.safetensors; {} where there is no such file."""
    return parse_weights((folder / SAFE).read_bytes(), str(folder / SAFE)) if (folder / SAFE).is_file() else {}


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Those under a prefix, without it."""
    return {key.removeprefix(prefix): tensor for key, tensor in tensors.items() if key.startswith(prefix)}


def _with_files(folder: Path, preprocess: Any) -> Any:
    """A fitted model keeps its tokenizer, or what else is long, in a file of its own."""
    cls = PREPROCESSES.get(str(preprocess.get("kind"))) if isinstance(preprocess, dict) else None
    paths = {field: folder / name for field, name in ({} if cls is None else cls.files).items()}
    return (
        preprocess
        if not paths
        else {
            **preprocess,
            **{field: path.read_bytes().decode("utf-8", "replace") for field, path in paths.items() if path.is_file()},
        }
    )
