"""Arrays: rows of numbers (N, D) without names, whose columns are the features."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from headstart.tasks.modality import Array, Modality

__all__ = ["ARRAY", "Numbers"]


class Numbers(Modality):
    """The rows of a float array."""

    __slots__ = ()
    noun = "rows"
    card_noun = "rows of numbers"
    card_example = ("new.csv", "features")
    has_columns = True

    def take(self, inputs: Any, index: npt.NDArray[np.int64]) -> Any:
        """See `Modality`, as all that follows."""
        return inputs[index]

    def stack(self, first: Any, second: Any) -> Any:
        return np.concatenate([first, second])

    def columns(self, inputs: Any) -> Array | None:
        return np.asarray(inputs)

    def properties(self, inputs: Any) -> dict[str, pd.Series[Any]]:
        return {f"column {place}": pd.Series(column) for place, column in enumerate(np.asarray(inputs).T)}

    def cells(self, inputs: Any) -> pd.DataFrame | None:
        return pd.DataFrame(np.asarray(inputs)).add_prefix("column ")


ARRAY = Numbers("array")
