"""The inputs of a listing as a tree of folders: those that hold none are not in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

__all__ = ["Folder", "tree_of"]


@dataclass
class Folder:
    """A folder that holds inputs. `path` is relative to the root, which is ""; folders by their names, sorted."""

    path: str
    files: list[str] = field(default_factory=list)
    folders: dict[str, Folder] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def deep(self) -> bool:
        """Whether inputs lie in sub-folders of it."""
        return bool(self.folders)

    def all_files(self) -> Iterator[str]:
        """Every input in it, however deep."""
        yield from self.files
        for folder in self.folders.values():
            yield from folder.all_files()

    def __len__(self) -> int:
        return sum(1 for _ in self.all_files())


def tree_of(files: Iterable[str]) -> Folder:
    """The tree of relative paths with "/" between their parts."""
    root = Folder("")
    for file in sorted(files, key=lambda file: file.split("/")):
        folder = root
        for part in file.split("/")[:-1]:
            path = f"{folder.path}/{part}" if folder.path else part
            folder = folder.folders.setdefault(part, Folder(path))
        folder.files.append(file)
    return root
