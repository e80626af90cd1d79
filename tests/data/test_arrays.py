import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import scipy.sparse
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from PIL import Image
from sklearn.datasets import load_digits, load_iris

from headstart.data.arrays import as_task, draft_of_inputs
from headstart.data.read import read
from headstart.data.roles import Roles
from headstart.errors import DataError


def test_iris():
    x, y = load_iris(return_X_y=True)
    task = as_task(x, y)
    assert (task.modality, task.kind, task.classes) == ("array", "classification", (0, 1, 2))
    assert np.array_equal(task.inputs, x)
    assert np.array_equal(task.targets, y)
    assert task.names[7] == "row 7"


def test_digits_as_pictures():
    pictures, labels = load_digits(return_X_y=False).images.astype(np.uint8), load_digits().target
    task = as_task(pictures, labels)
    assert task.modality == "image"
    assert np.array_equal(np.stack(task.inputs), pictures)


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, bool, np.float16, np.float32, np.float64, object])
def test_numbers_of_any_type(dtype):
    found = draft_of_inputs(np.array([[1, 0], [0, 1]], dtype=dtype)).inputs
    assert found.dtype == (np.float32 if dtype is np.float32 else np.float64)
    assert found.tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize(
    "rows",
    [[[1, 2], [3, 4]], [(1, 2), (3, 4)], [np.array([1.0, 2]), np.array([3.0, 4])], torch.tensor([[1, 2], [3, 4]])],
)
def test_rows_of_numbers(rows):
    assert draft_of_inputs(rows).inputs.tolist() == [[1, 2], [3, 4]]


def test_missing_and_infinite_numbers_are_kept():
    assert np.isinf(as_task(np.array([[np.inf], [np.nan]]), [0, 1]).inputs[0, 0])


def test_words_in_an_array_make_a_table():
    for rows in (np.array([["a", 1], ["b", 2.5]], dtype=object), [["a", 1], ["b", 2.5]]):
        task = as_task(rows, [0, 1])
        assert task.modality == "table"
        assert task.inputs["0"].tolist() == ["a", "b"]
        assert task.inputs["1"].tolist() == [1, 2.5]


def test_pictures_paths_and_texts(twemoji):
    paths = sorted(twemoji.glob("*/*.png"))[:3]
    for source in (paths, list(map(str, paths)), np.array(list(map(str, paths))), pd.Series(map(str, paths))):
        draft = draft_of_inputs(source)
        assert draft.modality == "image"
        assert draft.inputs == draft.names == list(map(str, paths))
    opened = [Image.new("RGB", (4, 3)), Image.new("RGBA", (5, 6))]
    for source in (opened, tuple(opened), [np.zeros((2, 3, 3), np.uint8), np.zeros((4, 5), np.uint8)]):
        assert draft_of_inputs(source).modality == "image"
    texts = ["see a.png", "a text", "", None, float("nan")]
    draft = draft_of_inputs(texts)
    assert (draft.modality, draft.inputs) == ("text", ["see a.png", "a text", "", "", ""])
    assert list(draft.broken) == [3, 4]
    assert draft.notes == ["1 texts are empty"]


def test_one_picture_or_path(twemoji):
    path = next(twemoji.glob("*/*.png"))
    assert draft_of_inputs(path).inputs == [str(path)]
    assert draft_of_inputs(Image.new("L", (2, 2))).modality == "image"


def test_missing_files_are_named(tmp_path, twemoji):
    path = str(next(twemoji.glob("*/*.png")))
    task = read([path, "gone.png", "notes.pdf"], need_target=False)
    assert task.inputs == [path]
    assert [lost.name for lost in task.set_aside] == ["gone.png", "notes.pdf"]


def test_tables_are_read_whole():
    frame = pd.DataFrame({"id": [1, 2], "label": ["x", "y"], "split": [0.5, 1.5]})
    for source in (frame, pa.Table.from_pandas(frame)):
        task = as_task(source, [0, 1])
        assert task.columns.input == ("id", "label", "split")
        assert task.modality == "table"
    assert as_task(pd.DataFrame({"text": ["one", "two"]}), [0, 1]).modality == "text"


