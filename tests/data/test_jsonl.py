import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.data.encoding import decode
from headstart.data.jsonl import parse
from headstart.errors import DataError


def test_objects_with_their_lines():
    found = parse(b'\xef\xbb\xbf{"a": 1}\r\n\n{"a": "\xc3\xa9\xe2\x80\xa8", "b": [1, 2]}\n')
    assert found.rows == [{"a": 1}, {"a": "é\u2028", "b": [1, 2]}]
    assert found.lines == [1, 3]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'{"a": 1', "not JSON: Expecting ',' delimiter at column 8"),
        (b"[1]", "a JSON list, where an object in braces is expected"),
        (b"null", "a JSON NoneType"),
        (b'{"a": 1, "a": 2}', "the key 'a' stands more than once"),
        (b'{"a": {"b": 1, "b": 2}}', "the key 'b' stands more than once"),
        ('{"a": "é'.encode() + b'\xe9"}', "not UTF-8 (byte 0xe9): save the file as UTF-8"),
        (b'{"a": "\\ud800"}', "half a character"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a": ' + b"1" * 5000 + b"}", "Exceeds the limit"),
        (b'{"a": 1}\0', "holds a NUL byte"),
    ],
)
def test_bad_lines_are_set_aside_with_their_number(line, why):
    found = parse(b'{"a": 0}\n' + line + b'\n{"a": 3}\n')
    assert found.rows == [{"a": 0}, {"a": 3}]
    assert [lost.name for lost in found.set_aside] == ["line 2"]
    assert why in found.set_aside[0].why
    assert (found.places, found.set_aside[0].place) == ([0, 2], 1)


def test_a_pair_of_escapes_is_one_character():
    assert parse(b'{"a": "\\ud83d\\ude00"}').rows == [{"a": "😀"}]


def test_a_line_of_a_megabyte():
    assert len(parse(json.dumps({"text": "x" * 1_000_000}).encode()).rows[0]["text"]) == 1_000_000


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_other_encodings_are_read_and_said(encoding):
    rows = [{"text": f"schöner Tag {row}, très bon", "label": "négatif"} for row in range(3)]
    found = parse("\r\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode(encoding))
    assert (found.rows, found.set_aside) == (rows, [])
    assert found.notes[0].startswith(f"encoding: {encoding} (")


def test_files_without_an_object():
    with pytest.raises(DataError, match=r"no JSON object in the file\. Expected one a line"):
        parse(b"")
    with pytest.raises(DataError, match="no JSON object in the file; line 1: a JSON list"):
        parse(b'[{"a": 1}]')


values = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
)


@given(
    st.lists(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), values | st.lists(values)), min_size=1),
    st.booleans(),
)
def test_what_a_writer_wrote_comes_back_in_order(rows, ascii_only):
    data = "\n".join(json.dumps(row, ensure_ascii=ascii_only) for row in rows).encode()
    assert parse(data).rows == rows


@given(
    st.binary() | st.lists(st.sampled_from([b"{", b"}", b'"a"', b":", b"1", b"[", b"\n", b"\xff", b","])).map(b"".join)
)
def test_any_bytes_are_rows_or_set_aside_or_an_error(data):
    try:
        lines = sum(bool(line.strip(" \t\r\v\f")) for line in decode(data).text.split("\n"))
        found = parse(data)
    except DataError:
        return
    assert len(found.rows) + len(found.set_aside) == lines
