"""How the inputs of a folder are arranged: which lie in a class, which have no labels, which lie elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from headstart.data.listing import Listing
from headstart.data.no_classes import ANNOTATIONS, CONTAINERS, SIDECARS
from headstart.data.split_names import is_unlabelled, split_of
from headstart.data.tree import Folder
from headstart.messages import label_of, shown
from headstart.tasks.task import SetAside

__all__ = ["Arrangement", "Labelled"]


class Labelled(NamedTuple):
    """Files with the class and split of each. `split` is None where the folders name none."""

    files: list[str]
    classes: list[str]
    split: list[str] | None
    set_aside: list[SetAside]
    notes: list[str]


@dataclass
class Arrangement:
    """Which folders are of which split ("" where there are none) and class, and which hold no labels."""

    classes: list[tuple[str, str, Folder]] = field(default_factory=list)
    parents: list[str] = field(default_factory=list)
    unlabelled: list[Folder] = field(default_factory=list)
    ignored: list[Folder] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, split: str, parent: Folder, folders: dict[str, Folder]) -> None:
        """The folders in `parent` as classes, but for annotations and those that say that they have no labels."""
        self.parents.append(parent.path)
        for name, folder in folders.items():
            if is_unlabelled(name):
                self.unlabelled.append(folder)
            elif name.lower() in ANNOTATIONS:
                self.ignored.append(folder)
            else:
                self.classes.append((split, label_of(name), folder))

    def pass_by(self, folders: Iterable[Folder]) -> None:
        """Folders beside a wrapper: annotations, and inputs without labels."""
        for folder in folders:
            bare = is_unlabelled(folder.name) or split_of(folder.name) is not None
            (self.unlabelled if bare else self.ignored).append(folder)

    def labelled(self, listing: Listing, files: list[str], noun: str, place: Folder) -> Labelled:
        """The class and split of each file that has one, and in words what became of the others."""
        by_file = {file: (split, label) for split, label, folder in self.classes for file in folder.all_files()}
        passed = {file for folder in (*self.unlabelled, *self.ignored) for file in folder.all_files()}
        rows = [file for file in files if file in by_file]
        split, classes = [by_file[file][0] for file in rows], [by_file[file][1] for file in rows]
        lost = [file for file in files if file not in by_file and file not in passed]
        return Labelled(
            files=rows,
            classes=classes,
            split=split if any(split) else None,
            set_aside=[SetAside(shown(file), "lies outside the class folders") for file in lost],
            notes=[*self._read(classes, split, place), *self.notes, *self._left_out(listing, set(classes), noun)],
        )

    def _read(self, classes: list[str], split: list[str], place: Folder) -> Iterator[str]:
        where = f" in {shown(place.path)!r}" if place.path else ""
        yield f"classes: {len(set(classes))}, from the names of the folders{where}"
        if any(split):
            counts = ", ".join(f"{name} {count}" for name, count in sorted(Counter(split).items()))
            yield f"split: from the folder names ({counts})"

    def _left_out(self, listing: Listing, classes: set[str], noun: str) -> Iterator[str]:
        for folder in self.unlabelled:
            files = f"{len(folder)} {noun}s in {shown(folder.path)!r}"
            yield f"without labels: {files}, left out: they can be predicted once there is a model"
        for folder in self.ignored:
            yield f"left out: {shown(folder.path)!r}, {len(folder)} {noun}s beside the inputs"
        for name in sorted(self._class_names(listing) - classes):
            yield f"class {name!r} has no {noun}s and is left out"

    def _class_names(self, listing: Listing) -> set[str]:
        """The names of all folders where classes are, whether they hold inputs or not."""
        other = CONTAINERS | SIDECARS | ANNOTATIONS
        passed = {folder.path for folder in (*self.unlabelled, *self.ignored)}
        parents = set(self.parents)
        return {
            label_of(name)
            for parent, _, name in (folder.rpartition("/") for folder in listing.folders if folder not in passed)
            if parent in parents and name.lower() not in other and not split_of(name) and not is_unlabelled(name)
        }