def test_a_pyarrow_table_by_the_rule():
    table = pa.table({"text": ["some words of a text", "other words of it"], "label": ["x", "y"]})
    assert read(table).classes == ("x", "y")


@pytest.mark.parametrize(
    ("targets", "kind", "classes"),
    [
        (["b", "a", "b"], "classification", ("a", "b")),
        (np.array([True, False, True]), "classification", (False, True)),
        (pd.Series([3, 1, 1], index=[9, 9, 9]), "classification", (1, 3)),
        (pd.Series(["b", "a", "a"], dtype="category"), "classification", ("a", "b")),
        ([0.5, 1.5, 2.5], "regression", ()),
        (np.array([[1], [2], [2]]), "classification", (1, 2)),
        ([["x"], [], ["y", "x"]], "multilabel", ("x", "y")),
        (np.array([[1, 0, 0], [0, 0, 1], [1, 0, 1]]), "multilabel", (0, 1, 2)),
        (pd.DataFrame({"x": [1, 0, 1], "y": [0, 1, 1]}), "multilabel", ("x", "y")),
        (pd.DataFrame({"y": ["u", "v", "v"]}), "classification", ("u", "v")),
        (torch.tensor([1, 0, 1]), "classification", (0, 1)),
    ],
)
def test_targets_of_any_type(targets, kind, classes):
    task = as_task(np.eye(3), targets)
    assert (task.kind, task.classes) == (kind, classes)
    assert [type(label) for label in task.classes] == [type(label) for label in classes]
    assert len(task.targets) == 3


def test_kind_group_and_domain():
    task = as_task(np.eye(3), [1, 2, 3], kind="regression", group=np.array([1, 1, 2]), domain=list("aab"))
    assert task.kind == "regression"
    assert task.group.tolist() == ["1", "1", "2"]
    assert task.domain.tolist() == ["a", "a", "b"]


def test_without_targets():
    assert as_task(np.eye(3)).targets is None


def test_what_is_handed_in_is_not_changed():
    frame = pd.DataFrame({1: [1.0, np.nan], "b": pd.Series(["x", "y"], dtype="category")})
    before = frame.copy()
    as_task(frame, [0, 1])
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ("photos/", "'photos/' is one string: give a list of texts or paths"),
        ([], "the list is empty: at least one input is needed"),
        (["a", 1], "a list of strings also holds 1: expected strings, or paths, only"),
        ([[1, 2], [3]], "a list of 'list' cannot be read: expected pictures, paths, texts, or rows of numbers"),
        ([{"a": 1}, 2], "a list of 'dict', 'int' cannot be read"),
        ([object()], "a list of 'object' cannot be read"),
        (np.array([1.0, 2.0]), r"Expected 2D array, got 1D array instead \(shape \(2,\), float64\). Reshape your data"),
        ([1.0, 2.0], "Expected 2D array, got 1D"),
        (np.array([object()]), "a list of 'object' cannot be read"),
        (np.float64(3), "Expected 2D array, got 0D"),
        (np.zeros((2, 3, 4)), r"Expected 2D array, got 3D array instead .* pictures are uint8 \(N, H, W\[, C\]\)"),
        (np.zeros((2, 0)), r"Found array with 0 feature\(s\) \(shape=\(2, 0\)\) while a minimum of 1 is required"),
        (
            np.zeros((2, 3, 8, 9), np.uint8),
            r"uint8 and shape \(2, 3, 8, 9\) .* channels in the last place; .* x\.transpose\(0, 2, 3, 1\) makes them",
        ),
        (np.zeros((2, 2), "M8[D]"), r"an array of datetime64\[D\] cannot be read: expected numbers or words"),
        (pd.DataFrame({"a": [[1]]}), r"column 'a' cannot be an input \(each value a list"),
        (np.zeros((2, 2), complex), "Complex data not supported"),
        (np.zeros((0, 2)), "there are no rows"),
        (scipy.sparse.csr_array((2, 2)), "a sparse csr_array cannot be read: make it dense with .toarray()"),
        (3, "a int cannot be read: expected a path, a list of paths"),
        ({"a": 1}, r"a dict whose 'a' is one int, 1: expected a column .*; one row goes in a list, \[row\]"),
        ({"a": [1], "b": [1, 2]}, "the columns of a dictionary differ in length \\('a' 1, 'b' 2\\)"),
    ],
)
def test_inputs_that_cannot_be_read(inputs, words):
    with pytest.raises(DataError, match=words):
        as_task(inputs, None)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"targets": [1, 2]}, "3 inputs and 2 targets: expected one for each input"),
        ({"group": [1]}, "3 inputs and 1 group labels"),
        ({"domain": [1]}, "3 inputs and 1 domain labels"),
        ({"targets": "abc"}, "targets are one str, 'abc': expected a list, one for each input"),
        (
            {"targets": np.array([[1, 2], [0, 1], [1, 1]])},
            r"targets of shape \(3, 2\): expected \(N,\), or \(N, C\) of 0 and 1",
        ),
        ({"targets": np.zeros((3, 1, 1))}, r"targets of shape \(3, 1, 1\)"),
        ({"targets": [1, 1, 1]}, "only one class, 1, in all 3 rows"),
        ({"targets": ["a", "b", "a"], "kind": "regression"}, "regression needs numbers"),
        ({"targets": [0.5, 1.5, 1.0], "kind": "classification"}, "unknown label type: continuous"),
        ({"targets": 3}, "targets are one int, 3: expected a list, one for each input"),
        ({"targets": np.array(3)}, "targets are one ndarray"),
        ({"group": "abc"}, "group labels are one str, 'abc'"),
    ],
)
def test_targets_that_do_not_fit(options, words):
    with pytest.raises(DataError, match=words):
        as_task(np.eye(3), **options)


