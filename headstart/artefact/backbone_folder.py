"""A pretrained backbone in a folder of its own, without a head: what `--backbone file:FOLDER` names.

    mine/
      config.json          the backbone, what made it and with which options; size and BLAKE3 hash of the files below
      model.safetensors    backbone.* tensors
      tokenizer.json       the tokenizer, where it reads text
      evidence.json        what is known of it: `page`, text for a terminal, and `facts`
      README.md            the card: for people, never read back

Written and checked as a model is: whole or not at all, read back and compared before it is put in place.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from headstart.artefact.card import backbone_card
from headstart.artefact.config import backbone_record, made_by
from headstart.artefact.files import LARGEST_CONFIG, plain_file, read_files, seal
from headstart.artefact.place import check_target
from headstart.artefact.reading import Stored, backbone_of
from headstart.artefact.schema import PRETRAINED, VERSION
from headstart.artefact.strict_json import canonical, dump, parse, plain, without_gaps
from headstart.artefact.tensors import backbone_tensors, same_bits, stored_tensors, to_bytes
from headstart.artefact.writing import listing, write_files
from headstart.backbones.backbone import Backbone
from headstart.errors import ArtefactError

__all__ = ["Pretraining", "holds_backbone", "read_backbone", "read_pretraining", "write_backbone"]


class Pretraining(NamedTuple):
    """What made a backbone, and what is known of it.

    method    such as "simclr"      options   of it, JSON
    rule      the method of `fit` that it was made for; None: any
    page      what is known of it, as text for a terminal of 80 columns
    facts     the same as JSON
    """

    method: str
    options: dict[str, Any]
    rule: str | None
    page: str
    facts: dict[str, Any]


def write_backbone(
    backbone: Backbone, made: Pretraining, folder: str | os.PathLike[str], *, overwrite: bool = False
) -> Path:
    """Save a backbone to `folder` and return its absolute path, once it was read back and found equal, bit for bit.

    Raises `ArtefactError` as `write` does.
    """
    target = check_target(folder, overwrite=overwrite)
    files = _contents(backbone, made, target.name)
    return write_files(files, target, partial(_compare, backbone, made), overwrite=overwrite)


def read_backbone(folder: str | os.PathLike[str]) -> tuple[Backbone, Pretraining]:
    """The backbone in `folder`, checked; `ArtefactError` where it is missing, damaged, a model or of a newer format."""
    stored, made = _stored(Path(folder))
    return backbone_of(stored, "the one that was saved"), made


def read_pretraining(folder: str | os.PathLike[str]) -> Pretraining:
    """What is known of the backbone in `folder`, which is checked but not built; `ArtefactError` as `read_backbone`."""
    return _stored(Path(folder))[1]


def holds_backbone(folder: str | os.PathLike[str]) -> bool:
    """Whether the folder's config.json says that it holds a backbone without a head."""
    try:
        config = parse(plain_file(Path(folder), "config.json", limit=LARGEST_CONFIG), "config.json")
    except ArtefactError:
        return False
    return config.get("format") == PRETRAINED


def _contents(backbone: Backbone, made: Pretraining, name: str) -> dict[str, bytes]:
    """The bytes of every file of the folder, by name."""
    if backbone.module is None or backbone.preprocess is None:
        raise ArtefactError(f"{backbone.name} has no weights that could be kept")
    config = {
        "format": PRETRAINED,
        "version": VERSION,
        **made_by(),
        "modality": backbone.modality,
        "method": made.method,
        "options": plain(made.options, "options"),
        "rule": made.rule,
        "backbone": backbone_record(backbone, stored=True),
    }
    files = {"model.safetensors": to_bytes(backbone_tensors(backbone))}
    for field, file in backbone.preprocess.files.items():
        files[file] = getattr(backbone.preprocess, field).encode("utf-8")
    files["evidence.json"] = dump(_evidence(made))
    files["config.json"] = dump(seal(config | {"files": listing(files)}))
    files["README.md"] = backbone_card(backbone, made.page, name, config).encode("utf-8", errors="backslashreplace")
    return files


def _stored(folder: Path) -> tuple[Stored, Pretraining]:
    config, files = read_files(folder, PRETRAINED)
    if not {"model.safetensors", "evidence.json"} <= files.keys():
        raise ArtefactError(f"{folder / 'config.json'} lists too few files: it is not what headstart wrote")
    tensors = stored_tensors(files.pop("model.safetensors"), str(folder / "model.safetensors"))
    evidence = parse(files["evidence.json"], "evidence.json")
    page, facts = evidence.get("page"), evidence.get("facts")
    if not isinstance(page, str) or not isinstance(facts, dict):
        raise ArtefactError(f"{folder / 'evidence.json'} lacks page or facts: it is not what headstart wrote")
    made = Pretraining(config["method"], config["options"], config["rule"], page, facts)
    return Stored(config, tensors, files), made


def _evidence(made: Pretraining) -> dict[str, Any]:
    return dict(plain(without_gaps({"page": made.page, "facts": made.facts}), "evidence"))


def _compare(backbone: Backbone, made: Pretraining, stage: Path) -> None:
    again, made_again = read_backbone(stage)
    if name := same_bits(backbone_tensors(backbone), backbone_tensors(again)):
        raise ArtefactError(f"the backbone was not saved: read back, its tensor {name} differs from that in memory")
    if canonical(_evidence(made)) != canonical(_evidence(made_again)):
        raise ArtefactError("the backbone was not saved: read back, what is known of it differs from that in memory")
