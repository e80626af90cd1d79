import numpy as np
import pandas as pd
import pytest
from PIL import Image

from headstart.data.read import read
from headstart.data.roles import Roles
from headstart.errors import DataError
from headstart.preprocessing.table_encoder import TableEncoder


def put(path, text):
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def pictures(tmp_path):
    (tmp_path / "cats").mkdir()
    for name in ("cats/1 ü.png", "cats/2.png", "3.png"):
        (tmp_path / name).write_bytes(b"")
    return tmp_path


def test_amazon_as_csv_and_tsv(amazon, tmp_path):
    task = read(amazon, roles=Roles(group="review"))
    assert len(task) == 1200
    assert task.classes == ("negative", "positive")
    assert (task.split == "train").sum() == 200
    frame = pd.read_csv(amazon)
    assert task.inputs == frame["text"].tolist()
    assert [task.classes[code] for code in task.targets] == frame["label"].tolist()
    assert task.group.tolist() == frame["review"].astype(str).tolist()
    frame.to_csv(tmp_path / "amazon.tsv", sep="\t", index=False)
    again = read(tmp_path / "amazon.tsv")
    assert again.inputs == task.inputs
    assert again.targets.tolist() == task.targets.tolist()


def test_ratings_as_plain_tab_separated_lines_with_quotes(demo_data, tmp_path):
    rows = demo_data.rated_sentences("amazon")
    lines = "".join(f"{review}\t{text}\t{rating}\n" for review, rating, text in rows)
    task = read(put(tmp_path / "ratings.tsv", "review\ttext\trating\n" + lines))
    assert task.kind == "regression"
    assert len(task) + len(task.set_aside) == len(rows)
    assert task.inputs == [text for _, _, text in rows]
    assert task.targets.tolist() == [rating for _, rating, _ in rows]


def test_penguins_with_a_missing_target(penguins):
    task = read(penguins, roles=Roles(target="sex"))
    assert task.classes == ("female", "male")
    assert (len(task), len(task.set_aside)) == (333, 11)
    assert task.set_aside[0] == ("line 5", "the target is missing", 3)
    assert isinstance(task.inputs, pd.DataFrame)
    assert task.inputs["species"].tolist()[0] == "Adelie"


def test_auto_mpg_is_a_regression_over_three_domains(auto_mpg):
    task = read(auto_mpg, roles=Roles(target="mpg", domain="origin"))
    assert task.kind == "regression"
    assert sorted(set(task.domain)) == ["1", "2", "3"]
    assert task.targets.tolist() == pd.read_csv(auto_mpg)["mpg"].tolist()


def test_pictures_relative_to_the_table(pictures):
    task = read(put(pictures / "a.csv", "file,label\ncats/1 ü.png,cat\ngone.png,dog\ncats\\2.png,cat\n3.png,dog\n"))
    assert task.inputs == [str(pictures / name) for name in ("cats/1 ü.png", "cats/2.png", "3.png")]
    assert task.names == ["line 2: cats/1 ü.png", "line 4: cats\\2.png", "line 5: 3.png"]
    assert task.set_aside == (("line 3: gone.png", f"no such file: {str(pictures / 'gone.png')!r}", 1),)
    assert task.places.tolist() == [0, 2, 3]


def test_no_picture_is_there(pictures):
    with pytest.raises(
        DataError, match=r"all 2 were set aside, the first of them line 2: x/1.png: no such file: .*x/1.png"
    ):
        read(put(pictures / "a.csv", "file,label\nx/1.png,cat\nx/2.png,dog\n"))


def test_pictures_in_memory_in_a_frame():
    frame = pd.DataFrame({"image": [Image.new("RGB", (4, 4)), Image.new("L", (4, 4)), None], "label": ["a", "b", "a"]})
    task = read(frame)
    assert task.modality == "image"
    assert task.inputs == frame["image"].tolist()[:2]
    assert task.set_aside == (("row 2", "no picture is named", 2),)


def test_texts_keep_their_spaces_and_may_be_empty(tmp_path):
    task = read(put(tmp_path / "a.csv", 'text,label\n"  some words, and more ",x\n ,y\n"a\nb c d e",x\n'))
    assert task.inputs == ["  some words, and more ", " ", "a\nb c d e"]
    assert "1 texts are empty" in task.notes


def test_an_empty_cell_of_a_csv_is_a_missing_text_as_none_is_elsewhere(tmp_path):
    of_csv = read(put(tmp_path / "a.csv", "text,label\nsome words are here,x\n,x\nother words are there,y\n"))
    texts = ["some words are here", None, "other words are there"]
    of_frame = read(pd.DataFrame({"text": texts, "label": ["x", "x", "y"]}))
    for task in (of_csv, of_frame):
        assert task.inputs == ["some words are here", "other words are there"]
        assert [(lost.why, lost.place) for lost in task.set_aside] == [("the text is missing", 1)]


