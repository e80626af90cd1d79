from pathlib import Path

import pytest

from headstart.data.columns import Columns
from headstart.data.read import read
from headstart.data.roles import Roles
from headstart.errors import DataError


def put(path, text=""):
    path.write_text(text, encoding="utf-8")
    return path


def test_a_path_may_be_a_string_or_a_path(penguins):
    roles = Roles(target="species")
    one, other = read(str(penguins), roles=roles), read(penguins, roles=roles)
    assert one.notes == other.notes
    assert one.inputs.equals(other.inputs)


def test_one_picture_to_predict(twemoji):
    path = str(next(Path(twemoji).glob("*/*.png")))
    task = read(path, need_target=False)
    assert (task.inputs, task.names, task.targets) == ([path], [path], None)


def test_one_text_file_to_predict(tmp_path):
    task = read(put(tmp_path / "a b.txt", "one text\nof two lines"), need_target=False)
    assert task.inputs == ["one text\nof two lines"]


def test_texts_to_predict():
    task = read(["good", "bad"], need_target=False, kind="regression")
    assert (task.inputs, task.modality, task.kind, task.targets) == (["good", "bad"], "text", "regression", None)


def test_a_table_to_predict(tmp_path, penguins):
    fitted = read(penguins, roles=Roles(target="species"))
    lines = penguins.read_text().splitlines()[:3]
    rows = [line.split(",", 1)[1] for line in lines]
    task = read(put(tmp_path / "new.csv", "\n".join(rows)), columns=fitted.columns, need_target=False)
    assert list(task.inputs.columns) == list(fitted.inputs.columns)
    assert task.targets is None
    wrong = rows[0].replace("bill_length_mm", "bil_length_mm")
    with pytest.raises(
        DataError, match=r"no column 'bill_length_mm', which the model reads.* Did you mean 'bil_length_mm'"
    ):
        read(put(tmp_path / "new.csv", "\n".join([wrong, *rows[1:]])), columns=fitted.columns, need_target=False)


def test_evaluation_needs_the_target_only_where_asked(tmp_path):
    columns = Columns(("x",), "label")
    path = put(tmp_path / "a.csv", "x,label,more\n1,a,0\n2,,0\n")
    assert len(read(path, columns=columns, need_target=False)) == 2
    task = read(path, columns=columns)
    assert (len(task), task.classes) == (1, ("a",))
    assert "columns that the model does not read, ignored: 'more'" in task.notes


def test_the_kind_can_be_given(tmp_path):
    path = put(tmp_path / "a.csv", "x,y\n1,3\n2,4\n")
    assert read(path).kind == "classification"
    assert read(path, kind="regression").targets.tolist() == [3, 4]
    with pytest.raises(DataError, match="unknown kind 'clasification'"):
        read(path, kind="clasification")
    with pytest.raises(DataError, match="regression needs numbers, but the target holds 'a'"):
        read(put(tmp_path / "b.csv", "x,y\n1,a\n2,b\n"), kind="regression")


def test_no_such_path(tmp_path):
    (tmp_path / "photos").mkdir()
    with pytest.raises(DataError, match=r"no such file or folder: '.*phots'\. Did you mean 'photos'?"):
        read(tmp_path / "phots")
    with pytest.raises(DataError, match=r"no such file or folder: 'what a film'. A text goes in a list: \[text\]"):
        read("what a film", need_target=False)
    with pytest.raises(DataError, match="no such file or folder"):
        read("a\0b")
    with pytest.raises(DataError, match="no such file or folder"):
        read("")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a.json", "write one object a line: pandas.read_json"),
        ("a.xlsx", "save the sheet as CSV UTF-8"),
        ("a.zip", "unpack it and name the folder"),
        ("a.npz", "load it with numpy.load"),
        (
            "a.xyz",
            r"by its suffix '.xyz': expected a folder, a picture, a recording, a .txt, or a table \(.csv, .tsv, .jsonl",
        ),
        ("a", "by its suffix ''"),
    ],
)
def test_other_files_say_what_to_convert_them_to(tmp_path, name, words):
    with pytest.raises(DataError, match=words):
        read(put(tmp_path / name))


def test_one_file_is_not_enough_to_fit(tmp_path):
    with pytest.raises(
        DataError, match=r"a.txt' is one input without a target: give a folder with one sub-folder a class"
    ):
        read(put(tmp_path / "a.txt", "text"))


def test_a_folder_has_no_columns(twemoji):
    with pytest.raises(DataError, match="is no table, so it has no columns to name"):
        read(twemoji, roles=Roles(target="label"))


def test_a_picture_is_no_text(tmp_path):
    with pytest.raises(
        DataError, match=r"all 1 were set aside, the first of them .*a\.png: not a text file, by its suffix"
    ):
        read(put(tmp_path / "a.png"), roles=Roles(modality="text"), need_target=False)
