"""Weights of rows: repetition and omission, in every head, from a column, and what is no weight."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import check_sample_weight_equivalence_on_dense_data

import headstart as hs
from headstart import Roles, Transfer
from headstart.data.arrays import as_task
from headstart.data.read import read
from headstart.errors import DataError
from headstart.heads.sample_weights import uneven
from headstart.listener import LOGGED
from headstart.methods.probe import counted

HEADS = ("probe", "ridge", "logistic", "prototypes", "neural", "kernel", "boosting")


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_weights_are_repetitions_as_scikit_learn_asks(kind):
    check_sample_weight_equivalence_on_dense_data("Transfer", Transfer(kind=kind))


@pytest.mark.parametrize("method", HEADS)
def test_weights_move_every_head_towards_the_rows_that_weigh(method):
    X, y = load_iris(return_X_y=True)
    rows = np.flatnonzero(y > 0)
    weights = np.where(y[rows] == 1, 9.5, 0.5)
    heavy = Transfer(method=method).fit(X[rows], y[rows], sample_weight=weights)
    light = Transfer(method=method).fit(X[rows], y[rows], sample_weight=10 - weights)
    assert heavy.predict_proba(X[rows])[:, 0].mean() > light.predict_proba(X[rows])[:, 0].mean()


def test_a_row_of_no_weight_is_as_good_as_not_there():
    X, y = load_iris(return_X_y=True)
    weights = np.where(y == 2, 0.0, 1.5)
    weights[:50] = 0.7
    fitted = Transfer(method="ridge").fit(X, y, sample_weight=weights)
    kept = Transfer(method="ridge").fit(X[y < 2], y[y < 2], sample_weight=weights[y < 2])
    assert fitted.classes_.tolist() == [0, 1]
    np.testing.assert_array_equal(fitted.predict_proba(X), kept.predict_proba(X))


def test_equal_weights_change_nothing_and_any_container_holds_them():
    X, y = load_diabetes(return_X_y=True)
    plain = Transfer(kind="regression", method="ridge").fit(X, y).predict(X)
    for weights in ([3.5] * len(y), pd.Series(2, index=range(len(y))[::-1]), pl.Series([1] * len(y))):
        fitted = Transfer(kind="regression", method="ridge").fit(X, y, sample_weight=weights)
        np.testing.assert_array_equal(fitted.predict(X), plain)


def test_a_score_counts_rows_as_its_weights_say():
    X, y = load_iris(return_X_y=True)
    weights = np.random.default_rng(0).random(len(y))
    fitted = Transfer(method="prototypes").fit(X, y)
    assert fitted.score(X, y, weights) == accuracy_score(y, fitted.predict(X), sample_weight=weights)
    assert fitted.score(X.tolist(), pl.Series(y), pl.Series(weights)) == fitted.score(X, y, weights)
    X, y = load_diabetes(return_X_y=True)
    weights = np.random.default_rng(0).random(len(y))
    fitted = Transfer(kind="regression", method="ridge").fit(X, y)
    assert fitted.score(X, y, weights) == r2_score(y, fitted.predict(X), sample_weight=weights)


def test_a_search_hands_weights_on():
    X, y = load_iris(return_X_y=True)
    search = GridSearchCV(Transfer(), {"method": ["ridge", "prototypes"]}, cv=2)
    search.fit(X, y, sample_weight=np.where(y == 0, 2.5, 1.0))
    assert search.best_score_ > 0.8


def test_methods_that_move_weights_heed_them():
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 200, (32, 32, 3), dtype=np.uint8) for _ in range(24)]
    shares = []
    for first in (9.5, 0.5):
        weights = [first, 10 - first] * 12
        fitted = Transfer("timm:test_resnet?weights=random", "fine-tune", engine="torch", options={"epochs": 2})
        shares.append(fitted.fit(pictures, ["a", "b"] * 12, sample_weight=weights).predict_proba(pictures)[:, 0].mean())
    assert shares[0] > shares[1]


def _frame():
    X, y = load_iris(return_X_y=True, as_frame=True)
    return X.assign(count=[1.5, 0.5, 1.0] * 50, kind=y.map({0: "a", 1: "b", 2: "c"}))


def test_a_column_of_weights_is_no_input_and_is_not_asked_for_again(tmp_path):
    split = ["train", "train", "test"] * 50
    _frame().assign(split=split).to_csv(path := tmp_path / "iris.csv", index=False)
    task = read(path, roles=Roles(weight="count", target="kind"))
    assert task.weight.tolist() == [1.5, 0.5, 1.0] * 50
    assert task.columns.weight == "count"
    assert "count" not in task.columns.input
    assert "weight column: 'count' (as asked)" in task.notes
    fitted = hs.fit(path, roles=Roles(weight="count", target="kind"), method="ridge")
    loaded = Transfer.load(fitted.save(tmp_path / "model"))
    assert loaded.model_.columns.weight == "count"
    assert len(hs.predict(loaded, _frame().drop(columns="count"))) == 150
    assert hs.evaluate(loaded, _frame().drop(columns="count")).n_test == 150
    unweighted = hs.fit(_frame().drop(columns="count").assign(split=split), roles=Roles(target="kind"), method="ridge")
    assert not np.array_equal(hs.predict(loaded, _frame()).values, hs.predict(unweighted, _frame()).values)


def test_a_row_without_a_weight_is_set_aside():
    task = as_task(np.eye(3), [0, 1, 1], weight=[1.0, None, 2.0])
    assert [(aside.name, aside.why) for aside in task.set_aside] == [("row 1", "its weight is missing")]
    assert task.weight.tolist() == [1, 2]
    with pytest.raises(DataError, match=r"row 1 \(its weight is missing\)"):
        Transfer().fit(np.eye(3), [0, 1, 1], sample_weight=[1.0, np.nan, 2.0])


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ([1, -1, 1], "weights must be finite numbers from 0 up, and the column holds -1"),
        ([1, np.inf, 1], "the column holds inf"),
        ([1, "x", 1], "the column holds 'x'"),
        ([True, False, True], "the column holds True, False, True"),
        ([0, 0, 0], "all weights are zero or missing: at least one row must count"),
        ([1, 1], "3 inputs and 2 sample weights: expected one for each input"),
        (np.ones((3, 2)), r"sample weights of shape \(3, 2\): expected one for each input"),
        (2, "sample weights are one int, 2: expected a list"),
    ],
)
def test_what_is_no_weight(weights, words):
    with pytest.raises(DataError, match=words):
        Transfer().fit(np.eye(3), [0, 1, 1], sample_weight=weights)


def test_weights_have_no_use_with_a_source():
    with pytest.raises(ValueError, match="the weight column 'count' has no use with a source"):
        hs.fit(_frame(), source=_frame(), roles=Roles(weight="count", target="kind"))
    with pytest.raises(DataError, match=r"no column 'counts', named as the weight: .* Did you mean 'count'"):
        read(_frame(), roles=Roles(weight="counts", target="kind"))
    with pytest.raises(DataError, match="column 'kind' cannot be the weight and the target, or an input, at once"):
        read(_frame(), roles=Roles(weight="kind", target="kind"))


def test_whole_weights_repeat_rows_and_others_stay_weights():
    model = Transfer(method="ridge")
    for weights, rows, left in (
        ([2, 1, 0, 1], [0, 0, 1, 3], None),
        ([2, 2, 2, 2], [0, 1, 2, 3], None),
        ([0.5, 1, 0, 1], [0, 1, 3], [0.5, 1, 1]),
        ([100, 1, 1, 1], [0, 1, 2, 3], [100, 1, 1, 1]),
    ):
        task = as_task(np.eye(4), [0, 1, 0, 1], weight=weights)
        seen = counted(model.look(task, listener=LOGGED))
        assert seen.values.argmax(axis=1).tolist() == rows
        assert (seen.task.weight is None) if left is None else (seen.task.weight.tolist() == left)


def test_uneven_weights_are_handed_to_scikit_learn():
    assert uneven(np.ones(3)) is None
    assert uneven(np.array([1.0, 2.0])).tolist() == [1, 2]
