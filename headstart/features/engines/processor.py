"""What is known of this machine's processor: how many cores may be used, which it is, and what it can do."""

from __future__ import annotations

import os
import platform
from functools import cache
from pathlib import Path

__all__ = ["cores", "has_bfloat16", "identity"]

_SYSTEM = Path("/sys/devices/system/cpu")
_CGROUP = Path("/sys/fs/cgroup/cpu.max")
_BFLOAT16 = {"avx512_bf16", "amx_bf16", "bf16"}


def cores() -> int:
    """The physical cores that this process may run on, and no more than its control group's share of them."""
    allowed = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    physical = len({_siblings(number) for number in allowed})
    return max(1, min(physical, _share()))


def has_bfloat16() -> bool:
    """Whether the processor claims to multiply bfloat16 itself. A claim: `support.py` tries it."""
    return bool(_BFLOAT16 & set(_facts()[1].split()))


def identity() -> str:
    """Processor, its abilities, and kernel: what a remembered measurement holds for."""
    model, flags = _facts()
    return f"{model} | {flags} | {platform.system()} {platform.release()} | {cores()} cores"


@cache
def _siblings(number: int) -> str:
    """The hardware threads that share this one's core."""
    path = _SYSTEM / f"cpu{number}" / "topology" / "thread_siblings_list"
    return path.read_text(encoding="utf-8").strip() if path.is_file() else str(number)


def _share() -> int:
    """The cores that Linux control groups grant, rounded up."""
    fields = _CGROUP.read_text(encoding="utf-8").split() if _CGROUP.is_file() else []
    if len(fields) != 2 or fields[0] == "max":
        return os.cpu_count() or 1
    return -(-int(fields[0]) // int(fields[1]))


@cache
def _facts() -> tuple[str, str]:
    """Model name and flags of the first processor."""
    path = Path("/proc/cpuinfo")
    fields: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
        key, _, value = line.partition(":")
        fields.setdefault(key.strip().lower(), value.strip())
    model = fields.get("model name") or platform.processor() or platform.machine()
    return model, fields.get("flags") or fields.get("features", "")
