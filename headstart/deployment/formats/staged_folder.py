"""The folder that an export is written to: beside its place, checked there, and moved into place whole."""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from headstart.artefact.place import A_DAY, NO_ROOM, put_in_place

__all__ = ["ENDING", "MARK", "files_in", "new_folder"]

MARK = "headstart_export.json"
"""The file in an exported folder that lists its files: what --overwrite may replace."""

ENDING = ".headstart-export"
"""Of the hidden folders that exports are made in; those of exports that were killed are removed after a day."""

_PROBE = 1 << 16
_CONFIG, _MODEL, _HEAD = "config.json", b'"headstart-model"', 1 << 16


@contextmanager
def new_folder(place: Path, format: str, *, overwrite: bool) -> Iterator[Path]:
    """An empty folder to fill, which is at `place` when the block ends, and nowhere where it raises.

    Raises ValueError where the place is taken, by anything but an export of ours with `overwrite`, and where the disk
    does not let a folder be made there; OSError where the disk is full, whatever the library that writes says then.
    """
    target = _free(place, overwrite=overwrite)
    missing = [folder for folder in target.parents if not folder.exists()]
    stage = target.parent / f".{target.name[:40]}.{secrets.token_hex(8)}{ENDING}"
    try:
        stage.mkdir(parents=True)
    except OSError as error:
        raise ValueError(
            f"{place} cannot be written ({error.strerror}): name a folder that may be written to"
        ) from error
    try:
        yield stage
        names = [str(file.relative_to(stage)) for file in files_in(stage)]
        (stage / MARK).write_text(json.dumps({"format": format, "files": names}, indent=2) + "\n", "utf-8")
        for file in files_in(stage):
            _sync(file)
        _free(place, overwrite=overwrite)
        put_in_place(stage, target)
        _sweep(target.parent)
    except Exception as error:
        if not _is_full(error, stage):
            raise
        why = "cannot be written (there is no room for it on the disk); nothing was changed"
        raise OSError(errno.ENOSPC, why, str(place)) from error
    finally:
        if stage.exists():
            shutil.rmtree(stage)
        for folder in missing:
            if folder.exists() and not any(folder.iterdir()):
                folder.rmdir()


def _is_full(error: Exception, stage: Path) -> bool:
    """Whether the disk is: each library says so in words of its own, or not at all, so that it is asked too."""
    if any(os.strerror(code) in str(error) for code in NO_ROOM):
        return True
    probe = stage / f"{secrets.token_hex(8)}.tmp"
    try:
        probe.write_bytes(bytes(_PROBE))
        probe.unlink()
    except OSError as refusal:
        return refusal.errno in NO_ROOM
    return False


def _sweep(parent: Path) -> None:
    """Remove what exports that were killed more than a day ago left in a folder."""
    for left in parent.glob(f".*{ENDING}"):
        if left.is_dir() and not left.is_symlink() and time.time() - os.path.getmtime(left) > A_DAY:
            try:
                shutil.rmtree(left)
            except OSError as error:
                warnings.warn(f"{left} could not be removed ({error}): remove it by hand", stacklevel=2)


def files_in(folder: Path) -> list[Path]:
    """All files below a folder, in order of their names."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _free(place: Path, *, overwrite: bool) -> Path:
    """The absolute path of what may be written, or replaced; else ValueError."""
    target = Path(os.path.abspath(place))
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise ValueError(f"{place} is a {'link' if target.is_symlink() else 'file'}: name a folder to write")
    if _holds_model(target.parent):
        raise ValueError(f"{place} lies in the folder of a saved model: write to a folder of another name")
    if not target.exists() or not any(target.iterdir()):
        return target
    listed = _listed(target)
    if listed is None:
        raise ValueError(f"{place} is there already and is not what headstart exported: name another folder")
    foreign = sorted(str(file.relative_to(target)) for file in files_in(target) if file.name != MARK)
    if foreign := [name for name in foreign if name not in listed]:
        raise ValueError(f"{place} also holds {foreign[0]!r}, which headstart did not write: move it elsewhere first")
    if not overwrite:
        raise ValueError(f"{place} is there already: name another folder, or ask to overwrite it (--overwrite)")
    return target


def _listed(folder: Path) -> set[str] | None:
    """The files that an export lists as its own; None where the folder is no export."""
    try:
        mark = json.loads((folder / MARK).read_text("utf-8"))
        return {str(name) for name in mark["files"]}
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _holds_model(folder: Path) -> bool:
    try:
        with open(folder / _CONFIG, "rb") as file:
            return _MODEL in file.read(_HEAD)
    except OSError:
        return False


def _sync(file: Path) -> None:
    with open(file, "rb+") as handle:
        os.fsync(handle.fileno())
