"""One answer to what a list is: the same items in every container that holds them."""

import array
import collections
import io

import datasets
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from headstart.data.arrays import as_task
from headstart.data.containers import contained
from headstart.data.tables import Table
from headstart.errors import DataError

WORDS = ["one text", "another text", "a third"]

OF_WORDS = {
    "list": list,
    "tuple": tuple,
    "deque": collections.deque,
    "UserList": collections.UserList,
    "generator": lambda words: (word for word in words),
    "iterator": iter,
    "keys": lambda words: dict.fromkeys(words).keys(),
    "values": lambda words: dict(enumerate(words)).values(),
    "Series": pd.Series,
    "Series of another index": lambda words: pd.Series(words, index=range(len(words))[::-1]),
    "Series of object": lambda words: pd.Series(words, dtype=object),
    "Series of string[python]": lambda words: pd.Series(words, dtype="string[python]"),
    "Series of string[pyarrow]": lambda words: pd.Series(words, dtype="string[pyarrow]"),
    "Series of category": lambda words: pd.Series(words, dtype="category"),
    "Series.values": lambda words: pd.Series(words).values,
    "Series.array": lambda words: pd.Series(words).array,
    "Index": pd.Index,
    "CategoricalIndex": pd.CategoricalIndex,
    "Categorical": pd.Categorical,
    "array of str": np.array,
    "array of object": lambda words: np.array(words, dtype=object),
    "array (N, 1) of str": lambda words: np.array(words).reshape(-1, 1),
    "array (N, 1) of object": lambda words: np.array(words, dtype=object).reshape(-1, 1),
    "array of StringDType": lambda words: np.array(words, dtype=np.dtypes.StringDType()),
    "masked array": lambda words: np.ma.array(words, dtype=object),
    "np.str_": lambda words: [np.str_(word) for word in words],
    "pyarrow array": pa.array,
    "pyarrow large_string": lambda words: pa.array(words, pa.large_string()),
    "pyarrow dictionary": lambda words: pa.array(words).dictionary_encode(),
    "pyarrow chunked": lambda words: pa.chunked_array([words[:1], words[1:]]),
    "list of pyarrow scalars": lambda words: list(pa.array(words)),
    "polars": pl.Series,
    "polars categorical": lambda words: pl.Series(words, dtype=pl.Categorical),
    "datasets column": lambda words: datasets.Dataset.from_dict({"text": words})["text"],
    "datasets column of numpy": lambda words: datasets.Dataset.from_dict({"text": words}).with_format("numpy")["text"],
}


@pytest.mark.parametrize("name", OF_WORDS)
def test_words_in_any_container_are_a_list(name):
    words = [*WORDS, "a third"] if "keys" not in name else WORDS
    held = contained(OF_WORDS[name](words))
    assert held == words
    assert {type(word) for word in held} == {str}
    assert as_task(OF_WORDS[name](words), list("abab"[: len(words)])).inputs == words


NUMBERS = [3, 1, 2, 1]

OF_NUMBERS = {
    "list": list,
    "array": np.array,
    "array (N, 1)": lambda numbers: np.array(numbers).reshape(-1, 1),
    "array.array": lambda numbers: array.array("l", numbers),
    "memoryview": lambda numbers: memoryview(array.array("l", numbers)),
    "uint8": lambda numbers: np.array(numbers, np.uint8),
    "object": lambda numbers: np.array(numbers, object),
    "masked": lambda numbers: np.ma.array(numbers),
    "Series of another index": lambda numbers: pd.Series(numbers, index=[7, 7, 3, 1]),
    "Int64": lambda numbers: pd.Series(numbers, dtype="Int64"),
    "int64[pyarrow]": lambda numbers: pd.Series(numbers, dtype="int64[pyarrow]"),
    "Series.array": lambda numbers: pd.Series(numbers, dtype="Int64").array,
    "category": lambda numbers: pd.Series(numbers, dtype="category"),
    "Index": pd.Index,
    "DataFrame of one column": lambda numbers: pd.DataFrame({"y": numbers}),
    "tensor": torch.tensor,
    "tensor (N, 1)": lambda numbers: torch.tensor(numbers).reshape(-1, 1),
    "list of tensors": lambda numbers: list(torch.tensor(numbers)),
    "pyarrow array": pa.array,
    "pyarrow table": lambda numbers: pa.table({"y": numbers}),
    "polars": pl.Series,
    "polars frame": lambda numbers: pl.DataFrame({"y": numbers}),
    "datasets column": lambda numbers: datasets.Dataset.from_dict({"y": numbers})["y"],
    "datasets column of torch": lambda numbers: datasets.Dataset.from_dict({"y": numbers}).with_format("torch")["y"],
}


