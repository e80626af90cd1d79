"""Teachers and what they say: asked of rows in any order, and what they cannot teach."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from small import RESNET

from headstart import DataError, Transfer
from headstart.backbones.load import load
from headstart.data.arrays import as_task
from headstart.features.extract import Extraction
from headstart.features.feature_set import look
from headstart.listener import LOGGED
from headstart.methods.method import Data
from headstart.methods.plan import Plan
from headstart.methods.table import configured, without_teacher
from headstart.methods.teacher import Teacher
from headstart.methods.teaching import Teaching
from headstart.tasks import REGRESSION
from headstart.training.batches import PLAIN
from headstart.training.job import Rows
from headstart.training.teacher_maps import map_sizes, maps_of

RNG = np.random.default_rng(0)
PICTURES = [Image.fromarray(RNG.integers(0, 256, (36, 36, 3), np.uint8)) for _ in range(8)]
LABELS = list("ab" * 4)
HOW = (Extraction(engine="torch"), LOGGED)


@pytest.fixture(scope="module")
def model():
    return Transfer(RESNET, "logistic", engine="torch", cache=False).fit(PICTURES, LABELS).model_


@pytest.fixture(scope="module")
def rows():
    return look(as_task(PICTURES, LABELS), load(RESNET), *HOW)


def test_answers_go_by_content_and_not_by_place(model, rows):
    bare = look(as_task(PICTURES[6:]), load(RESNET), *HOW)
    teaching = Teaching.of(Teacher.of(model), rows.take(np.arange(6)), bare, "answers", HOW)
    expected = model.head.predict(np.asarray(rows.values))
    order = np.array([7, 0, 3, 3])
    np.testing.assert_allclose(teaching.answers(rows.take(order)), expected[order], rtol=1e-6)
    job = Rows.of(rows.take(np.array([4, 1])), teaching.bare, None)
    assert job.weights.tolist() == [1, 1, 0, 0]
    taught = teaching.of_job(job, configured("distil", {}, 0).tuning, HOW[0])
    np.testing.assert_allclose(np.exp(taught.answers), expected[[4, 1, 6, 7]], rtol=1e-6)


def test_a_row_whose_label_the_teacher_does_not_know_is_not_taught(model):
    labels = ["a", "b", "c", "a", "b", "c", "a", "b"]
    seen = look(as_task(PICTURES, labels), load(RESNET), *HOW)
    teaching = Teaching.of(Teacher.of(model), seen, None, "answers", HOW)
    taught = teaching.of_job(Rows.of(seen, None, None), configured("distil", {}, 0).tuning, HOW[0])
    silent = np.isnan(taught.answers).all(1)
    assert silent.tolist() == [label == "c" for label in labels]
    assert np.isnan(taught.answers[:, 2]).all()
    assert teaching.answers(seen)[:, 2].tolist() == [0] * 8
    assert teaching.answers(seen).sum(1) == pytest.approx(1)


def test_what_is_not_varied_alike_is_not_asked_in_forms(model, words):
    with pytest.raises(ValueError, match="consistent = True: texts are not shown to a teacher in the forms that"):
        Teacher.of(replace(model, backbone=words)).ask_views(["a b", "c"], "answers", PLAIN, (0, 2))
    with pytest.raises(ValueError, match="logistic has no network: what it reads is not varied; leave consistent out"):
        Teacher.of(replace(model, backbone=None)).ask_views(PICTURES, "answers", PLAIN, (0, 2))
    empty = replace(model.backbone, module=None)
    with pytest.raises(ValueError, match=r"timm:test_resnet.* has no network: what it reads is not varied; leave cons"):
        Teacher.of(replace(model, backbone=empty)).ask_views(PICTURES, "answers", PLAIN, (0, 2))
    with pytest.raises(ValueError, match=r"timm:test_resnet.* has no network, and no maps: use a teacher of pictures"):
        maps_of(empty, PICTURES, None)
    assert map_sizes(empty) == set()
    assert map_sizes(words) == set()


def test_a_row_that_the_teacher_cannot_read_is_named(model, tmp_path):
    for name, data in (("good.png", None), ("bad.png", b"no picture")):
        PICTURES[0].save(tmp_path / name) if data is None else (tmp_path / name).write_bytes(data)
    files = [str(tmp_path / "good.png"), str(tmp_path / "bad.png")]
    with pytest.raises(DataError, match=r"the teacher cannot read .*bad\.png: .*; leave it out"):
        Teacher.of(model).ask(as_task(files), "answers", HOW)


def test_a_teacher_of_values_is_no_teacher_of_classes(model):
    values = Transfer(RESNET, "ridge", kind="regression", engine="torch", cache=False)
    values.fit(PICTURES, np.linspace(0, 1, 8))
    with pytest.raises(DataError, match=r"the teacher is of a regression: give Transfer\(kind='regression'\)"):
        Transfer(RESNET, "distil", engine="torch", cache=False).fit(PICTURES, None, teacher=values)
    student = Transfer(RESNET, "head+distil", kind="regression", engine="torch", cache=False)
    student.set_params(options={"epochs": 30, "lr": 1e-2, "validation": 0, "augment": False})
    learnt = student.fit(PICTURES, None, teacher=[(values, 2.0), values]).predict(PICTURES)
    assert student.model_.kind == REGRESSION
    assert np.corrcoef(learnt, values.predict(PICTURES))[0, 1] > 0.8


def test_who_needs_a_teacher_and_who_has_no_use_for_one(model, rows):
    data = Data(rows, load(RESNET), HOW)
    with pytest.raises(ValueError, match="method 'distil' learns from a teacher: give a fitted model as"):
        configured("distil", {}, 0).fit(Plan("distil"), data)
    teaching = Teaching.of(Teacher.of(model), rows, None, "answers", HOW)
    with pytest.raises(ValueError, match=r"method 'top' has no use for a teacher: leave it out, or use top\+distil"):
        configured("top", {}, 0).fit(Plan("top"), data._replace(teaching=teaching))


def test_the_student_without_a_teacher_has_the_same_tune_and_training():
    plan = Plan("gradual+hints", options={"stages": 2, "rate": 3.0, "epochs": 5}, seed=4)
    assert without_teacher(plan) == Plan("gradual", options={"stages": 2, "epochs": 5}, seed=4)
    assert without_teacher(Plan("decoupled", options={"beta": 1.0})) == Plan("lp-ft")
