import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.data.delimited import parse
from headstart.errors import DataError
from headstart.tasks.task import SetAside


def written(rows, separator=",", newline="\r\n"):
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=separator, lineterminator=newline).writerows(rows)
    return file.getvalue().encode()


def test_quoted_separators_quotes_and_line_breaks():
    rows = [["a", "b"], ["1,5", 'say "hi"'], ["two\nlines", "three\r\nmore\rlines"], ["", "end"]]
    found = parse(written(rows))
    assert found.header == ["a", "b"]
    assert found.rows == rows[1:]
    assert found.lines == [2, 3, 7]
    assert found.set_aside == []


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_a_mark_are_harmless(newline, mark):
    found = parse(mark + written([["a", "b"], ["1", "2"]], newline=newline))
    assert (found.header, found.rows) == (["a", "b"], [["1", "2"]])


def test_utf16_with_its_mark():
    assert parse("a,b\nä,ö\n".encode("utf-16")).rows == [["ä", "ö"]]
    with pytest.raises(DataError, match="starts as UTF-16 and is not"):
        parse(b"\xff\xfea")


def test_blank_lines_are_no_rows_and_lines_keep_their_numbers():
    found = parse(b"a,b\n\n1,2\n\n\n3,4\n\n")
    assert found.rows == [["1", "2"], ["3", "4"]]
    assert found.lines == [3, 6]


def test_ragged_rows_are_set_aside_with_their_line():
    found = parse(b'a,b,c\n1,2,3\n1,2\n1,2,3,4\n"x\ny",2\n4,5,6\n')
    assert found.rows == [["1", "2", "3"], ["4", "5", "6"]]
    assert [tuple(lost) for lost in found.set_aside] == [
        ("line 3", "2 fields where the header has 3", 1),
        ("line 4", "4 fields where the header has 3", 2),
        ("lines 5 to 6", "2 fields where the header has 3", 3),
    ]
    assert found.places == [0, 4]


def test_bytes_that_are_not_utf8_cost_their_own_row():
    found = parse(b"a,b\n1,2\n" + b"caf\xe9,3\n" + "é,4\n".encode())
    assert found.rows == [["1", "2"], ["é", "4"]]
    assert found.set_aside == [("line 3", "not UTF-8 (byte 0xe9): save the file as UTF-8", 1)]


def test_nul_bytes_cost_their_own_row():
    found = parse(b"a,b\n1,2\n\0,3\n")
    why = "holds a NUL byte: the file is damaged, binary, or UTF-16 without its mark"
    assert found.set_aside[0] == ("line 3", why, 1)


def test_a_file_that_is_not_utf8_is_read_whole_and_says_so():
    found = parse("text;label\nschön;négatif\nc’est ça;œuvre\n".encode("cp1252"))
    assert found.rows == [["schön", "négatif"], ["c’est ça", "œuvre"]]
    assert found.notes[0].startswith("encoding: cp1252 (bytes that are not UTF-8, read as 'schön', 'négatif'")


def test_one_line_of_a_megabyte():
    assert len(parse(b"text,label\n" + b"x" * 1_000_000 + b",1\n").rows[0][0]) == 1_000_000
    assert len(parse(b'text,label\n"' + b"x\n" * 500_000 + b'",1\n').rows[0][0]) == 1_000_000


@pytest.mark.parametrize(
    ("line", "separator", "note"),
    [
        ("a,b", ",", []),
        ("a;b", ";", ["semicolon"]),
        ("a\tb", "\t", ["tab"]),
        ("a;b,c", ",", []),
        ("a|b", "|", ["pipe"]),
        ("a^b", "^", ["caret"]),
    ],
)
def test_the_separator_of_line_1(line, separator, note):
    found = parse(f"{line}\n{separator.join('12' if separator in line else '1')}\n".encode())
    assert found.separator == separator
    assert [word in text for word, text in zip(note, found.notes, strict=True)] == [True] * len(note)


def test_tabs_hold_whatever_line_1_says():
    assert parse(b"a,b;c\td\n1\t2\n", tabs=True).header == ["a,b;c", "d"]


def test_quotes_are_plain_characters_where_only_so_every_row_fits():
    found = parse(b'text\tlabel\n"Great" film\t1\n"so-so\t0\nthe "end\t1\n', tabs=True)
    assert found.rows == [['"Great" film', "1"], ['"so-so', "0"], ['the "end', "1"]]
    assert found.notes == ["quotes are plain characters in this file: only so does every row fit"]
    quoted = parse(b'text\tlabel\n"a\tb"\t1\n', tabs=True)
    assert (quoted.rows, quoted.notes) == ([["a\tb", "1"]], [])


def test_quotes_are_plain_between_commas_only_where_no_field_stands_in_them():
    found = parse(b'a,b\n1,2\n"x" y,3\n4,"open\n')
    assert (found.rows, found.set_aside) == ([["1", "2"], ['"x" y', "3"], ["4", '"open']], [])
    assert found.notes == ["quotes are plain characters in this file: only so does every row fit"]


