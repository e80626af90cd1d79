"""List a folder once: every file in it, in one fixed order, without opening any.

Hidden entries are skipped and counted. A link to a folder is followed only where it leads out of the tree, and each
such folder is read once, so that a loop of links ends.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from headstart.errors import DataError
from headstart.messages import shown
from headstart.tasks.task import SetAside

__all__ = ["Listing", "list_folder"]

LITTER = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx", "@eadir", "$recycle.bin"})


@dataclass
class Listing:
    """What a folder holds. Paths are relative to `root`, with "/" between their parts, and sorted by those parts."""

    root: str
    files: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)
    hidden: int = 0
    loops: list[str] = field(default_factory=list)

    @property
    def notes(self) -> list[str]:
        """What was passed over, in words."""
        notes = [f"skipped {self.hidden} hidden files or folders"] if self.hidden else []
        if self.loops:
            notes.append(f"links to folders that are read elsewhere, not followed: {', '.join(map(shown, self.loops))}")
        return notes


def list_folder(root: str) -> Listing:
    """List `root` and everything below it. Raises DataError where `root` itself cannot be read."""
    listing = Listing(root)
    real_root = os.path.realpath(root)
    followed: set[str] = set()
    todo = [""]
    while todo:
        folder = todo.pop()
        for entry in _entries(listing, folder):
            name = f"{folder}/{entry.name}" if folder else entry.name
            if entry.name.startswith(".") or entry.name.lower() in LITTER:
                listing.hidden += 1
            elif _is_folder(entry):
                if entry.is_symlink() and not _leads_out(entry.path, real_root, followed):
                    listing.loops.append(name)
                else:
                    listing.folders.append(name)
                    todo.append(name)
            elif _is_file(entry):
                listing.files.append(name)
            else:
                why = "a link that leads to no file" if entry.is_symlink() else "not a regular file"
                listing.set_aside.append(SetAside(shown(name), why))
    for names in (listing.files, listing.folders, listing.loops):
        names.sort(key=lambda name: name.split("/"))
    listing.set_aside.sort(key=lambda item: (item.name, item.why))
    return listing


def _entries(listing: Listing, folder: str) -> list[os.DirEntry[str]]:
    """The entries of a folder by name; an unreadable one is set aside, but for the root."""
    try:
        with os.scandir(os.path.join(listing.root, folder)) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        why = f"the folder cannot be read: {error.strerror}"
        if not folder:
            raise DataError(f"{shown(listing.root)}: {why}") from error
        listing.set_aside.append(SetAside(shown(folder), why))
        return []


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        return False


def _leads_out(link: str, real_root: str, followed: set[str]) -> bool:
    """Whether a linked folder lies outside the tree (neither in it nor above it) and is met for the first time."""
    real = os.path.realpath(link)
    related = os.path.commonpath([real, real_root]) in (real, real_root)
    if related or real in followed:
        return False
    followed.add(real)
    return True
