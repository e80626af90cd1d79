"""A run in TensorBoard's event files: a folder of its own below the one that was named."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from headstart.tracking.run import Outcome

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

__all__ = ["TensorboardRun"]


class TensorboardRun:
    """Figures are scalars; parameters, pages and files are texts, as event files hold nothing else of that kind."""

    def __init__(self, folder: Path, writer: SummaryWriter) -> None:
        self.folder, self.writer = folder, writer

    @classmethod
    def begin(cls, where: str) -> TensorboardRun:
        """In `where`/fit-N, N being the first number that is free. OSError where it cannot be written."""
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise ImportError("tensorboard is missing: pip install 'headstart[track]'") from error
        parent = Path(where.removeprefix("file://"))
        parent.mkdir(parents=True, exist_ok=True)
        for number in count(1):
            folder = parent / f"fit-{number}"
            try:
                folder.mkdir()
            except FileExistsError:
                continue
            return cls(folder, SummaryWriter(str(folder)))
        raise AssertionError("count() does not end")

    def parameters(self, words: Mapping[str, str]) -> None:
        """One text each, under `parameters/`."""
        for name, word in words.items():
            self.text(f"parameters/{name}", word)

    def figures(self, values: Mapping[str, float], step: int) -> None:
        """Scalars, on the disk when this returns."""
        for name, value in values.items():
            self.writer.add_scalar(name, value, step)
        self.writer.flush()

    def text(self, name: str, words: str) -> None:
        """A text that TensorBoard shows as it is: each line is indented, which Markdown takes for code."""
        shown = "\n".join(f"    {line}" for line in words.splitlines()) if "\n" in words else words
        self.writer.add_text(name, shown, 0)

    def file(self, path: Path) -> None:
        """Its text; of a page that is no plain text its place."""
        if path.suffix == ".html":
            self.text(path.name, str(path.absolute()))
        else:
            self.writer.add_text(path.name, path.read_text("utf-8"), 0)

    def end(self, outcome: Outcome) -> None:
        """Closes the files."""
        self.text("outcome", outcome)
        self.writer.close()