def test_a_text_of_digits_stays_text(tmp_path):
    fitted = read(put(tmp_path / "a.csv", "text,label\nfour words are here,x\nand four words there,y\n"))
    found = read(
        put(tmp_path / "b.csv", "text\n1.50\n007\n"),
        roles=Roles(modality=fitted.modality), columns=fitted.columns, need_target=False,
    )  # fmt: skip
    assert found.inputs == ["1.50", "007"]


def test_several_texts_are_joined(tmp_path):
    path = put(tmp_path / "a.csv", "title,body,label\nOne,the body has words,x\nTwo,another body of words,y\n")
    assert read(path, roles=Roles(input=("title", "body"))).inputs == [
        "One\nthe body has words",
        "Two\nanother body of words",
    ]


def test_lists_of_labels_in_jsonl_parquet_and_csv(tmp_path):
    rows = [("some words of a text", ["b", "a"]), ("other words of a text", []), ("still more words here", ["b"])]
    frame = pd.DataFrame(rows, columns=["text", "tags"])
    frame.to_json(tmp_path / "a.jsonl", orient="records", lines=True)
    frame.to_parquet(tmp_path / "a.parquet")
    frame.assign(tags=['["b", "a"]', "[]", '["b"]']).to_csv(tmp_path / "a.csv", index=False)
    for name in ("a.jsonl", "a.parquet", "a.csv"):
        task = read(tmp_path / name)
        assert task.kind == "multilabel"
        assert task.classes == ("a", "b")
        assert task.targets.tolist() == [[1, 1], [0, 0], [0, 1]]


@pytest.mark.parametrize("cells", [("[note]", "[x]"), ("[1]", "b"), ("[" * 5000, "[")])
def test_words_in_brackets_stay_words(cells):
    task = read(pd.DataFrame({"n": [1, 2], "label": cells}))
    assert task.kind == "classification"
    assert set(task.classes) == set(cells)


def test_an_infinite_regression_target_is_set_aside(tmp_path):
    task = read(put(tmp_path / "a.csv", "x,y\n1,0.5\n2,inf\n3,-inf\n4,\n5,1.5\n"))
    assert task.targets.tolist() == [0.5, 1.5]
    assert [lost.name for lost in task.set_aside] == ["line 3", "line 4", "line 5"]


def test_missing_and_infinite_inputs_are_kept(tmp_path):
    task = read(put(tmp_path / "a.csv", "x,w,label\n1,a,u\nNaN,a,v\ninf,,u\n"))
    assert task.inputs["x"].tolist()[::2] == [1, np.inf]
    assert task.inputs.isna().to_numpy().tolist() == [[False, False], [True, False], [False, True]]


def test_labels_keep_their_type(tmp_path):
    assert read(put(tmp_path / "a.csv", "x,label\n1,true\n2,false\n")).classes == (False, True)
    assert read(put(tmp_path / "a.csv", "x,label\n1,7\n2,3\n3,\n")).classes == (3, 7)
    assert read(put(tmp_path / "a.csv", "x,label\n1,007\n2,3\n")).classes == ("007", "3")


def test_one_row_a_class(tmp_path):
    assert len(read(put(tmp_path / "a.csv", "x,label\n1,a\n2,b\n"))) == 2


def test_a_row_without_a_split(tmp_path):
    task = read(put(tmp_path / "a.csv", "x,label,split\n1,a,train\n2,b,valid\n3,a,\n4,b,TEST\n"))
    assert task.split.tolist() == ["train", "val", "test"]
    assert task.set_aside == (("line 4", "the split is missing", 2),)


def test_a_table_for_a_model_of_arrays():
    frame = pd.DataFrame({"a": [1, 2], "b": [0.5, None]})
    task = read(frame, roles=Roles(modality="array"), need_target=False)
    assert task.modality == "array"
    assert task.inputs.dtype == np.float64
    assert task.inputs[0].tolist() == [1, 0.5]
    with pytest.raises(DataError, match="reads an array of numbers, and the columns 'c' hold words"):
        read(frame.assign(c=["x", "y"]), roles=Roles(modality="array"), need_target=False)


def test_the_same_rows_in_another_order_are_the_same_task(amazon, tmp_path):
    frame = pd.read_csv(amazon).sample(frac=1, random_state=0)
    frame.to_csv(tmp_path / "b.csv", index=False)
    one, other = read(amazon), read(tmp_path / "b.csv")
    assert sorted(zip(one.inputs, one.targets, strict=True)) == sorted(zip(other.inputs, other.targets, strict=True))
    assert one.columns == other.columns
    assert one.notes == other.notes


