"""Ctrl-C that is not lost where foreign code calls back into Python and takes a KeyboardInterrupt for its own error."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType

__all__ = ["interrupts_wait"]


@contextmanager
def interrupts_wait() -> Iterator[None]:
    """An interrupt in this block is raised at its end, whatever else went wrong there. For the main thread."""
    if current_thread() is not main_thread():
        yield
        return
    waiting = _Waiting()
    before = signal.signal(signal.SIGINT, waiting.note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if waiting.interrupted:
            raise KeyboardInterrupt


class _Waiting:
    """Whether there was an interrupt."""

    interrupted = False

    def note(self, number: int, frame: FrameType | None) -> None:
        self.interrupted = True