@pytest.mark.parametrize("name", OF_NUMBERS)
def test_targets_in_any_container(name):
    task = as_task(np.eye(4), OF_NUMBERS[name](NUMBERS))
    assert task.classes == (1, 2, 3)
    assert {type(label) for label in task.classes} == {int}
    assert task.targets.tolist() == [2, 0, 1, 0]


@pytest.mark.parametrize("name", sorted(OF_WORDS.keys() - {"keys"}))
def test_words_as_targets_in_any_container(name):
    task = as_task(np.eye(3), OF_WORDS[name](["b", "a", "b"]))
    assert (task.classes, task.targets.tolist()) == (("a", "b"), [1, 0, 1])


MATRIX = [[1.0, 2.0], [3.0, 4.5], [0.0, -1.0]]

OF_ROWS = {
    "lists": list,
    "tuples": lambda rows: tuple(map(tuple, rows)),
    "generator": iter,
    "list of arrays": lambda rows: [np.array(row) for row in rows],
    "list of tensors": lambda rows: [torch.tensor(row) for row in rows],
    "array": np.array,
    "Fortran order": np.asfortranarray,
    "object": lambda rows: np.array(rows, object),
    "masked": lambda rows: np.ma.array(rows),
    "Series of lists": pd.Series,
    "Series of arrays": lambda rows: pd.Series([np.array(row) for row in rows]),
    "tensor": torch.tensor,
    "tensor of bfloat16": lambda rows: torch.tensor(rows, dtype=torch.bfloat16),
    "tensor of float16": lambda rows: torch.tensor(rows, dtype=torch.float16),
    "tensor that has a gradient": lambda rows: torch.tensor(rows, requires_grad=True),
    "pyarrow lists": pa.array,
    "polars lists": pl.Series,
    "datasets column of lists": lambda rows: datasets.Dataset.from_dict({"x": rows})["x"],
    "memoryview": lambda rows: memoryview(np.array(rows)),
}


@pytest.mark.parametrize("name", OF_ROWS)
def test_rows_of_numbers_in_any_container(name):
    task = as_task(OF_ROWS[name](MATRIX))
    assert task.modality == "array"
    assert task.inputs.tolist() == MATRIX


FRAME = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "x"]})

OF_TABLES = {
    "DataFrame": lambda frame: frame,
    "DataFrame of another index": lambda frame: frame.set_axis([5, 5, 1]),
    "dict": lambda frame: frame.to_dict("list"),
    "dict of arrays": lambda frame: {name: frame[name].to_numpy() for name in frame},
    "dict of Series": lambda frame: {name: frame[name].set_axis([5, 5, 1]) for name in frame},
    "records": lambda frame: frame.to_dict("records"),
    "structured array": lambda frame: frame.to_records(index=False),
    "pyarrow": pa.Table.from_pandas,
    "RecordBatch": pa.RecordBatch.from_pandas,
    "polars": pl.from_pandas,
    "datasets": datasets.Dataset.from_pandas,
    "datasets of torch": lambda frame: datasets.Dataset.from_pandas(frame).with_format("torch"),
}


@pytest.mark.parametrize("name", OF_TABLES)
def test_tables_in_any_container(name):
    table = contained(OF_TABLES[name](FRAME))
    assert isinstance(table, Table)
    assert table.frame["a"].tolist() == [1, 2, 3]
    assert table.frame["b"].tolist() == ["x", "y", "x"]
    task = as_task(OF_TABLES[name](FRAME), [0, 1, 0])
    assert (task.modality, task.columns.input) == ("table", ("a", "b"))


@pytest.mark.parametrize("name", OF_TABLES)
def test_a_table_of_one_column_of_words_is_a_list_of_texts(name):
    frame = pd.DataFrame({"words": WORDS})
    task = as_task(OF_TABLES[name](frame))
    assert (task.modality, task.inputs) == ("text", WORDS)


def test_missing_values_stay_where_they_are():
    for held in (
        pd.Series(["a", None], dtype="string"),
        np.ma.array(["a", "b"], mask=[False, True], dtype=object),
        pa.array(["a", None]),
        pl.Series(["a", None]),
    ):
        assert list(as_task(held).set_aside[0])[:2] == ["row 1", "the text is missing"]
    numbers = as_task(np.ma.array([[1, 2], [3, 4]], mask=[[False, True], [False, False]])).inputs
    np.testing.assert_array_equal(numbers, [[1, np.nan], [3, 4]])
    for held in (pd.Series([1, None, 2], dtype="Int64"), pa.array([1, None, 2]), pl.Series([1, None, 2])):
        task = as_task(np.eye(3), held)
        assert (task.classes, task.set_aside[0].why) == ((1, 2), "the target is missing")


