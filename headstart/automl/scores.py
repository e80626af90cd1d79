"""The table of transferability scores. Each is a function of features (or source probabilities) and targets; higher is
better in all of them, on the same rows and targets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy.typing as npt

from headstart.automl.decomposition import Decomposition
from headstart.automl.gbc import gbc
from headstart.automl.h_score import h_score, shrunk_h_score
from headstart.automl.knn import knn
from headstart.automl.leave_one_out import leave_one_out
from headstart.automl.leep import leep
from headstart.automl.logme import logme
from headstart.automl.n_leep import n_leep
from headstart.automl.nce import nce
from headstart.automl.parc import parc
from headstart.automl.sfda import sfda
from headstart.automl.transrate import transrate
from headstart.messages import nearest_hint
from headstart.tasks import CLASSIFICATION, REGRESSION
from headstart.tasks.kind import Kind, kind_named

__all__ = ["SCORES", "Score", "transferability"]

Given = npt.ArrayLike | Decomposition


class Score(NamedTuple):
    """of      the function of what it takes and targets, with the keyword `kind` where it answers several
    takes   features (N, D), or a source model's probabilities (N, S)
    kinds   of targets that it is defined for
    about   in one line
    """

    of: Callable[..., float]
    takes: Literal["features", "probabilities"]
    kinds: tuple[Kind, ...]
    about: str


CLASSES, BOTH = (CLASSIFICATION,), (CLASSIFICATION, REGRESSION)

SCORES: dict[str, Score] = {
    "leave-one-out": Score(leave_one_out, "features", BOTH, "held-out log likelihood or R2 of a ridge, exactly"),
    "logme": Score(logme, "features", BOTH, "maximum evidence of a Bayesian linear model"),
    "knn": Score(knn, "features", BOTH, "held-out accuracy or R2 of the nearest rows"),
    "h-score": Score(h_score, "features", CLASSES, "variance between the classes, whitened"),
    "shrunk-h-score": Score(shrunk_h_score, "features", CLASSES, "the same, for few rows or many features"),
    "transrate": Score(transrate, "features", CLASSES, "mutual information, as coding rates"),
    "gbc": Score(gbc, "features", CLASSES, "how little the classes overlap, as Gaussians"),
    "sfda": Score(sfda, "features", CLASSES, "Fisher discriminant of classes made harder"),
    "parc": Score(parc, "features", CLASSES, "agreement of distances in features and labels"),
    "n-leep": Score(n_leep, "features", CLASSES, "LEEP of the parts of a Gaussian mixture"),
    "leep": Score(leep, "probabilities", CLASSES, "expected prediction from a source classifier"),
    "nce": Score(nce, "probabilities", CLASSES, "entropy of the classes given the source's labels"),
}
"""By name, in the order in which they are told."""


def transferability(name: str, given: Given, targets: npt.ArrayLike, *, kind: str = CLASSIFICATION) -> float:
    """The score of this name, with its defaults. Higher is better.

    given   features (N, D) or their decomposition, or for "leep" and "nce" source probabilities (N, S)

    ValueError where there is no such score, or it is not defined for this kind of targets
    """
    if name not in SCORES:
        raise ValueError(
            f"no score is called {name!r}: expected one of {', '.join(SCORES)}{nearest_hint(name, SCORES)}"
        )
    score, question = SCORES[name], kind_named(kind)
    if question not in score.kinds:
        fitting = [other for other, row in SCORES.items() if question in row.kinds and row.takes == score.takes]
        instead = f"use {' or '.join(fitting)}" if fitting else f"no score of {score.takes} is defined for it"
        raise ValueError(f"{name} is defined for {' and '.join(score.kinds)}, not for {kind!r}: {instead}")
    options: dict[str, Any] = {"kind": question} if len(score.kinds) > 1 else {}
    return score.of(given, targets, **options)
