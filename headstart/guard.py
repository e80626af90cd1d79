"""The guard: a model that is not adapted, unless another is better by more than chance.

With target labels each way is tested on labelled target rows that it did not learn from, and an adaptation is taken
only if its mean loss is lower than that of the best way that does not adapt by a standard error of the paired
difference (Breiman et al., 1984, section 3.4.3). Without target labels nothing shows that adapting helps: the source
alone is kept, but where the diagnosis of the shift names one cause that has a remedy.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, NamedTuple, cast

import numpy as np

from headstart.adapting import Ground, answered, fit_way
from headstart.align.way import Way
from headstart.data.task import Array
from headstart.evidence.shift import diagnose
from headstart.heads.head import Head
from headstart.methods import method

__all__ = ["Chosen", "choose"]

_FOLDS = 5
_FEWEST = 10
_PLAIN = ("source-only", "target-only", "pooled")
_ADAPTED = ("augment", "balanced", "coral")
_REMEDY = {"label": "mlls", "covariate": "rulsif"}


class Chosen(NamedTuple):
    """A way by its name, and why it was taken in words ("" where it was asked for)."""

    name: str
    way: Way
    why: str = ""


def choose(on: Ground) -> Chosen:
    """The way to go on this ground."""
    known = on.domains.known
    labelled = np.flatnonzero(answered(known, on.kind))
    if len(labelled) < _FEWEST or _fewest(on, labelled) < 2:
        return _by_diagnosis(on)
    losses = {name: _losses(on, _way(name), labelled) for name in (*_PLAIN, *_ADAPTED)}
    plain = min(_PLAIN, key=lambda name: losses[name].mean())
    best = min(_ADAPTED, key=lambda name: losses[name].mean())
    apart = losses[plain] - losses[best]
    if apart.mean() > apart.std(ddof=1) / math.sqrt(len(apart)):
        return Chosen(best, _way(best), f"better than {plain} on {len(labelled)} labelled target rows held out in turn")
    return Chosen(plain, _way(plain), f"no adaptation is better by its standard error on {len(labelled)} target labels")


def _by_diagnosis(on: Ground) -> Chosen:
    domains = on.domains
    found = diagnose(domains.source, domains.targets, domains.target, kind=cast(Any, on.kind), seed=on.seed)
    name = _REMEDY.get(found.kind)
    if name is None or (name == "mlls" and on.kind != "classification"):
        return Chosen("source-only", _way("source-only"), f"too few target labels to compare, and {found.why}")
    return Chosen(name, _way(name), f"too few target labels to compare; {found.why}")


def _losses(on: Ground, way: Way, labelled: Array) -> Array:
    """Of the labelled target rows, each by a fit that did not know its answer."""
    known = cast(Array, on.domains.known)
    part = _parts(on, labelled)
    losses = np.zeros(len(labelled))
    for number in range(_FOLDS):
        hidden = labelled[part == number]
        masked = known.astype(np.float64 if on.kind == "regression" else np.int64).copy()
        masked[hidden] = np.nan if on.kind == "regression" else -1
        head = fit_way(replace(on, domains=on.domains._replace(known=masked)), way)
        losses[part == number] = _loss(head, on.domains.target[hidden], known[hidden])
    return losses


def _parts(on: Ground, labelled: Array) -> Array:
    """The fold of each labelled row; rows of a class are spread over as many folds as they can be."""
    drawn = np.random.default_rng(on.seed).permutation(len(labelled))
    codes = cast(Array, on.domains.known)[labelled] if on.kind == "classification" else np.zeros(len(labelled))
    part = np.empty(len(labelled), np.int64)
    part[np.lexsort((drawn, codes))] = np.arange(len(labelled)) % _FOLDS
    return part


def _loss(head: Head, rows: Array, answers: Array) -> Array:
    """(Q,) log loss, or squared error."""
    said = replace(head, form="plain").predict(rows)  # the rows of a ground have their form already
    if head.kind == "regression":
        return np.asarray((said - answers) ** 2)
    return -np.log(np.maximum(said[np.arange(len(answers)), answers], 1e-12))


def _fewest(on: Ground, labelled: Array) -> int:
    """Labelled rows of the rarest class that there is; enough of them in regression."""
    if on.kind == "regression":
        return len(labelled)
    counts = np.bincount(cast(Array, on.domains.known)[labelled].astype(int))
    return int(counts[counts > 0].min()) if (counts > 0).sum() > 1 else 0


def _way(name: str) -> Way:
    return cast(Way, method(name).way)
