"""The features of all inputs, to be used elsewhere: one row for each row of the data, in the same order."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd

from headstart.data.read import read
from headstart.data.roles import Roles
from headstart.defaults import with_own_defaults
from headstart.errors import DataError
from headstart.features.engines.wish import Device
from headstart.features.feature_set import FeatureSet
from headstart.listener import LOGGED, Listener
from headstart.methods.probe import features_of
from headstart.preprocessing.table_encoder import TableEncoder
from headstart.study.destination import Destination
from headstart.tasks.task import Array
from headstart.transfer import EngineChoice, Transfer

__all__ = ["FeatureTable", "feature_table"]

NO_ROLES = Roles()


@dataclass(frozen=True, kw_only=True)
class FeatureTable:
    """Features by row.

    names    (N,) of the inputs
    values   (N, D) float32; a row of NaN where the input could not be read
    targets  (N,) labels or numbers as they were read, None where there is none; None where the data have none
    reasons  (N,) why an input has no features; None where it has
    backbone its name; None for tables and arrays
    """

    names: Sequence[str]
    values: Array
    targets: Sequence[Any] | None
    reasons: Sequence[str | None]
    backbone: str | None

    def columns(self) -> dict[str, list[Any]]:
        """As a table: name, f0 ... f(D-1), target where there is one, reason."""
        table: dict[str, list[Any]] = {"name": list(self.names)}
        table |= {f"f{number}": _cells(column) for number, column in enumerate(self.values.T)}
        if self.targets is not None:
            table["target"] = list(self.targets)
        return table | {"reason": list(self.reasons)}

    def rows(self) -> list[dict[str, Any]]:
        """A record an input: name, features (None where there are none), target where the data have one, reason."""
        records: list[dict[str, Any]] = []
        for row, (name, reason) in enumerate(zip(self.names, self.reasons, strict=True)):
            values = None if reason is not None else _cells(self.values[row])
            target = {} if self.targets is None else {"target": self.targets[row]}
            records.append({"name": name, "features": values} | target | {"reason": reason})
        return records

    def to_json(self) -> dict[str, Any]:
        """Everything, as JSON."""
        return {"backbone": self.backbone, "features": self.rows()}

    def write(self, file: Destination) -> None:
        """Write the whole file or none. A .npy holds `values` alone."""
        if file.suffix != ".npy":
            file.write(self)
            return
        buffer = io.BytesIO()
        np.save(buffer, self.values, allow_pickle=False)
        file.put(buffer.getvalue())

    @property
    def summary(self) -> str:
        """How many rows and columns there are, and how many rows have no features."""
        lost = sum(reason is not None for reason in self.reasons)
        losses = f", {lost:,} of them without features" if lost else ""
        return f"{len(self.names):,} rows of {self.values.shape[1]:,} features{losses}"


@with_own_defaults
def feature_table(
    data: Any,
    *,
    backbone: str | None = None,
    roles: Roles = NO_ROLES,
    engine: EngineChoice = "auto",
    device: Device = "auto",
    cache: bool = True,
    window: tuple[float, float] | None = None,
    listener: Listener = LOGGED,
) -> FeatureTable:
    """What a backbone makes of data: a folder, files, a table or objects. Labels are read where `roles` names their
    column; a row without one is then as one that cannot be read.

    The columns of a table become numbers by an encoder that is learnt from all its rows. Raises DataError where nothing
    can be read, BackboneError where the backbone cannot be used.
    """
    task = read(data, roles=roles, need_target=roles.target is not None)
    listener.say(f"read {len(task):,} inputs")
    extractor = Transfer(backbone, engine=engine, device=device, cache=cache, window=window)
    feature_set = extractor.look(task, listener=listener)
    if not len(feature_set):
        raise DataError("no input could be read, so that there are no features")
    encoder = (
        TableEncoder.fit(cast(pd.DataFrame, feature_set.task.inputs)) if feature_set.task.modality.has_names else None
    )
    name = None if extractor.backbone_ is None else extractor.backbone_.name
    return _in_order(feature_set, features_of(feature_set, encoder), name)


def _in_order(feature_set: FeatureSet, features: Array, backbone: str | None) -> FeatureTable:
    """With a row for each input that was read as one, in their order."""
    task = feature_set.task
    places, lost = task.positions, [item for item in task.set_aside if item.place is not None]
    order = np.argsort(np.concatenate([places, [item.place for item in lost]]), kind="stable")
    values = np.full((len(order), features.shape[1]), np.nan, np.float32)
    values[: len(feature_set)] = features
    targets = None if task.targets is None else [*_labels(feature_set), *[None] * len(lost)]
    names = [*task.names, *(item.name for item in lost)]
    reasons = [*[None] * len(feature_set), *(item.why for item in lost)]
    return FeatureTable(
        names=[names[row] for row in order],
        values=values[order],
        targets=None if targets is None else [targets[row] for row in order],
        reasons=[reasons[row] for row in order],
        backbone=backbone,
    )


def _labels(feature_set: FeatureSet) -> list[Any]:
    """Targets as a person wrote them."""
    task = feature_set.task
    return [task.kind.in_words(target, task.classes) for target in np.asarray(task.targets)]


def _cells(values: Array) -> list[float | None]:
    """Numbers, None where there is none."""
    return [None if value != value else value for value in values.tolist()]
