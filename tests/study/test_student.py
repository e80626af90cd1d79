"""Students of texts, of several labels a row, of a smaller teacher; and one that was killed in the middle."""

from __future__ import annotations

import json
import os
import signal

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from preloaded import COMMAND_LINE
from short_minilm import short_minilm

from headstart import Roles, Transfer, distil

RESNET, STUDENT = "timm:test_resnet?weights=random", "timm:test_resnet?weights=random&seed=3"
SMALLER = "timm:test_efficientnet?weights=random"
WORDS = {"good": ("lovely", "great", "fine", "superb"), "bad": ("awful", "broken", "dull", "poor")}


def sentences():
    """Forty sentences of two moods, of which the last of each word is to be tested on."""
    rows = [
        (f"a {word} {noun}", mood, "test" if noun == "room" else "train")
        for mood, words in WORDS.items()
        for word in words
        for noun in ("film", "song", "meal", "lamp", "room")
    ]
    return pd.DataFrame(rows, columns=["text", "label", "split"])


def pictures(labels):
    """Noise in which the channels that a label names are brighter."""
    rng = np.random.default_rng(0)
    made = []
    for label in labels:
        pixels = rng.integers(0, 130, (32, 32, 3)).astype(np.uint8)
        for channel in label:
            pixels[:, :, "rgb".index(channel)] += 100
        made.append(Image.fromarray(pixels))
    return made


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    return str(short_minilm(tmp_path_factory.mktemp("backbone") / "short"))


@pytest.mark.parametrize("method", ["lora+distil", pytest.param("hints", marks=pytest.mark.slow)])
def test_a_student_of_texts_reads_with_a_tokenizer_of_its_own(short, method):
    table = sentences()
    teacher = Transfer("bundled:wordllama", "logistic", engine="torch").fit(list(table["text"]), list(table["label"]))
    options = {"epochs": 2, "batch": 8, "validation": 0}
    roles = Roles(input=("text",), target="label")
    student = distil(teacher, table, backbone=short, method=method, options=options, roles=roles, engine="torch")
    kept = student.evidence_.distillation
    assert student.method == method
    assert [row.name for row in kept.compared] == ["this model", "no-teacher", "teacher"]
    assert (kept.labelled, kept.compared[2].agreement.value) == (32, 1)
    assert student.evidence_.metrics["accuracy"].value > 0.6
    assert student.backbone_.name.startswith(f"file:{short}+")
    assert set(student.predict(["a superb chair", "a dull chair"])) <= {"good", "bad"}


def test_several_labels_a_row_are_taught_one_by_one():
    labels = [["r"], ["g"], ["r", "g"], ["b"], ["g", "b"], ["r", "b"]] * 5
    inputs = pictures(labels)
    teacher = Transfer(RESNET, "logistic", kind="multilabel", engine="torch").fit(inputs, labels)
    student = Transfer(
        STUDENT, "distil", kind="multilabel", options={"epochs": 2, "batch": 8, "validation": 0}, engine="torch"
    )
    fitted = student.fit(inputs[:24], labels[:24], teacher=teacher, unlabelled=inputs[24:])
    answers = fitted.predict_proba(inputs)
    assert answers.shape == (30, 3)
    assert fitted.model_.head.facts.account["rows_without_label"] == 6
    bare = student.fit(inputs, None, teacher=teacher)
    same = (bare.predict_proba(inputs) > 0.5) == (teacher.predict_proba(inputs) > 0.5)
    assert same.mean() > 0.8
    assert bare.classes_.tolist() == ["b", "g", "r"]


def test_a_student_that_is_larger_than_its_teacher_is_told_so():
    labels = list("rgb" * 8)
    table = pd.DataFrame({"picture": pictures(labels), "label": labels, "split": ["train"] * 16 + ["test"] * 8})
    teacher = Transfer(SMALLER, "logistic", engine="torch").fit(list(table["picture"]), labels)
    options = {"epochs": 1, "batch": 8, "validation": 0}
    student = distil(teacher, table, backbone=STUDENT, method="head+distil", options=options, engine="torch")
    own, _, theirs = student.evidence_.distillation.compared
    note = f"The student is larger than the teacher ({own.megabytes:.1f} MB, and {theirs.megabytes:.1f})"
    assert own.megabytes > theirs.megabytes
    assert any(text.startswith(note) for text in student.evidence_.notes)


KILLED = (
    """
import os, signal, sys
from headstart.training import checkpoint
write = checkpoint.Journal.write
def written_and_killed(self, *args, **more):
    write(self, *args, **more)
    os.kill(os.getpid(), signal.SIGKILL)
checkpoint.Journal.write = written_and_killed
"""
    + COMMAND_LINE
)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
@pytest.mark.slow
def test_a_killed_student_goes_on_to_the_same_weights(preloaded, tmp_path):
    labels = list("rgb" * 8)
    for number, (picture, label) in enumerate(zip(pictures(labels), labels, strict=True)):
        folder = tmp_path / "data" / ("test" if number >= 18 else "train") / label
        folder.mkdir(parents=True, exist_ok=True)
        picture.save(folder / f"{number}.png")
    files = sorted(map(str, (tmp_path / "data").rglob("*.png")))
    teacher = Transfer(RESNET, "logistic", engine="torch").fit(files, [file.split(os.sep)[-2] for file in files])
    teacher.save(tmp_path / "big")
    words = ["distil", tmp_path / "big", tmp_path / "data", "--backbone", STUDENT, "--engine", "torch", "--json"]
    words += [f"--option={name}" for name in ("epochs=2", "batch=6", "journal=0", "validation=0")]

    def ran(code, out, cache):
        return preloaded.run(code, *words, "--out", tmp_path / out, env=os.environ | {"HEADSTART_CACHE": str(cache)})

    assert ran(KILLED, "killed", tmp_path / "cache").returncode == -signal.SIGKILL
    assert not (tmp_path / "killed").exists()
    assert list((tmp_path / "cache" / "runs").iterdir())
    again, whole = ran(COMMAND_LINE, "again", tmp_path / "cache"), ran(COMMAND_LINE, "whole", tmp_path / "other")
    assert (again.returncode, whole.returncode) == (0, 0), again.stderr + whole.stderr
    fingerprints = [Transfer.load(tmp_path / name).backbone_.fingerprint for name in ("again", "whole")]
    assert fingerprints[0] == fingerprints[1]
    scores = [json.loads(done.stdout)["metrics"]["accuracy"]["value"] for done in (again, whole)]
    assert scores[0] == scores[1]
    assert not list((tmp_path / "cache" / "runs").iterdir())
