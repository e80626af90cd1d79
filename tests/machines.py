"""The suite as other machines would run it: `make test-machines`.

Each condition is a set of instructions and a number of threads, with which the same sums round otherwise. Under each
the suite runs `--rounds` times, in orders and with examples of their own, while one process a core loads the machine.
"""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# torch, its MKL and oneDNN, NumPy and OpenBLAS each choose their own instructions, by these variables.
CONDITIONS = {
    "own": {"OMP_NUM_THREADS": "1"},
    "avx2": {
        "OMP_NUM_THREADS": "2",
        "ATEN_CPU_CAPABILITY": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "MKL_CBWR": "AVX2",
        "OPENBLAS_CORETYPE": "Haswell",
        "NPY_DISABLE_CPU_FEATURES": "X86_V4",
    },
    "sse": {
        "OMP_NUM_THREADS": "1",
        "ATEN_CPU_CAPABILITY": "default",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "MKL_CBWR": "COMPATIBLE",
        "OPENBLAS_CORETYPE": "Nehalem",
        "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4",
    },
}
SUITE = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadfile", "--hypothesis-profile", "drawn"]
MINUTES = 90
CHOSEN = """
import numpy, torch
from threadpoolctl import threadpool_info
blas = {pool["architecture"] for pool in threadpool_info() if pool["internal_api"] == "openblas"}
print(torch.get_num_threads(), torch.backends.cpu.get_cpu_capability().lower(), *blas)
"""
# Ends with its parent, also where that was killed.
LOAD = "import os, sys\nwhile os.getppid() == int(sys.argv[1]):\n    sum(range(10**6))"


@contextmanager
def load(processes: int) -> Iterator[None]:
    """So many processes that calculate until the end of the block."""
    command = [sys.executable, "-c", LOAD, str(os.getpid())]
    running = [subprocess.Popen(command) for _ in range(processes)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def check(environment: dict[str, str]) -> str:
    """What torch and OpenBLAS make of the environment; an AssertionError where they do not heed it."""
    done = subprocess.run(
        [sys.executable, "-c", CHOSEN], env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    threads, instructions, *blas = done.stdout.split()
    assert threads == environment["OMP_NUM_THREADS"], done.stdout
    assert instructions == environment.get("ATEN_CPU_CAPABILITY", instructions), done.stdout
    assert blas == [environment.get("OPENBLAS_CORETYPE", *blas)], done.stdout
    return f"{threads} threads, torch {instructions}, OpenBLAS {', '.join(blas)}"


def suite(environment: dict[str, str], seed: int, more: list[str]) -> int:
    """The exit code of one run; that of a run that is stuck is 124."""
    process = subprocess.Popen([*SUITE, f"--randomly-seed={seed}", *more], env=environment)
    try:
        return process.wait(60 * MINUTES)
    except subprocess.TimeoutExpired:
        return 124
    finally:
        process.kill()
        process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=CONDITIONS, action="append", help="this condition, not all; may be repeated")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="of the first order; printed")
    chosen, more = parser.parse_known_args()  # what is left over is for pytest
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that nothing is left running
    codes = {}
    with load(os.cpu_count() or 1):
        for number in range(chosen.rounds):
            for name in chosen.only or CONDITIONS:
                environment, seed = os.environ | CONDITIONS[name], chosen.seed + number
                print(f"== {name}, order {seed}: {check(environment)}", flush=True)
                codes[f"{name} {seed}"] = suite(environment, seed, more)
    for run, code in codes.items():
        print(f"{run}: {'passed' if code == 0 else f'failed with code {code}'}")
    sys.exit(any(codes.values()))


if __name__ == "__main__":
    main()
