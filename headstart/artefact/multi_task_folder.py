"""A model of several targets in one folder: a head a target, and each backbone that they stand on once.

    m/
      config.json          the method, and of each target its name, the place of its backbone, its model's config
      model.safetensors    models.0.head.*, models.0.encoder.*, ..., and backbones.0.* unless it is slim
      tokenizer.json       the tokenizer, where backbones read text
      evidence.json        what held-out data said of all, where there is evidence
      README.md            the card: for people, never read back

Targets that were learnt together stand on one backbone; one that was learnt alone may stand on another.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from headstart.artefact.card import multi_task_card
from headstart.artefact.config import config_of, made_by
from headstart.artefact.files import LARGEST_CONFIG, plain_file, read_files, seal
from headstart.artefact.model import Model
from headstart.artefact.place import check_target
from headstart.artefact.reading import Stored, model_of
from headstart.artefact.schema import MULTI_TASK, VERSION
from headstart.artefact.strict_json import canonical, dump, parse, plain, without_gaps
from headstart.artefact.tensors import (
    StoredTensors,
    backbone_tensors,
    same_bits,
    stored_tensors,
    tensors_of,
    to_bytes,
    under,
)
from headstart.artefact.writing import listing, write_files
from headstart.backbones.backbone import Backbone
from headstart.errors import ArtefactError

if TYPE_CHECKING:
    from headstart.artefact.tensors import Tensors

__all__ = ["MultiTaskModels", "holds_multi_task", "read_multi_task", "read_multi_task_evidence", "write_multi_task"]


class MultiTaskModels(NamedTuple):
    """models    a fitted model a target, by its name; those on one backbone share the object
    method    by which they were learnt together
    page      what is known of them, as text for a terminal of 80 columns; "" where nothing was held out
    evidence  the same as JSON, or None
    """

    models: dict[str, Model]
    method: str
    page: str = ""
    evidence: dict[str, Any] | None = None

    @property
    def backbones(self) -> list[Backbone]:
        """Each once."""
        return list({m.backbone.fingerprint: m.backbone for m in self.models.values() if m.backbone}.values())

    def place(self, model: Model) -> int | None:
        """That of a model's backbone among them."""
        fingerprints = [backbone.fingerprint for backbone in self.backbones]
        return None if model.backbone is None else fingerprints.index(model.backbone.fingerprint)


def write_multi_task(
    stored: MultiTaskModels,
    folder: str | os.PathLike[str],
    *,
    slim: bool = False,
    overwrite: bool = False,
    check: Callable[[MultiTaskModels], None] | None = None,
) -> Path:
    """Save a model of several targets and return its absolute path, once it was read back and found equal.

    Options and errors as of `write`.
    """
    target = check_target(folder, overwrite=overwrite)
    files = _contents(stored, target.name, slim=slim)
    return write_files(files, target, partial(_compare, stored, slim=slim, check=check), overwrite=overwrite)


def read_multi_task(folder: str | os.PathLike[str], *, backbone: bool = True) -> MultiTaskModels:
    """The model in `folder`, checked; `ArtefactError` as `read`, which `backbone` is as of too."""
    place = Path(folder)
    config, files = read_files(place, MULTI_TASK)
    if "model.safetensors" not in files:
        raise ArtefactError(f"{place / 'config.json'} lists no model.safetensors: it is not what headstart wrote")
    tensors = stored_tensors(files.pop("model.safetensors"), str(place / "model.safetensors"))
    evidence, page = _evidence_in(files)
    built: dict[int, Backbone | None] = {}
    models = {}
    try:
        _check_names(config, tensors)
        for number, entry in enumerate(config["models"]):
            at = entry["backbone"]
            model = model_of(_stored(number, entry, tensors, files), build=backbone and at not in built)
            if at is not None:
                built.setdefault(at, model.backbone)
                model = replace(model, backbone=built[at])
            models[entry["target"]] = model
    except ArtefactError as error:
        raise ArtefactError(f"{place}: {error}") from error
    return MultiTaskModels(models, config["method"], page, evidence)


