"""Rows unlike the training rows are flagged, and rows like them as often as the rate says."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from headstart.uncertainty.out_of_distribution import BANK, FEWEST, OutOfDistribution, Placed, own_distances


def drawn(rows: int, seed: int, *, unit: bool = False, columns: int = 8, shift: float = 0.0) -> Placed:
    features = np.random.default_rng(seed).normal(size=(rows, columns)) * np.arange(1, columns + 1) + shift
    return Placed(features, np.arange(rows), unit)


def fitted(rows: Placed) -> OutOfDistribution:
    made = OutOfDistribution.of(rows)
    assert made is not None
    return made


def test_distances_are_those_of_scikit_learn() -> None:
    rows, new = drawn(100, 0), drawn(30, 1)
    scaled = [(part.features - rows.features.mean(axis=0)) / rows.features.std(axis=0) for part in (rows, new)]
    neighbours = NearestNeighbors(n_neighbors=4).fit(scaled[0])
    made = fitted(rows)
    expected = neighbours.kneighbors(scaled[1])[0][:, 2] ** 2
    assert np.allclose(made.distance(new.features), expected, rtol=1e-4)
    of_others = np.sort(neighbours.kneighbors(scaled[0])[0][:, 3] ** 2)  # the first neighbour is the row itself
    assert np.allclose(made.distances, of_others, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("unit", [True, False])
@pytest.mark.parametrize("rate", [0.01, 0.05])
def test_new_rows_of_the_same_kind_are_flagged_as_often_as_the_rate_says(unit: bool, rate: float) -> None:
    shares = []
    for seed in range(12):
        made = fitted(drawn(700, seed, unit=unit))
        shares.append(made.flags(drawn(2_000, 100 + seed, unit=unit).features, rate).mean())
    assert abs(np.mean(shares) - rate) < 0.35 * rate


def test_rows_from_elsewhere_are_flagged() -> None:
    made = fitted(drawn(300, 0))
    assert made.flags(drawn(100, 1, shift=60.0).features).all()


def test_duplicates_do_not_make_all_else_strange() -> None:
    rows = drawn(30, 0)
    copies = Placed(np.repeat(rows.features, 8, axis=0), np.repeat(rows.blocks, 8), unit=False)
    apart = Placed(copies.features, np.arange(len(copies.blocks)), unit=False)
    new = drawn(1_000, 1).features
    assert fitted(copies).flags(new, 0.05).mean() < 0.3
    assert fitted(apart).flags(new, 0.05).mean() > 0.9  # what happens where blocks are not known


def test_a_block_counts_once_however_many_copies_it_has() -> None:
    """One row in three is the same row, or one of a few; which blocks are new is drawn anew."""
    alarms = []
    for seed in range(40):
        everything = drawn(600, seed)
        rng = np.random.default_rng(seed)
        sizes = np.where(np.arange(600) % 100 == 0, 60, 1)
        order = rng.permutation(600)
        learnt, new = order[:400], order[400:]
        rows = Placed(
            np.repeat(everything.features[learnt], sizes[learnt], axis=0), np.repeat(learnt, sizes[learnt]), False
        )
        made = fitted(rows)
        assert made.blocks == 400
        alarms.append(made.flags(everything.features[new], 0.05).mean())
    assert 0.01 < np.mean(alarms) < 0.06


@pytest.mark.parametrize("rate", [0.2, 0.4, 0.6])
def test_the_limit_is_the_larger_of_the_quantiles_of_blocks_and_of_rows(rate: float) -> None:
    larger = set()
    for seed in range(6):
        sizes = np.where(np.arange(40) % 8 == 0, 30, 1)
        features = np.repeat(drawn(40, seed).features, sizes, axis=0)
        copies = Placed(features, np.repeat(np.arange(40), sizes), unit=False)
        made, own = fitted(copies), own_distances(copies, 3)
        assert own is not None
        of_blocks = np.sort([own[copies.blocks == block].mean() for block in range(40)])  # copies lie equally far
        by_blocks = of_blocks[int(np.ceil(41 * (1 - rate))) - 1]
        by_rows = np.sort(own)[int(np.ceil((len(own) + 1) * (1 - rate))) - 1]
        assert made.limit(rate) == pytest.approx(max(by_blocks, by_rows), rel=1e-5)
        assert made.limit(0.001) == pytest.approx(of_blocks[-1], rel=1e-5)
        assert made.promised() == 1 / 41
        larger.add(bool(by_blocks > by_rows))
    assert larger == {True, False}


def test_of_few_rows_nothing_is_said_and_the_rate_is_what_they_can_promise() -> None:
    assert OutOfDistribution.of(drawn(FEWEST - 1, 0)) is None
    one_block = Placed(np.random.default_rng(0).normal(size=(50, 3)), np.zeros(50, int), unit=False)
    assert OutOfDistribution.of(one_block) is None
    few = fitted(drawn(FEWEST, 0))
    assert few.limit(0.01) == few.distances[-1]
    assert few.flags(drawn(3_000, 1).features, 0.01).mean() < 0.3


def test_a_constant_column_and_a_row_of_zeros_are_no_obstacle() -> None:
    rows = drawn(60, 0)
    features = np.column_stack([rows.features, np.full(60, 7.0)])
    assert np.isfinite(fitted(Placed(features, rows.blocks, unit=False)).distance(features)).all()
    features[0] = 0
    assert np.isfinite(fitted(Placed(features, rows.blocks, unit=True)).distance(features)).all()


@pytest.mark.parametrize("rate", [0, 1, 2.0, float("nan"), "often"])
def test_a_rate_that_is_no_share_is_refused(rate: object) -> None:
    with pytest.raises(ValueError, match=r"the rate of false alarms is .*, expected a number above 0 and below 1"):
        fitted(drawn(40, 0)).flags(drawn(2, 1).features, rate)  # type: ignore[arg-type]


def test_it_comes_back_from_its_arrays_and_damaged_ones_do_not() -> None:
    made = fitted(drawn(700, 0, unit=True))
    assert made.bank.shape == (BANK, 8)
    again = OutOfDistribution.from_arrays(made.arrays())
    new = drawn(50, 1).features
    assert (again.distance(new) == made.distance(new)).all()
    with pytest.raises(ValueError, match=r"expected \(N, 8\)"):
        again.distance(new[:, :3])
    for name, wrong in (("nearest", np.array([0])), ("bank", made.bank * np.nan), ("centre", np.zeros(3))):
        with pytest.raises(ValueError, match="do not go together"):
            OutOfDistribution.from_arrays(made.arrays() | {name: wrong})
    copies = fitted(Placed(np.repeat(drawn(40, 0).features, 2, axis=0), np.repeat(np.arange(40), 2), unit=False))
    assert sorted(copies.arrays().keys() - made.arrays().keys()) == ["shares"]
    assert OutOfDistribution.from_arrays(copies.arrays()).limit(0.1) == copies.limit(0.1)
    with pytest.raises(ValueError, match="do not go together"):
        OutOfDistribution.from_arrays(copies.arrays() | {"shares": np.ones(3)})
    with pytest.raises(ValueError, match="distances are"):
        OutOfDistribution.from_arrays({"bank": made.bank})
