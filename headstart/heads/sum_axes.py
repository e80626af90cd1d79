"""The axes of all rows, from sums over them (`sums.py`), and what the sums of some of them are there.

With the standardisation of all rows, which the sums hold, Z'WZ = (G - m m' / w) / (s s') is the Gram matrix of the
standardised features, and Q S^2 Q' = Z'WZ the axes of `basis.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from headstart.heads.basis import axes_of
from headstart.heads.facts import FitterFacts
from headstart.heads.head import Head
from headstart.heads.standardize import Scale, Standard, scaled
from headstart.heads.sums import Sums
from headstart.tasks.task import Array, Kind

__all__ = ["Frame", "OnAxes", "standard_of_sums"]


class OnAxes(NamedTuple):
    """Rows as their sums on the axes of all rows show them: R = [Z Q, 1].

    normal   R'WR (K + 1, K + 1)
    moment   R'WT (K + 1, C) of answers T, 1 or 0 of a class
    answers  (C,), squares (C,), weight: as in `Sums`
    """

    normal: Array
    moment: Array
    answers: Array
    squares: Array
    weight: float

    def without(self, part: OnAxes) -> OnAxes:
        return OnAxes(
            self.normal - part.normal,
            self.moment - part.moment,
            self.answers - part.answers,
            self.squares - part.squares,
            self.weight - part.weight,
        )


class Frame(NamedTuple):
    """The axes of all rows: standard, axes Q (D, K), and the eigenvalues S^2 (K,), falling; the rounding of the rows"""

    standard: Standard
    axes: Array
    squares: Array
    rounding: float

    @classmethod
    def of(cls, sums: Sums, scale: Scale) -> Frame:
        standard = standard_of_sums(sums, scale)
        m = standard.mean
        centred = sums.gram - sums.weight * np.outer(m, m)
        gram = centred / np.outer(standard.scale, standard.scale)
        squares, axes = axes_of(gram, max(sums.rows, sums.width))
        most = max(1, min(sums.rows - 1, sums.width))
        return cls(standard, axes[:, :most], squares[:most], sums.rounding)

    @property
    def unit(self) -> float:
        return float(self.squares.mean()) if len(self.squares) else 1.0

    def strengths(self, candidates: Sequence[float]) -> list[float]:
        """Those that the rounding of the rows allows."""
        largest = float(self.squares[0]) if len(self.squares) else 1.0
        weakest = 20 * self.rounding * largest / self.unit
        return [s for s in candidates if s >= weakest] or [max(candidates)]

    def turned(self, sums: Sums) -> OnAxes:
        m, s = self.standard
        centred = sums.gram - np.outer(sums.total, m) - np.outer(m, sums.total) + sums.weight * np.outer(m, m)
        size = len(self.squares)
        normal = np.empty((size + 1, size + 1))
        normal[:-1, :-1] = self.axes.T @ (centred / np.outer(s, s)) @ self.axes
        normal[-1, :-1] = normal[:-1, -1] = self.axes.T @ ((sums.total - sums.weight * m) / s)
        normal[-1, -1] = sums.weight
        moment = self.axes.T @ ((sums.cross - np.outer(m, sums.answers)) / s[:, None])
        return OnAxes(normal, np.vstack([moment, sums.answers]), sums.answers, sums.squares, sums.weight)

    def head(self, name: str, kind: Kind, beta: Array, account: Mapping[str, Any]) -> Head:
        """The linear head with weights on the axes, beta (K + 1, C), the intercepts last."""
        arrays = {
            "mean": self.standard.mean,
            "scale": self.standard.scale,
            "weight.0": (self.axes @ beta[:-1]).astype(np.float32),
            "bias.0": np.asarray(beta[-1], dtype=np.float64),
        }
        return Head(name=name, kind=kind, arrays=arrays, facts=FitterFacts(account=dict(account)))


def standard_of_sums(sums: Sums, scale: Scale = "each") -> Standard:
    """The mean and the scale of all rows, as `standardize.standard` has them.

    The variance is a difference of sums: a deviation below 6e-8 of the mean counts as none.
    """
    mean = sums.total / sums.weight
    deviation = np.sqrt(np.maximum(np.diag(sums.gram) / sums.weight - mean**2, 0.0))
    rounding = max(sums.rounding, 4 * float(np.sqrt(np.finfo(np.float64).eps)))
    constant = deviation <= np.maximum(rounding * np.abs(mean), np.finfo(np.float32).tiny)
    return scaled(mean, np.where(constant, 0.0, deviation), constant, scale)
