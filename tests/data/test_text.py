import codecs

import pytest

from headstart.data.text import decode, empty_note, find_texts, is_text_name, join_texts, read_texts


def test_text_names():
    assert is_text_name("a/b.TXT")
    assert not is_text_name("a.csv")


@pytest.mark.parametrize("text", ["plain", "käse 🧀\r\n", "", "x" * 1_000_000])
def test_utf8_with_and_without_its_mark_and_utf16(text):
    assert decode(text.encode()) == text
    assert decode(codecs.BOM_UTF8 + text.encode()) == text
    assert decode(text.encode("utf-16")) == text


def test_other_encodings_are_named():
    with pytest.raises(ValueError, match=r"not UTF-8 \(byte 0xe9 at position 3\): save it as UTF-8"):
        decode("café".encode("latin-1"))
    with pytest.raises(ValueError, match="not UTF-16"):
        decode(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="NUL bytes"):
        decode("cafe".encode("utf-16-le"))


def test_files_that_cannot_be_read_are_broken_by_row(tmp_path):
    (tmp_path / "good.txt").write_text("fine")
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    texts, broken = read_texts(tmp_path / name for name in ("good.txt", "empty.txt", "latin.txt", "gone.txt"))
    assert texts == ["fine", "", "", ""]
    assert broken == {
        2: "not UTF-8 (byte 0xe9 at position 3): save it as UTF-8",
        3: "cannot be read: No such file or directory",
    }
    assert empty_note(texts, broken) == ["1 texts are empty"]


def test_cells_become_texts():
    texts, broken = find_texts(["a", "", None, float("nan"), 3, "\ud800"])
    assert texts[:5] == ["a", "", "", "", "3"]
    assert broken == {
        2: "the text is missing",
        3: "the text is missing",
        5: "the text holds half a character (a lone surrogate)",
    }


def test_several_columns_are_one_text_a_line_each():
    texts, broken = join_texts([["title", None, None], ["body", "body", float("nan")]])
    assert texts == ["title\nbody", "\nbody", ""]
    assert broken == {2: "the text is missing"}
