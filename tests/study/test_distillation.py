"""A student and its teacher, from the command line and from Python: what is learnt, what is said, what is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from html_pages import faults
from PIL import Image
from small import RESNET

from headstart import DataError, Evidence, Transfer, distil
from headstart.methods.teacher import Teacher

STUDENT = "timm:test_resnet?weights=random&seed=3"
OPTIONS = {"epochs": 1, "batch": 8, "refit": 0}
RNG = np.random.default_rng(0)


def picture(tint):
    """Noise in which one channel is brighter."""
    pixels = RNG.integers(0, 130, (32, 32, 3)).astype(np.uint8)
    pixels[:, :, tint] += 100
    return Image.fromarray(pixels)


def written(folder, classes, count):
    for tint, name in enumerate(classes):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for row in range(count):
            picture(tint).save(folder / name / f"{row}.png")
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder of data that came split, inputs without labels, and a teacher of a, b and c."""
    folder = tmp_path_factory.mktemp("distil")
    written(folder / "data" / "train", "abc", 8)
    written(folder / "data" / "test", "abc", 6)
    written(folder / "more", ["all"], 5)
    (folder / "more" / "copy.png").write_bytes((folder / "data" / "test" / "a" / "0.png").read_bytes())
    teacher = Transfer(RESNET, "logistic", engine="torch")
    files = sorted((folder / "data").rglob("*.png"))
    teacher.fit([str(file) for file in files], [file.parent.name for file in files]).save(folder / "big")
    return folder


@pytest.fixture(scope="module")
def teacher(place):
    return Transfer.load(place / "big")


def options_of(words):
    return [part for name, value in words.items() for part in ("--option", f"{name}={value}")]


def test_a_student_is_saved_with_what_it_kept_of_its_teacher(run, place, teacher):
    words = ["distil", place / "big", place / "data", "--backbone", STUDENT, "--out", place / "small"]
    output = run(*words, "--unlabelled", place / "more", "--engine", "torch", "--json", *options_of(OPTIONS))
    assert output.code == 0, output.err
    kept = output.json["distillation"]
    assert [row["name"] for row in kept["compared"]] == ["this model", "no-teacher", "teacher"]
    assert (kept["labelled"], kept["unlabelled"]) == (24, 5)  # a copy of a row that is tested is left out
    assert kept["gain"]["over"] == "no-teacher"
    assert kept["verdict"] in ("helps", "cannot tell", "hurts")
    student, _, big = kept["compared"]
    assert big["agreement"]["value"] == 1
    assert 0 <= student["agreement"]["value"] <= 1
    assert student["parameters"] == big["parameters"] > 1000
    assert student["megabytes"] == pytest.approx(student["parameters"] * 4 / 1e6, rel=0.1)
    assert min(student["milliseconds"], big["milliseconds"]) > 0
    baselines = {"majority", "no-transfer", "probe", "no-teacher", "teacher"}
    assert set(output.json["baselines"]) == baselines
    assert output.json["verdict"] in ("helps", "cannot tell", "hurts")
    assert [step["step"] for step in output.json["about"]["steps"]] == ["no-transfer", "probe", "no-teacher", "distil"]
    assert "5 rows without a label were learnt from by the teacher's answers alone." in output.json["notes"]
    assert any(
        note.startswith("The teacher may have learnt from rows that are tested") for note in output.json["notes"]
    )
    test = sorted(str(file) for file in (place / "data" / "test").rglob("*.png"))
    loaded = Transfer.load(place / "small")
    assert loaded.backbone_.fingerprint != teacher.backbone_.fingerprint
    assert loaded.model_.head.facts.account["rows_without_label"] == 5
    predicted = run("predict", place / "small", *test, "--json").json["predictions"]
    assert [row["prediction"] for row in predicted] == list(loaded.predict(test))
    shown = run("show", place / "small").out
    assert "what the student kept of its teacher (logistic on timm:test_resnet" in " ".join(shown.split())
    assert "gain over the same student without a teacher" in " ".join(shown.split())
    assert max(map(len, shown.splitlines())) <= 79
    card = (place / "small" / "README.md").read_text()
    assert "The teacher: **" in card
    assert "| this model | " in card
    assert Evidence.from_json(json.loads(json.dumps(output.json))).distillation.teacher == kept["teacher"]


