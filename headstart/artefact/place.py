"""Where a model goes: a folder that is free or ours to replace, filled beside it and moved into place in one step.

At any moment, crash or not, the place holds the old version whole or the new one whole. What is ever removed are files
of the names that headstart writes; anything else in a folder keeps that folder from being replaced.
"""

from __future__ import annotations

import ctypes
import errno
import os
import secrets
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from headstart.artefact.files import LARGEST_CONFIG, plain_file
from headstart.artefact.schema import FILES, FORMS
from headstart.artefact.strict_json import parse
from headstart.errors import ArtefactError

__all__ = [
    "check_target",
    "discard",
    "disk_errors",
    "put_in_place",
    "sibling",
    "swap_in_two_moves",
    "sweep",
    "sync_folder",
    "write_file",
]

OURS = ("config.json", *FILES, "README.md")
PARTIAL = ".headstart-partial"
EARLIER = ".headstart-earlier"
A_DAY = 86_400.0
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
UNSUPPORTED = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP)
NO_LEAVE = (errno.EROFS, errno.EACCES, errno.EPERM)


def check_target(folder: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """The absolute path of `folder` if a model may be written there, else `ArtefactError`: to ask before a long fit.

    Free are a path where nothing is yet and an empty folder; with `overwrite` also a model that headstart wrote, as
    long as it holds no file of another name.
    """
    target = Path(os.path.abspath(folder))
    with disk_errors(target):
        names = _names(target)
    if not names:
        return target
    if not _is_model(target):
        raise ArtefactError(f"{target} holds {names[0]!r} and is not a headstart model: give a folder of another name")
    if foreign := [name for name in names if name not in OURS]:
        raise ArtefactError(
            f"{target} also holds {foreign[0]!r}, which headstart did not write: move it elsewhere first"
        )
    if not overwrite:
        raise ArtefactError(f"there is a model at {target} already: give another folder, or ask to overwrite it")
    return target


def sibling(target: Path, ending: str = PARTIAL) -> Path:
    """A hidden path beside `target` (same disk, so that a rename is one step) that nobody uses."""
    return target.parent / f".{target.name[:40]}.{secrets.token_hex(8)}{ending}"


def write_file(path: Path, data: bytes) -> None:
    """A new file with these bytes, on the disk before this returns."""
    with open(path, "xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` last through a power cut. Some network disks (and Windows) have no such call."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise
    finally:
        os.close(handle)


def put_in_place(stage: Path, target: Path) -> None:
    """Move `stage` to `target` in one step; where a model was, it is at `stage` afterwards."""
    occupied = target.exists() and any(target.iterdir())
    if not occupied:
        os.rename(stage, target)
    elif not _exchange(stage, target):
        swap_in_two_moves(stage, target)
    sync_folder(target.parent)


def swap_in_two_moves(stage: Path, target: Path) -> None:
    """For disks that cannot exchange two folders: between the moves a crash leaves the old version aside, whole."""
    aside = sibling(target, EARLIER)
    try:
        os.rename(target, aside)
        os.rename(stage, target)
    finally:
        if aside.exists():
            os.rename(aside, stage if target.exists() else target)


def discard(folder: Path) -> None:
    """Remove a folder of ours, if it is there. A file that is not ours stays, its folder too, and a warning says so."""
    try:
        _remove(folder)
    except KeyboardInterrupt:
        _remove(folder)
        raise


def sweep(parent: Path) -> None:
    """Remove what writes that were killed more than a day ago left in `parent`."""
    for left in parent.glob(f".*{PARTIAL}"):
        if left.is_dir() and not left.is_symlink() and time.time() - os.path.getmtime(left) > A_DAY:
            discard(left)


@contextmanager
def disk_errors(target: Path) -> Iterator[None]:
    """Turn what the disk refuses into words that say what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            advice = f"there is no room for it in {target.parent}: free some, or save to another disk"
        elif error.errno in NO_LEAVE:
            advice = f"{target.parent} may not be written to: save to a folder that may"
        else:
            advice = "try again, or save to another folder"
        raise ArtefactError(
            f"the model was not saved to {target} ({error}): {advice}. Nothing was left behind"
        ) from error


def _names(target: Path) -> list[str]:
    """What is in the folder `target`, in order; nothing where nothing is."""
    if target.is_symlink():
        raise ArtefactError(f"{target} is a link: give the folder that it points to, {os.path.realpath(target)}")
    if target.exists() and not target.is_dir():
        raise ArtefactError(f"{target} is a file: give a folder that does not exist yet")
    return sorted(os.listdir(target)) if target.exists() else []


def _is_model(folder: Path) -> bool:
    try:
        return parse(plain_file(folder, "config.json", limit=LARGEST_CONFIG), "config.json").get("format") in FORMS
    except ArtefactError:
        return False


def _remove(folder: Path) -> None:
    if not folder.exists():
        return
    try:
        for name in OURS:
            (folder / name).unlink(missing_ok=True)
        folder.rmdir()
    except OSError as error:
        warnings.warn(f"{folder} could not be removed ({error}): look at it and remove it by hand", stacklevel=2)


def _exchange(folder: Path, other: Path) -> bool:
    """Exchange two folders in one step (Linux renameat2, macOS renamex_np); False where system or disk cannot."""
    if os.name != "posix":
        return False
    library = ctypes.CDLL(None, use_errno=True)
    working_directory, names = -100, (os.fsencode(folder), os.fsencode(other))
    if sys.platform == "linux" and hasattr(library, "renameat2"):
        failed = library.renameat2(working_directory, names[0], working_directory, names[1], 2)
    elif sys.platform == "darwin" and hasattr(library, "renamex_np"):
        failed = library.renamex_np(*names, 2)
    else:
        return False
    code = ctypes.get_errno()
    if failed and code not in UNSUPPORTED:
        raise OSError(code, os.strerror(code), str(other))
    return not failed
