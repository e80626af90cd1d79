"""The name of a backbone that is read at a layer: "bundled:minilm@4", "bundled:minilm@4@max", "bundled:minilm@max"."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

__all__ = ["EVERY", "POOLINGS", "LayerName", "parted"]

POOLINGS = ("mean", "max", "cls", "last", "thirds")
"""How tokens, or the places of a map, or moments of a sound become one row, see `layers`."""

EVERY = "*"
"""In place of a layer: each of them, one after the other."""


class LayerName(NamedTuple):
    """base    the backbone's own name, with what stands behind "?"
    layer   a number or the name of a stage; None: the last
    pool    of `POOLINGS`; None: as the backbone's own
    """

    base: str
    layer: str | None = None
    pool: str | None = None

    @property
    def is_plain(self) -> bool:
        """Whether it is the backbone as it is."""
        return self.layer is None and self.pool is None


def parted(name: str) -> LayerName:
    """What stands behind "@" in a name. A folder that exists is a name of its own, "@" and all.

    In the name of a hub's repository, such as hf:OWNER/NAME@REVISION, only a number is a layer.
    """
    path, mark, query = name.partition("?")
    rest, layer, pool = path, None, None
    base, last = _split(rest)
    if last in POOLINGS:
        rest, pool = base, last
        base, last = _split(rest)
    if last is not None and (last.isdecimal() or last == EVERY or not _is_repository(base)):
        rest, layer = base, last
    return LayerName(rest + mark + query, layer, pool)


def _split(path: str) -> tuple[str, str | None]:
    """Before and behind the last "@"; None behind it where there is none, or in a folder's name."""
    base, at, last = path.rpartition("@")
    if not at or not base or not last or "/" in last or "\\" in last or _is_folder(path):
        return path, None
    return base, last


def _is_folder(path: str) -> bool:
    _, colon, rest = path.partition(":")
    return Path(path).is_dir() or bool(colon and rest and Path(rest).is_dir())


def _is_repository(path: str) -> bool:
    hub, colon, rest = path.partition(":")
    return bool(colon) and hub in ("hf", "timm") and "/" in rest and not _is_folder(path)
