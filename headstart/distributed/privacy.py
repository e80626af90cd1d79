"""Differential privacy of the sums that a client sends: clipped rows, the Gaussian mechanism, Opacus's accountant.

    x <- x min(1, B / |x|),      release  S + N(0, (sigma s)^2 I),      s = |largest change of S by one row|

(Dwork and Roth, 2014, appendix A). S holds the number of rows, the sum of x / B, of x x' / B^2 (upper triangle), of the
answers t, of x t' / B and of t^2; each of these six changes by at most 1 where a row comes or goes (of L labels those
of t by sqrt(L)), so that s = sqrt(6) at most. Rows lie in one fold each, so the folds together are one release.
Values of a regression are moved to [low, high] and coded -1 to 1. Each client adds its own noise and need trust nobody.
sigma is the least that gives epsilon at delta by the accountant (Opacus, Renyi: Mironov, 2017). What was spent before
is remembered in a file beside the client's data, and a release beyond the budget is refused.

Epsilon covers the sums, and so the head. It does not cover what a description tells (class and column names, medians
of table columns) nor the scores of the evidence: these are for the client.
"""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headstart.distributed.clients import Privacy
from headstart.errors import DataError
from headstart.heads.sums import Sums, fold_sums
from headstart.tasks.kind import Kind
from headstart.tasks.task import Array

if TYPE_CHECKING:
    from headstart.distributed.owner import Member

__all__ = ["Ledger", "Release", "clipped", "made_definite", "noise_for", "sensitivity", "spent"]

_ACCOUNTANT = "rdp"
_ORDERS = [1 + x / 10 for x in range(1, 110)] + [float(x) for x in range(12, 1025)]
"""Of the Renyi divergence; those of Opacus end at 63, which wastes a budget below 1."""


def noise_for(epsilon: float, delta: float) -> float:
    """sigma: the noise multiplier of one release of the Gaussian mechanism to all rows."""
    from opacus.accountants.utils import get_noise_multiplier

    return float(
        get_noise_multiplier(
            target_epsilon=epsilon,
            target_delta=delta,
            sample_rate=1.0,
            steps=1,
            accountant=_ACCOUNTANT,
            alphas=_ORDERS,
        )
    )


def spent(sigmas: list[float], delta: float) -> float:
    """Epsilon of these releases together; 0 for none."""
    from opacus.accountants import create_accountant

    if not sigmas:
        return 0.0
    accountant = create_accountant(_ACCOUNTANT)
    accountant.history = [(sigma, 1.0, 1) for sigma in sigmas]
    return float(accountant.get_epsilon(delta=delta, alphas=_ORDERS))


def sensitivity(kind: Kind, columns: int) -> float:
    """s, by how much the scaled sums of `clipped` rows change at most (Euclidean) where one row comes or goes."""
    labels = columns if kind.several else 1
    squares = 0 if kind.has_classes else 1  # of classes they are the answers once more
    return math.sqrt(3 + labels * (2 + squares))


def clipped(features: Array, bound: float) -> Array:
    """(N, D) rows, those longer than `bound` shortened to it; float64."""
    x = np.asarray(features, dtype=np.float64)
    lengths = np.linalg.norm(x, axis=1, keepdims=True)
    return np.asarray(x * np.minimum(1.0, bound / np.where(lengths > 0, lengths, 1.0)))


@dataclass(frozen=True)
class Ledger:
    """What a client has spent: noise multipliers of its releases, in a JSON file."""

    file: Path

    def sigmas(self) -> list[float]:
        """Of all releases so far. DataError where the file is damaged: nobody knows then what was spent."""
        try:
            read = json.loads(self.file.read_text(encoding="utf-8"))
            return [float(sigma) for sigma in read["noise_multipliers"]]
        except FileNotFoundError:
            return []
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise DataError(
                f"{self.file} remembers what privacy was spent and cannot be read ({error}); nothing is released"
            ) from error

    def spend(self, sigma: float, delta: float, budget: float) -> float:
        """Note one more release before it is made, and tell epsilon of all; DataError where that is over the budget."""
        sigmas = [*self.sigmas(), sigma]
        total = spent(sigmas, delta)
        if total > budget * (1 + 1e-6):
            before = spent(sigmas[:-1], delta)
            raise DataError(
                f"the privacy budget is spent: epsilon {before:.3g} of {budget:.3g} at delta {delta:g} is used, and "
                f"one more release would make it {total:.3g}. Raise [privacy] budget, or ask for a smaller epsilon"
            )
        part = self.file.with_name(f"{self.file.name}.{os.getpid()}.part")
        part.write_text(json.dumps({"noise_multipliers": sigmas, "delta": delta, "epsilon": total}), encoding="utf-8")
        part.replace(self.file)
        return total


