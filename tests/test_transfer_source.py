"""`Transfer.fit` with a source: the model of `headstart.fit` on all rows, cloned and fitted again; and its features."""

from __future__ import annotations

from importlib.metadata import distribution

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris

from headstart import DataError, Roles, Transfer, fit


def cars(origin):
    files = distribution("bokeh-sampledata").files or []
    (path,) = [file.locate() for file in files if file.name == "auto-mpg.csv"]
    frame = pd.read_csv(path)
    return frame[frame["origin"] == origin].drop(columns=["origin", "name"]).reset_index(drop=True)


US, EUROPE = cars(1), cars(2)
SOURCE = US.drop(columns="mpg"), US["mpg"]
TARGET = EUROPE.drop(columns="mpg"), EUROPE["mpg"]
TEXTS = [f"{word} {noun}" for word in ("awful", "broken", "lovely", "great") for noun in ("film", "song", "meal")]
MOODS = ["bad"] * 6 + ["good"] * 6
SHOP = [f"{word} {noun}" for word in ("awful", "dull", "lovely", "fine") for noun in ("phone", "cable", "lamp", "desk")]


@pytest.mark.parametrize("method", ["coral", "augment", "rulsif"])
def test_it_is_the_model_that_headstart_fit_keeps_and_can_be_fitted_again(method, tmp_path):
    rows, test = EUROPE[:56], EUROPE[56:]  # one trial in place of fifteen
    whole = fit(rows, source=US, test=test, roles=Roles(target="mpg"), method=method, cache=False)
    X, y = rows.drop(columns="mpg"), rows["mpg"]
    alone = Transfer(method=method, kind="regression", cache=False).fit(X, y, source=SOURCE)
    np.testing.assert_allclose(alone.predict(TARGET[0]), whole.predict(TARGET[0]), rtol=1e-9)
    again = clone(Transfer.load(alone.save(tmp_path / "model"))).set_params(cache=False).fit(X, y, source=SOURCE)
    np.testing.assert_array_equal(again.predict(TARGET[0]), alone.predict(TARGET[0]))


def test_a_target_may_have_no_labels_and_a_guard_chooses():
    bare = Transfer(method="coral", kind="regression", cache=False).fit(TARGET[0], None, source=SOURCE)
    assert np.corrcoef(bare.predict(TARGET[0]), TARGET[1])[0, 1] > 0.7
    X, y = load_iris(return_X_y=True)
    odd = np.arange(len(X)) % 2 == 1
    guarded = Transfer(method="auto", cache=False).fit(X[odd][::3], y[odd][::3], source=(X[~odd] + 0.1, y[~odd]))
    assert guarded.score(X[odd], y[odd]) > 0.9
    assert guarded.method == "auto"
    assert guarded.model_.method in ("pooled", "source-only", "target-only", "augment", "balanced")


def test_sentences_of_another_place_and_weights_that_move(tmp_path):
    labels = np.array(["bad"] * 8 + ["good"] * 8, dtype=object)
    model = Transfer("bundled:wordllama", "pooled", engine="torch", cache=False)
    model.fit(TEXTS, MOODS, source=(SHOP, labels))
    assert model.score(TEXTS, MOODS) > 0.9
    assert model.transform(TEXTS).shape == (12, model.backbone_.dim)
    options = {"epochs": 1, "batch": 8}
    moved = Transfer("bundled:minilm", "dann", options=options, engine="torch", cache=False)
    moved.fit(TEXTS, MOODS, source=(SHOP, labels))
    loaded = Transfer.load(moved.save(tmp_path / "model"))
    np.testing.assert_array_equal(loaded.predict_proba(TEXTS), moved.predict_proba(TEXTS))
    assert moved.backbone_.name == "bundled:minilm+dann"


def test_what_does_not_go_together_is_refused():
    X, y = TARGET
    with pytest.raises(ValueError, match="method 'probe' draws on no source task: leave source out"):
        Transfer(kind="regression").fit(X, y, source=SOURCE)
    with pytest.raises(ValueError, match=r"draws on a source task: give one to headstart\.fit, or as source to"):
        Transfer(method="coral", kind="regression").fit(X, y)
    with pytest.raises(ValueError, match="sample_weight has no use with a source"):
        Transfer(method="coral", kind="regression").fit(X, y, sample_weight=np.ones(len(y)), source=SOURCE)
    with pytest.raises(ValueError, match=r"source is a DataFrame: expected a pair \(X, y\) of the source task"):
        Transfer(method="coral", kind="regression").fit(X, y, source=US)
    with pytest.raises(ValueError, match="method 'coral' has no option 'penalti'; nearest: penalty"):
        Transfer(method="coral", kind="regression", options={"penalti": 1}).fit(X, y, source=SOURCE)
    with pytest.raises(DataError, match="no column in common"):
        Transfer(method="coral", kind="regression").fit(X.rename(columns=str.upper), y, source=SOURCE)
    with pytest.raises(DataError, match="labels that only the target has: 'odd'"):
        Transfer("bundled:wordllama", "coral").fit(TEXTS, [*MOODS[:-1], "odd"], source=(SHOP, ["bad", "good"] * 8))


def test_transform_gives_what_the_head_stands_on():
    X, y = load_iris(return_X_y=True)
    of_array = Transfer(method="ridge").fit(X, y)
    np.testing.assert_array_equal(of_array.transform(X[:5]), X[:5])
    of_table = Transfer(method="ridge", kind="regression").fit(*TARGET)
    assert of_table.transform(TARGET[0]).shape == (len(EUROPE), of_table.model_.head.width)
    np.testing.assert_allclose(of_table.model_.head.predict(of_table.transform(TARGET[0])), of_table.predict(TARGET[0]))
    with pytest.raises(ValueError, match="not fitted"):
        Transfer().transform(X)
