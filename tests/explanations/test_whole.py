"""The model as a whole: influence against fits without the row, separation by hand, why transfer helped."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import headstart as hs
from headstart.explanations.influence import influence_of
from headstart.explanations.training_rows import training_rows
from headstart.explanations.whole import explain_whole
from headstart.heads.head import shaped
from headstart.listener import SILENT
from headstart.methods.model import features


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 4))
    y = np.where(x[:, 0] - x[:, 1] + 0.3 * rng.normal(size=40) > 0, "up", "down")
    return pd.DataFrame(x, columns=list("abcd")).assign(label=y)


@pytest.fixture(scope="module")
def ridge(data):
    return hs.Transfer(method="ridge", cache=False).fit(data[list("abcd")], data["label"])


def refitted(Z, y, strength):
    """Ridge with a free intercept, by its normal equations."""
    A = np.column_stack([Z, np.ones(len(Z))])
    penalty = strength * np.diag([*np.ones(Z.shape[1]), 0.0])
    return np.linalg.solve(A.T @ A + penalty, A.T @ y)


def test_influence_is_what_a_fit_without_the_row_shows(ridge, data):
    rows = training_rows(ridge, data, SILENT).rows
    influence = influence_of(ridge.model_, rows)
    assert influence.exact
    values = shaped(np.asarray(features(ridge.model_, rows)), ridge.model_.head.form)
    Z = (values - influence.mean) / influence.scale
    codes = np.asarray(rows.task.targets)
    y = np.where(codes[:, None] == np.arange(2), 1.0, -1.0)
    A = np.column_stack([Z, np.ones(len(Z))])
    whole = A @ refitted(Z, y, influence.strength)
    changes = influence.on(values)
    for row in (0, 7, 39):
        rest = np.arange(len(Z)) != row
        without = A @ refitted(Z[rest], y[rest], influence.strength)
        np.testing.assert_allclose(changes[:, row], whole - without, atol=1e-4)
        np.testing.assert_allclose(influence.residual[row], y[row] - without[row], atol=1e-4)
        root = np.sqrt(np.square(np.linalg.norm(whole - without, axis=1)).mean())
        assert influence.effect[row] == pytest.approx(root, rel=1e-3)


def test_a_wrong_label_matters_more_than_most(data):
    flipped = data.copy()
    clearest = int((data["a"] - data["b"]).to_numpy().argmax())
    flipped.loc[clearest, "label"] = "down"
    model = hs.Transfer(method="ridge", cache=False).fit(flipped[list("abcd")], flipped["label"])
    influence = influence_of(model.model_, training_rows(model, flipped, SILENT).rows)
    assert clearest in np.argsort(-influence.effect)[:4]
    assert np.abs(influence.residual[clearest]).max() > 1


def test_what_separates_two_classes_adds_up_to_the_mean_margins(ridge, data):
    whole = explain_whole(ridge, data)
    assert whole.exact
    p = ridge.predict_proba(data[list("abcd")])
    up = list(ridge.classes_).index(whole.separation.first)
    margin = np.log(p[:, up]) - np.log(p[:, 1 - up])
    first = (data["label"] == whole.separation.first).to_numpy()
    added = sum(part.attribution for part in whole.separation.columns)
    assert added == pytest.approx(margin[first].mean() - margin[~first].mean(), rel=1e-4)
    assert {part.name for part in whole.separation.columns[:2]} == {"a", "b"}
    assert whole.separation.area > 0.9
    assert any("reuses no pretrained network" in note for note in whole.notes)
    assert whole.to_json()["separation"]["roc_area"] == whole.separation.area


def test_data_that_moved_is_told(ridge, data, tmp_path):
    gone = str(tmp_path / "gone.csv")
    assert "gone.csv is not there any more" in training_rows(ridge, gone, SILENT).notes[0]
    with pytest.raises(hs.DataError, match="is not there any more"):
        explain_whole(ridge, gone)
    result = hs.explain(ridge, data[list("abcd")].iloc[:1], data=gone, check=False)
    assert "gone.csv is not there any more" in result.notes[0]
    with pytest.raises(ValueError, match="one class cannot be told from itself"):
        explain_whole(ridge, data, label="up", against="up")


def test_the_nearest_training_row_of_a_training_row_is_itself(ridge, data):
    explanation = hs.explain(ridge, data[list("abcd")].iloc[[5]], data=data, check=False)[0]
    nearest = explanation.neighbours[0]
    assert nearest.similarity == pytest.approx(1.0, abs=1e-6)
    assert nearest.label == data["label"].iloc[5]
    assert len(explanation.neighbours) == 5