def test_a_stray_quote_costs_its_record():
    found = parse(b'a,b\n"1",2\n"x" y,3\n4,5\n6,"open\nto the end,7\n')
    assert found.rows == [["1", "2"], ["4", "5"]]
    assert [tuple(lost) for lost in found.set_aside] == [
        ("line 3", "a quote ends before the field does: double each quote inside a field", 1),
        ("lines 5 to 6", "a quote opens and is never closed: close it, or double each quote inside a field", 3),
    ]
    assert parse(b'a,b\n5" disk,2\n').rows == [['5" disk', "2"]]


def test_a_stray_quote_that_swallows_many_lines_is_an_error():
    rows = b"".join(b'"x",%d\n' % i for i in range(30))
    with pytest.raises(DataError, match="lines 3 to 33 cannot be told apart: a quote ends before the field does"):
        parse(b'a,b\n1,2\n"x,1\n' + rows.replace(b'"x"', b"x", 29))
    with pytest.raises(DataError, match="lines 2 to 33 cannot be told apart: a quote ends before the field does"):
        parse(b'a,b\n1,"x\n' + rows.replace(b'"x"', b"x") + b'"2","y"\n')


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "the file is empty"),
        (b"\n\r\n", "the file is empty"),
        (b"\xef\xbb\xbf", "the file is empty"),
        (b"a,b\n", r"column names \('a', 'b'\) and no rows"),
        (b"a,b, a\n1,2,3\n", "column names must differ, and 'a' stands more than once in line 1"),
        ("a,é".encode() + b"\xe9\n1,2\n", "line 1 cannot be read as column names: not UTF-8"),
        (b'a,"b"c\n1,"2"\n', "line 1 cannot be read as column names: a quote ends before"),
    ],
)
def test_files_without_rows_or_names(data, words):
    with pytest.raises(DataError, match=words):
        parse(data)


def test_a_column_without_a_name_gets_its_place():
    assert parse(b",b,\n0,2,3\n").header == ["column 1", "b", "column 3"]


def test_all_rows_ragged_leaves_none():
    found = parse(b"a,b\n1\n2\n")
    assert (found.rows, len(found.set_aside)) == ([], 2)


@pytest.mark.parametrize(
    ("text", "header", "rows", "note"),
    [
        ("sep=;\na;b\n1,5;2\n", ["a", "b"], [["1,5", "2"]], "separator: semicolon (line 1 says so)"),
        ('"sep=|"\r\na|b\r\n1|2\r\n', ["a", "b"], [["1", "2"]], "separator: pipe (line 1 says so)"),
        ("\n\nSEP=\t\na\tb\n1\t2\n", ["a", "b"], [["1", "2"]], "separator: tab (line 1 says so)"),
        ("a;b\n1,5;2,5\n3,5;4,5\n", ["a", "b"], [["1,5", "2,5"], ["3,5", "4,5"]], "separator: semicolon"),
        ('"a, long";b\nx;y\nz;w\n', ["a, long", "b"], [["x", "y"], ["z", "w"]], "separator: semicolon"),
        ("a, long;b\nx, y;y\nz;w\n", ["a, long", "b"], [["x, y", "y"], ["z", "w"]], "separator: semicolon"),
        ("a\tb\nx, y, z\tw\nx;y\t2\n", ["a", "b"], [["x, y, z", "w"], ["x;y", "2"]], "separator: tab"),
        ("a\nhello, you\nbye\n", ["a"], [["hello, you"], ["bye"]], "separator: none (one column)"),
        ('a,b\n"x \\"y\\", z",1\n', ["a", "b"], [['x "y", z', "1"]], "have a backslash before them"),
        ('a,b\n"C:\\new \\"x\\"",1\n', ["a", "b"], [['C:\\new "x"', "1"]], "have a backslash before them"),
        ('"a", "b"\n"x, y", "1"\n"z", "w, v"\n', ["a", "b"], [["x, y", "1"], ["z", "w, v"]], "a space stands between"),
        ('"a", "b"\n"x", "y"\n', ["a", "b"], [["x", "y"]], "a space stands between"),
        ("'a','b'\n'x, y','1'\n", ["a", "b"], [["x, y", "1"]], "quotes are single"),
        ("'a','b'\n'x','1'\n", ["a", "b"], [["x", "1"]], "quotes are single"),
        ("a,b,c\n1,2,3,\n4,5,6,\n", ["a", "b", "c"], [["1", "2", "3"], ["4", "5", "6"]], "every row ends with"),
        ("a,b,c,\n1,2,3\n4,5,6\n", ["a", "b", "c"], [["1", "2", "3"], ["4", "5", "6"]], "line 1 ends with"),
        ("a,b,\n1,2,\n3,4,\n", ["a", "b"], [["1", "2"], ["3", "4"]], "1 columns without a name or a value"),
        ("|a|b|\n|1|2|\n", ["a", "b"], [["1", "2"]], "2 columns without a name or a value"),
        ("a,b\n1,x,2\n2,y,3\n", ["column 1", "a", "b"], [["1", "x", "2"], ["2", "y", "3"]], "as R writes them"),
        ("# made by hand\na,b\n1,2\n3,4\n", ["a", "b"], [["1", "2"], ["3", "4"]], "line 1 stand"),
        ("A survey, 2024\n\na,b,c\n1,2,3\n3,4,5\n", ["A survey", "2024"], [], None),
        ("A survey\n\na,b,c\n1,2,3\n3,4,5\n", ["a", "b", "c"], [["1", "2", "3"], ["3", "4", "5"]], "line 1 stand"),
        (",,\nA survey,,\na,b,c\n1,2,3\n", ["a", "b", "c"], [["1", "2", "3"]], "lines 1 to 2 stand above"),
        ("a,b\n1,2\n   \n3,4\n", ["a", "b"], [["1", "2"], ["3", "4"]], None),
    ],
)
def test_dialects(text, header, rows, note):
    found = parse(text.encode())
    assert (found.header, found.rows) == (header, rows)
    assert note is None or any(note in said for said in found.notes)
    assert found.places == list(range(len(rows)))


