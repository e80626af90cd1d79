"""The preprocessing of rows of numbers for a network: columns in units of their spread, gaps at the mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from headstart.preprocessing.preprocess import Preprocess, Schema, register_preprocess
from headstart.tasks import ARRAY, Modality
from headstart.tasks.modality import Array

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["NumberPreprocess"]

_ROWS = 4


def _numbers(valid: Callable[[float], bool]) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, list | tuple)
        and len(value) > 0
        and all(type(number) in (int, float) and isfinite(number) and valid(number) for number in value)
    )


_SCHEMA: Schema = {
    "mean": (_numbers(lambda value: True), "numbers, one for each column"),
    "scale": (_numbers(lambda value: value > 0), "positive numbers, one for each column"),
}


@register_preprocess
@dataclass(frozen=True, kw_only=True)
class NumberPreprocess(Preprocess):
    """From a row of D numbers to the float input (D,) of a network: (x - mean) / scale, and 0 where x is missing."""

    kind: ClassVar[str] = "numbers"
    modality: ClassVar[Modality] = ARRAY
    schema: ClassVar[Schema] = _SCHEMA

    mean: tuple[float, ...]
    scale: tuple[float, ...]

    @classmethod
    def of(cls, rows: Array) -> Self:
        """From rows (N, D): their means and standard deviations; a column that does not vary keeps its unit."""
        values = np.where(np.isfinite(rows), rows, np.nan).astype(np.float64)
        finite = np.isfinite(values)
        count = np.maximum(finite.sum(axis=0), 1)
        mean = np.where(finite, values, 0).sum(axis=0) / count
        scale = np.sqrt(np.where(finite, (values - mean) ** 2, 0).sum(axis=0) / count)
        return cls(mean=tuple(mean.tolist()), scale=tuple(np.where(scale > 0, scale, 1.0).tolist()))

    @classmethod
    def of_fields(cls, fields: dict[str, Any]) -> Self:
        """See `Preprocess`, as all that follows."""
        return cls(mean=tuple(map(float, fields["mean"])), scale=tuple(map(float, fields["scale"])))

    def prepare(self, item: Array) -> tuple[Array, int]:
        row = np.asarray(item, np.float64)
        if row.shape != (len(self.mean),):
            raise ValueError(f"a row of {row.size} numbers: this network takes {len(self.mean)}")
        x = (row - np.asarray(self.mean)) / np.asarray(self.scale)
        return np.where(np.isfinite(x), x, 0.0).astype(np.float32), 0

    def collate(self, prepared: Sequence[Array]) -> tuple[Array, ...]:
        return (np.stack(prepared),)

    def example(self) -> tuple[Tensor, ...]:
        import torch

        return (torch.zeros(2, len(self.mean)),)

    def largest(self) -> tuple[Tensor, ...]:
        import torch

        return (torch.zeros(1, len(self.mean)),)

    def probe(self) -> tuple[Array, ...]:
        """`_ROWS` rows drawn from a normal distribution."""
        return (np.random.default_rng(0).standard_normal((_ROWS, len(self.mean))).astype(np.float32),)

    def measure(self, inputs: tuple[Tensor, ...]) -> int:
        return 0

    def resized(self, inputs: tuple[Tensor, ...], rows: int, length: int) -> tuple[Tensor, ...]:
        import torch

        return (torch.cat([inputs[0][:1]] * rows),)

    def described(self, inputs: str) -> str:
        return f"{inputs}, {len(self.mean)} columns in units of their spread"
