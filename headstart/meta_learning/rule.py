"""What the folder of a backbone says of `fit`: its inner rule, and whether it takes rows of numbers."""

from __future__ import annotations

from pathlib import Path

from headstart.artefact import read_pretraining
from headstart.artefact.backbone_folder import holds_backbone
from headstart.preprocessing.config_file import read_config
from headstart.tasks import MODALITIES, Modality

__all__ = ["modality_of", "rule_of"]


def rule_of(backbone: str | None) -> tuple[str, str] | None:
    """(method of `fit`, what made the backbone) that the folder of a backbone names; None where it names none, or the
    name is not that of a folder with a backbone that headstart made."""
    folder = _folder(backbone)
    made = None if folder is None else read_pretraining(folder)
    return None if made is None or made.rule is None else (made.rule, made.method)


def modality_of(backbone: str | None) -> Modality | None:
    """What such a backbone takes; None where the name is not that of one."""
    folder = _folder(backbone)
    return None if folder is None else MODALITIES.get(str(read_config(folder).get("modality")))


def _folder(backbone: str | None) -> Path | None:
    hub, colon, rest = (backbone or "").partition(":")
    path = rest if colon and hub == "file" else backbone or ""
    return Path(path) if path and Path(path).is_dir() and holds_backbone(path) else None
