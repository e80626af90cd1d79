"""Where the cache lies: where the user or the platform says, and where that cannot be, a temporary folder."""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import sys
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

__all__ = ["default_folder", "usable_folder"]


def default_folder() -> Path:
    """$HEADSTART_CACHE, else `headstart` in the platform's folder for caches. Raises RuntimeError without a home."""
    if named := os.environ.get("HEADSTART_CACHE"):
        return Path(named)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "headstart"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "headstart" / "Cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "headstart"


def usable_folder() -> Path:
    """The default folder if it can be used or made, also one that can only be read; else one until this process ends,
    which is said once."""
    try:
        folder = default_folder()
    except RuntimeError as error:
        return _temporary(str(error).rstrip(".").lower())
    return folder if _is_usable(folder) else _temporary(f"{folder} cannot be used")


def _is_usable(folder: Path) -> bool:
    """Whether the folder is there and can be read, or can be made."""
    if os.path.lexists(folder):
        return os.path.isdir(folder) and os.access(folder, os.R_OK | os.X_OK)
    above = next(parent for parent in Path(os.path.abspath(folder)).parents if os.path.lexists(parent))
    return os.path.isdir(above) and os.access(above, os.W_OK | os.X_OK)


@cache
def _temporary(why: str) -> Path:
    log = logging.getLogger("headstart")
    try:
        folder = Path(mkdtemp(prefix="headstart-"))
    except OSError as error:
        log.warning("no cache: %s, and there is no temporary folder (%s); nothing is kept", why, error)
        return Path(os.devnull) / "headstart"  # which nothing can be written to: the run goes on without
    log.warning("cache: %s; it is %s until this process ends. Set HEADSTART_CACHE to a folder to keep it", why, folder)
    atexit.register(_remove, folder, os.getpid())
    return folder


def _remove(folder: Path, owner: int) -> None:
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)
