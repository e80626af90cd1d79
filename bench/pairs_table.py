"""The table of `pairs`: a row a pair, means over the seeds, whether the guard kept its promise, and what refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

__all__ = ["Result", "lines", "markdown"]

GUARDS = {"auto": ("source-only",), "auto-20": ("source-only", "target-only")}
"""Which column may not be worse than the better of which by more than WORSE."""
WORSE = 0.02


class Result(NamedTuple):
    """One score, or None. how: the way the guard took, that a step was given labels, or why there is no score."""

    pair: str
    seed: int
    method: str
    score: float | None
    how: str
    seconds: float
    metric: str


Table = dict[str, dict[str, float]]
"""Pair -> column -> mean over the seeds; a column is missing where any seed has no score."""


def lines(results: Sequence[Result]) -> list[str]:
    """For a terminal."""
    table = _means(results)
    columns = list(dict.fromkeys(one.method for one in results))
    width = max(map(len, table), default=0)
    found = [" " * width + "".join(f"  {name}" for name in columns)]
    for pair, row in [*table.items(), *_over_all(results, table)]:
        found.append(f"{pair:<{width}}" + "".join(f"  {_shown(row.get(name)):>{len(name)}}" for name in columns))
    return [*found, "", *_kept(results, table), *_remarks(results)]


def markdown(results: Sequence[Result]) -> list[str]:
    """For the documentation."""
    table = _means(results)
    columns = list(dict.fromkeys(one.method for one in results))
    found = [f"| | {' | '.join(columns)} |", "|---" + "|--:" * len(columns) + "|"]
    for pair, row in [*table.items(), *_over_all(results, table)]:
        found.append(f"| {pair} | {' | '.join(_shown(row.get(name)) for name in columns)} |")
    return [*found, "", *(f"- {line.strip()}" for line in (*_kept(results, table), *_remarks(results)))]


def _means(results: Sequence[Result]) -> Table:
    scores: dict[str, dict[str, list[float | None]]] = {}
    for one in results:
        scores.setdefault(one.pair, {}).setdefault(one.method, []).append(one.score)
    return {
        pair: {
            name: float(np.mean([s for s in some if s is not None])) for name, some in row.items() if None not in some
        }
        for pair, row in scores.items()
    }


def _over_all(results: Sequence[Result], table: Table) -> Iterator[tuple[str, dict[str, float]]]:
    """The mean over the pairs of each metric, of the columns that have all of them."""
    metrics = {one.pair: one.metric for one in results}
    for metric in dict.fromkeys(metrics.values()):
        rows = [row for pair, row in table.items() if metrics[pair] == metric]
        names = [name for name in rows[0] if all(name in row for row in rows)]
        yield f"mean {metric}", {name: float(np.mean([row[name] for row in rows])) for name in names}


def _shown(value: float | None) -> str:
    if value is None:
        return "-"
    short = f"{value:.3f}" if abs(value) < 10 else f"{value:.0f}"
    return short.replace("0.", ".", 1) if abs(value) < 1 else short


def _kept(results: Sequence[Result], table: Table) -> Iterator[str]:
    """Whether the guard is never worse by more than .02 on a pair, and better on the mean."""
    for guard, rivals in GUARDS.items():
        rows = {pair: row for pair, row in table.items() if {guard, *rivals} <= set(row)}
        if not rows:
            continue
        behind = {pair: max(row[name] for name in rivals) - row[guard] for pair, row in rows.items()}
        over = [f"{pair} {apart:+.3f}" for pair, apart in behind.items() if apart > WORSE]
        yield f"{guard}: the better of {' and '.join(rivals)} less {guard}, at most {WORSE} on {len(rows)} pairs: " + (
            "kept" if not over else f"broken on {', '.join(over)}"
        )
        yield "    " + ", ".join(f"{pair} {apart:+.3f}" for pair, apart in behind.items())
        metrics = {one.pair: one.metric for one in results}
        for which in ("all", *sorted({metrics[pair] for pair in rows})):
            some = [apart for pair, apart in behind.items() if which in ("all", metrics[pair])]
            better = 0.0 - float(np.mean(some))
            said = "kept" if better > 0 else "broken"
            yield f"    mean of {guard} less the better over {which} pairs ({len(some)}), over 0: {better:+.4f} {said}"
        took = Counter(one.how for one in results if one.method == guard and one.score is not None)
        yield "    took " + ", ".join(f"{name} {count} times" for name, count in took.most_common())


def _remarks(results: Sequence[Result]) -> Iterator[str]:
    """Which steps were given labels, what refused and why, and how long each column took."""
    given = dict.fromkeys(one.method for one in results if one.score is not None and one.how == "with 20 labels")
    if given:
        yield f"given the 20 labels: {', '.join(given)}"
    why: dict[tuple[str, str], list[str]] = {}
    for one in results:
        if one.score is None:
            why.setdefault((one.method, one.how), []).append(one.pair)
    for (name, words), pairs in why.items():
        yield f"{name} refuses {', '.join(dict.fromkeys(pairs))} ({len(pairs)} draws): {words}"
    took = Counter[str]()
    for one in results:
        took[one.method] += one.seconds  # type: ignore[assignment]
    yield f"seconds, {sum(took.values()):.0f} in all: " + ", ".join(f"{n} {s:.1f}" for n, s in took.most_common())
