"""What a fitted model stores of how far its answers can be relied on."""

from __future__ import annotations

from dataclasses import dataclass

from headstart.tasks.kind import Array, Kind
from headstart.uncertainty.conformal import Conformity
from headstart.uncertainty.decided import Decided
from headstart.uncertainty.kernel_mean import KernelMean
from headstart.uncertainty.out_of_distribution import OutOfDistribution

__all__ = ["Uncertainty"]

_PARTS = ("scores", "distances", "means", "answers")


@dataclass(frozen=True, kw_only=True, eq=False)
class Uncertainty:
    """conformity    of sets and intervals; None where no rows were held out of what the model learnt
    distribution  of what the model learnt from; None where rows are too few, or their features have no distances
    means         sums of the same rows, to compare many others with; None as before, and in a model of an earlier
                  version
    decided       how often each class was answered to rows that the model did not learn from; None without such rows
    """

    conformity: Conformity | None = None
    distribution: OutOfDistribution | None = None
    means: KernelMean | None = None
    decided: Decided | None = None

    def arrays(self) -> dict[str, Array]:
        """As named arrays: scores.*, distances.*, means.* and answers.*"""
        values = (self.conformity, self.distribution, self.means, self.decided)
        return {
            f"{part}.{name}": array
            for part, value in zip(_PARTS, values, strict=True)
            if value is not None
            for name, array in value.arrays().items()
        }

    @classmethod
    def from_arrays(cls, kind: Kind, classes: int, arrays: dict[str, Array]) -> Uncertainty | None:
        """What `arrays` gave; None of none. Raises ValueError where they are nothing of the kind."""
        parts: dict[str, dict[str, Array]] = {}
        for name, array in arrays.items():
            part, _, field = name.partition(".")
            parts.setdefault(part, {})[field] = array
        if foreign := parts.keys() - set(_PARTS):
            raise ValueError(f"{', '.join(sorted(foreign))}: expected {', '.join(_PARTS)}")
        if not parts:
            return None
        scores, distances, means, answers = map(parts.get, _PARTS)
        made = cls(
            conformity=None if scores is None else Conformity.from_arrays(kind, classes, scores),
            distribution=None if distances is None else OutOfDistribution.from_arrays(distances),
            means=None if means is None else KernelMean.from_arrays(means),
            decided=None if answers is None else Decided.from_arrays(classes, answers),
        )
        if made.means is not None and (
            made.distribution is None or made.distribution.bank.shape[1] != made.means.width[0]
        ):
            raise ValueError("means are of other features than distances")
        return made
