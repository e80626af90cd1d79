"""Evidence, options and losses as flat names with one number or word each, as tracking services take them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from headstart.evidence.evidence import Evidence
from headstart.evidence.intervals import Interval
from headstart.evidence.multi_task import MultiTaskEvidence

__all__ = ["figures_of", "finite", "words_of"]

_KINDS = (str, int, float, bool)
_ABOUT_THE_RUN = {"listener", "track"}


def finite(values: Mapping[str, float]) -> dict[str, float]:
    """Those that are known: neither NaN nor infinite."""
    return {name: float(value) for name, value in values.items() if math.isfinite(value)}


def _interval(name: str, interval: Interval) -> dict[str, float]:
    """A value and the ends of its 95 % interval."""
    return {name: interval.value, f"{name}.low": interval.low, f"{name}.high": interval.high}


def figures_of(evidence: Evidence | MultiTaskEvidence) -> dict[str, float]:
    """Scores, those of the baselines, and the gain, each with the ends of its 95 % interval; rows; seconds.

    `accuracy`, `accuracy.low`, `no-transfer/accuracy`, `gain`; of several targets `TARGET/accuracy`.
    """
    if isinstance(evidence, MultiTaskEvidence):
        return {
            f"{target}/{name}": value
            for target, part in evidence.tasks.items()
            for name, value in figures_of(part).items()
        } | finite({f"seconds/{name}": value for name, value in evidence.seconds.items()})
    figures: dict[str, float] = {}
    for name, score in evidence.metrics.items():
        figures |= _interval(name, score)
    for baseline, scores in evidence.baselines.items():
        for name, score in scores.items():
            figures |= _interval(f"{baseline}/{name}", score)
    if evidence.gain is not None:
        figures |= _interval("gain", evidence.gain.interval)
    figures |= {"rows/train": evidence.n_train, "rows/test": evidence.n_test}
    figures |= {f"seconds/{name}": value for name, value in evidence.seconds.items()}
    return finite(figures)


def words_of(options: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Options that are given, each as a word; of a mapping each entry by its own name. Data in memory is named by its
    type alone."""
    words: dict[str, str] = {}
    for name, value in options.items():
        if name in _ABOUT_THE_RUN:
            continue
        if isinstance(value, Mapping):
            words |= words_of(value, f"{prefix}{name}.")
        elif isinstance(value, list | tuple) and all(isinstance(part, _KINDS) for part in value):
            words[f"{prefix}{name}"] = ",".join(map(str, value))
        elif isinstance(value, _KINDS) or hasattr(value, "__fspath__"):
            words[f"{prefix}{name}"] = str(value)
        elif value is not None:
            words[f"{prefix}{name}"] = type(value).__name__
    return words
