"""What a fitted model stores of how far its answers can be relied on."""

from __future__ import annotations

from dataclasses import dataclass

from headstart.tasks.kind import Array, Kind
from headstart.uncertainty.conformal import Conformity
from headstart.uncertainty.out_of_distribution import OutOfDistribution

__all__ = ["Uncertainty"]

_SCORES, _DISTANCES = "scores", "distances"


@dataclass(frozen=True, kw_only=True, eq=False)
class Uncertainty:
    """conformity    of sets and intervals; None where no rows were held out of what the model learnt
    distribution  of what the model learnt from; None where rows are too few, or their features have no distances
    """

    conformity: Conformity | None = None
    distribution: OutOfDistribution | None = None

    def arrays(self) -> dict[str, Array]:
        """As named arrays: scores.* and distances.*"""
        parts = {_SCORES: self.conformity, _DISTANCES: self.distribution}
        return {
            f"{part}.{name}": array
            for part, value in parts.items()
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
        if foreign := parts.keys() - {_SCORES, _DISTANCES}:
            raise ValueError(f"{', '.join(sorted(foreign))}: expected {_SCORES} and {_DISTANCES}")
        scores, distances = parts.get(_SCORES), parts.get(_DISTANCES)
        return (
            None
            if not parts
            else cls(
                conformity=None if scores is None else Conformity.from_arrays(kind, classes, scores),
                distribution=None if distances is None else OutOfDistribution.from_arrays(distances),
            )
        )