@dataclass
class Release:
    """The one release of a run: the same noisy sums however often they are asked for."""

    privacy: Privacy
    ledger: Ledger
    seed: int | None = None
    _vector: Array | None = field(default=None, init=False)

    def of(self, member: Member) -> Array:
        """The noisy sums of all folds as one vector, and the budget that is less by them."""
        if self._vector is None:
            privacy = self.privacy
            sigma = noise_for(privacy.epsilon, privacy.delta)
            self.ledger.spend(sigma, privacy.delta, privacy.budget or privacy.epsilon)
            self._vector = noisy(member, privacy, sigma, np.random.default_rng(self.seed))
        return self._vector


def noisy(member: Member, privacy: Privacy, sigma: float, random: np.random.Generator) -> Array:
    """Sums of clipped rows with noise, in the units of `Sums.vector`, one fold behind the other."""
    kind, targets = member.rows.task.kind, np.asarray(member.rows.task.targets)
    centre, half = _range(privacy, kind)
    if not kind.has_classes:
        targets = np.clip((targets - centre) / half, -1.0, 1.0)
    x = clipped(member.features, privacy.clip) / privacy.clip
    folds = fold_sums(x, targets, member.fold, kind=kind, classes=member.classes, count=member.agreement.folds)
    scale = sigma * sensitivity(kind, folds[0].columns)
    return np.concatenate([_noised(sums, kind, scale, random).vector() for sums in folds])


def _noised(sums: Sums, kind: Kind, scale: float, random: np.random.Generator) -> Sums:
    def noise(*shape: int) -> Array:
        return random.normal(0.0, scale, shape)

    gram = np.triu(sums.gram + noise(*sums.gram.shape))
    answers = sums.answers + noise(sums.columns)
    return replace(
        sums,
        rows=0,
        weight=sums.weight + float(noise(1)[0]),
        total=sums.total + noise(sums.width),
        gram=gram + np.triu(gram, 1).T,
        answers=answers,
        cross=sums.cross + noise(*sums.cross.shape),
        squares=answers if kind.has_classes else sums.squares + noise(sums.columns),
    )


def made_definite(sums: Sums, privacy: Privacy, kind: Kind) -> Sums:
    """Noisy sums in the units of the features and values, as sums of rows could be: the matrix [[w, m'], [m, G]] has no
    negative eigenvalue, and no class less than no rows. That is not looked up in the data, and costs no privacy."""
    whole = np.block([[np.array([[sums.weight]]), sums.total[None]], [sums.total[:, None], sums.gram]])
    values, vectors = np.linalg.eigh(whole)
    whole = (vectors * np.maximum(values, 0.0)) @ vectors.T
    weight, bound = max(float(whole[0, 0]), 1.0), privacy.clip
    centre, half = _range(privacy, kind)
    answers = np.maximum(sums.answers, 0.0) if kind.has_classes else sums.answers
    total = whole[0, 1:] * bound
    squares, cross = sums.squares, sums.cross * bound
    if not kind.has_classes:
        squares = half**2 * np.maximum(squares, 0.0) + 2 * centre * half * answers + weight * centre**2
        cross = half * cross + centre * total[:, None]
        answers = half * answers + centre * weight
    return replace(
        sums,
        rows=max(2, round(weight)),
        weight=weight,
        total=total,
        gram=whole[1:, 1:] * bound**2,
        answers=answers,
        cross=cross,
        squares=squares,
    )


def _range(privacy: Privacy, kind: Kind) -> tuple[float, float]:
    """The middle and half the width of the values of a regression."""
    if kind.has_classes:
        return 0.0, 1.0
    if not privacy.low < privacy.high:
        raise DataError(
            f"[privacy] low = {privacy.low:g}, high = {privacy.high:g}: a regression needs the range of its values, "
            "low below high, from what is known without the data"
        )
    return (privacy.low + privacy.high) / 2, (privacy.high - privacy.low) / 2


def words_of(privacy: Privacy) -> str:
    """For the evidence and the terminal."""
    sigma = noise_for(privacy.epsilon, privacy.delta)
    return (
        f"differential privacy of each client's sums: epsilon {privacy.epsilon:g}, delta {privacy.delta:g} (Gaussian "
        f"mechanism, noise multiplier {sigma:.3g}, rows clipped to length {privacy.clip:g}); names of classes and "
        "columns, medians of table columns and the scores of the evidence are not covered"
    )
