import pytest

from headstart.data.strings import draft_of_pictures, draft_of_strings
from headstart.errors import DataError
from headstart.tasks import IMAGE, TABLE, TEXT


def test_text_files(tmp_path):
    (tmp_path / "a.txt").write_text("inside")
    (tmp_path / "b.pdf").write_text("binary")
    for source in ([tmp_path / "a.txt"], [str(tmp_path / "a.txt")]):
        draft = draft_of_strings(source, None)
        assert (draft.inputs, draft.names) == (["inside"], [str(tmp_path / "a.txt")])
    draft = draft_of_strings([str(tmp_path / "a.txt"), "gone.txt"], TEXT)
    assert (draft.inputs, draft.broken) == (["inside", ""], {1: "cannot be read: No such file or directory"})
    assert draft_of_strings([tmp_path / "a.txt", tmp_path / "b.pdf"], None).broken == {
        1: "not a text file, by its suffix"
    }
    assert draft_of_strings(["see b.txt", "and c"], None).broken == {}


def test_files_are_no_texts(tmp_path, twemoji):
    (tmp_path / "b.pdf").write_text("binary")
    for source in ([tmp_path / "b.pdf"], [str(tmp_path / "b.pdf")]):
        with pytest.raises(DataError, match="is neither a picture nor a recording nor a text file: expected"):
            draft_of_strings(source, None)


def test_files_that_a_model_of_texts_cannot_read_are_rows_without_an_answer(twemoji):
    picture = next(twemoji.glob("*/*.png"))
    for source in ([picture], [str(picture)]):
        assert draft_of_strings(source, TEXT).broken == {0: "not a text file, by its suffix"}


def test_the_modality_of_a_model_decides():
    assert draft_of_strings(["a.png", "b.png"], TEXT).inputs == ["a.png", "b.png"]
    assert draft_of_strings(["no suffix"], IMAGE).broken == {0: "no such file: 'no suffix'"}
    with pytest.raises(DataError, match="the model reads tables, not 'a', 'b'"):
        draft_of_strings(["a", "b"], TABLE)


def test_pictures_are_called_by_path_or_row(twemoji):
    path = next(twemoji.glob("*/*.png"))
    draft = draft_of_pictures([path, b"no picture", str(path)])
    assert draft.names == [str(path), "row 1", str(path)]
    assert draft.inputs == [str(path), None, str(path)]
    assert list(draft.broken) == [1]