def test_one_column_of_prose_keeps_its_first_line_as_its_name():
    for text in ("name\nDoe,John\nRoe,Jane\n", "all I said\nyes, indeed\nno, never\n"):
        found = parse(text.encode())
        assert (len(found.header), len(found.rows)) == (1, 2)


def test_tabs_by_name_give_way_where_there_are_none():
    assert parse(b"a,b\n1,2\n", tabs=True).header == ["a", "b"]


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@given(
    st.integers(1, 5).flatmap(lambda n: st.lists(st.lists(cells, min_size=n, max_size=n), min_size=1)),
    st.sampled_from(",;\t|^"),
)
def test_what_a_writer_wrote_comes_back_in_order(rows, separator):
    header = [f"c{i}" for i in range(len(rows[0]))]
    found = parse(written([header, *rows], separator), tabs=separator == "\t")
    assert found.header == header
    assert found.rows == rows
    assert found.set_aside == []


# Of cells that hold nothing but separators nobody could say which of these separates.
words = (
    st.text("abcdefghijklmnopqrstuvwxyzäöüéèêàç '-,;|.\"\\", min_size=1)
    .map(str.strip)
    .filter(lambda word: any(map(str.isalpha, word)))
)


@given(
    st.integers(2, 4).flatmap(lambda n: st.lists(st.lists(words, min_size=n, max_size=n), min_size=2)),
    st.sampled_from(",;\t|^"),
    st.sampled_from([{}, {"quoting": csv.QUOTE_ALL}, {"doublequote": False, "escapechar": "\\"}, {"quotechar": "'"}]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
)
def test_every_way_of_writing_reads_back_to_the_same_rows(rows, separator, quoting, encoding, newline, declared):
    header = [
        f"Größe {i}, \"das 'Maß'\"" if quoting.get("quotechar") != "'" else f"Größe {i}" for i in range(len(rows[0]))
    ]
    quoting = {"quoting": csv.QUOTE_ALL} | quoting if "quotechar" in quoting or "escapechar" in quoting else quoting
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=separator, lineterminator=newline, **quoting).writerows([header, *rows])
    text = f"sep={separator}{newline}" * declared + file.getvalue()
    found = parse(text.encode(encoding))
    assert (found.header, found.rows, found.set_aside) == (header, rows, [])
    assert found.lines == list(range(2 + declared, len(rows) + 2 + declared))


@given(
    st.binary()
    | st.lists(st.sampled_from([b'"', b",", b"\n", b"\r", b"a", b"\xff", b"\0", b";", b"#", b" ", b"'", b"\\"])).map(
        b"".join
    ),
    st.booleans(),
)
def test_any_bytes_are_rows_or_set_aside_or_an_error(data, tabs):
    try:
        found = parse(data, tabs=tabs)
    except DataError:
        return
    assert all(len(row) == len(found.header) for row in found.rows)
    assert len(found.rows) == len(found.lines)
    assert found.lines == sorted(found.lines)
    assert sorted([*found.places, *(item.place for item in found.set_aside)]) == list(
        range(len(found.rows) + len(found.set_aside))
    )


@given(st.lists(st.lists(st.sampled_from(["1", "word", "two words"]), min_size=1, max_size=4), min_size=1))
def test_every_record_is_kept_or_set_aside(rows):
    found = parse(written([["a", "b"], *rows]))
    assert len(found.rows) + len(found.set_aside) == len(rows)
    assert found.rows == [row for row in rows if len(row) == 2] or len(found.header) == 3


def test_names_that_stand_once_more_between_rows_are_no_row():
    records = parse(b"text,label\nfine,good\n text ,label\nbad,poor\n")
    assert records.rows == [["fine", "good"], ["bad", "poor"]]
    assert records.set_aside == [SetAside("line 3", "it repeats the names of the columns", 1)]
    assert records.places == [0, 2]
    assert parse(b"text\na\ntext\n").rows == [["a"], ["text"]]  # of a single column it may be a row
