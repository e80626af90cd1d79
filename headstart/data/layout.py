"""Classes and splits from the names of folders.

A file's class is the sub-folder it lies in, however deep. Where the sub-folders are called train, val (valid,
validation, dev) and test, they are splits, and the classes are the folders in them.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from headstart.data.listing import Listing
from headstart.data.naming import label_of, shown
from headstart.data.task import SetAside
from headstart.errors import DataError

__all__ = ["Labelled", "by_class", "split_of"]

SPLITS = {
    "train": "train", "training": "train",
    "val": "val", "valid": "val", "validation": "val", "dev": "val",
    "test": "test", "testing": "test",
}  # fmt: skip


class Labelled(NamedTuple):
    """Files with the class and split of each. `split` is None where the folders name none."""

    files: list[str]
    classes: list[str]
    split: list[str] | None
    set_aside: list[SetAside]
    notes: list[str]


def split_of(name: object) -> str | None:
    """ "train", "val" or "test" for any usual spelling of it, else None."""
    return SPLITS.get(str(name).strip().lower())


def by_class(listing: Listing, files: list[str], noun: str) -> Labelled:
    """Give each of `files` (relative paths in `listing`) its class. Raises DataError where no file lies in a class."""
    splits = _splits(listing)
    notes = []
    kept, classes, split, outside = [], [], [], []
    for file in files:
        first, *rest = file.split("/")
        parts = rest if first in splits else [] if splits else [first, *rest]
        if len(parts) < 2:
            outside.append(SetAside(shown(file), "lies outside the class folders"))
            continue
        kept.append(file)
        classes.append(label_of(parts[0]))
        split.append(splits.get(first, ""))
    if not kept:
        raise DataError(
            f"{len(files)} {noun}s lie directly in {shown(listing.root)!r}, so their classes are unknown: put each "
            f"class in a sub-folder of its own, such as {shown(listing.root)}/cat and {shown(listing.root)}/dog"
        )
    notes.append(f"classes: {len(set(classes))}, from the names of the folders")
    if splits:
        counts = Counter(split)
        notes.append(f"split: from the folder names ({', '.join(f'{name} {counts[name]}' for name in sorted(counts))})")
    empty = _class_folders(listing, splits) - set(classes)
    notes.extend(f"class {name!r} has no {noun}s and is left out" for name in sorted(empty))
    return Labelled(kept, classes, split if splits else None, outside, notes)


def _splits(listing: Listing) -> dict[str, str]:
    """Top folders that are splits -> which. All top folders, or at least train and one more, must be so named."""
    tops = [folder for folder in listing.folders if "/" not in folder]
    holding = {folder.split("/")[0] for folder in listing.folders if "/" in folder}
    found = {top: split for top in tops if top in holding and (split := split_of(top))}
    named = set(found.values())
    return found if len(found) == len(tops) or ("train" in named and len(named) > 1) else {}


def _class_folders(listing: Listing, splits: dict[str, str]) -> set[str]:
    folders = [folder.split("/") for folder in listing.folders]
    if not splits:
        return {label_of(parts[0]) for parts in folders if len(parts) == 1}
    return {label_of(parts[1]) for parts in folders if len(parts) == 2 and parts[0] in splits}
