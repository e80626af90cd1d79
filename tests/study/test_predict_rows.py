"""One row out for each row in, in order, whatever the rows hold: tables, texts, pictures and folders of them."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import headstart
from headstart.errors import DataError


@pytest.fixture(scope="module")
def of_table():
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 2, 120)
    frame = pd.DataFrame({"size": kind * 3 + rng.normal(0, 0.3, 120), "word": np.array(["u", "v"])[kind]})
    frame["split"] = np.repeat(["train", "test"], 60)
    return headstart.fit(frame.assign(kind=np.array(["small", "large"])[kind]), method="ridge")


@pytest.fixture(scope="module")
def of_texts():
    texts = [f"a {word} thing number {i}" for i in range(20) for word in ("good", "bad")]
    frame = pd.DataFrame({"text": texts, "label": ["pos", "neg"] * 20})
    return headstart.fit(frame, backbone="bundled:wordllama", method="ridge", engine="torch")


@pytest.fixture(scope="module")
def of_pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    for name, shade in (("dark", 0), ("light", 150)):
        (folder / name).mkdir()
        for i in range(8):
            picture(i, shade).save(folder / name / f"{i}.png")
    return headstart.fit(folder, backbone="bundled:mobilenetv2", method="prototypes", engine="torch")


def picture(seed, shade):
    noise = np.random.default_rng(seed).integers(0, 90, (40, 40, 3))
    return Image.fromarray((noise + shade).astype(np.uint8))


def put(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def answered(answers):
    """(N,) whether each row has an answer; each row has either that or a reason, and values are of the answered."""
    rows = answers.rows()
    there = [row["prediction"] is not None for row in rows]
    assert there == [row["reason"] is None for row in rows]
    assert len(answers) == len(rows)
    assert len(answers.values) == len(answers.names) == sum(there)
    return there


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.csv", "size,word\n1,u\n1\n2,v,3\n3,v\n", [True, False, False, True]),
        ("a.csv", b"size,word\n1,u\n\0\0,v\n3,v\n", [True, False, True]),
        ("a.csv", "size,word\n,u\nlarge,\n,\n", [True, True, True]),
        ("a.csv", "size,word\n1\n2,v,3\n", [False, False]),
        ("a.csv", "size,word,split\n1,u,holdout\n2,v,\n", [True, True]),
        ("a.tsv", "size\tword\n1\tu\n2\n3\tv\n", [True, False, True]),
        ("a.jsonl", '{"size": 1, "word": "u"}\nnope\n\n{"size": 2}\n[]\n', [True, False, True, False]),
        ("a.jsonl", '{"size": 1, "word": "u"}\n{"size": 1, "size": 2}\n', [True, False]),
    ],
)
def test_rows_of_a_file(of_table, tmp_path, name, content, expected):
    assert answered(headstart.predict(of_table, put(tmp_path / name, content))) == expected


def test_answers_stand_at_their_rows(of_table, tmp_path):
    path = put(tmp_path / "a.csv", "size,word\n0,u\n1\n3,v\n2,v,3\n0,u\n")
    rows = headstart.predict(of_table, path).rows()
    assert [row["name"] for row in rows] == [f"line {line}" for line in range(2, 7)]
    assert [row["prediction"] for row in rows] == ["small", None, "large", None, "small"]


def test_a_file_without_a_row_or_a_column_is_an_error(of_table, tmp_path):
    for content, why in (("size,word\n", "and no rows"), ("size\n1\n", "no column 'word', which the model reads")):
        with pytest.raises(DataError, match=why):
            headstart.predict(of_table, put(tmp_path / "a.csv", content))


def test_missing_and_empty_texts(of_texts):
    assert answered(headstart.predict(of_texts, ["good", None, "", "bad", "bad"])) == [True, False, True, True, True]
    assert answered(headstart.predict(of_texts, pd.DataFrame({"text": [None, None]}))) == [False, False]


def test_a_folder_and_lists_of_text_files(of_texts, tmp_path):
    for name, content in (("a.txt", "a good thing"), ("c.txt", b"\xff\xfe\x00"), ("d.pdf", ""), ("e.txt", "bad")):
        put(tmp_path / name, content)
    (tmp_path / "b.txt").symlink_to("gone.txt")
    answers = headstart.predict(of_texts, tmp_path)
    assert [row["name"] for row in answers.rows()] == ["a.txt", "b.txt", "c.txt", "e.txt"]
    assert answered(answers) == [True, False, False, True]
    assert [item.name for item in answers.set_aside if item.place is None] == ["d.pdf"]
    files = [str(tmp_path / name) for name in ("e.txt", "d.pdf", "none.txt", "a.txt", "e.txt")]
    answers = headstart.predict(of_texts, files)
    assert [row["name"] for row in answers.rows()] == files
    assert answered(answers) == [True, False, False, True, True]
    assert answered(headstart.predict(of_texts, files[1:2] * 2)) == [False, False]


def test_a_folder_and_lists_of_pictures(of_pictures, tmp_path):
    put(tmp_path / "1.png", b"")
    put(tmp_path / "2.png", b"no picture")
    (tmp_path / "3.png").symlink_to("gone.png")
    put(tmp_path / "README", "")
    assert answered(headstart.predict(of_pictures, tmp_path)) == [False, False, False]
    picture(98, 0).save(tmp_path / "0.png")
    picture(99, 150).save(tmp_path / "9.png")
    answers = headstart.predict(of_pictures, tmp_path)
    assert [row["prediction"] for row in answers.rows()] == ["dark", None, None, None, "light"]
    files = [os.path.join(tmp_path, name) for name in ("9.png", "2.png", "9.png", "none.png")]
    assert [row["prediction"] for row in headstart.predict(of_pictures, files).rows()] == ["light", None, "light", None]
    pictures = [Image.new("RGB", (40, 40)), None, np.zeros((3, 3), np.float64)]
    assert answered(headstart.predict(of_pictures, pictures)) == [True, False, False]


def test_an_estimator_answers_each_input_or_raises(of_texts):
    assert len(of_texts.predict(["good", "", "bad"])) == 3
    with pytest.raises(DataError, match="1 inputs cannot be read: row 1"):
        of_texts.predict(["good", None, "bad"])


def test_where_no_row_can_be_answered_the_rows_are_written_and_the_exit_code_says_it(of_table, run, tmp_path):
    of_table.save(tmp_path / "model")
    data, out = put(tmp_path / "a.csv", "size,word\n1\n2,v,3\n"), tmp_path / "out.csv"
    done = run("predict", tmp_path / "model", data, "--out", out)
    assert done.code == 3
    assert (
        "no input could be answered (2 rows, 2 of them without an answer); the first of them, line 2: 1 f" in done.err
    )
    table = pd.read_csv(out)
    assert table["name"].tolist() == ["line 2", "line 3"]
    assert table["prediction"].isna().all()
    assert table.columns[-1] == "reason"
    done = run("predict", tmp_path / "model", data, "--out", tmp_path / "no" / "out.csv")
    assert (done.code, "create it first" in done.err, done.out) == (2, True, "")
