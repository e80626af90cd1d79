"""The suite as other machines would run it: `make test-machines`.

Each condition is a set of instructions and a number of threads, with which the same sums round otherwise. Under each
the suite runs `--rounds` times, in orders and with examples of their own. Two suites run at once, each of which keeps
all cores busy for the other; where one is left, processes that give way to all others do so.
"""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import IO, NamedTuple

# torch, its MKL and oneDNN, NumPy and OpenBLAS each choose their own instructions, by these variables.
CONDITIONS = {
    "own": {"OMP_NUM_THREADS": "1"},
    "avx2": {
        "OMP_NUM_THREADS": "2",
        "OMP_WAIT_POLICY": "passive",  # threads that spin for each other come to a standstill where others calculate
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
SUITE = [
    sys.executable,
    "-m",
    "pytest",
    "-n",
    "2",
    "--dist",
    "loadfile",
    "--no-loadscope-reorder",
    "--hypothesis-profile",
    "drawn",
]
AT_ONCE = 2
MINUTES = 90
CHOSEN = """
import numpy, torch
from threadpoolctl import threadpool_info
blas = {pool["architecture"] for pool in threadpool_info() if pool["internal_api"] == "openblas"}
print(torch.get_num_threads(), torch.backends.cpu.get_cpu_capability().lower(), *blas)
"""
# Ends with its parent, also where that was killed. On Linux a niceness counts within a session; it has one of its own.
LOAD = """
import os, sys
os.nice(19)
if os.access("/proc/self/autogroup", os.W_OK):
    with open("/proc/self/autogroup", "w") as group:
        group.write("19")
while os.getppid() == int(sys.argv[1]):
    sum(range(10**6))
"""


@contextmanager
def load(processes: int) -> Iterator[None]:
    """So many processes that calculate until the end of the block."""
    command = [sys.executable, "-c", LOAD, str(os.getpid())]
    running = [subprocess.Popen(command, start_new_session=True) for _ in range(processes)]
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


class Run(NamedTuple):
    """A suite that runs: its condition and seed, its process, the file that holds its output, and when it began."""

    name: str
    seed: int
    process: subprocess.Popen[bytes]
    output: IO[bytes]
    began: float

    @classmethod
    def begin(cls, name: str, seed: int, more: list[str], folder: Path) -> Run:
        environment = os.environ | CONDITIONS[name]
        output = open(folder / f"{name} {seed}.txt", "wb")  # noqa: SIM115 - closed with the run
        print(f"== {name}, order {seed}: {check(environment)}; output in {output.name}", flush=True)
        command = [*SUITE, f"--randomly-seed={seed}", *more]
        process = subprocess.Popen(
            command, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        return cls(name, seed, process, output, time.monotonic())

    @property
    def stuck(self) -> bool:
        return time.monotonic() - self.began > 60 * MINUTES

    def end(self) -> int:
        """Its exit code; that of one that had to be ended, with its workers, is below 0."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        code = self.process.wait()
        self.output.close()
        return code


def run_all(waiting: list[tuple[str, int]], more: list[str], folder: Path) -> dict[str, int]:
    """The exit codes of all runs, `AT_ONCE` at a time."""
    running: list[Run] = []
    codes = {}
    try:
        while waiting or running:
            while waiting and len(running) < AT_ONCE:
                running.append(Run.begin(*waiting.pop(0), more, folder))
            time.sleep(0.5)
            for run in [run for run in running if run.stuck or run.process.poll() is not None]:
                running.remove(run)
                codes[f"{run.name} {run.seed}"] = code = run.end()
                lines = Path(run.output.name).read_text("utf-8", "replace").splitlines()
                print("\n".join(lines[-3 if code == 0 else -200 :]), flush=True)
    finally:
        for run in running:
            run.end()
    return codes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=CONDITIONS, action="append", help="this condition, not all; may be repeated")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="of the first order; printed")
    chosen, more = parser.parse_known_args()  # what is left over is for pytest
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that nothing is left running
    waiting = [(name, chosen.seed + number) for number in range(chosen.rounds) for name in chosen.only or CONDITIONS]
    with load(os.cpu_count() or 1):
        codes = run_all(waiting, more, Path(mkdtemp(prefix="machines-")))
    for run, code in codes.items():
        print(f"{run}: {'passed' if code == 0 else f'failed with code {code}'}")
    sys.exit(any(codes.values()))


if __name__ == "__main__":
    main()
