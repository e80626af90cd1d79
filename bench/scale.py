"""Seconds and memory of the steps that must run on 200,000 + 200,000 rows of 512 columns, each in its own process.

    python bench/scale.py [--rows 200000] [--columns 512] [--only CORAL ...]

Goal: each under 2 GB beyond the data, which are two float64 arrays of rows x columns. Beyond the data is how far the
peak resident size of the process rises during the call, the moved rows with it. Each result is checked against what
the data were made with. One case at a time, one thread.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from material import peak_mb

from headstart.adaptation.alignment.coral import Coral
from headstart.adaptation.alignment.linear_transport import LinearTransport
from headstart.adaptation.alignment.step import Align, Aligned, Domains
from headstart.adaptation.reweighting.bbse import BBSE
from headstart.adaptation.reweighting.discriminator import DiscriminatorWeights
from headstart.adaptation.reweighting.mlls import MLLS
from headstart.linalg.moments import blocks, moments
from headstart.tasks.task import Array

__all__ = ["CASES", "Case", "main"]

GOAL_MB = 2000
SHARES = np.array([0.4, 0.3, 0.15, 0.1, 0.05])
APART = 1.0


class Case(NamedTuple):
    """A step, the data that it is for, and (what was measured on its result, whether that is right)."""

    step: Align
    data: Callable[[int, int], Domains]
    check: Callable[[Domains, Aligned], tuple[str, bool]]


def noise(rows: int, columns: int, seed: int) -> Array:
    """Standard normal, made in place."""
    return np.random.default_rng(seed).standard_normal((rows, columns))


def mixed(rows: int, columns: int) -> Domains:
    """Source and target of other means and covariances."""
    made = []
    for seed in (0, 1):
        found, draw = noise(rows, columns, seed), np.random.default_rng(seed + 10)
        mixing = np.eye(columns) + draw.standard_normal((columns, columns)) / (2 * np.sqrt(columns))
        for part in blocks(rows):
            found[part] = found[part] @ mixing + seed
        made.append(found)
    return Domains(made[0], np.arange(rows) % 2, made[1], None, 2)


def other_shares(rows: int, columns: int) -> Domains:
    """Five classes around means of their own: alike often in the source, as in SHARES in the target."""
    draw, found, codes = np.random.default_rng(20), [], []
    means = draw.standard_normal((len(SHARES), columns)) * 2 / np.sqrt(columns)
    for seed, shares in ((0, None), (1, SHARES)):
        found.append(noise(rows, columns, seed))
        codes.append(draw.choice(len(SHARES), rows, p=shares))
        for part in blocks(rows):
            found[-1][part] += means[codes[-1][part]]
    return Domains(found[0], codes[0], found[1], None, len(SHARES))


def moved(rows: int, columns: int) -> Domains:
    """A target APART along the diagonal: q(x) / p(x) = exp(APART t - APART^2 / 2), t = x . diagonal."""
    source, target = noise(rows, columns, 0), noise(rows, columns, 1)
    target += APART / np.sqrt(columns)
    return Domains(source, np.arange(rows) % 2, target, None, 2)


def same_moments(domains: Domains, found: Aligned) -> tuple[str, bool]:
    """The moved source has the mean and the covariance of the target."""
    one, two = moments(found.source), moments(domains.target)
    far = max(float(np.abs(a - b).max()) for a, b in zip(one, two, strict=True))
    return f"mean and covariance off by {far:.0e}", far < 1e-3


def near_shares(domains: Domains, found: Aligned) -> tuple[str, bool]:
    """The estimated shares are those of the target."""
    far = float(np.abs(np.array(found.facts["target"]) - SHARES).max())
    return f"shares off by {far:.4f}", far < 0.5 / np.sqrt(len(domains.target)) * 5


def near_ratio(domains: Domains, found: Aligned) -> tuple[str, bool]:
    """The logarithms of the weights go with those of the true density ratio, and as many rows are left."""
    t = domains.source.mean(axis=1) * np.sqrt(domains.source.shape[1]) * APART
    assert found.weights is not None
    alike = float(np.corrcoef(np.log(found.weights), t)[0, 1])
    true = np.exp(t)
    share = float(found.facts["effective"]) / (true.sum() ** 2 / (true**2).sum())  # type: ignore[arg-type]
    return (
        f"log weights correlate {alike:.3f}, effective rows {share:.2f} of the true",
        alike > 0.95 and 0.8 < share < 1.2,
    )


CASES = {
    "CORAL": Case(Coral(), mixed, same_moments),
    "linear transport": Case(LinearTransport(), mixed, same_moments),
    "BBSE": Case(BBSE(), other_shares, near_shares),
    "MLLS": Case(MLLS(), other_shares, near_shares),
    "discriminator": Case(DiscriminatorWeights(), moved, near_ratio),
}


def child(name: str, rows: int, columns: int) -> None:
    """Run one case; print what it took as JSON."""
    case = CASES[name]
    domains = case.data(rows, columns)
    held, began = peak_mb(), time.perf_counter()
    found = case.step(domains)
    seconds, more = time.perf_counter() - began, peak_mb() - held
    said, right = case.check(domains, found)
    sys.stdout.write(json.dumps({"seconds": seconds, "mb": more, "said": said, "right": bool(right)}) + "\n")


def started(name: str, rows: int, columns: int) -> dict[str, Any]:
    """What a child process tells."""
    command = [sys.executable, __file__, "--child", name, "--rows", str(rows), "--columns", str(columns)]
    alone = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=alone)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=200_000, help="of either task")
    parser.add_argument("--columns", type=int, default=512)
    parser.add_argument("--only", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--child", choices=CASES, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        child(asked.child, asked.rows, asked.columns)
        return 0
    each = asked.rows * asked.columns * 8 / 2**20
    sys.stdout.write(f"{asked.rows:,} + {asked.rows:,} rows x {asked.columns}, float64: {each:.0f} MB either task\n")
    good = True
    for name in asked.only:
        found = started(name, asked.rows, asked.columns)
        good = good and found["right"] and found["mb"] <= GOAL_MB
        sys.stdout.write(
            f"{name:<18} {found['seconds']:7.1f} s   {found['mb']:6.0f} MB beyond the data, goal <= {GOAL_MB}   "
            f"{found['said']}: {'right' if found['right'] else 'WRONG'}\n"
        )
        sys.stdout.flush()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