def test_half_a_character_is_refused():
    for array in (np.array([["\ud800", "a"]]), np.array([["a", 1], ["\ud800", 2]], dtype=object)):
        with pytest.raises(DataError, match=r"a cell holds half a character \(a lone surrogate\): take it out"):
            as_task(array)


def test_a_list_alone_has_no_targets():
    with pytest.raises(DataError, match=r"a list holds inputs and no targets: .* Transfer\(\).fit\(inputs, targets\)"):
        read(["a text", "another"])


def test_a_frame_by_its_roles():
    frame = pd.DataFrame({"a": [1, 2], "b": [3, 4], "c": ["x", "y"]})
    assert read(frame, roles=Roles(target="c", input="b")).columns.input == ("b",)


arrays = npst.arrays(
    npst.scalar_dtypes() | npst.unicode_string_dtypes() | npst.byte_string_dtypes(),
    npst.array_shapes(min_dims=0, max_dims=4, max_side=3),
)


FAR = [np.array(["292277026596-12-05"], "datetime64[D]"), np.array([106751991167301], "timedelta64[D]")]


@pytest.mark.parametrize("column", FAR, ids=["date", "duration"])
def test_dates_and_durations_that_are_too_far_away_are_refused(column):
    structured = np.zeros(1, [("a", column.dtype)])
    structured["a"] = column
    for source in (column, {"a": column}, structured):
        with pytest.raises(DataError, match=r"a date or duration is further away than can be counted .*: leave it out"):
            as_task(source)
    with pytest.raises(DataError, match="further away than can be counted"):
        as_task(np.ones((1, 1)), column)


@given(arrays)
def test_any_array_is_a_task_or_a_data_error(array):
    try:
        task = as_task(array)
    except DataError:
        return
    one_picture = array.ndim == 3 and array.dtype in (np.uint8, np.uint16, np.int16) and array.shape[2] in (1, 3, 4)
    assert len(task) + len(task.set_aside) == (1 if one_picture else len(array))


items = (
    st.none()
    | st.text()
    | st.integers()
    | st.floats()
    | st.binary(max_size=4)
    | st.lists(st.integers(), max_size=2)
    | st.just(np.eye(2))
)


@given(st.lists(items))
def test_any_list_is_a_task_or_a_data_error(values):
    try:
        task = as_task(values)
    except DataError:
        return
    assert len(task) + len(task.set_aside) == len(values)
