"""headstart.adaptation beside skada 0.6.0 and ADAPT 0.4.5: the same predictions, and in how much of their time.

    python bench/beside.py [--quick] [--only WORD]

Two sizes: ADAPT's toys (100 + 100 rows) and 1,000 + 1,000 rows x 100 columns (`--quick`: 200 + 200 x 20). Each row fits
on both tasks and predicts, ours and theirs in turn, in one process on one thread; times are processor seconds, the
ratio is the median over the turns. "differ" is the largest difference of what is compared (scores of the head, or the
weights of mean 1) as a share of the largest value, "agree" the share of equal answers (regression: correlation). Where
the other side is not the same algorithm, or stops short of its optimum, the row says so and is judged by its loss, if
there is one. Ends with 1 where a row that should be equal is not, or ours has the greater loss.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from adapts import INSTALL
from threadpoolctl import threadpool_limits

LONG, TURNS = 6.0, 7
LINE = "{:<27} {:<6} {:<9} {:>8} {:>6}  {:>8} {:>8} {:>7}  {}\n"


class Took(NamedTuple):
    """Processor and wall seconds."""

    cpu: float
    wall: float


def main() -> int:
    asked = argparse.ArgumentParser()
    asked.add_argument("--quick", action="store_true")
    asked.add_argument("--only", default="")
    asked = asked.parse_args()
    for name, wanted, how in (("skada", "0.6.0", "pip install skada==0.6.0"), ("adapt", "0.4.5", INSTALL)):
        _installed(name, wanted, how)
    sys.stdout.write(LINE.format("method", "beside", "rows", "differ", "agree", "ours s", "theirs s", "ratio", ""))
    failed, slower = [], []
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")
        for size, case in cases(asked.quick):
            if asked.only not in f"{case.name} {case.library} {size}":
                continue
            good, ratio = row(size, case)
            failed += [] if good else [f"{case.name} ({case.library}, {size})"]
            slower += [f"{case.name} ({case.library}, {size})"] if ratio > 1 else []
    sys.stdout.write(f"not equal: {', '.join(failed) or 'none'}\nslower: {', '.join(slower) or 'none'}\n")
    return 1 if failed else 0


def cases(quick: bool) -> Iterator[tuple[str, Any]]:
    """Every method at either size."""
    from rivals_adapt import against_adapt
    from rivals_skada import against_skada, jdot
    from sides import realistic, small

    count, width = (200, 20) if quick else (1000, 100)
    sizes = {"toy": (small(2), small(0)), f"{count}x{width}": (realistic(2, count, width), realistic(0, count, width))}
    for size, (rows, values) in sizes.items():
        for some in (against_skada(rows), jdot(values), against_adapt(rows, values)):
            for case in some:
                yield size, case


def row(size: str, case: Any) -> tuple[bool, float]:
    """Print one; whether it holds, and the ratio."""
    (ours, said), (theirs, meant) = case.ours.run(), case.theirs.run()
    a, b = (np.asarray(side.values(model), dtype=float) for side, model in ((case.ours, ours), (case.theirs, theirs)))
    differ = float(np.abs(a - b).max() / np.abs(b).max()) if a.shape == b.shape else float("nan")
    agree = (
        float(np.mean(said == meant))
        if np.array_equal(meant, np.round(meant))
        else float(np.corrcoef(said, meant)[0, 1])
    )
    ratio, mine, other = turns(case.ours.run, case.theirs.run)
    good, note = True, case.note
    if case.tolerance is not None:
        good = differ <= case.tolerance
        note = f"{'' if good else f'NOT EQUAL (expected {case.tolerance:g}). '}{note}"
    elif case.loss is not None:
        losses = case.loss(a), case.loss(b)
        good = losses[0] <= losses[1] + 1e-5 * abs(losses[1])
        note = f"{note}: {losses[0]:.6f}, theirs {losses[1]:.6f}{'' if good else ' WORSE'}"
    else:
        note = f"not the same: {note}"
    figures = f"{differ:.0e}", f"{agree:.3f}", f"{mine.cpu:.4f}", f"{other.cpu:.4f}", f"{ratio:.2f}"
    sys.stdout.write(LINE.format(case.name, case.library, size, *figures, note))
    sys.stdout.flush()
    return good, ratio


def turns(ours: Callable[[], Any], theirs: Callable[[], Any]) -> tuple[float, Took, Took]:
    """The median ratio of processor seconds, and the median of each; fewer turns where they take long."""
    took: list[tuple[Took, Took]] = []
    start = time.perf_counter()
    while len(took) < 3 or (len(took) < TURNS and time.perf_counter() - start < LONG):
        took.append((clock(ours), clock(theirs)))
    each = [Took(median(t.cpu for t in side), median(t.wall for t in side)) for side in zip(*took, strict=True)]
    return median(a.cpu / b.cpu for a, b in took), each[0], each[1]


def clock(work: Callable[[], Any]) -> Took:
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return Took(time.process_time() - cpu, time.perf_counter() - wall)


def _installed(name: str, wanted: str, how: str) -> None:
    try:
        found = version(name)
    except PackageNotFoundError:
        raise SystemExit(f"this bench needs {name} {wanted}: {how}") from None
    if found != wanted:
        sys.stdout.write(f"{name} is {found}; the figures in docs/benchmarks.md were taken beside {wanted}\n")


if __name__ == "__main__":
    sys.exit(main())
