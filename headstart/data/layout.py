"""Classes and splits from the names of folders, by this rule:

1. A folder that has all its inputs in one sub-folder's sub-folders is a wrapper, and is entered ("PetImages/cat",
   "dataset/train/cat"); folders of annotations beside that sub-folder do not count.
2. Folders named like splits (`split_names`: train, training_set, val, test, eval, ...) that hold sub-folders are
   splits if nothing else is there, or if one of them is train and another is named so too. The classes are their
   sub-folders, below wrappers of their own ("seg_train/seg_train/cat"). A test folder beside the classes whose
   sub-folders are named like them is a split as well, and what is beside it is train.
3. A folder named like a split without sub-folders, one whose only sub-folder is no class of train ("test/unknown"), and
   one whose name says so ("unlabeled", "unsup") is without labels: said and counted, neither a class nor lost.
4. Else each folder is a class, with everything in it however deep; where all have only splits in them ("cat/train",
   "cat/test") these are the splits. A class that is named like a split is warned of.

What can be read in two ways, or has no class folders at all, is refused in words that name what was seen.
"""

from __future__ import annotations

from collections.abc import Collection

from headstart.data.arrangement import Arrangement, Labelled
from headstart.data.listing import Listing
from headstart.data.no_classes import ANNOTATIONS, CONTAINERS, SIDECARS, ambiguous, no_classes
from headstart.data.split_names import is_unlabelled, split_of
from headstart.data.tree import Folder, tree_of
from headstart.errors import DataError
from headstart.messages import few, label_of, shown

__all__ = ["Labelled", "by_class"]


def by_class(listing: Listing, files: list[str], noun: str) -> Labelled:
    """Give each of `files` (relative paths in `listing`) its class. Raises DataError where the folders name none, or
    can be read in two ways."""
    root = tree_of(files)
    place, passed = _unwrapped(root)
    if not place.deep:
        raise DataError(no_classes(listing, [place], noun))
    layout = _beside_classes(place) or _by_split(listing, place, noun) or _below_classes(place)
    layout = layout or _plain(listing, place, noun)
    layout.pass_by(passed)
    if not layout.classes:
        raise DataError(no_classes(listing, layout.unlabelled, noun))
    return layout.labelled(listing, files, noun, place)


def _unwrapped(folder: Folder) -> tuple[Folder, list[Folder]]:
    """The folder below all wrappers, and the folders without classes that were passed on the way."""
    passed: list[Folder] = []
    while (inner := _only(folder)) is not None and not (split_of(inner.name) and not _holds_splits(inner)):
        passed += [other for other in folder.folders.values() if other is not inner]
        folder = inner
    return folder, passed


def _only(folder: Folder) -> Folder | None:
    """The sub-folder that alone holds inputs, in sub-folders of its own; annotations and inputs without labels beside
    it do not count."""
    labelled = [inner for inner in folder.folders.values() if not _says_nothing(inner)]
    for beside in (frozenset(), ANNOTATIONS, ANNOTATIONS | SIDECARS):
        rest = [inner for inner in labelled if inner.name.lower() not in beside]
        if len(rest) == 1 and rest[0].deep and (not beside & SIDECARS or rest[0].name.lower() in CONTAINERS):
            return rest[0]
    return None


def _says_nothing(folder: Folder) -> bool:
    """Whether its name says that there are no labels, or that it is held out, and it has no folders to say more."""
    return is_unlabelled(folder.name) or (not folder.deep and split_of(folder.name) in ("val", "test"))


def _holds_splits(folder: Folder) -> bool:
    """Whether train and another split, with sub-folders, are in it."""
    named = {split for name, inner in folder.folders.items() if inner.deep and (split := split_of(name))}
    return "train" in named and len(named) > 1


def _beside_classes(place: Folder) -> Arrangement | None:
    """Class folders, and beside them a test or validation folder with sub-folders of the same names."""
    splits = {name: split for name, folder in place.folders.items() if (split := split_of(name)) in ("val", "test")}
    beside = _labels(place) - {label_of(name) for name in splits}
    held_out = {name: split for name, split in splits.items() if set() < _labels(place.folders[name]) <= beside}
    if len(beside) < 2 or not held_out:
        return None
    layout = Arrangement()
    layout.add("train", place, {name: inner for name, inner in place.folders.items() if name not in held_out})
    for name, split in held_out.items():
        layout.add(split, place.folders[name], place.folders[name].folders)
    return layout


def _by_split(listing: Listing, place: Folder, noun: str) -> Arrangement | None:
    """Splits above the classes; None where the folders are no splits."""
    splits = {name: split for name in place.folders if (split := split_of(name))}
    bare = {name for name in place.folders if is_unlabelled(name)}
    rest = place.folders.keys() - splits.keys() - bare - _named(place, ANNOTATIONS)
    labelled = {name: split for name, split in splits.items() if place.folders[name].deep}
    if not labelled:
        return None
    if rest and not ("train" in labelled.values() and len(set(splits.values())) + len(bare) > 1):
        return None
    flat_train = [place.folders[name] for name, split in splits.items() if split == "train" and name not in labelled]
    if "train" not in labelled.values() and flat_train:
        raise DataError(no_classes(listing, flat_train, noun))
    layout = Arrangement(ignored=[place.folders[name] for name in _named(place, ANNOTATIONS)])
    layout.unlabelled += [place.folders[name] for name in sorted(bare | (splits.keys() - labelled.keys()))]
    several = {name for top in labelled for name in _several(place.folders[top])}
    for top in sorted(labelled, key=lambda name: labelled[name] != "train"):
        several |= _add_split(listing, layout, labelled[top], place.folders[top], several, noun)
    return layout


