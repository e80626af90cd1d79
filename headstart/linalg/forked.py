"""After a fork: the threads of OpenMP stay with the parent, and a calculation that waits for them never ends.

`settle` makes a forked process calculate on one thread, as PyTorch's own worker processes do. It is called wherever a
model is made, loaded or asked, so that loading a model and forking then (gunicorn --preload, pools of multiprocessing)
gives the same answers as without a fork. What keeps threads of its own asks `is_forked`: BLAKE3 then hashes on one
thread. OpenVINO's threads cannot be settled so: its engine gives way to torch's.
"""

from __future__ import annotations

import os
import sys

from threadpoolctl import threadpool_limits

__all__ = ["is_forked", "settle"]

_origin = _process = os.getpid()
_hooked = False


def settle() -> None:
    """In a forked process calculate on one thread; in any other see to it that its forks will."""
    global _hooked
    if not _hooked and hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_one_thread)
        _hooked = True
    if os.getpid() != _process:
        _one_thread()


def is_forked() -> bool:
    """Whether this process was forked from the one that imported headstart."""
    return os.getpid() != _origin


def _one_thread() -> None:
    global _process
    _process = os.getpid()
    if "torch" in sys.modules:
        import torch

        torch.set_num_threads(1)
    threadpool_limits(1, user_api="openmp")
