"""Fit on one container, predict on another: texts, pictures and tables; and one input is one answer, or refused."""

from pathlib import Path

import datasets
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_iris

import headstart as hs
from headstart import Transfer
from headstart.errors import DataError

TEXTS = [f"a {'good' if i % 2 else 'bad'} thing number {i}" for i in range(24)]
LABELS = ["pos" if i % 2 else "neg" for i in range(24)]
NEW = ["such a good thing", "a very bad thing", "good it is"]

OF_TEXTS = {
    "Series": pd.Series,
    "array (N, 1)": lambda texts: np.array(texts, dtype=object).reshape(-1, 1),
    "generator": iter,
    "pyarrow": pa.array,
    "polars": pl.Series,
    "datasets column": lambda texts: datasets.Dataset.from_dict({"text": texts})["text"],
    "DataFrame": lambda texts: pd.DataFrame({"text": texts}, index=range(len(texts))[::-1]),
    "polars frame": lambda texts: pl.DataFrame({"text": texts}),
    "datasets": lambda texts: datasets.Dataset.from_dict({"text": texts}),
    "records": lambda texts: [{"text": text} for text in texts],
}


@pytest.fixture(scope="module")
def of_texts():
    return Transfer("bundled:wordllama", "ridge", engine="torch").fit(TEXTS, LABELS)


@pytest.fixture(scope="module")
def of_pictures():
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 128 if i % 2 else 255, (32, 32, 3), dtype=np.uint8) for i in range(12)]
    return Transfer("timm:test_resnet?weights=random", "ridge").fit(pictures, ["dark", "light"] * 6)


@pytest.fixture(scope="module")
def of_columns():
    X, y = load_iris(return_X_y=True, as_frame=True)
    return Transfer(method="ridge").fit(X, y)


@pytest.mark.parametrize("name", OF_TEXTS)
def test_texts_in_any_container_are_fitted_and_predicted_alike(name, of_texts):
    expected = of_texts.predict_proba(NEW)
    np.testing.assert_array_equal(of_texts.predict_proba(OF_TEXTS[name](NEW)), expected)
    labels = pd.Series(LABELS, index=range(24)[::-1])
    fitted = Transfer("bundled:wordllama", "ridge", engine="torch").fit(OF_TEXTS[name](TEXTS), labels)
    np.testing.assert_array_equal(fitted.predict_proba(NEW), expected)
    assert [row["prediction"] for row in hs.predict(fitted, OF_TEXTS[name](NEW)).rows()] == ["pos", "neg", "pos"]


def test_a_column_of_another_name_is_refused_by_a_model_that_knows_its_own(of_texts):
    other = pd.DataFrame({"sentence": NEW})
    np.testing.assert_array_equal(of_texts.predict(other), of_texts.predict(NEW))
    fitted = Transfer("bundled:wordllama", "ridge").fit(pd.DataFrame({"text": TEXTS}), LABELS)
    with pytest.raises(DataError, match="no column 'text', which the model reads: the columns are 'sentence'"):
        fitted.predict(other)


@pytest.mark.parametrize(
    "one",
    [
        np.zeros((48, 64, 3), np.uint8),
        np.zeros((48, 64), np.uint8),
        torch.zeros(48, 64, 3, dtype=torch.uint8),
        Image.new("RGB", (64, 48)),
    ],
)
def test_one_picture_is_one_answer(one, of_pictures):
    assert of_pictures.predict(one).shape == (1,)
    assert len(hs.predict(of_pictures, one)) == 1
    np.testing.assert_array_equal(of_pictures.predict_proba(one), of_pictures.predict_proba([one]))


def test_one_path_and_the_bytes_of_a_file_are_one_answer(of_pictures, tmp_path):
    Image.new("RGB", (64, 48), "red").save(path := tmp_path / "a.png")
    expected = of_pictures.predict_proba([Image.open(path)])
    for one in (path, path.read_bytes(), bytearray(path.read_bytes())):
        np.testing.assert_array_equal(of_pictures.predict_proba(one), expected)
    assert len(hs.predict(of_pictures, path)) == 1


