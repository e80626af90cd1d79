"""What is refused, in which words, and what is let through."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.adaptation.alignment.checks import labelled, left_alone, rows_of_both, same, same_rows
from headstart.adaptation.alignment.step import Domains, unmoved
from headstart.checks import above, affordable, at_least, between, one_of, positive, share_below_one, whole

ROWS = np.arange(6.0).reshape(3, 2)
CODES = np.array([0, 1, 1])


def test_options():
    above("a", 0.5, 0, "1")
    above("a", 0, 0, "1", equal=True)
    above("a", np.float32(0.1), 0, "1")
    above("a", np.int64(1), 0, "1")
    whole("b", np.int64(2), 2, "3")
    one_of("c", "x", ("x", "y"))
    for bad in (0, -1, float("nan"), float("inf"), "2", None, True):
        with pytest.raises(ValueError, match=r"a=.*: expected a finite number, more than 0, such as 1"):
            above("a", bad, 0, "1")
    for bad in (1, 2.0, "2", None, True):
        with pytest.raises(ValueError, match=r"b=.*: expected a whole number, 2 or more, such as 3"):
            whole("b", bad, 2, "3")
    with pytest.raises(ValueError, match="c='z': expected one of 'x', 'y'"):
        one_of("c", "z", ("x", "y"))


def test_limits():
    at_least("a", 1, 1)
    at_least("a", np.inf, 1)
    positive("a", 1e-9)
    share_below_one("a", 0)
    between("a", 1, 0, 1)
    between("a", 1e9, 0)
    for bad in (0, -1, 0.5, float("nan")):
        with pytest.raises(ValueError, match=f"^a = {bad}: expected 1 or more; or so$"):
            at_least("a", bad, 1, "; or so")
    for bad in (0, -1, float("nan")):
        with pytest.raises(ValueError, match=f"^a = {bad}: expected more than 0$"):
            positive("a", bad)
    for bad in (-0.1, 1, float("nan")):
        with pytest.raises(ValueError, match=f"^a = {bad}: expected 0 or more, and less than 1$"):
            share_below_one("a", bad)
        with pytest.raises(ValueError, match=f"^a is {bad}: expected a number from 0 to 0.9$"):
            between("a", bad, 0, 0.9)
    with pytest.raises(ValueError, match=r"^a is -1: expected a number of at least 0$"):
        between("a", -1, 0)


def test_rows():
    rows_of_both(Domains(ROWS, CODES, ROWS[:1]), 1, "why")
    with pytest.raises(
        ValueError, match="the target has 1 row: expected 2 or more, why: give more target rows, or fit"
    ):
        rows_of_both(Domains(ROWS, CODES, ROWS[:1]), 2, "why")
    with pytest.raises(ValueError, match="the source has 0 rows: expected 1 or more"):
        rows_of_both(Domains(ROWS[:0], CODES, ROWS), 1, "why")
    with pytest.raises(ValueError, match="the same columns: keep those that both have"):
        rows_of_both(Domains(ROWS, CODES, ROWS[:, :1]), 1, "why")
    for bad in (np.nan, -np.inf):
        with pytest.raises(ValueError, match="the source's features hold NaN or infinity"):
            rows_of_both(Domains(np.where(ROWS == 3, bad, ROWS), CODES, ROWS), 1, "why")


def test_labels():
    found, known = labelled(Domains(ROWS, CODES, ROWS, np.array([-1, 0, 1]), 2))
    assert found.tolist() == [False, True, True]
    assert known.tolist() == [0, 1]
    found, known = labelled(Domains(ROWS, CODES * 1.0, ROWS, np.array([np.nan, -3.0, 1]), 0))
    assert found.tolist() == [False, True, True]
    assert known.tolist() == [-3, 1]
    with pytest.raises(ValueError, match="no answer of the 3 target rows is known"):
        labelled(Domains(ROWS, CODES, ROWS, None, 2))


def test_memory():
    affordable(2e9, 2, "it", "less")
    with pytest.raises(ValueError, match=r"it would take 2.1 GB, above the limit of 2 GB: less"):
        affordable(2.1e9, 2, "it", "less")


def test_identical_tasks():
    domains = Domains(ROWS, CODES, ROWS.copy())
    assert same(domains)
    assert not same(domains._replace(weights=np.ones(3)))
    assert same_rows(domains._replace(weights=np.ones(3)))
    assert not same(domains._replace(target=ROWS[:2]))
    alone = left_alone(domains)
    assert alone.source is ROWS
    assert alone.move is unmoved
    assert alone.facts == {"identical": True}
