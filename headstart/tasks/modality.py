"""A modality as a value: how inputs are held and cut, what is known of them without a backbone, what they are called.

One file a modality: `image`, `text`, `table`, `array`, `audio`. What differs by modality is asked of the value, of the
preprocessing of its backbones (`preprocessing.spec`), or of the one table that a higher folder keeps by modality,
so that a further one is a file here, its reader, its preprocessing and its baseline.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["MODALITIES", "Modality", "modality_named", "register_modality"]

Array = npt.NDArray[Any]


class Modality(str):
    """The name of a modality, with which it is stored and printed, and its behaviour. Inputs are a list of N items,
    unless a modality holds them otherwise.

    noun          what inputs are called where they are counted
    card_noun     what they are called on the card of a model
    card_example  on that card, new inputs on the command line and in Python
    card_import   a line of Python that the second of these needs
    backbone      the name of the default backbone; None where the features are the columns themselves
    has_columns   inputs are columns, which are the features, or from which an encoder makes them
    has_names     the columns have names and types of their own, and the encoder is learnt from the training rows
    has_pixels    inputs are pictures: they have a window where they have more than 8 bits a channel
    has_thumbs    something small is kept of each input (of pictures thumbnails, of recordings sketches), which is all
                  that a check of the data and a model without transfer look at
    properties_are   what `properties` are called in a message
    """

    __slots__ = ()

    noun: ClassVar[str] = "inputs"
    card_noun: ClassVar[str] = "inputs"
    card_example: ClassVar[tuple[str, str]] = ("NEW_DATA", "inputs")
    card_import: ClassVar[str] = ""
    backbone: ClassVar[str | None] = None
    has_columns: ClassVar[bool] = False
    has_names: ClassVar[bool] = False
    has_pixels: ClassVar[bool] = False
    has_thumbs: ClassVar[bool] = False
    properties_are: ClassVar[str] = "columns"

    def __reduce__(self) -> tuple[Callable[[str], Modality], tuple[str]]:
        """Copied and pickled by its name: a modality is one value in a process."""
        return modality_named, (str(self),)

    def take(self, inputs: Any, index: npt.NDArray[np.int64]) -> Any:
        """The inputs of these rows, in this order, held as they were."""
        return [inputs[row] for row in index]

    def stack(self, first: Any, second: Any) -> Any:
        """Those of one task, and behind them those of another."""
        return [*first, *second]

    def recognises(self, items: list[Any]) -> bool:
        """Whether objects that somebody gave without a word are inputs of this modality. The readers of pictures,
        texts and numbers look at what is left."""
        return False

    def obstacle(self, item: Any) -> str:
        """Why an item is no input of this modality, in words; "" where it is one."""
        return ""

    def content(self, item: Any) -> bytes | None:
        """Bytes that are equal where two items are: duplicates, splits and caches go by their hash. None where
        `data.content.KEYS` has a way of its own for them."""
        return None

    def columns(self, inputs: Any) -> Array | None:
        """(N, D) where the columns as they stand are the features, else None."""
        return None

    def texts(self, inputs: Any) -> list[str]:
        """The inputs that somebody wrote in words, of which each is shown and judged as words are; else none."""
        return []

    def properties(self, inputs: Any) -> dict[str, pd.Series[Any]]:
        """By name, what is known of every input without a backbone and may give the target away."""
        return {}

    def cells(self, inputs: Any) -> pd.DataFrame | None:
        """(N, C) the columns with their names; None where there are none."""
        return None


MODALITIES: dict[str, Modality] = {}
"""By name, in the order in which they are told."""


def register_modality(modality: Modality) -> Modality:
    """Makes a modality known by its name, under which a model of it is stored and loaded."""
    MODALITIES[str(modality)] = modality
    return modality


def modality_named(name: str) -> Modality:
    """The modality of this name; ValueError where there is none."""
    if isinstance(name, Modality):
        return name
    if name not in MODALITIES:
        *first, last = map(repr, MODALITIES)
        raise ValueError(f"modality must be {', '.join(first)} or {last}, got {name!r}")
    return MODALITIES[name]
