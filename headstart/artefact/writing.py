"""Writing a model folder: beside its place, synced, read back and compared, and only then moved into place whole."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from blake3 import blake3

from headstart.artefact.card import card
from headstart.artefact.config import config_of, places
from headstart.artefact.files import numbered, seal
from headstart.artefact.model import Model
from headstart.artefact.place import (
    check_target,
    discard,
    disk_errors,
    put_in_place,
    sibling,
    sweep,
    sync_folder,
    write_file,
)
from headstart.artefact.reading import read
from headstart.artefact.strict_json import canonical, dump, plain, without_gaps
from headstart.artefact.tensors import same_bits, tensors_of, to_bytes
from headstart.errors import ArtefactError

__all__ = ["contents", "listing", "write", "write_files"]


def write(
    model: Model,
    folder: str | os.PathLike[str],
    *,
    slim: bool = False,
    overwrite: bool = False,
    check: Callable[[Model], None] | None = None,
) -> Path:
    """Save `model` to `folder` and return its absolute path, once it was read back and found equal, bit for bit.

    slim       leave the backbone's weights out; reading loads the backbone by its name and compares fingerprints
    overwrite  replace the model that is there (never anything else) in one step
    check      called with the model read back, before it is put in place; it compares predictions and raises

    Raises `ArtefactError` where the place is taken, the disk refuses, the model cannot be stored, or what was read
    back differs. Whatever happens, Ctrl-C included, a model that was there stays until the new one is whole.
    """
    target = check_target(folder, overwrite=overwrite)
    files = contents(model, target.name, slim=slim)
    return write_files(files, target, partial(compare, model, slim=slim, check=check), overwrite=overwrite)


def write_files(files: dict[str, bytes], target: Path, check: Callable[[Path], None], *, overwrite: bool) -> Path:
    """Write these files beside the folder `target`, let `check` read them there, and move them into place whole."""
    stage = sibling(target)
    try:
        with disk_errors(target):
            _fill(stage, files)
        files.clear()
        check(stage)
        check_target(target, overwrite=overwrite)
        with disk_errors(target):
            put_in_place(stage, target)
    finally:
        discard(stage)
    return target


def contents(model: Model, name: str, *, slim: bool) -> dict[str, bytes]:
    """The bytes of every file of the folder, by name."""
    config = config_of(model, slim=slim)
    files = {"model.safetensors": to_bytes(tensors_of(model, slim=slim))}
    for number, (member, place) in enumerate(zip(model.members, (0, *places(model)), strict=True)):
        backbone = member.model.backbone
        preprocess = None if backbone is None or slim or place != number else backbone.preprocess
        for field, file in {} if preprocess is None else preprocess.files.items():
            files[numbered(file, number)] = getattr(preprocess, field).encode("utf-8")
    if model.evidence is not None:
        files["evidence.json"] = dump(_evidence(model.evidence))
    files["config.json"] = dump(seal(config | {"files": listing(files)}))
    files["README.md"] = card(model, name, config).encode("utf-8", errors="backslashreplace")
    return files


def listing(files: dict[str, bytes]) -> dict[str, dict[str, Any]]:
    """By name, size and hash of each file, as config.json lists them."""
    return {name: {"size": len(data), "blake3": blake3(data).hexdigest()} for name, data in files.items()}


def _fill(stage: Path, files: dict[str, bytes]) -> None:
    stage.parent.mkdir(parents=True, exist_ok=True)
    sweep(stage.parent)
    stage.mkdir()
    for name, data in files.items():
        write_file(stage / name, data)
    sync_folder(stage)


def compare(model: Model, stage: Path, *, slim: bool, check: Callable[[Model], None] | None) -> None:
    again = read(stage)
    if name := same_bits(tensors_of(model, slim=slim), tensors_of(again, slim=slim)):
        raise ArtefactError(f"the model was not saved: read back, its tensor {name} differs from that in memory")
    actual = _facts(again, slim=slim)
    for part, expected in _facts(model, slim=slim).items():
        if canonical(expected) != canonical(actual[part]):
            raise ArtefactError(f"the model was not saved: read back, its {part} differs from that in memory")
    if check is not None:
        check(again)


def _facts(model: Model, *, slim: bool) -> dict[str, Any]:
    evidence = None if model.evidence is None else _evidence(model.evidence)
    return config_of(model, slim=slim) | {"evidence": evidence}


def _evidence(evidence: dict[str, Any]) -> dict[str, Any]:
    return dict(plain(without_gaps(evidence), "evidence"))
