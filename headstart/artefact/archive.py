"""A backbone as one file, to carry from a machine with a network to one without: a plain tar of its folder.

Read back, each member is a file of a name that headstart writes; nothing else in an archive is looked at, no link is
followed and no path leads anywhere; sizes and hashes are those of its config.json.
"""

from __future__ import annotations

import io
import os
import secrets
import shutil
import tarfile
import tempfile
from pathlib import Path

from headstart.artefact.backbone_folder import Pretraining, read_backbone, write_backbone
from headstart.artefact.place import OURS, disk_errors
from headstart.backbones.backbone import Backbone
from headstart.errors import ArtefactError

__all__ = ["pack_backbone", "unpack_backbone"]

_PACKED = "pack"
_LARGEST = 1 << 38
"""Bytes of a member, at most."""


def pack_backbone(backbone: Backbone, file: str | os.PathLike[str]) -> Path:
    """Write a backbone to `file` and return its absolute path, once it was read back and found equal, bit for bit.

    Raises `ArtefactError` where there is such a file already, the backbone has no weights, or the disk is full.
    """
    target = Path(os.path.abspath(file))
    if target.exists():
        raise ArtefactError(f"{target} exists already: give a file of another name")
    page = (
        f"{backbone.name}, packed as it is: {backbone.dim} features of {backbone.modality}, {backbone.licence or '?'}"
    )
    made = Pretraining(_PACKED, {}, None, page, {"name": backbone.name, "licence": backbone.licence})
    with disk_errors(target), tempfile.TemporaryDirectory(dir=target.parent) as place:
        folder = write_backbone(backbone, made, Path(place) / "backbone")
        stage = Path(place) / "archive"
        with tarfile.open(stage, "w") as archive:
            for path in sorted(folder.iterdir()):
                archive.add(path, arcname=path.name, recursive=False, filter=_without_owner)
        os.replace(stage, target)
    return target


def unpack_backbone(file: str | os.PathLike[str], folder: str | os.PathLike[str]) -> Path:
    """Unpack a file of `pack_backbone` to `folder`, which must not be there yet; its absolute path, once checked.

    Raises `ArtefactError` for a file that is no such archive, half of one, holds another member, or does not fit its
    own hashes.
    """
    target = Path(os.path.abspath(folder))
    if target.exists():
        raise ArtefactError(f"{target} exists already: give a folder of another name")
    stage = target.with_name(f".{target.name}.{secrets.token_hex(4)}.headstart-partial")
    try:
        with disk_errors(target):
            stage.mkdir(parents=True)
            _extract(Path(file), stage)
            read_backbone(stage)
            os.replace(stage, target)
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    return target


def _extract(file: Path, folder: Path) -> None:
    if not file.is_file():
        raise ArtefactError(f"no file {file}: expected what `headstart backbones pack` wrote")
    try:
        with tarfile.open(file, "r:") as archive:
            for member in archive:
                if member.name not in OURS or not member.isreg() or (folder / member.name).exists():
                    raise ArtefactError(f"{file} holds {member.name!r}: not what headstart packed; nothing is unpacked")
                if member.size > _LARGEST:
                    raise ArtefactError(f"{file}: {member.name} has {member.size} bytes: not what headstart packed")
                source = archive.extractfile(member) or io.BytesIO()
                with (folder / member.name).open("xb") as copy:
                    shutil.copyfileobj(source, copy, 1 << 20)
    except (tarfile.TarError, EOFError) as error:
        raise ArtefactError(f"{file} is no archive that headstart packed, or half of one ({error})") from error


def _without_owner(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Nothing of who packed it, where and when."""
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    member.mode = 0o644
    return member
