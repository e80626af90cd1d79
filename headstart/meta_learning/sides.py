"""Who is for meta-training, who for validation and who for the test: whole classes, or whole tasks, by their content.

A unit is a class, or where the rows come from many small tasks a task. Units that share a group (the same thing turned
about, the same patient) stay on one side. Which side a unit is on depends on the seed and on what its rows hold, not on
its name or on the order of rows. A row whose duplicate or group is on the side of the test, or of validation, does not
take part in an earlier one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from blake3 import blake3

from headstart.data.splits.groups import blocks
from headstart.errors import DataError
from headstart.tasks.task import Array

__all__ = ["Least", "Sides", "Units", "divide"]

TEST, VALIDATION = 0.3, 0.15


class Units(NamedTuple):
    """What is divided.

    codes    (N,) the unit of each row, -1 for a row of none
    labels   their names, by code
    noun     "classes" or "tasks"
    """

    codes: Array
    labels: Sequence[object]
    noun: str


class Least(NamedTuple):
    """How many units an episode takes, and whether there is anything to meta-train, for which there must be others."""

    units: int
    trains: bool


class Sides(NamedTuple):
    """Row numbers and unit codes of each side, ascending, and in words what was done.

    validation is empty where there are too few units for it
    """

    train: Array
    validation: Array
    test: Array
    units: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
    notes: tuple[str, ...]


def divide(units: Units, keys: Sequence[bytes], block: Array, group: Array | None, least: Least, *, seed: int) -> Sides:
    """Divide the units that have rows; keys (N,) and block (N,) as in a `FeatureSet`, group (N,) labels or None.

    Raises DataError where there are fewer units than an episode takes on each side that is needed.
    """
    present = [int(code) for code in np.unique(units.codes) if code >= 0]
    _require(len(present), units.noun, least)
    together = _bundles(units.codes, present, group)
    order = sorted(together, key=lambda bundle: _drawn(bundle, units.codes, keys, seed))
    sides = _dealt(order, len(present), least)
    if sides is None:
        order = sorted([(code,) for code in present], key=lambda bundle: _drawn(bundle, units.codes, keys, seed))
        sides = _dealt(order, len(present), least)
    if sides is None:
        raise DataError(_too_few(len(present), units.noun, least))
    rows = [np.flatnonzero(np.isin(units.codes, side)) for side in sides]
    train, validation, test = rows
    elsewhere = np.isin(block, block[test])
    validation = validation[~elsewhere[validation]]
    elsewhere |= np.isin(block, block[validation])
    left = train[~elsewhere[train]]
    lost = len(rows[0]) - len(left) + len(rows[1]) - len(validation)
    train_units, validation_units, test_units = (tuple(sorted(side)) for side in sides)
    return Sides(left, validation, test, (train_units, validation_units, test_units), _notes(lost))


def _bundles(codes: Array, present: Sequence[int], group: Array | None) -> list[tuple[int, ...]]:
    """Units by the groups that they share."""
    if group is None:
        return [(code,) for code in present]
    rows = np.flatnonzero(codes >= 0)
    joined = blocks(len(rows), [int(code).to_bytes(8, "little") for code in codes[rows]], group=np.asarray(group)[rows])
    return [tuple(sorted(set(codes[rows][joined == number].tolist()))) for number in np.unique(joined)]


def _drawn(bundle: tuple[int, ...], codes: Array, keys: Sequence[bytes], seed: int) -> bytes:
    content = sorted(keys[row] for row in np.flatnonzero(np.isin(codes, bundle)).tolist())
    return blake3(b"".join(content) + f"meta-learning {seed}".encode()).digest()


def _dealt(order: Sequence[tuple[int, ...]], count: int, least: Least) -> tuple[list[int], list[int], list[int]] | None:
    """(train, validation, test) of bundles in an order; None where a side that is needed has too few units."""
    if not least.trains:
        test = max(least.units, round(TEST * count))
        return _filled(order, (0, test), least.units, needed=False)
    wanted = max(least.units, round(TEST * count))
    with_validation = _filled(
        order, (max(least.units, round(VALIDATION * count)), wanted), 2 * least.units, needed=True
    )
    if with_validation is not None:
        return with_validation
    for test in (wanted, least.units):
        sides = _filled(order, (0, test), least.units, needed=True)
        if sides is not None:
            return sides
    return None


def _filled(
    order: Sequence[tuple[int, ...]], sizes: tuple[int, int], rest: int, *, needed: bool
) -> tuple[list[int], list[int], list[int]] | None:
    """Bundles go to the test until it has so many units, then to validation, then to meta-training."""
    validation_size, test_size = sizes
    train: list[int] = []
    validation: list[int] = []
    test: list[int] = []
    for bundle in order:
        side = test if len(test) < test_size else validation if len(validation) < validation_size else train
        side.extend(bundle)
    short = len(test) < test_size or len(validation) < validation_size or (needed and len(train) < rest)
    return None if short else (train, validation, test)


def _require(count: int, noun: str, least: Least) -> None:
    if count < least.units * (2 if least.trains else 1):
        raise DataError(_too_few(count, noun, least))


def _too_few(count: int, noun: str, least: Least) -> str:
    if not least.trains:
        return f"{count} {noun} with enough rows, and an episode takes {least.units}: name a smaller way, or add {noun}"
    return (
        f"{count} {noun} with enough rows, and meta-training and the test take {least.units} each, none on both sides: "
        f"name a smaller way, use learner 'simpleshot', which trains nothing, or add {noun}"
    )


def _notes(lost: int) -> tuple[str, ...]:
    if not lost:
        return ()
    return (f"{lost:,} rows left out of meta-training: duplicates, or of the same group, are on another side",)
