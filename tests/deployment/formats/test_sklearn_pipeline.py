"""A model of a table with a linear head as scikit-learn's own estimators: the same answers to every kind of cell."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris

from headstart.deployment.formats.sklearn_pipeline import pipeline_of, why_no_pipeline
from headstart.transfer import Transfer


def table(rows=150, seed=0):
    """Numbers with gaps, words of which some are rare, truth values, and categories that are whole numbers."""
    rng = np.random.default_rng(seed)
    frame = load_iris(as_frame=True).data.copy()
    frame["word"] = rng.choice(["p", "q", "r", "s", None], rows)
    frame["truth"] = rng.random(rows) > 0.5
    frame["size"] = pd.Categorical(rng.choice([1, 2, 12], rows))
    frame.loc[::7, "sepal length (cm)"] = np.nan
    frame.loc[3, "word"], frame.loc[4, "word"] = "once", "and once more"
    return frame


@pytest.fixture(scope="module")
def iris():
    return load_iris(as_frame=True)


@pytest.fixture(scope="module")
def strange():
    """Cells as the training rows had none."""
    frame = table(seed=1)
    frame["truth"] = frame["truth"].astype(object)
    frame.loc[0, "word"], frame.loc[1, "word"] = "never seen", None
    frame.loc[2, "petal width (cm)"], frame.loc[5, "petal width (cm)"] = 1e9, np.nan
    frame.loc[6, "petal length (cm)"] = -1e9
    frame.loc[7, "truth"] = None
    return frame


def test_classes(iris, strange):
    fitted = Transfer(None, "logistic").fit(table(), iris.target_names[iris.target])
    pipeline = pipeline_of(fitted.model_)
    np.testing.assert_allclose(pipeline.predict_proba(strange), fitted.predict_proba(strange), atol=1e-6)
    np.testing.assert_array_equal(pipeline.predict(strange), fitted.predict(strange))
    np.testing.assert_array_equal(pipeline.classes_, fitted.classes_)


def test_words_may_stand_where_truth_values_and_numbers_stood(iris, strange):
    fitted = Transfer(None, "logistic").fit(table(), iris.target_names[iris.target])
    written = strange.assign(
        truth=strange["truth"].map({True: "true", False: "false"}), size=strange["size"].astype(str)
    )
    pipeline = pipeline_of(fitted.model_)
    np.testing.assert_allclose(pipeline.predict_proba(written), pipeline.predict_proba(strange), atol=1e-12)


def test_two_classes(iris, strange):
    fitted = Transfer(None, "logistic").fit(table(), np.where(iris.target == 1, "one", "other"))
    pipeline = pipeline_of(fitted.model_)
    np.testing.assert_allclose(pipeline.predict_proba(strange), fitted.predict_proba(strange), atol=1e-6)


def test_values(iris, strange):
    target = iris.data["sepal width (cm)"] * iris.data["petal width (cm)"]
    fitted = Transfer(None, "ridge", kind="regression").fit(table(), target)
    expected = fitted.predict(strange)
    np.testing.assert_allclose(pipeline_of(fitted.model_).predict(strange), expected, atol=1e-5 * np.std(expected))


def test_several_labels_and_arrays(iris):
    X = iris.data.to_numpy()
    labels = np.stack([iris.target == 0, iris.target > 0, X[:, 0] > 6], 1).astype(int)
    several = Transfer(None, "logistic", kind="multilabel").fit(X, labels)
    pipeline = pipeline_of(several.model_)
    np.testing.assert_allclose(pipeline.predict_proba(X), several.predict_proba(X), atol=1e-9)
    np.testing.assert_array_equal(np.asarray(pipeline.predict(X)), several.predict(X))
    plain = Transfer(None, "ridge").fit(X, iris.target)
    np.testing.assert_allclose(pipeline_of(plain.model_).predict_proba(X), plain.predict_proba(X), atol=1e-9)


def test_why_there_is_none(iris):
    y = iris.target_names[iris.target]
    dated = table().assign(day=pd.date_range("2024-01-01", periods=150))
    assert "'day' holds dates" in why_no_pipeline(Transfer(None, "ridge").fit(dated, y).model_)
    uneven = Transfer(None, "ridge", goal="balanced-accuracy").fit(table().iloc[:110], y[:110])
    assert "highest expected utility" in why_no_pipeline(uneven.model_)
    kernel = Transfer(None, "kernel").fit(table(), y)
    with pytest.raises(ValueError, match="its head 'kernel' is more than one linear layer"):
        pipeline_of(kernel.model_)
