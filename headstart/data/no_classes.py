"""Why the folders name no classes, in words: what was seen, and what to type instead."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from headstart.data.listing import Listing
from headstart.data.split_names import split_of
from headstart.data.tree import Folder
from headstart.messages import few, shown

__all__ = ["ANNOTATIONS", "CONTAINERS", "SIDECARS", "ambiguous", "no_classes"]

CONTAINERS = frozenset({
    "image", "images", "img", "imgs", "picture", "pictures", "photo", "photos", "jpg", "jpeg", "jpgs", "png", "pngs",
    "jpegimages", "data", "dataset", "files", "raw", "texts",
})  # fmt: skip
"""Names of folders that say nothing of what is in them."""

ANNOTATIONS = frozenset({"annotation", "annotations", "trimaps", "xmls", "imagesets", "bboxes", "bounding_boxes"})
"""Names of folders that no one gives to a class."""

SIDECARS = frozenset({
    "label", "labels", "mask", "masks", "gt", "groundtruth", "ground_truth", "segmentation", "segmentations", "meta",
    "metadata", "docs",
})  # fmt: skip
"""Names of folders that hold what belongs to inputs, where these lie in a container; else they may be classes."""

TABLES = (".csv", ".tsv", ".jsonl", ".parquet")
_BOXES = (".txt", ".xml", ".json", ".csv")
_DETECTION = (".coco.json", "data.yaml", "data.yml", "obj.names", "obj.data")


def no_classes(listing: Listing, flat: Sequence[Folder], noun: str) -> str:
    """For folders that hold their inputs directly where their classes should be."""
    flat = sorted(flat, key=lambda folder: split_of(folder.name) != "train")
    files = [file for folder in flat for file in folder.all_files()]
    where = few([shown(folder.path or listing.root) for folder in flat], 4)
    return " ".join([
        f"{len(files)} {noun}s lie directly in {where}, so their classes are unknown: put each class in a sub-folder "
        f"of its own, such as {_example(listing, flat)}.",
        *_detection(listing, noun),
        *_masks(flat),
        *(hint for folder in flat for hint in _prefixes(listing, list(folder.all_files()))),
        *_tables(listing),
    ])  # fmt: skip


def ambiguous(listing: Listing, split: Folder, others: Sequence[str], why: str) -> str:
    """For a folder that may be a split or a class."""
    root, name = shown(listing.root), shown(split.path)
    beside = few(map(shown, others), 3)
    return (
        f"{name!r} holds folders ({few(map(shown, split.folders), 3)}), and beside it {beside} {why}: {name!r} may be "
        f"a split or a class. If it is a split, name it itself ({root}/{name}), or give the others names of splits "
        "(train, val, test) or move them elsewhere; if it is a class, rename it"
    )


def _example(listing: Listing, flat: Sequence[Folder]) -> str:
    top = flat[0] if flat and (split_of(flat[0].name) or not flat[0].path) else None
    root = "/".join(filter(None, (shown(listing.root), shown(top.path) if top else "")))
    return f"{root}/cat and {root}/dog"


def _detection(listing: Listing, noun: str) -> Iterator[str]:
    """What says that objects in the pictures are labelled, not the pictures."""
    if noun != "picture":
        return
    marks = [file for file in listing.files if file.lower().endswith(_DETECTION)]
    for folder in listing.folders:
        name = folder.rpartition("/")[2].lower()
        inside = [file for file in listing.files if file.startswith(f"{folder}/") and file.lower().endswith(_BOXES)]
        if inside and name in ANNOTATIONS | {"label", "labels"}:
            marks.append(folder)
    if marks:
        yield (
            f"With {few(map(shown, marks), 3)} it looks like a set for detection or segmentation, which says where "
            "things are in a picture: that is not learnt here, only classes of whole pictures are."
        )


def _masks(flat: Sequence[Folder]) -> Iterator[str]:
    names = {folder.name.lower(): folder.path for folder in flat}
    if names.keys() & CONTAINERS and (masks := sorted(names.keys() & (SIDECARS | ANNOTATIONS))):
        yield (
            f"{shown(names[masks[0]])!r} looks like masks of a set for segmentation: that is not learnt here, only "
            "classes of whole pictures are."
        )


def _prefixes(listing: Listing, files: Sequence[str]) -> Iterator[str]:
    """Classes that the file names may hold, as in cat.1.jpg and dog.1.jpg."""
    names: Counter[str] = Counter()
    for file in files:
        stem = os.path.splitext(file.rpartition("/")[2])[0]
        names[re.sub(r"[\W_]*\d[\d\W_]*$", "", stem)] += 1
    likely = [(name, count) for name, count in names.most_common() if name and count > 1]
    if len(likely) < 2 or sum(count for _, count in likely) < 0.9 * len(files):
        return
    prefixes = ", ".join(f"{shown(name)!r} ({count})" for name, count in likely[:4])
    first = shown(likely[0][0])
    folder = "/".join(filter(None, (shown(listing.root), shown(files[0].rpartition("/")[0]))))
    yield (
        f"The file names begin with {prefixes}{' and others' if len(likely) > 4 else ''}: if those are the classes, "
        f"move them (mkdir '{folder}/{first}' && mv '{folder}/{first}'[._-]* '{folder}/{first}', and so on)."
    )


def _tables(listing: Listing) -> Iterator[str]:
    tables = [file for file in listing.files if file.lower().endswith(TABLES)]
    if tables:
        yield f"If a table says which is which, name that file itself: {shown(listing.root)}/{shown(tables[0])}"
