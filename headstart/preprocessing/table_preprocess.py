"""The preprocessing of a backbone that reads tables: the encoder of its columns, learnt from the same rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pandas as pd

from headstart.errors import ArtefactError
from headstart.preprocessing.preprocess import Preprocess, Schema, register_preprocess
from headstart.preprocessing.table_encoder import TableEncoder
from headstart.tasks import TABLE, Modality
from headstart.tasks.modality import Array

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["TablePreprocess"]

_PROBES = 4


def _is_encoder(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        _encoder_of(value)
    except (ValueError, KeyError, TypeError, AttributeError, ArtefactError):
        return False
    return True


def _encoder_of(state: str) -> TableEncoder:
    stored = json.loads(state)
    rare = {name: np.array(values, np.int64) for name, values in stored["rare"].items()}
    return TableEncoder.from_state(stored["columns"], rare)


@dataclass(frozen=True, kw_only=True)
class TablePreprocess(Preprocess):
    """From the columns of a table to numbers (D,), see `TableEncoder`. `encoder` is its state, as JSON."""

    kind: ClassVar[str] = "table"
    modality: ClassVar[Modality] = TABLE
    schema: ClassVar[Schema] = {"encoder": (_is_encoder, "the state of an encoder of columns, as JSON")}

    encoder: str

    @classmethod
    def of(cls, encoder: TableEncoder) -> Self:
        """Of an encoder that has learnt."""
        columns, rare = encoder.state()
        stored = {"columns": columns, "rare": {name: values.tolist() for name, values in rare.items()}}
        return cls(encoder=json.dumps(stored, sort_keys=True))

    @property
    def shape(self) -> tuple[int, ...] | None:
        """See `Preprocess`, as all that follows."""
        return (self.width,)

    @property
    def width(self) -> int:
        """D above."""
        return len(self._encoder.names)

    @property
    def owners(self) -> Array:
        """(D,) the number of the column of the table that each came from."""
        return np.repeat(np.arange(len(self._encoder.columns)), [len(column.names) for column in self._encoder.columns])

    @property
    def learnt(self) -> TableEncoder:
        """The encoder itself."""
        return self._encoder

    def encode(self, frame: pd.DataFrame) -> Array:
        """float32 (N, D). `DataError` names a column that is missing."""
        return self._encoder.transform(frame)

    def prepare(self, item: pd.DataFrame) -> tuple[Array, int]:
        """Of a table of one row: float32 (D,), and nothing cut."""
        values: Array = self.encode(item)[0]
        return values, 0

    def length(self, prepared: Array) -> int:
        """All have one size."""
        return 0

    def collate(self, prepared: Sequence[Array]) -> tuple[Array, ...]:
        return (np.stack(prepared),)

    def example(self) -> tuple[Tensor, ...]:
        import torch

        return (torch.zeros(2, self.width),)

    def largest(self) -> tuple[Tensor, ...]:
        import torch

        return (torch.zeros(1, self.width),)

    def probe(self) -> tuple[Array, ...]:
        return (np.random.default_rng(0).standard_normal((_PROBES, self.width)).astype(np.float32),)

    def measure(self, inputs: tuple[Tensor, ...]) -> int:
        return 0

    def resized(self, inputs: tuple[Tensor, ...], rows: int, length: int) -> tuple[Tensor, ...]:
        import torch

        return (torch.cat([inputs[0][:1]] * rows),)

    @cached_property
    def _encoder(self) -> TableEncoder:
        return _encoder_of(self.encoder)


register_preprocess(TablePreprocess)
