import pandas as pd
import pytest

from headstart.data.profile import all_different, are_words, identity, is_text, mean_words, obstacle


def column(values, name="c", dtype=None):
    return pd.Series(values, name=name, dtype=dtype)


def test_words():
    assert are_words(column(["a", None, "b"]))
    assert are_words(column(["a", "b"], dtype="category"))
    assert not are_words(column([1, 2]))
    assert not are_words(column([1, 2], dtype="category"))
    assert not are_words(column(["a", 1], dtype=object))
    assert not are_words(column([None, None], dtype=object))
    assert not are_words(column([], dtype=object))


def test_texts():
    sentences = [f"this is sentence number {i}" for i in range(10)]
    assert is_text(column(sentences))
    assert is_text(column(sentences + [None] * 10))
    assert not is_text(column(sentences + [None] * 11))
    assert not is_text(column(["the same four words"] * 10))
    assert not is_text(column(["two words", "and more"]))


@pytest.mark.parametrize(
    "texts",
    [
        ["员工很粗鲁,位置偏僻很难找", "房间干净漂亮,价格便宜质量好"],
        ["とても良いホテルでした", "二度と泊まりたくない"],
        ["อาหารอร่อยมากและบริการดี", "ห้องสกปรกและพนักงานไม่สุภาพ"],
        ["배송이 빠르고 좋아요", "품질이 나빠서 환불했어요"],
    ],
)
def test_texts_of_scripts_without_spaces(texts):
    assert is_text(column(texts))
    assert not is_text(column([text[:4] for text in texts]))


def test_words_of_a_text():
    assert mean_words(column(["two words", "and three more words"])) == 3
    assert mean_words(column(["北京", None])) == 1
    assert mean_words(column(["Zürich Straße"])) == 2
    assert mean_words(column([])) == 0


def test_the_name_of_a_car_is_no_text(auto_mpg):
    assert not is_text(pd.read_csv(auto_mpg)["name"])


@pytest.mark.parametrize(
    "name",
    [
        "id",
        "ID",
        "user_id",
        "PassengerId",
        "row id",
        "Unnamed: 0",
        "Sample-Key",
        "uuid",
        "column 1",
        "level_0",
        "S.No",
        "#",
    ],
)
def test_identifiers_by_name(name):
    assert identity(column([17, 4, 9], name))
    assert identity(column([17.0, 4.0, 9.0], name))
    assert identity(column(["x", "y", "z"], name))
    assert not identity(column([17, 4, 4], name))
    assert not identity(column([1.5, 2.5], name))
    assert not identity(column(["a short text", "another one"], name))


@pytest.mark.parametrize("name", ["paid", "humid", "acid", "width", "monkey", "column 2"])
def test_other_names(name):
    assert not identity(column([17, 4, 9], name))


def test_identifiers_by_value():
    assert identity(column([f"x{i}" for i in range(20)])) == "all different: it only tells rows apart"
    assert not identity(column([f"x{i}" for i in range(19)]))
    assert identity(column([f"{i:08x}-4be1" for i in range(20)]))
    assert identity(column([f"https://example.org/{letter}" for letter in "abcdefghijklmnopqrst"]))
    assert identity(column([f"{letter}@example.org" for letter in "abcdefghijklmnopqrst"]))


@pytest.mark.parametrize(
    "values",
    [
        [f"nice phone {i}" for i in range(30)],
        [f"员工很粗鲁。第{i}号" for i in range(30)],
        [letter * 3 for letter in "abcdefghijklmnopqrstuvw"],
    ],
)
def test_texts_and_names_are_no_identifiers(values):
    assert identity(column(values)) == ""
    assert all_different(column(values))
    assert not all_different(column([*values, values[0]]))
    assert not all_different(column(values[:19]))


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ([[1, 2]], "each value a list"),
        ([None, {"a": 1}], "each value a dict"),
        ([b"x"], "each value a bytes"),
        ([1j], "complex numbers"),
        ([1j, "a"], "complex numbers"),
        (["a", None], ""),
        ([True, None], ""),
        ([0.5], ""),
        (pd.to_datetime(["2024-01-01"]), ""),
    ],
)
def test_what_a_table_cannot_read(values, why):
    assert obstacle(column(values)) == why
