"""Ctrl-C during foreign code, in processes of their own: a runner that is interrupted is lost with its tests."""

from __future__ import annotations

import subprocess
import sys
from threading import Thread

import pytest

from headstart.features.engines.interrupts import interrupts_wait

WAITS = """
import os, signal
from headstart.features.engines.interrupts import interrupts_wait
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it, and so do its children
done = []
try:
    with interrupts_wait():
        os.kill(os.getpid(), signal.SIGINT)
        done.append("the rest of the block")
except KeyboardInterrupt:
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    print("interrupted after", *done)
"""
OUTRANKS = """
import os, signal
from headstart.features.engines.interrupts import interrupts_wait
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    with interrupts_wait():
        os.kill(os.getpid(), signal.SIGINT)
        raise RuntimeError("what foreign code made of it")
except KeyboardInterrupt:
    print("interrupted")
"""


def printed_by(script):
    return subprocess.run([sys.executable, "-c", script], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def test_an_interrupt_waits_for_the_end_of_the_block():
    assert printed_by(WAITS) == "interrupted after the rest of the block"


def test_an_interrupt_outranks_another_error():
    assert printed_by(OUTRANKS) == "interrupted"


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
