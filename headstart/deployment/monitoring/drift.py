"""Whether what a model is asked for is still like what it learnt from: windows of rows compared with the training rows.

Of a window only sums are held, see `uncertainty.kernel_mean`: of random features, of flagged rows, of answered classes.
Three questions are asked of it, each with the probability p of as much from rows like those of the training:

    MMD^2                   of the features as a whole                        `uncertainty.kernel_mean`
    out of distribution     more single rows far from all training rows       `uncertainty.out_of_distribution`
    class shares            classes answered more or less often               `uncertainty.decided`

A window has drifted where the least p times the number of questions is below the rate (Bonferroni). How many of n rows
are flagged of those whose limit is the r-th of m distances is beta-binomial (n, m + 1 - r, r).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from blake3 import blake3

from headstart.artefact.model import Model
from headstart.errors import DataError
from headstart.tasks.task import Array
from headstart.uncertainty.decided import counted
from headstart.uncertainty.kernel_mean import FEWEST
from headstart.uncertainty.out_of_distribution import RATE as STRANGE_RATE
from headstart.uncertainty.stored import Uncertainty

__all__ = ["FEWEST", "RATE", "WINDOW", "Question", "Reference", "Sums", "WindowDrift", "added", "fingerprint_of"]

RATE = 0.01
"""The share of windows of rows like those of the training that are said to have drifted."""
WINDOW = 200
"""Rows of a window, unless told."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Sums:
    """Of some rows.

    rows      how many
    features  (2 R,) the sum of random features; None where the model has no means
    strange   how many are out of distribution
    decided   (C,) int64, to how many each class was answered; None where that is not known
    """

    rows: int
    features: Array | None = None
    strange: int | None = None
    decided: Array | None = None


def added(parts: Iterable[Sums]) -> Sums:
    """The sums of all parts together; ValueError of none."""
    parts = list(parts)
    if not parts:
        raise ValueError("nothing to add up")
    features = [part.features for part in parts if part.features is not None]
    decided = [part.decided for part in parts if part.decided is not None]
    strange = [part.strange for part in parts if part.strange is not None]
    return Sums(
        rows=sum(part.rows for part in parts),
        features=np.sum(features, axis=0) if len(features) == len(parts) else None,
        strange=sum(strange) if len(strange) == len(parts) else None,
        decided=np.sum(decided, axis=0) if len(decided) == len(parts) else None,
    )


class Question(NamedTuple):
    """value   MMD^2, the share of rows, or the distance of shares
    p       the probability of as much, of rows like those of the training
    """

    value: float
    p: float


class WindowDrift(NamedTuple):
    """What a window says; None for a question that the model, or the window, has no answer to."""

    rows: int
    mmd: Question | None
    strange: Question | None
    shares: Question | None

    @property
    def p(self) -> float:
        """The least probability times the number of questions, at most 1."""
        asked = [question.p for question in (self.mmd, self.strange, self.shares) if question is not None]
        return min(1.0, len(asked) * min(asked))

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        names = ("mmd", "out_of_distribution", "class_shares")
        questions = dict(zip(names, self[1:], strict=True))
        return {"rows": self.rows, "p": self.p} | {
            name: None if question is None else question._asdict() for name, question in questions.items()
        }


@dataclass(frozen=True, eq=False)
class Reference:
    """A model as what rows are compared with. DataError for a model that stores nothing for that."""

    model: Model

    def __post_init__(self) -> None:
        stored = self._stored
        if stored.means is None and stored.distribution is None and stored.decided is None:
            raise DataError(
                "the model stores nothing that served rows could be compared with: fit it again with this version, on "
                f"{FEWEST} rows or more, by a method that leaves the backbone as it is, such as 'probe'"
            )

    @property
    def _stored(self) -> Uncertainty:
        return self.model.uncertainty or Uncertainty()

    @property
    def lacks(self) -> str:
        """What is not compared, and why; "" where all is."""
        stored = self._stored
        parts = []
        if stored.means is None:
            earlier = "saved by an earlier version" if stored.distribution is not None else "its features have no means"
            parts.append(f"features are not compared ({earlier})")
        if stored.distribution is None:
            parts.append("no row is out of distribution (the model does not store what it learnt from)")
        if stored.decided is None and self.model.kind.has_classes:
            parts.append("class shares are not compared (no rows were held out in its fit)")
        return "; ".join(parts)

    def sums(self, features: Array, values: Array | None = None) -> Sums:
        """Of features (N, D) that the head stands on, and its predictions (N, C) of these rows."""
        stored, kind = self._stored, self.model.kind
        decided = None
        if values is not None and stored.decided is not None:
            decided = counted(kind, self.model.head.decide(np.asarray(values)), len(self.model.classes))
        if stored.distribution is None:
            return Sums(rows=len(features), decided=decided)
        scaled = stored.distribution.scaled(features)
        return Sums(
            rows=len(features),
            features=None if stored.means is None else stored.means.sums(scaled),
            strange=int(stored.distribution.flags(features).sum()),
            decided=decided,
        )

    def compare(self, window: Sums) -> WindowDrift:
        """DataError for too few rows, and for the sums of another model."""
        stored = self._stored
        if window.rows < FEWEST:
            raise DataError(f"{window.rows} rows are too few to compare: expected {FEWEST} or more")
        mmd = strange = shares = None
        if window.features is not None and stored.means is not None:
            if window.features.shape != stored.means.mean.shape:
                raise DataError("the window holds the sums of another model")
            mmd = Question(*stored.means.discrepancy(window.features, window.rows))
        if window.strange is not None and stored.distribution is not None:
            p = _flagged_as_often(window.strange, window.rows, len(stored.distribution.distances))
            strange = Question(window.strange / window.rows, p)
        if window.decided is not None and stored.decided is not None:
            if window.decided.shape != stored.decided.counts.shape:
                raise DataError("the window holds the classes of another model")
            exclusive = self.model.kind.exclusive
            shares = Question(*stored.decided.shift(window.decided, window.rows, exclusive=exclusive))
        if mmd is None and strange is None and shares is None:
            raise DataError("the window holds nothing that this model could be compared with")
        return WindowDrift(window.rows, mmd, strange, shares)


def _flagged_as_often(count: int, rows: int, distances: int) -> float:
    """The probability of `count` flagged rows or more among so many."""
    from scipy.stats import betabinom

    rank = min(distances, math.ceil((distances + 1) * (1 - STRANGE_RATE) - 1e-9))
    return float(betabinom.sf(count - 1, rows, distances + 1 - rank, rank)) if count else 1.0


def fingerprint_of(model: Model) -> str:
    """Of what windows are compared with and what answers them: the same for a model and its copy on disk."""
    digest = blake3()
    arrays = {f"head.{name}": array for name, array in model.head.arrays.items()}
    arrays |= (model.uncertainty or Uncertainty()).arrays()
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    digest.update(("" if model.backbone is None else model.backbone.fingerprint).encode())
    return digest.hexdigest()[:16]