def test_three_rows_are_read_by_the_types_of_the_fit(tmp_path):
    rows = "".join(
        f'{20 + i % 40},"{i + 1},{i % 10}00",{"0" * (i % 2)}{i % 5},2024-01-{i % 28 + 1:02},{i % 2}\n'
        for i in range(60)
    )
    fitted = read(put(tmp_path / "a.csv", "age,income,code,when,label\n" + rows))
    assert dict(fitted.columns.types) == {
        "age": "number", "income": "number", "code": "words", "when": "date", "label": "number",
    }  # fmt: skip
    rows = '?,"45,120",12,?\nabout 30,7,3,2024-02-01\n31,n.a.,1.0,2024-02-02\n'
    later = read(
        put(tmp_path / "b.csv", "age,income,code,when\n" + rows),
        columns=fitted.columns, need_target=False,
    )  # fmt: skip
    assert [column.dtype for _, column in later.inputs.items()] == [
        column.dtype for _, column in fitted.inputs.astype({"age": float, "income": float}).items()
    ]
    assert later.inputs["income"].tolist()[:2] == [45120, 7]
    assert later.inputs["code"].tolist() == ["12", "3", "1.0"]
    assert later.inputs.isna().sum().tolist() == [2, 1, 0, 1]
    assert "'age': 2 cells read as missing, being no numbers: '?' (line 2), 'about 30' (line 3)" in later.notes


def test_a_target_that_is_no_number_costs_its_row_and_no_more(tmp_path):
    prices = [f'"${1000 + 7 * i:,}.50"' for i in range(60)]
    prices[4], prices[9] = "?", "on request"
    lines = "".join(f"{i % 7},{price}\n" for i, price in enumerate(prices))
    task = read(put(tmp_path / "a.csv", "rooms,price\n" + lines))
    assert task.kind == "regression"
    assert task.targets[0] == 1000.5
    assert [item.name for item in task.set_aside] == ["line 6", "line 11"]
    assert any("'?' (line 6), 'on request' (line 11)" in note for note in task.notes)


def test_few_amounts_with_a_unit_are_classes_that_keep_it(tmp_path):
    lines = "".join(f"{i % 7},{'36 months' if i % 2 else '60 months'}\n" for i in range(40))
    path = put(tmp_path / "a.csv", "rooms,term\n" + lines)
    assert read(path).classes == ("36 months", "60 months")
    assert read(put(tmp_path / "b.csv", "rooms,share\n" + "1,5%\n2,10 %\n" * 20)).classes == ("10 %", "5%")
    amounts = "".join(f"{i % 7},{i * 1.5} kg\n" for i in range(40))
    assert read(put(tmp_path / "c.csv", "rooms,weight\n" + amounts)).targets[:2].tolist() == [0, 1.5]


SHORT = [
    f"{word} {thing}"
    for word in ("fine", "bad", "dull", "great", "poor")
    for thing in ("show", "plot", "cast", "film", "end")
]
CHINESE = [
    f"房间干净漂亮,价格便宜质量好。第{i}号" if i % 2 else f"员工很粗鲁,位置偏僻很难找。第{i}号" for i in range(30)
]


@pytest.mark.parametrize("texts", [SHORT, CHINESE, [f"x{i}" for i in range(30)], [f"{i:06}" for i in range(30)]])
@pytest.mark.parametrize("names", [("text", "label"), ("v2", "target"), ("id", "label")])
def test_of_two_columns_one_is_the_target_and_the_other_the_input(texts, names):
    labels = ["a", "b", "b"] * len(texts)
    frame = pd.DataFrame(dict(zip(names, (texts, labels[: len(texts)]), strict=True)))
    task = read(frame)
    assert (task.columns.input, task.columns.target) == ((names[0],), names[1])
    assert task.modality == "text"
    assert task.inputs == texts


def test_a_target_before_a_short_text_is_found():
    task = read(pd.DataFrame({"v1": ["ham", "spam"] * 12, "v2": SHORT[:24]}))
    assert (task.columns.input, task.columns.target) == (("v2",), "v1")


