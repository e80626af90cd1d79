"""What a backbone has seen: some of its rows are as if the others had not been there."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from headstart.backbones.load import load
from headstart.data.read import read
from headstart.data.roles import Roles
from headstart.features.extract import Extraction
from headstart.features.feature_set import FeatureSet, look
from headstart.features.features import Failed, Features
from headstart.listener import Logged
from headstart.tasks import Task

TEXTS = [f"sentence {number} of a few words, " + "very " * (400 * (number == 3)) + "long" for number in range(6)]


def test_some_rows_keep_what_belongs_to_them():
    task = read(TEXTS, roles=Roles(modality="text"), need_target=False)
    seen = look(task, load("bundled:minilm"), Extraction(), Logged())
    lost = seen.features.truncated.tolist()
    assert lost == [0, 0, 0, lost[3], 0, 0]
    assert lost[3] > 0
    some = seen.take(np.array([4, 3]))
    assert some.features.truncated.tolist() == [0, lost[3]]
    assert some.task.names == [seen.task.names[4], seen.task.names[3]]
    np.testing.assert_array_equal(some.values, seen.values[[4, 3]])


def full(count: int, *, shared: bool) -> FeatureSet:
    """A feature set whose every array differs in every row."""
    rows = np.arange(count)
    numbers = rows[:, None] + np.arange(3, dtype=np.float32) / 10
    thumbs = np.broadcast_to(rows[:, None, None, None], (count, 32, 32, 3)).astype(np.uint8)
    keys = [bytes([row]) * 32 for row in range(count)]
    features = Features(
        values=numbers, rows=rows + 1, keys=keys, failed=(Failed(0, "broken"),), thumbs=thumbs, truncated=rows * 2,
        engine=None, computed=count, notes=(), seconds=0.0,
    )  # fmt: skip
    labels = np.array([str(row) for row in rows])
    task = Task(
        inputs=[f"{row}.png" for row in rows], targets=rows * 1.0, kind="regression", modality="image",
        names=[f"row {row}" for row in rows], places=rows + 1, split=labels, group=labels, domain=labels,
        weight=rows + 0.5, unlearnt=labels,
    )  # fmt: skip
    values = numbers if shared else numbers + 1
    return FeatureSet(task, keys, rows // 2, values, thumbs if shared else thumbs.copy(), features)


def lengths(value: object) -> dict[str, int]:
    """By field, of what holds a row for each input."""
    held = {field.name: getattr(value, field.name) for field in fields(value)}
    return {name: len(item) for name, item in held.items() if isinstance(item, list | np.ndarray)}


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("rows", [[], [3], [4, 0, 4, 2], [0, 1, 2, 3, 4]])
def test_all_that_is_held_is_cut(rows, shared):
    whole = full(5, shared=shared)
    cut = whole.take(np.array(rows, np.int64))
    for part, of in ((cut, whole), (cut.task, whole.task), (cut.features, whole.features)):
        assert lengths(part) == dict.fromkeys(lengths(of), len(rows))
        for name in lengths(of):
            expected = [getattr(of, name)[row] for row in rows]
            assert np.array_equal(
                np.array(getattr(part, name)), np.array(expected).reshape(np.shape(getattr(part, name)))
            )
    assert cut.features.failed == whole.features.failed
    assert {"inputs", "targets", "unlearnt", "weight"} <= set(lengths(whole.task))
    again = replace(whole, features=None).take(np.array(rows, np.int64))
    assert np.array_equal(again.values, cut.values)
