"""Whether two tasks differ is answered as the whole diagnosis answers it."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.adaptation.shift.diagnose import diagnose, differ


def two(seed, *, moved=0.0, flipped=False, shares=False, rows=120, kind="classification"):
    """A source and a target of three columns, the latter moved, answered otherwise, or with other shares of classes."""
    rng = np.random.default_rng(seed)
    source, target = rng.normal(size=(2, rows, 3))
    y, z = (x[:, 0] + 0.3 * rng.normal(size=rows) for x in (source, target))
    if shares:
        order = np.argsort(-z)[: rows // 2]
        target, z = target[order], z[order]
    target = target + moved
    if flipped:
        z = -z
    if kind == "classification":
        y, z = (y > 0).astype(np.int64), (z > 0).astype(np.int64)
    return source, y, target, z


@pytest.mark.parametrize("kind", ["classification", pytest.param("regression", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "change", [{}, {"moved": 1.0}, {"moved": 0.25}, {"flipped": True}, {"shares": True}], ids=lambda change: str(change)
)
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_it_is_what_the_diagnosis_says(kind, change, known, seed):
    source, y, target, z = two(seed, kind=kind, **change)
    answers = z if known else None
    assert differ(source, y, target, answers, kind=kind, seed=seed) == (
        diagnose(source, y, target, answers, kind=kind, seed=seed).kind != "none"
    )


def test_the_same_rows_do_not_differ():
    source, y, _, _ = two(0)
    assert not differ(source, y, source[::-1], None, kind="classification")


def test_one_row_says_nothing_and_may_differ():
    source, y, target, _ = two(0)
    assert differ(source, y, target[:1], None, kind="classification")


def test_what_cannot_be_compared_is_refused():
    source, y, target, _ = two(0)
    with pytest.raises(ValueError, match="the same columns"):
        differ(source, y, target[:, :2], None, kind="classification")