def test_a_column_that_is_left_out_is_named_with_its_reason():
    rows = len(CHINESE)
    base = {"text": CHINESE, "city": ["北京", "上海", "深圳"] * (rows // 3), "label": [0, 1] * (rows // 2)}
    task = read(pd.DataFrame(base))
    assert task.columns.input == ("text",)
    assert "left out: 'city' (beside the input; name several columns as input to read them together)" in task.notes
    names = [
        f"{first}{last}"
        for first in ("an", "bo", "cy", "du", "ed", "fi")
        for last in ("sen", "ski", "man", "dal", "lund")
    ]
    task = read(pd.DataFrame({"nm": names, "height": [150.5, 160.0] * 15, "label": [0, 1] * 15}))
    assert task.columns.input == ("height",)
    assert (
        "left out: 'nm' (strings that are all different, of which a table learns nothing; name it as the input to read "
        "it as text)"
    ) in task.notes


def test_names_of_people_in_a_table_are_not_its_text():
    rows = 60
    rng = np.random.default_rng(0)
    families = [f"Family{row} of Town{row % 7}" for row in range(rows)]
    frame = pd.DataFrame(
        {
            "PassengerId": range(1, rows + 1),
            "Survived": rng.integers(0, 2, rows),
            "Pclass": rng.integers(1, 4, rows),
            "Name": [f"{family}, Mr. John" for family in families],
            "Sex": rng.choice(["male", "female"], rows),
            "Age": rng.normal(30, 9, rows).round(1),
            "Fare": rng.gamma(2, 9, rows).round(2),
        }
    )
    task = read(frame, roles=Roles(target="Survived"))
    assert (task.modality, task.columns.input) == ("table", ("Pclass", "Sex", "Age", "Fare"))
    assert any(note.startswith("left out: 'Name' (") for note in task.notes)
    twice = frame.assign(Name=frame.Name.where(frame.index > 0, frame.Name.iloc[1]))
    task = read(twice, roles=Roles(target="Survived"))
    assert task.columns.input == ("Pclass", "Sex", "Age", "Fare")
    assert any("'Name' (a text beside columns that make a table" in note for note in task.notes)
    assert read(frame.rename(columns={"Name": "review"}), roles=Roles(target="Survived")).modality == "text"
    assert read(frame, roles=Roles(target="Survived", modality="text")).columns.input == ("Name",)
    few = frame[["Name", "Fare", "Survived"]]
    assert read(few, roles=Roles(target="Survived")).columns.input == ("Name",)


def test_a_shuffled_index_is_left_out_and_what_its_order_tells_is_said(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=200), "b": rng.normal(size=200), "target": np.arange(200) < 100})
    frame.sample(frac=1, random_state=0).to_csv(tmp_path / "a.csv")
    task = read(tmp_path / "a.csv")
    assert task.columns.input == ("a", "b")
    told = "in its order rows of one class stand together, so that it tells the class"
    assert f"left out: 'column 1' (counts the rows: 200 whole numbers from 0 to 199, none twice; {told})" in task.notes
    assert task.counters == (("column 1", told, None),)
    asked = read(tmp_path / "a.csv", roles=Roles(input=("column 1", "a")))
    assert asked.columns.input == ("column 1", "a")
    assert asked.counters == ()


WHEN = pd.date_range("2024-01-01", periods=40, freq="36h")


@pytest.mark.parametrize(
    "style", ["%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M", "%m/%d/%Y %I:%M %p", "%d %b %Y %H:%M", "%Y-%m-%dT%H:%M:%SZ"]
)
def test_dates_are_the_same_inputs_in_every_style_and_container(tmp_path, style):
    frame = pd.DataFrame({"age": [31, 44] * 20, "survived": ["yes", "no"] * 20, "when": WHEN})
    frame.assign(when=WHEN.strftime(style)).to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    frame.assign(when=[f"{when:{style}}" for when in WHEN]).to_json(tmp_path / "a.jsonl", orient="records", lines=True)
    objects = frame.assign(when=[when.to_pydatetime() for when in WHEN]).astype({"when": object})
    for source in (tmp_path / "a.csv", tmp_path / "a.parquet", tmp_path / "a.jsonl", frame, objects):
        task = read(source)
        assert task.columns.input == ("age", "when")
        assert task.columns.target == "survived"
        assert task.inputs["when"].tolist() == WHEN.tolist()
        assert "dates, read as the time and its place in the year, the week and the day: 'when'" in task.notes


def test_truth_values_some_of_which_are_missing_read_as_they_did_without():
    fitted = read(pd.DataFrame({"x": [True, False] * 10, "label": [0, 1, 1, 0] * 5}))
    later = read(pd.DataFrame({"x": ["true", None, "0"]}), columns=fitted.columns, need_target=False)
    encoder = TableEncoder.fit(fitted.inputs)
    assert encoder.transform(later.inputs).tolist() == [[0, 1], [0, 0], [1, 0]]
    assert encoder.report(later.inputs) == (("x", 1, 0, ""),)
