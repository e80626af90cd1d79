"""A listener that shows a person what happens: lines and progress bars on standard error.

Where that is no terminal, as in a log file, a line tells of progress every half minute.
"""

from __future__ import annotations

import time
from types import TracebackType
from typing import IO, cast

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from headstart.cli.streams import Errors
from headstart.messages import lasting, printable

__all__ = ["Terminal"]

_EVERY = 30.0


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
        self.begun: dict[str, tuple[float, int, int]] = {}
        self.told = time.monotonic()

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
        if not self.console.is_terminal:
            self._log(stage, done, total)
        self.bars.start()
        if stage not in self.started:
            self.started[stage] = int(self.bars.add_task(escape(printable(stage)), total=total))
        self.bars.update(self.bars.task_ids[self.started[stage]], completed=done, total=total)

    def _log(self, stage: str, done: int, total: int) -> None:
        """A line, where the last was half a minute ago."""
        now = time.monotonic()
        began, before, last = self.begun.get(stage, (now, done, done))
        if done < last:  # the next stage of the same name
            began, before = now, done
        self.begun[stage] = began, before, done
        if now - self.told < _EVERY or done >= total:
            return
        self.told = now
        left = (
            f", {lasting((now - began) / (done - before) * (total - done))} left at this pace" if done > before else ""
        )
        self.console.print(f"{printable(stage)} {done:,} of {total:,}{left}", markup=False)
