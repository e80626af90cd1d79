"""Whether an engine's precision can be used on this processor at all, tried in a process that may die of it.

Virtual machines exist that announce AMX and do not run it: OpenVINO and torch then kill the process with SIGILL at
the first bfloat16 product. So bfloat16, and OpenVINO as a whole, are first tried in a child process:
`support_trial.py`.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from headstart.data.installed import installed_version
from headstart.features.cache.memory import Memory
from headstart.features.engines import processor
from headstart.features.engines.engine import EngineName, Precision

__all__ = ["obstacle"]

_TRIAL = Path(__file__).with_name("support_trial.py")
_PATIENCE = 120.0


def obstacle(engine: EngineName, precision: Precision, memory: Memory, *, try_it: bool = True) -> str | None:
    """Why this cannot run on this CPU, in words; "" if it can. What was tried once is remembered.

    try_it   if not, nothing is started: None where it has not been tried yet
    """
    if engine == "torch" and precision == "float32":
        return ""
    if not (installed := installed_version(engine)):
        return "OpenVINO is not installed (pip install 'headstart[openvino]')"
    if precision == "bfloat16" and not processor.has_bfloat16():
        return "this processor has no bfloat16 arithmetic"
    subject = ("proof", engine, installed, processor.identity())
    trial = memory.recall(*subject)
    if trial is None:
        if not try_it:
            return None
        trial = _try(engine)
        memory.remember(*subject, value=trial)
    return "" if precision in trial["passed"] else f"{engine} {precision} {trial['why']} when it was tried"


def _try(engine: EngineName) -> dict[str, Any]:
    """Which precisions worked, and what became of the process that tried them."""
    if not sys.executable:
        return {"passed": [], "why": "could not be tried: there is no Python interpreter to start"}
    try:
        ended = subprocess.run(
            [sys.executable, "-P", str(_TRIAL), engine], capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return {"passed": [], "why": f"did not work ({error})"}
    return {"passed": ended.stdout.split(), "why": _fate(ended.returncode, ended.stderr)}


def _fate(code: int, complaint: str) -> str:
    if code < 0:
        return f"died of {signal.Signals(-code).name}"
    last = complaint.strip().splitlines()[-1:] or [f"exit status {code}"]
    return f"failed ({last[0][:200]})"