@pytest.mark.parametrize(
    ("pixels", "cure"),
    [
        (np.full((2, 3, 16, 16), 9, np.uint8), r"x\.transpose\(0, 2, 3, 1\) makes them"),
        (np.full((3, 16, 16), 9, np.uint8)[None], r"x\.transpose\(0, 2, 3, 1\) makes them"),
        (np.full((2, 16, 16, 3), 0.5), r"\(x \* 255\)\.round\(\)\.astype\('uint8'\) makes them"),
        (torch.full((2, 3, 16, 16), 0.5), r"\(x\.transpose\(0, 2, 3, 1\) \* 255\)\.round\(\)\.astype\('uint8'\)"),
        (torch.full((3, 16, 16), 0.5), r"\(x\.transpose\(1, 2, 0\) \* 255\)\.round\(\)\.astype\('uint8'\)"),
        (np.full((2, 16, 16, 3), 99), r"x\.clip\(0, 255\)\.astype\('uint8'\)"),
        ([np.full((16, 16, 3), 0.5), np.full((17, 16, 3), 0.5)], r"\(x \* 255\)\.round\(\)\.astype\('uint8'\)"),
        (np.zeros((2, 16, 16, 7), np.uint8), r"shape \(2, 16, 16, 7\) cannot be read as pictures: pictures are uint8"),
        (np.zeros(5), r"a list of 5 numbers cannot be read as pictures: pictures are "),
    ],
)
def test_pixels_of_another_form_are_refused_with_what_to_type(pixels, cure, of_pictures):
    with pytest.raises(DataError, match=cure):
        of_pictures.predict(pixels)
    with pytest.raises(DataError, match=cure):
        hs.predict(of_pictures, pixels)


def test_what_is_told_to_type_makes_pictures(of_pictures):
    x = np.full((2, 3, 16, 16), 0.5)
    assert of_pictures.predict((x.transpose(0, 2, 3, 1) * 255).round().astype("uint8")).shape == (2,)


def test_pixels_of_another_form_are_refused_in_a_fit():
    for pixels, words in (
        (np.full((4, 3, 16, 16), 0.5), r"got 4D array instead.*\(x\.transpose\(0, 2, 3, 1\) \* 255\)"),
        ([np.full((16, 16, 3), 0.5), np.full((17, 16, 3), 0.5)] * 2, "cannot be read as pictures"),
        (np.zeros((4, 3, 3), np.uint8), "1 inputs and 4 targets: expected one for each input"),
    ):
        with pytest.raises(DataError, match=words):
            Transfer().fit(pixels, list("abab"))


def test_one_string_and_bytes_are_refused_by_a_model_of_texts(of_texts):
    with pytest.raises(DataError, match=r"'a good thing' is one string: give a list, \[text\]"):
        of_texts.predict("a good thing")
    with pytest.raises(DataError, match=r"A text goes in a list: \[text\]"):
        hs.predict(of_texts, "a good thing")
    with pytest.raises(DataError, match="the model reads text inputs"):
        of_texts.predict(b"a good thing")
    with pytest.raises(DataError, match="is one string"):
        Transfer("bundled:wordllama").fit("a good thing", ["pos"])


@pytest.mark.parametrize("row", [[5.1, 3.5, 1.4, 0.2], np.array([5.1, 3.5, 1.4, 0.2]), pd.Series([5.1, 3.5, 1.4, 0.2])])
def test_one_row_of_numbers_is_refused(row, of_columns):
    X, y = load_iris(return_X_y=True)
    for fitted in (of_columns, Transfer(method="ridge").fit(X, y)):
        with pytest.raises(ValueError, match=r"Expected 2D array, got 1D array instead"):
            fitted.predict(row)
        with pytest.raises(ValueError, match=r"Reshape your data"):
            hs.predict(fitted, row)


def test_rows_without_names_are_the_columns_of_a_table_by_position(of_columns, tmp_path):
    X, _ = load_iris(return_X_y=True, as_frame=True)
    loaded = Transfer.load(of_columns.save(tmp_path / "model"))
    expected = of_columns.predict_proba(X)
    for rows in (X.to_numpy(), X.to_numpy().tolist(), pl.from_pandas(X), X.to_dict("list"), pa.Table.from_pandas(X)):
        np.testing.assert_array_equal(loaded.predict_proba(X), expected)
        np.testing.assert_array_equal(hs.predict(loaded, rows).values, expected)
    with pytest.raises(ValueError, match=r"X has 3 features, but .* is expecting 4 features as input"):
        loaded.predict(X.to_numpy()[:, :3])
    with pytest.raises(DataError, match="X has 3 features, but the model is expecting 4 features as input: 'sepal"):
        hs.predict(loaded, X.to_numpy()[:, :3])


def test_a_table_is_read_whole_by_a_model_of_arrays(tmp_path):
    X, y = load_iris(return_X_y=True, as_frame=True)
    fitted = Transfer(method="ridge").fit(X.to_numpy(), y)
    named = X.set_axis(["id", "label", "split", "group"], axis=1)
    np.testing.assert_array_equal(hs.predict(fitted, named).values, fitted.predict_proba(X.to_numpy()))


def test_a_folder_is_for_headstart_predict(of_pictures, tmp_path):
    Image.new("RGB", (64, 48)).save(Path(tmp_path) / "a.png")
    assert len(hs.predict(of_pictures, str(tmp_path))) == 1
    with pytest.raises(DataError, match=r"folders and files go to headstart\.predict"):
        of_pictures.predict(str(tmp_path))
