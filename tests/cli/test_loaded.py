"""What a verb loads: a short answer must not wait for what only a fit needs."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from demo_data import emoji_folder
from PIL import Image

import headstart as hs
from headstart.data.read import read
from headstart.features.feature_set import look

HEAVY = ("torch", "sklearn", "timm", "transformers", "torchvision", "openvino", "matplotlib", "peft")
SLOW = (*HEAVY, "torch._dynamo", "scipy")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A table, and a model of it."""
    folder = tmp_path_factory.mktemp("table")
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"size": rng.normal(10, 3, 60), "colour": rng.choice(["red", "green"], 60)})
    frame["kind"] = np.where(frame["size"] + 4 * (frame["colour"] == "red") > 11, "big", "small")
    frame["split"] = np.where(np.arange(60) % 3 == 2, "test", "train")
    frame.to_csv(folder / "rows.csv", index=False)
    hs.fit(folder / "rows.csv", cache=False).save(folder / "model")
    return folder


def loaded_by(words, place, names=HEAVY):
    """Which of the heavy libraries a verb has loaded, in a process of its own."""
    script = (
        f"import sys; sys.argv = ['headstart', *{[str(word) for word in words]!r}]\n"
        "from headstart.cli import main\n"
        "try: main()\n"
        "except SystemExit as stop: assert not stop.code, stop.code\n"
        f"print('loaded', *[name for name in {names!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=place)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split()[1:])


def test_answers_and_evidence_of_a_table_load_neither_torch_nor_what_fits(place):
    assert loaded_by(["predict", "model", "rows.csv", "--out", "answers.csv"], place) == set()
    assert len(pd.read_csv(place / "answers.csv")) == 60
    assert loaded_by(["show", "model"], place) == set()
    hs.fit_tasks(place / "rows.csv", ["kind", "colour"], method="ridge", cache=False).save(place / "both")
    assert loaded_by(["predict", "both", "rows.csv", "--out", "both.csv"], place) == set()
    assert {"kind", "colour"} <= set(pd.read_csv(place / "both.csv"))


def test_an_answer_for_a_picture_or_a_text_loads_no_library_of_networks(place):
    emoji = emoji_folder(place / "emoji", at_least=60, at_most=6)
    files = sorted(map(str, emoji.rglob("*.png")))[:12]
    hs.Transfer("bundled:mobilenetv2", "ridge", engine="torch").fit(files, ["a", "b"] * 6).save(place / "pictures")
    Image.open(files[0]).convert("RGBA").convert("RGB").save(place / "one.jpg")
    assert loaded_by(["predict", "pictures", files[0], "one.jpg"], place, SLOW) == {"torch"}
    texts = ["good day", "bad thing", "lovely", "awful", "nice one", "horrible", "great", "poor", "fine", "terrible"]
    hs.Transfer("bundled:minilm", "ridge", engine="torch").fit(texts, ["good", "bad"] * 5).save(place / "texts")
    (place / "one.txt").write_text("a lovely day", "utf-8")
    assert loaded_by(["predict", "texts", "one.txt"], place, SLOW) == {"torch"}


def test_an_answer_of_a_model_without_transfer_loads_nothing_that_fits(place):
    texts = ["good day", "bad thing", "lovely", "awful", "nice one", "horrible", "great", "poor", "fine", "terrible"]
    hs.Transfer(method="no-transfer").fit(texts, ["good", "bad"] * 5).save(place / "words")
    (place / "text.txt").write_text("a lovely day", "utf-8")
    assert loaded_by(["predict", "words", "text.txt"], place) == set()
    assert loaded_by(["show", "model"], place) == set()


def test_a_check_of_tables_and_texts_loads_no_torch(place):
    texts = place / "texts.csv"
    texts.write_text("text,label\n" + "".join(f"word {number} of a text,{number % 2}\n" for number in range(20)))
    for data in ("rows.csv", "texts.csv"):
        assert loaded_by(["check", data], place) <= {"sklearn"}


def test_the_verb_answers_as_the_fitted_model_does(place, run):
    """They go different ways to the same features and head."""
    model = hs.Transfer.load(place / "model")
    expected = hs.predict(model, place / "rows.csv")
    said = run("predict", place / "model", place / "rows.csv", "--json").json
    assert said == expected.to_json()
    task = read(place / "rows.csv", roles=hs.Roles(), need_target=False, columns=model.model_.columns)
    rows = look(task, None, model.extraction(), hs.listener.LOGGED)
    np.testing.assert_array_equal(model.answers(rows), expected.values)
