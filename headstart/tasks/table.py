"""Tables: columns with names and types, which an encoder that is learnt from the training rows makes features of."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from headstart.tasks.modality import Modality

__all__ = ["TABLE", "Table"]


class Table(Modality):
    """The rows of a DataFrame of the input columns."""

    __slots__ = ()
    noun = "rows"
    card_noun = "table rows"
    card_example = ("new.csv", 'pandas.read_csv("new.csv")')
    card_import = "\nimport pandas"
    has_columns = True
    has_names = True

    def take(self, inputs: Any, index: npt.NDArray[np.int64]) -> Any:
        """See `Modality`, as all that follows."""
        return inputs.iloc[index].reset_index(drop=True)

    def stack(self, first: Any, second: Any) -> Any:
        return pd.concat([first, second[first.columns]], ignore_index=True)

    def properties(self, inputs: Any) -> dict[str, pd.Series[Any]]:
        return {str(name): inputs.iloc[:, place] for place, name in enumerate(inputs.columns)}

    def cells(self, inputs: Any) -> pd.DataFrame | None:
        frame: pd.DataFrame = inputs
        return frame


TABLE = Table("table")
