from headstart.data.text import empty_note, find_texts, is_text_name, join_texts, read_texts


def test_text_names():
    assert is_text_name("a/b.TXT")
    assert not is_text_name("a.csv")


def test_files_that_cannot_be_read_are_broken_by_row(tmp_path):
    (tmp_path / "good.txt").write_text("fine")
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    (tmp_path / "cut.txt").write_bytes("éé".encode()[:-1])
    (tmp_path / "nul.txt").write_bytes(b"a\0b")
    names = ("good.txt", "empty.txt", "latin.txt", "gone.txt", "cut.txt", "nul.txt")
    texts, broken, notes = read_texts(tmp_path / name for name in names)
    assert texts == ["fine", "", "café", "", "", ""]
    assert broken == {
        3: "cannot be read: No such file or directory",
        4: "not UTF-8 (byte 0xc3): save the file as UTF-8",
        5: "holds a NUL byte: the file is damaged, binary, or UTF-16 without its mark",
    }
    assert empty_note(texts, broken) == ["1 texts are empty"]
    assert notes == ["encoding: 1 of 6 files are cp1252 (bytes that are not UTF-8, read as 'café')"]


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
