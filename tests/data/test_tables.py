import bz2
import contextlib
import gzip
import json
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headstart.data.read import read
from headstart.data.tables import is_table_name, of_frame, read_table
from headstart.errors import DataError
from headstart.tasks.task import Task


def put(path, data):
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return str(path)


def test_table_names():
    for name in ("a.csv", "A.TSV", "b.jsonl", "b.ndjson", "c.parquet", "d.csv.gz", "d.jsonl.bz2"):
        assert is_table_name(name)
    for name in ("a.json", "a.gz", "csv", "a.csv.zip"):
        assert not is_table_name(name)


def test_auto_mpg(auto_mpg):
    table = read_table(str(auto_mpg))
    expected = pd.read_csv(auto_mpg)
    for name in expected.columns:
        assert table.frame[name].tolist() == expected[name].tolist()
    assert table.names[:2] == ["line 2", "line 3"]


def test_penguins(penguins):
    table = read_table(str(penguins))
    pd.testing.assert_frame_equal(table.frame, pd.read_csv(penguins), check_dtype=False)
    assert table.typed["sex"].note == "11 cells of 'sex' read as missing (NA)"
    assert table.notes == []


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".csv.gz", ".tsv.bz2", ".jsonl", ".jsonl.gz", ".parquet"])
def test_one_table_in_every_format(penguins, tmp_path, suffix):
    frame = pd.read_csv(penguins)
    path = tmp_path / f"penguins{suffix}"
    if "jsonl" in suffix:
        frame.to_json(path, orient="records", lines=True)
    elif suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False, sep="\t" if "tsv" in suffix else ",")
    table = read_table(str(path))
    found = table.frame.fillna({"sex": np.nan})
    pd.testing.assert_frame_equal(found, frame, check_dtype=False)
    assert table.folder == str(tmp_path)


def test_a_semicolon_file_from_a_spreadsheet(tmp_path):
    path = put(tmp_path / "a.csv", b"\xef\xbb\xbfname;price;label\r\nK\xc3\xa4se;1,5;a\r\nBrot;2;b\r\n")
    table = read_table(path)
    assert table.frame["price"].tolist() == [1.5, 2.0]
    assert table.frame["name"].tolist() == ["Käse", "Brot"]
    assert table.notes[:2] == [
        "encoding: utf-8-sig (its mark is left out)",
        "separator: semicolon (by it the rows fit line 1)",
    ]


def test_raw_cells_keep_their_spaces_and_digits(tmp_path):
    table = read_table(put(tmp_path / "a.csv", "text,n\n  two  ,1.50\n"))
    assert table.raw.to_dict("list") == {"text": ["  two  "], "n": ["1.50"]}
    assert table.frame.to_dict("list") == {"text": ["two"], "n": [1.5]}


def test_a_first_line_of_numbers_is_doubted(tmp_path):
    table = read_table(put(tmp_path / "a.csv", "5.1,3,setosa\n4.9,3.1,setosa\n"))
    assert table.notes == ["line 1 was read as column names, also '5.1', '3', 'setosa'; if it is a row, add a header"]
    table = read_table(put(tmp_path / "b.csv", "I like it,pos\nI do not,neg\nme too,pos\n"))
    assert table.notes == ["line 1 was read as column names, also 'pos'; if it is a row, add a header"]
    assert read_table(put(tmp_path / "c.csv", "text,label\nI like it,pos\nI do not,neg\n")).notes == []


def test_keys_that_a_line_lacks_are_missing(tmp_path):
    table = read_table(put(tmp_path / "a.jsonl", '{"a": 1, "b": "x"}\n{"a": 2.5}\n{"c": [1]}\nbad\n'))
    assert table.frame["a"].tolist()[:2] == [1, 2.5]
    assert np.isnan(table.frame["a"][2])
    assert table.frame["b"].tolist()[0] == "x"
    assert table.frame["c"].tolist()[2] == [1]
    assert table.set_aside[0].name == "line 4"


def test_numbers_beyond_64_bits_survive(tmp_path):
    path = put(tmp_path / "a.jsonl", '{"a": 1}\n{"a": 1%s}\n' % ("0" * 400))
    assert len(read_table(path).frame) == 2


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.csv", b"", "a.csv: the file is empty"),
        ("a.csv.gz", b"no gzip", "Not a gzipped file"),
        ("a.csv.gz", gzip.compress(b"a,b\n1,2\n" * 99, mtime=0)[:-9], "ended before"),
        ("a.csv.bz2", bz2.compress(b"a,b\n1,2\n")[:-9], "ended before"),
        ("a.csv.bz2", b"no bzip", "Invalid data stream"),
        ("a.jsonl", b"{", "no JSON object in the file; line 1: not JSON"),
        ("a.parquet", b"PAR1 no", "not a Parquet file that can be read"),
        ("a.parquet", b"", "not a Parquet file that can be read"),
    ],
)
def test_files_that_cannot_be_read_are_named(tmp_path, name, data, words):
    with pytest.raises(DataError, match=words):
        read_table(put(tmp_path / name, data))


def test_a_folder_called_csv(tmp_path):
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(DataError, match="Is a directory"):
        read_table(str(tmp_path / "a.csv"))


def test_parquet_needs_pyarrow(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r"pip install 'headstart\[parquet\]'"):
        read_table(put(tmp_path / "a.parquet", b""))


def test_columns_in_memory_must_differ():
    with pytest.raises(DataError, match="column names must differ, and '1' stands more than once"):
        of_frame(pd.DataFrame([[1, 2]], columns=[1, "1"]))
    table = of_frame(pd.DataFrame({1: [1, 2]}, index=[7, 7]))
    assert (list(table.frame.columns), table.names) == (["1"], ["row 0", "row 1"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(), st.sampled_from(["a.csv", "a.tsv", "a.jsonl", "a.csv.gz", "a.parquet"]), st.booleans())
def test_any_bytes_are_a_task_or_a_data_error(tmp_path, data, name, need_target):
    path = put(tmp_path / name, data)
    with contextlib.suppress(DataError):
        assert isinstance(read(path, need_target=need_target), Task)


tokens = st.sampled_from(
    ['"', ",", ";", "\n", "\r\n", "a", "1", "2.5", "inf", "NA", "é", "label", "x.png", "true", "[1]", " "]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(tokens).map("".join), st.booleans())
def test_anything_like_a_table_is_a_task_or_a_data_error(tmp_path, text, need_target):
    path = put(tmp_path / "a.csv", text)
    try:
        task = read(path, need_target=need_target)
    except DataError:
        return
    assert len(task) == len(task.names) > 0


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["a", "b", "x.png", "some more words here"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=4,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(st.dictionaries(st.sampled_from(["text", "label", "n", "split"]), json_values, min_size=1), min_size=1),
    st.booleans(),
)
def test_any_objects_are_a_task_or_a_data_error(tmp_path, rows, need_target):
    path = put(tmp_path / "a.jsonl", "\n".join(map(json.dumps, rows)))
    try:
        task = read(path, need_target=need_target)
    except DataError:
        return
    assert len(task) + len(task.set_aside) == len(rows)