def test_a_student_is_for_a_goal_and_tells_where_it_comes_from_unless_it_is_asked_not_to(run, place, tmp_path):
    words = ["distil", place / "big", place / "data", "--backbone", STUDENT, "--engine", "torch", *options_of(OPTIONS)]
    output = run(*words, "--out", tmp_path / "small", "--report", "--lang", "zh", "--for", "macro-f1", "--json")
    assert output.code == 0, output.err
    assert output.json["goal"]["metric"] == "macro_f1"
    assert Transfer.load(tmp_path / "small").model_.options["goal"]["metric"] == "macro_f1"
    assert output.json["report"] == str(tmp_path / "small.html")
    page = (tmp_path / "small.html").read_text("utf-8")
    assert faults(page) == {}
    assert 'lang="zh' in page
    assert f"headstart distil {place / 'big'} {place / 'data'}" in page
    assert Transfer.load(tmp_path / "small").evidence_.origin.data == str(place / "data")
    output = run(*words, "--out", tmp_path / "wrong", "--for", "macro-f2")
    assert output.code == 2
    assert "macro-f1" in output.err
    output = run(*words, "--out", tmp_path / "quiet", "--report", "--no-provenance")
    assert output.code == 0, output.err
    assert str(place) not in (tmp_path / "quiet.html").read_text("utf-8")
    assert Transfer.load(tmp_path / "quiet").evidence_.origin.data is None


@pytest.mark.slow
def test_without_labels_the_teacher_is_all_that_there_is(place, teacher):
    flat = sorted(str(file) for file in (place / "data").rglob("*.png"))
    student = distil(teacher, flat, backbone=STUDENT, options=OPTIONS, engine="torch")
    evidence = student.evidence_
    kept = evidence.distillation
    assert (kept.labelled, kept.gain, kept.verdict) == (0, None, None)
    assert [row.name for row in kept.compared] == ["this model", "teacher"]
    assert kept.compared[0].score is None
    assert evidence.gain is None
    assert "whether the teacher helps is not known: no row to learn from has a label" in " ".join(str(evidence).split())
    assert any(note.startswith("No row to learn from has a label: the teacher's answers") for note in evidence.notes)
    assert list(student.classes_) == ["a", "b", "c"]
    assert Evidence.from_json(evidence.to_json()).distillation == kept


def test_labelled_test_data_say_how_good_a_student_without_labels_is(place, teacher):
    flat = sorted(str(file) for file in (place / "data" / "train").rglob("*.png"))
    student = distil(teacher, flat, test=place / "data" / "test", backbone=STUDENT, options=OPTIONS, engine="torch")
    kept = student.evidence_.distillation
    assert set(student.evidence_.baselines) == {"teacher"}
    evidence = student.evidence_
    assert kept.metric == evidence.headline == "accuracy"  # the classes are even
    assert kept.compared[0].score.value == evidence.metrics["accuracy"].value
    assert kept.gain is None
    assert kept.unlabelled == 24


def table_of(place, lack=()):
    files = sorted((place / "data").rglob("*.png"))
    rows = [(str(file), file.parent.name, file.parents[1].name) for file in files]
    table = pd.DataFrame(rows, columns=["path", "label", "split"])
    return table.assign(label=table["label"].where(~table.index.isin(lack), None))


def test_rows_without_a_label_in_the_same_table_are_learnt_from(place, teacher):
    table = table_of(place, lack=range(18, 42, 3))  # of the training rows
    student = distil(teacher, table, backbone=STUDENT, method="head+distil", options=OPTIONS, engine="torch")
    kept = student.evidence_.distillation
    assert (kept.labelled + kept.unlabelled, kept.unlabelled) == (24, 8)
    assert student.method == "head+distil"


def test_a_student_can_be_its_own_teacher(place):
    student = distil("self", table_of(place), backbone=STUDENT, method="head+distil", options=OPTIONS, engine="torch")
    kept = student.evidence_.distillation
    assert kept.teacher == "self"
    assert [row.name for row in kept.compared] == ["this model", "no-teacher", "teacher"]
    assert kept.compared[1].agreement.value == 1
    assert set(student.evidence_.baselines) == {"majority", "no-transfer", "probe", "no-teacher"}


def test_classes_are_matched_by_name_and_the_rest_is_said(place, teacher):
    table = table_of(place).replace({"label": {"c": "d"}})
    student = distil(teacher, table, backbone=STUDENT, method="head+distil", options=OPTIONS, engine="torch")
    assert list(student.classes_) == ["a", "b", "d"]
    notes = student.evidence_.notes
    assert "classes that the teacher does not know, which labels alone teach: 'd'" in notes
    assert "classes that only the teacher knows, which are left out: 'c'" in notes
    with pytest.raises(DataError, match="of the classes 'a', 'x', 'y' the teacher knows only 'a', and it learnt 'a'"):
        distil(teacher, table_of(place).replace({"label": {"b": "x", "c": "y"}}), backbone=STUDENT, options=OPTIONS)
    with pytest.raises(DataError, match=r"the model knows none of the labels"):
        distil(teacher, table.replace({"label": {"a": "x", "b": "y"}}), backbone=STUDENT, options=OPTIONS)


