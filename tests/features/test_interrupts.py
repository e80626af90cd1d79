"""Ctrl-C during foreign code."""

from __future__ import annotations

import os
import signal
from threading import Thread

import pytest

from headstart.features.interrupts import interrupts_wait


def test_an_interrupt_waits_for_the_end_of_the_block():
    done = []

    def work() -> None:
        with interrupts_wait():
            os.kill(os.getpid(), signal.SIGINT)
            done.append("the rest of the block")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_outranks_another_error():
    def work() -> None:
        with interrupts_wait():
            os.kill(os.getpid(), signal.SIGINT)
            raise RuntimeError("what foreign code made of it")

    with pytest.raises(KeyboardInterrupt):
        work()


def test_without_an_interrupt_nothing_changes():
    with pytest.raises(RuntimeError, match="its own"), interrupts_wait():
        raise RuntimeError("its own")


def test_other_threads_go_on():
    done = []

    def work() -> None:
        with interrupts_wait():
            done.append("here")

    thread = Thread(target=work)
    thread.start()
    thread.join()
    assert done == ["here"]
