"""What a window of served rows says, and an observer that is told of batches of any size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from drifting import clouds, served
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from headstart.deployment.monitoring.drift import FEWEST, Reference, Sums, WindowDrift, added, fingerprint_of
from headstart.deployment.monitoring.drift_log import DriftLog, read_log
from headstart.deployment.monitoring.drift_observer import DriftObserver
from headstart.errors import DataError
from headstart.transfer import Transfer
from headstart.uncertainty.out_of_distribution import RATE
from headstart.uncertainty.stored import Uncertainty


def test_rows_of_the_same_kind_have_not_drifted_and_others_have(cloud_model, shifted):
    reference = Reference(cloud_model.model_)
    same = reference.compare(reference.sums(*served(cloud_model, clouds(200, 1)[0])))
    other = reference.compare(reference.sums(*served(cloud_model, shifted)))
    assert same.p > 0.01
    assert other.p < 1e-9
    assert other.mmd.value > 10 * abs(same.mmd.value)
    assert same.rows == other.rows == 200


def test_windows_of_the_same_kind_are_flagged_about_as_often_as_stated():
    """All three questions together, of other training rows each time."""
    p, trials = [], 20
    for seed in range(trials):
        X, y = clouds(120, 500 + seed)
        model = Transfer(method="ridge", cache=False).fit(X, y)
        reference = Reference(model.model_)
        p.append(reference.compare(reference.sums(*served(model, clouds(60, 900 + seed)[0]))).p)
    assert np.sum(np.array(p) < 0.2) <= binom.ppf(0.999, trials, 0.2)
    assert np.sum(np.array(p) < 0.01) <= binom.ppf(0.999, trials, 0.01)
    assert np.sum(np.array(p) < 0.7) >= 3


def test_the_number_of_flagged_rows_is_beta_binomial(cloud_model):
    """As drawn: the limit is a distance of the training rows, and so many of n others are above it."""
    distances = cloud_model.model_.uncertainty.distribution.distances
    reference, rows = Reference(cloud_model.model_), 50
    told = [reference.compare(Sums(rows=rows, strange=count)).strange.p for count in range(6)]
    rng = np.random.default_rng(0)
    m, draws = len(distances), 4_000
    rank = int(np.ceil((m + 1) * (1 - RATE)))
    limits = np.sort(rng.random((draws, m)), axis=1)[:, rank - 1]
    counts = (rng.random((draws, rows)) > limits[:, None]).sum(axis=1)
    assert told == pytest.approx([np.mean(counts >= count) for count in range(6)], abs=0.03)


def test_shares_of_classes_alone_are_told(cloud_model):
    reference = Reference(cloud_model.model_)
    window = reference.compare(Sums(rows=90, decided=np.array([90, 0, 0])))
    assert window.mmd is None
    assert window.strange is None
    assert window.p == window.shares.p < 1e-9
    assert window.to_json()["mmd"] is None


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(1, 90), min_size=1, max_size=8))
def test_sums_of_batches_are_those_of_all_rows(cloud_model, sizes):
    reference = Reference(cloud_model.model_)
    features, values = served(cloud_model, clouds(sum(sizes), 3)[0])
    ends = np.cumsum(sizes)
    parts = [reference.sums(features[e - n : e], values[e - n : e]) for e, n in zip(ends, sizes, strict=True)]
    total, whole = added(parts), reference.sums(features, values)
    assert (total.rows, total.strange) == (whole.rows, whole.strange)
    assert total.decided.tolist() == whole.decided.tolist()
    np.testing.assert_allclose(total.features, whole.features, atol=1e-4)


def test_what_not_all_parts_know_is_not_known():
    total = added([Sums(rows=3, strange=1), Sums(rows=4)])
    assert (total.rows, total.strange, total.features, total.decided) == (7, None, None, None)
    with pytest.raises(ValueError, match="nothing to add up"):
        added([])


def test_a_model_that_stores_nothing_says_how_to_get_it(cloud_model):
    bare = replace(cloud_model.model_, uncertainty=None)
    with pytest.raises(DataError, match=r"stores nothing .* fit it again with this version, on 20 rows or more"):
        Reference(bare)
    earlier = replace(cloud_model.model_, uncertainty=replace(cloud_model.model_.uncertainty, means=None, decided=None))
    assert "features are not compared (saved by an earlier version)" in Reference(earlier).lacks
    assert "class shares are not compared" in Reference(earlier).lacks
    shares = Uncertainty(decided=cloud_model.model_.uncertainty.decided)
    only = Reference(replace(cloud_model.model_, uncertainty=shares))
    assert "no row is out of distribution" in only.lacks
    sums = only.sums(*served(cloud_model, clouds(30, 1)[0]))
    assert sums.features is None
    assert sums.strange is None
    assert sums.decided.sum() == 30


@pytest.mark.parametrize(
    ("window", "words"),
    [
        (Sums(rows=FEWEST - 1, strange=0), "19 rows are too few to compare: expected 20 or more"),
        (Sums(rows=30, features=np.zeros(4)), "the sums of another model"),
        (Sums(rows=30, decided=np.array([30])), "the classes of another model"),
        (Sums(rows=30), "nothing that this model could be compared with"),
    ],
)
def test_windows_that_cannot_be_compared_are_refused(cloud_model, window, words):
    with pytest.raises(DataError, match=words):
        Reference(cloud_model.model_).compare(window)


def test_the_fingerprint_is_that_of_the_model(cloud_model, cloud_folder):
    assert fingerprint_of(cloud_model.model_) == fingerprint_of(Transfer.load(cloud_folder).model_)
    other = Transfer(method="ridge", cache=False).fit(*clouds(300, 1))
    assert fingerprint_of(other.model_) != fingerprint_of(cloud_model.model_)


@pytest.mark.parametrize("batch", [1, 7, 400])
def test_an_observer_logs_whole_windows_and_tells_of_the_last(cloud_model, tmp_path, batch):
    told: list[WindowDrift] = []
    log = tmp_path / "log"
    observer = DriftObserver(cloud_model.model_, window=100, log=DriftLog(log), tell=told.append)
    features, values = served(cloud_model, clouds(400, 3)[0])
    for start in range(0, 400, batch):
        observer(features[start : start + batch], values[start : start + batch])
    observer.stop()
    windows = read_log(log, fingerprint_of(cloud_model.model_)).windows
    assert sum(window.sums.rows for window in windows) >= 400 - FEWEST
    assert [window.sums.rows for window in windows] == [100] * 4
    assert [window.rows for window in told] == [*range(20, 100, 10), *[100] * 31]
    reference = Reference(cloud_model.model_)
    last = reference.compare(reference.sums(features[-100:], values[-100:]))
    assert told[-1].mmd.value == pytest.approx(last.mmd.value, abs=1e-6)
    assert told[-1].shares == last.shares


def test_the_window_moves_on(cloud_model, shifted):
    observer = DriftObserver(cloud_model.model_, window=50)
    observer(*served(cloud_model, clouds(100, 3)[0]))
    before = observer.latest()
    observer(*served(cloud_model, shifted.head(60)))
    assert before.p > 0.01
    assert observer.latest().p < 1e-6
    assert observer.rows <= 60


def test_too_few_rows_say_nothing_yet(cloud_model):
    observer = DriftObserver(cloud_model.model_)
    observer(*served(cloud_model, clouds(FEWEST - 1, 3)[0]))
    assert observer.latest() is None
    with pytest.raises(ValueError, match="window = 5"):
        DriftObserver(cloud_model.model_, window=5)