def _several(folder: Folder) -> set[str]:
    """The classes in a split, where it holds no wrapper and more than one of them."""
    names = _labels(folder)
    return names if len(names) > 1 and _only(folder) is None else set()


def _labels(folder: Folder) -> set[str]:
    """The names of its sub-folders as those of classes."""
    return {label_of(name) for name in folder.folders if not is_unlabelled(name) and name.lower() not in ANNOTATIONS}


def _add_split(
    listing: Listing, layout: Arrangement, split: str, folder: Folder, class_names: set[str], noun: str
) -> set[str]:
    """Add the classes of one split, below its wrappers; returns their names.

    class_names   of folders that are classes: such a one is no wrapper
    """
    while (inner := _only(folder)) is not None and label_of(inner.name) not in class_names:
        layout.pass_by([other for other in folder.folders.values() if other is not inner])
        folder = inner
    names = _labels(folder)
    if split != "train" and len(names) == 1 and class_names and not names & class_names:
        layout.unlabelled.append(folder)
        return set()
    if _are_containers(folder.folders.values()):
        raise DataError(no_classes(listing, list(folder.folders.values()), noun))
    layout.add(split, folder, folder.folders)
    return names


def _below_classes(place: Folder) -> Arrangement | None:
    """Splits below the classes ("cat/train", "cat/test"); None where anything else is below them."""
    inner = [name for folder in place.folders.values() for name in folder.folders]
    splits = {split_of(name) for name in inner}
    if not all(folder.deep for folder in place.folders.values()) or None in splits or "train" not in splits:
        return None
    layout = Arrangement()
    for name, folder in place.folders.items():
        layout.classes += [(split_of(below) or "", label_of(name), part) for below, part in folder.folders.items()]
    return layout


def _plain(listing: Listing, place: Folder, noun: str) -> Arrangement:
    """Each folder a class. Raises DataError where their names say that they are none."""
    tops = {name: folder for name, folder in place.folders.items() if name.lower() not in ANNOTATIONS}
    splits = {name: split for name in tops if (split := split_of(name))}
    flat = {name for name in splits if not tops[name].deep}
    bare = {name for name in tops if is_unlabelled(name)}
    if tops.keys() == flat | bare or {"train"} < {splits[name] for name in flat} or _are_containers(tops.values()):
        raise DataError(no_classes(listing, [tops[name] for name in sorted(flat | bare) or sorted(tops)], noun))
    for name in sorted(splits.keys() - flat):
        others = {other: folder for other, folder in tops.items() if other != name}
        _require_clear(listing, tops[name], others)
    layout = Arrangement()
    layout.add("", place, place.folders)
    layout.notes += _warnings(tops, splits)
    return layout


def _are_containers(folders: Collection[Folder]) -> bool:
    """Whether these are pictures and what belongs to them, by their names, and not classes."""
    names = {folder.name.lower() for folder in folders if not folder.deep}
    deep = any(folder.deep for folder in folders)
    return not deep and bool(names & CONTAINERS) and names <= CONTAINERS | SIDECARS | ANNOTATIONS


def _require_clear(listing: Listing, split: Folder, others: dict[str, Folder]) -> None:
    """Raises DataError where a folder is named like a split, holds folders, and may be one all the same."""
    alike = [name for name, other in others.items() if other.folders.keys() & split.folders.keys()]
    if alike:
        raise DataError(ambiguous(listing, split, alike, "holds folders of the same names"))
    if split_of(split.name) == "train" and len(split.folders) > 1 and not any(other.deep for other in others.values()):
        raise DataError(ambiguous(listing, split, list(others), "holds its files directly"))


def _warnings(tops: dict[str, Folder], splits: dict[str, str]) -> list[str]:
    notes = [
        f"warning: class {label_of(name)!r} is named like a split and is taken to be a class, since the other folders "
        "are: if it is none, move it elsewhere"
        for name in splits
    ]
    inner = {name: _unwrapped(folder)[0].folders for name, folder in tops.items()}
    deep = [name for name in tops if len(inner[name]) > 1]
    if len(tops) > 1 and len(deep) == len(tops) and len({frozenset(inner[name]) for name in deep}) == 1:
        notes.append(
            f"warning: {few(map(shown, tops), 3)} hold folders of the same names ({few(inner[deep[0]], 3)}): if "
            "those are the classes, name one of the upper folders instead"
        )
    elif len(deep) == 1 and len(tops) > 1 and not any(tops[name].deep for name in tops if name not in deep):
        notes.append(
            f"warning: class {label_of(deep[0])!r} holds folders ({few(inner[deep[0]], 3)}) and the others hold "
            f"none: if those are the classes, name {shown(tops[deep[0]].path)!r} itself"
        )
    return notes


def _named(place: Folder, names: frozenset[str]) -> set[str]:
    return {name for name in place.folders if name.lower() in names}
