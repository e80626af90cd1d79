"""A backbone for tables: layers on the encoded columns, of random weights until it learns from the user's own rows.

What it is worth depends on the table: on many, trees on the columns themselves are as good (Grinsztajn et al., 2022).
"""

from __future__ import annotations

import pandas as pd
import torch
from torch import Tensor

from headstart.backbones.assemble import assemble
from headstart.backbones.backbone import Backbone
from headstart.backbones.column_network import ColumnNetwork
from headstart.backbones.parts import Parts
from headstart.backbones.randomness import seeded
from headstart.errors import BackboneError
from headstart.preprocessing.table_encoder import TableEncoder
from headstart.preprocessing.table_preprocess import TablePreprocess
from headstart.tasks.task import Array

__all__ = ["embedded", "fresh"]

NAME = "columns"
WIDTH, DEPTH = 256, 4
_ROWS = 4096


def fresh(frame: pd.DataFrame, seed: int, *, width: int = WIDTH, depth: int = DEPTH) -> Backbone:
    """Of random weights, for tables with these columns. `DataError` where no column tells the rows apart."""
    preprocess = TablePreprocess.of(TableEncoder.fit(frame))
    spec = {"hub": NAME, "inputs": preprocess.width, "width": width, "depth": depth}
    with seeded(seed):
        module = ColumnNetwork(preprocess.width, width, depth)
    return assemble(Parts(f"{NAME}?weights=random&seed={seed}", spec, module, preprocess))


def embedded(frame: pd.DataFrame, backbone: Backbone) -> Array:
    """float32 (N, D): what a backbone for tables makes of each row."""
    preprocess, module = backbone.preprocess, backbone.module
    if not isinstance(preprocess, TablePreprocess) or module is None:
        raise BackboneError(f"{backbone.name} does not read tables: leave --backbone out")
    values = torch.from_numpy(preprocess.encode(frame))
    with torch.no_grad():
        rows: list[Tensor] = [module(values[at : at + _ROWS]) for at in range(0, len(values), _ROWS)]
    features: Array = torch.cat(rows).numpy()
    return features