def read_multi_task_evidence(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """What held-out data said, as JSON, without building a backbone; `ArtefactError` where nothing was held out."""
    record = read_multi_task(folder, backbone=False).evidence
    if record is None:
        raise ArtefactError(f"{folder} holds a model without evidence: fit it with `headstart fit`, which tests it")
    return record


def holds_multi_task(folder: str | os.PathLike[str]) -> bool:
    """Whether the folder's config.json says that it holds a model of several targets."""
    try:
        config = parse(plain_file(Path(folder), "config.json", limit=LARGEST_CONFIG), "config.json")
    except ArtefactError:
        return False
    return config.get("format") == MULTI_TASK


def _contents(stored: MultiTaskModels, name: str, *, slim: bool) -> dict[str, bytes]:
    """The bytes of every file of the folder, by name."""
    config = _config(stored, slim=slim)
    files = {"model.safetensors": to_bytes(_tensors(stored, slim=slim))}
    for backbone in [] if slim else stored.backbones:
        preprocess = backbone.preprocess
        for field, file in {} if preprocess is None else preprocess.files.items():
            files[file] = getattr(preprocess, field).encode("utf-8")
    if stored.evidence is not None:
        files["evidence.json"] = dump(_evidence(stored))
    files["config.json"] = dump(seal(config | {"files": listing(files)}))
    card = multi_task_card(stored.models, stored.method, stored.page, name, config)
    files["README.md"] = card.encode("utf-8", errors="backslashreplace")
    return files


def _config(stored: MultiTaskModels, *, slim: bool) -> dict[str, Any]:
    models = [
        {
            "target": target,
            "backbone": stored.place(model),
            "config": seal(config_of(replace(model, evidence=None), slim=slim) | {"files": {}}),
        }
        for target, model in stored.models.items()
    ]
    return {"format": MULTI_TASK, "version": VERSION, **made_by(), "method": stored.method, "models": models}


def _tensors(stored: MultiTaskModels, *, slim: bool) -> Tensors:
    tensors: Tensors = {}
    for number, backbone in enumerate([] if slim else stored.backbones):
        items = backbone_tensors(backbone).items()
        tensors |= {f"backbones.{number}.{name.removeprefix('backbone.')}": tensor for name, tensor in items}
    for number, model in enumerate(stored.models.values()):
        items = tensors_of(model, slim=True).items()
        tensors |= {f"models.{number}.{name}": tensor for name, tensor in items}
    return tensors


def _stored(number: int, entry: Mapping[str, Any], tensors: StoredTensors, files: dict[str, bytes]) -> Stored:
    """One model as a folder of its own would hold it."""
    model_tensors = under(f"models.{number}", tensors)
    if entry["backbone"] is not None:
        below = under(f"backbones.{entry['backbone']}", tensors)
        model_tensors |= {f"backbone.{name}": tensor for name, tensor in below.items()}
    return Stored(
        dict(entry["config"]), model_tensors, {name: data for name, data in files.items() if name != "evidence.json"}
    )


def _check_names(config: dict[str, Any], tensors: StoredTensors) -> None:
    targets = [entry["target"] for entry in config["models"]]
    if not targets or len(set(targets)) < len(targets):
        raise ArtefactError(f"config.json: models of {targets!r:.60}, expected one or more, each of its own target")
    places = {entry["backbone"] for entry in config["models"]} - {None}
    rooms = {f"models.{number}" for number in range(len(targets))} | {f"backbones.{place}" for place in places}
    for name in tensors:
        if ".".join(name.split(".")[:2]) not in rooms:
            raise ArtefactError(f"model.safetensors holds {name!r}, expected tensors of {', '.join(sorted(rooms))}")


def _evidence(stored: MultiTaskModels) -> dict[str, Any]:
    return dict(plain(without_gaps({"page": stored.page, "facts": stored.evidence}), "evidence"))


def _evidence_in(files: dict[str, bytes]) -> tuple[dict[str, Any] | None, str]:
    if "evidence.json" not in files:
        return None, ""
    record = parse(files["evidence.json"], "evidence.json")
    if not isinstance(record.get("page"), str) or not isinstance(record.get("facts"), dict):
        raise ArtefactError("evidence.json lacks page or facts: it is not what headstart wrote")
    return record["facts"], record["page"]


def _compare(
    stored: MultiTaskModels, stage: Path, *, slim: bool, check: Callable[[MultiTaskModels], None] | None
) -> None:
    again = read_multi_task(stage)
    if name := same_bits(_tensors(stored, slim=slim), _tensors(again, slim=slim)):
        raise ArtefactError(f"the model was not saved: read back, its tensor {name} differs from that in memory")
    for what, facts in (("config", partial(_config, slim=slim)), ("evidence", _evidence)):
        if canonical(facts(stored)) != canonical(facts(again)):
            raise ArtefactError(f"the model was not saved: read back, its {what} differs from that in memory")
    if check is not None:
        check(again)
