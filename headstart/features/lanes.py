"""Lanes: one thread a core, each doing whole pieces of work from one shared counter, start to end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Event, Lock, Thread, current_thread, main_thread

import torch

from headstart.features.engines.interrupts import interrupts_wait
from headstart.linalg.torch_threads import one_torch_thread

__all__ = ["run_lanes"]

_TICK = 0.02


class _Work:
    """The pieces 0, 1, ... count - 1, each given to one lane; none any more once something went wrong."""

    def __init__(self, count: int) -> None:
        self.stopped = Event()
        self.error: BaseException | None = None
        self._numbers = iter(range(count))
        self._lock = Lock()

    def __iter__(self) -> Iterator[int]:
        while not self.stopped.is_set():
            with self._lock:
                number = next(self._numbers, None)
            if number is None:
                return
            yield number

    def fail(self, error: BaseException) -> None:
        with self._lock:
            self.error = self.error or error
        self.stopped.set()


def run_lanes(
    lane: Callable[[Iterator[int], Event], None],
    pieces: int,
    lanes: int,
    watch: Callable[[], None],
    *,
    needs_watch: bool = True,
) -> None:
    """Call lane(numbers, stopped) in `lanes` threads; together their `numbers` are 0 ... pieces - 1, each once.

    watch         called in this thread, some fifty times a second, while the lanes run and once when they are done
    needs_watch   a lane may wait for what `watch` does. If not, a single lane runs in this thread, `watch` is called
                  before each piece, and no other thread is started; but not in the main thread, where Ctrl-C would
                  interrupt it in the middle of a piece

    torch calculates on one thread in each lane, and in this thread meanwhile. The first error of a lane, or of
    `watch`, stops them all between two pieces and is raised here; so is KeyboardInterrupt.
    """
    work = _Work(pieces)
    if lanes == 1 and not needs_watch and current_thread() is not main_thread():
        _run_here(lane, work, watch)
        return
    # Not Thread.join: interrupted by Ctrl-C, it takes a running thread for ended (Python 3.11).
    ended = [Event() for _ in range(lanes)]
    started: list[Event] = []
    threads_before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        with interrupts_wait():  # one that comes while a thread starts would lose it: nobody waited for its piece
            for number, end in enumerate(ended):
                Thread(target=_run, args=(lane, work, end), name=f"lane {number}", daemon=True).start()
                started.append(end)
        while running := [end for end in ended if not end.is_set()]:
            watch()
            running[0].wait(_TICK)
    finally:
        # After an error or Ctrl-C this lets the lanes finish the piece they are in; otherwise they have ended.
        work.stopped.set()
        for end in started:
            end.wait()
        torch.set_num_threads(threads_before)
    if work.error is not None:
        raise work.error
    watch()


def _run_here(lane: Callable[[Iterator[int], Event], None], work: _Work, watch: Callable[[], None]) -> None:
    def watched() -> Iterator[int]:
        for number in work:
            watch()
            yield number

    with one_torch_thread(), torch.inference_mode():
        lane(watched(), work.stopped)
    watch()


def _run(lane: Callable[[Iterator[int], Event], None], work: _Work, end: Event) -> None:
    try:
        torch.set_num_threads(1)
        with torch.inference_mode():
            lane(iter(work), work.stopped)
    except BaseException as error:
        work.fail(error)
    finally:
        end.set()
