"""The inner rule that a meta-trained backbone was made for: the method that `fit` takes where it is told none."""

from __future__ import annotations

from pathlib import Path

from headstart.artefact.backbone_folder import holds_backbone, read_pretraining

__all__ = ["rule_of"]


def rule_of(backbone: str | None) -> tuple[str, str] | None:
    """(method of `fit`, what made the backbone) that the folder of a backbone names; None where it names none, or the
    name is not that of a folder with a backbone that headstart made."""
    hub, colon, rest = (backbone or "").partition(":")
    path = rest if colon and hub == "file" else backbone or ""
    if not path or not Path(path).is_dir() or not holds_backbone(path):
        return None
    made = read_pretraining(path)
    return None if made.rule is None else (made.rule, made.method)