def test_pictures_in_any_container():
    pictures = [Image.new("RGB", (4, 3), color) for color in ("red", "blue")]
    pixels = np.stack([np.asarray(picture) for picture in pictures])
    stored = io.BytesIO()
    pictures[0].save(stored, "png")
    for held in (
        pictures,
        iter(pictures),
        pd.Series(pictures),
        np.array([*pictures, None], dtype=object)[:2],
        pixels,
        list(pixels),
        torch.from_numpy(pixels),
        list(torch.from_numpy(pixels)),
        datasets.Dataset.from_dict({"picture": pictures})["picture"],
        [stored.getvalue()] * 2,
        pa.array([stored.getvalue()] * 2),
        pd.DataFrame({"picture": pictures}),
    ):
        task = as_task(held, ["a", "b"])
        assert task.modality == "image"
        assert len(task) == 2


@pytest.mark.parametrize(
    "one", [np.zeros((30, 40, 3), np.uint8), np.zeros((30, 40, 1), np.uint8), torch.zeros(30, 40, 4, dtype=torch.uint8)]
)
def test_pixels_of_one_picture_are_one_input(one):
    assert len(as_task(one)) == 1


def test_a_picture_or_its_bytes_alone_are_one_input():
    picture, stored = Image.new("L", (40, 30)), io.BytesIO()
    picture.save(stored, "png")
    for one in (picture, stored.getvalue(), bytearray(stored.getvalue()), {"bytes": stored.getvalue(), "path": None}):
        assert as_task(one).modality == "image"
        assert len(as_task(one)) == 1


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"a text", "another"}, "a set has no order, so that its items belong to no rows: give a list"),
        (frozenset("ab"), "a frozenset has no order"),
        ("a text", "'a text' is one string: give a list of texts or paths"),
        (pl.LazyFrame({"a": [1]}), r"a polars LazyFrame has not been read yet: call \.collect\(\) first"),
        (datasets.Dataset.from_dict({"a": [1]}).to_iterable_dataset(), "load it without streaming=True"),
        (torch.utils.data.DataLoader([1, 2]), "a torch DataLoader has not been read yet"),
        (io.StringIO("a\nb\n"), r"an open file \(StringIO\) cannot be read: give its path"),
        (scipy.sparse.csr_matrix((2, 2)), r"a sparse csr_matrix cannot be read: make it dense with \.toarray\(\)"),
        (torch.eye(2).to_sparse(), r"a sparse tensor cannot be read: give a dense one, such as x\.to_dense\(\)"),
        (torch.empty(2, 2, device="meta"), "a meta tensor cannot be read"),
        (object(), "a object cannot be read: expected a path, a list of paths"),
        (FRAME.groupby("b"), "a DataFrameGroupBy cannot be read"),
        ({"train": FRAME}, r"a dictionary of tables cannot be read \('train' is one\): give one table"),
        ({"a": 1, "b": "x"}, r"a dict whose 'a' is one int, 1: .*; one row goes in a list, \[row\]"),
        ({"a": [1], "b": [1, 2]}, r"the columns of a dictionary differ in length \('a' 1, 'b' 2\)"),
    ],
)
def test_what_has_no_order_or_has_not_been_read_is_refused(source, words):
    with pytest.raises(DataError, match=words):
        contained(source)


@pytest.mark.parametrize("targets", [{1, 0}, {"a": 1}, "ab", 3, None, b"ab"])
def test_targets_that_are_no_list_are_refused(targets):
    if targets is None:
        assert as_task(np.eye(2), targets).targets is None
        return
    with pytest.raises(
        DataError, match=f"targets are one {type(targets).__name__}.*expected a list, one for each input"
    ):
        as_task(np.eye(2), targets)


@given(st.lists(st.text(max_size=5).filter(lambda text: "\0" not in text), min_size=1, max_size=6), st.randoms())
def test_every_container_holds_the_same(words, random):
    name = random.choice([name for name in OF_WORDS if name not in ("keys", "polars categorical")])
    words = [word.encode("utf-8", "ignore").decode() for word in words]
    assert contained(OF_WORDS[name](words)) == words
