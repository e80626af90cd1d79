"""Two readings of one task, put together: the user's own test data behind the training data."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from typing import Any

import numpy as np

from headstart.data.unlearnt import codes_among, to_classes
from headstart.errors import DataError
from headstart.tasks.task import Array, SetAside, Task

__all__ = ["join"]


def join(train: Task, test: Task) -> Task:
    """One task whose `split` says "test" for the rows of `test`, as one table with a column for it would be read.

    Where `train` has no targets, its rows have code -1 or NaN.

    Raises DataError where the two are not of one modality and kind, or have no class in common.
    """
    if train.modality != test.modality:
        raise DataError(
            f"the test data hold {test.modality} inputs, the training data {train.modality}: give both in one form"
        )
    if train.kind != test.kind:
        raise DataError(f"the test data ask for {test.kind}, the training data for {train.kind}: say which with kind")
    n_train, classes = train.n_read, _classes(train, test)
    train, test = to_classes(train, classes), to_classes(test, classes)
    train_split = (
        np.where(train.split == "val", "val", "train") if train.split is not None else np.full(len(train), "train")
    )
    return replace(
        train,
        inputs=train.modality.stack(train.inputs, test.inputs),
        targets=None if test.targets is None else np.concatenate([_answers(train, test.targets), test.targets]),
        names=[*train.names, *test.names],
        places=np.concatenate([train.positions, test.positions + n_train]),
        split=np.concatenate([train_split, np.full(len(test), "test")]).astype(object),
        group=_labels(train.group, test.group, len(train), len(test)),
        domain=_labels(train.domain, test.domain, len(train), len(test)),
        weight=None if train.weight is None else np.concatenate([train.weight, np.ones(len(test))]),
        set_aside=train.set_aside + tuple(_behind(item, n_train) for item in test.set_aside),
        notes=train.notes + tuple(f"test data: {note}" for note in test.notes),
    )


def _classes(train: Task, test: Task) -> tuple[Hashable, ...]:
    """Those of `train`, and behind them what only `test` has."""
    if test.targets is None or not test.classes or not train.classes:
        return train.classes
    codes = codes_among(test.classes, train.classes).tolist()
    return (*train.classes, *(label for label, code in zip(test.classes, codes, strict=True) if code < 0))


def _behind(item: SetAside, rows: int) -> SetAside:
    return item if item.place is None else item._replace(place=item.place + rows)


def _answers(task: Task, like: Array) -> Array:
    if task.targets is not None:
        return task.targets
    return task.kind.unknown(len(task), like.dtype)


def _labels(first: Array | None, second: Array | None, n: int, m: int) -> Array | None:
    if first is None and second is None:
        return None
    nothing: list[Any] = [None]
    return np.array(
        [*(first if first is not None else nothing * n), *(second if second is not None else nothing * m)], dtype=object
    )