def test_several_teachers_are_a_mean_of_their_answers(place, teacher):
    files = [str(file) for file in sorted((place / "data" / "test").rglob("*.png"))]
    labels = [file.split("/")[-2] for file in files]
    other = Transfer(RESNET, "prototypes", engine="torch").fit(files, labels)
    both = Teacher.of([(teacher, 3.0), other])
    assert both.weights == (0.75, 0.25)
    student = Transfer(STUDENT, "head+distil", options=OPTIONS, engine="torch")
    from headstart.data.arrays import as_task
    from headstart.listener import LOGGED

    taught = both.ask(as_task(files), "answers", (student.extraction(), LOGGED))
    expected = 0.75 * teacher.predict_proba(files) + 0.25 * other.predict_proba(files)
    np.testing.assert_allclose(np.exp(taught.answers), expected, rtol=1e-6)
    with pytest.raises(ValueError, match=r"'hints' learns from the features of one teacher, and there are 2: give one"):
        distil([teacher, other], table_of(place), backbone=STUDENT, method="hints")
    assert student.fit(files, labels, teacher=[teacher, other]).score(files, labels) > 0.3


def test_what_does_not_go_together_is_refused(run, place, teacher, tmp_path):
    sentences = pd.DataFrame({"text": ["a good film", "a bad film", "good", "bad"] * 3, "label": ["x", "y"] * 6})
    with pytest.raises(DataError, match="the teacher answers image inputs, and the data hold text inputs: give data"):
        distil(teacher, sentences)
    numbers = table_of(place).assign(label=np.linspace(0, 1, 42))
    with pytest.raises(DataError, match="the teacher is of a classification, and the data ask for regression"):
        distil(teacher, numbers, backbone=STUDENT)
    with pytest.raises(ValueError, match=r"method 'lora' learns from no teacher: use 'distil', or lora\+distil"):
        distil(teacher, table_of(place), method="lora")
    with pytest.raises(ValueError, match="a teacher is a int: expected a fitted Transfer, or the folder of a saved"):
        distil(3, table_of(place))
    with pytest.raises(ValueError, match="a teacher is a Transfer that is not fitted: expected a fitted Transfer"):
        distil(Transfer(), table_of(place))
    with pytest.raises(ValueError, match="the weight of a teacher is -1: expected a number above 0"):
        distil([(teacher, -1)], table_of(place))
    with pytest.raises(ValueError, match="no teacher is given"):
        distil([], table_of(place))
    with pytest.raises(DataError, match="a student that is its own teacher needs labels to begin with"):
        distil("self", [str(file) for file in (place / "more").rglob("*.png")], backbone=STUDENT)
    flowers = pd.DataFrame({"x": np.arange(20.0), "y": np.arange(20.0) % 7, "label": ["u", "v"] * 10})
    tables = Transfer(method="logistic").fit(flowers[["x", "y"]], flowers["label"])
    with pytest.raises(ValueError, match="method 'distil' moves weights, and a table has none: use 'probe'"):
        distil(tables, flowers)
    with pytest.raises(ValueError, match="'hints' learns from the features of a network, and the teacher has answers"):
        distil(tables, flowers, method="hints")
    with pytest.raises(DataError, match="one teacher answers image inputs by classification, another"):
        distil([teacher, tables], flowers)
    assert run("distil", place / "nowhere", place / "data", "--out", tmp_path / "x").code == 5
    wrong = run("distil", place / "big", place / "data", "--out", tmp_path / "x", "--teacher", "y=z")
    assert "--teacher y=z: expected MODEL or MODEL=WEIGHT, such as big=2" in wrong.err
    alone = run("distil", "self", place / "data", "--out", tmp_path / "x", "--teacher", place / "big")
    assert "self is a teacher alone: leave --teacher out" in alone.err
    fitted = run("fit", place / "data", "--out", tmp_path / "x", "--method", "distil")
    assert "method 'distil' learns from a teacher: headstart distil MODEL DATA --method distil" in fitted.err


def test_a_teacher_that_says_the_same_of_all_teaches_nothing(teacher):
    with pytest.raises(DataError, match="the teacher answers 'a' to all 6 rows, so that there is nothing to learn"):
        distil(teacher, [picture(0) for _ in range(6)], backbone=STUDENT, engine="torch", cache=False)


def test_teachers_of_other_classes_have_too_little_in_common(place, teacher):
    one = Teacher.of(teacher).models[0]
    other = replace(one, classes=("c", "d", "e"))
    with pytest.raises(DataError, match="the teachers have only 'c' in common: give teachers of the same classes"):
        Teacher.of([one, other]).codes(["c"])
    same = replace(one, classes=("b", "c", "d"))
    assert Teacher.of([one, same]).classes == ("b", "c")


def test_a_network_that_keeps_no_maps_is_refused(teacher):
    flat = replace(teacher.model_.backbone, stages=())
    with pytest.raises(ValueError, match=r"'attention' learns where a teacher looks, and timm:.* keeps no maps"):
        Teacher.of(replace(teacher.model_, backbone=flat)).require("maps", "attention")
