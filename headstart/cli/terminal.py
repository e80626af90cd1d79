"""A listener that shows a person what happens: lines and progress bars on standard error."""

from __future__ import annotations

from types import TracebackType
from typing import IO, cast

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from headstart.cli.streams import Errors
from headstart.messages import printable

__all__ = ["Terminal"]


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f}/s" if speed else "")


class Terminal:
    """Use as a context: `with Terminal() as listener`. `quiet` shows nothing, for machines."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.console = Console(file=cast("IO[str]", Errors()), quiet=quiet, highlight=False, emoji=False)
        self.bars = Progress(
            TextColumn("{task.description:<22}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(compact=True),
            console=self.console,
        )
        self.started: dict[str, int] = {}

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self.started:
            self.bars.stop()

    def say(self, line: str) -> None:
        self.console.print(printable(line), markup=False)

    def progress(self, stage: str, done: int, total: int) -> None:
        self.bars.start()
        if stage not in self.started:
            self.started[stage] = int(self.bars.add_task(escape(printable(stage)), total=total))
        self.bars.update(self.bars.task_ids[self.started[stage]], completed=done, total=total)
