"""A model that averages several: one folder, each backbone once, and the answers of the average."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from small import bright

from headstart import Transfer, artefact
from headstart.artefact.files import seal
from headstart.artefact.model import Member
from headstart.errors import ArtefactError
from headstart.methods.teacher import Teacher

RESNET, VIT = "timm:test_resnet?weights=random", "timm:test_vit?weights=random"
TEXTS = [f"{kind} {word} of the {place}" for kind in ("good", "bad") for word in ("work", "day", "film", "meal")
         for place in ("city", "coast", "year", "house")]  # fmt: skip


@pytest.fixture(scope="module")
def pictures():
    return [bright(row) for row in range(30)], [f"c{row % 3}" for row in range(30)]


@pytest.fixture(scope="module")
def averaged(pictures):
    """Three fits on the same pictures: two on one network, one on another; and their average."""
    plans = ((RESNET, "logistic", 0.5), (VIT, "prototypes", 0.3), (RESNET, "prototypes", 0.2))
    fits = [Transfer(backbone, method, engine="torch").fit(*pictures) for backbone, method, _ in plans]
    beside = tuple(Member(plan[2], fit.model_) for plan, fit in zip(plans[1:], fits[1:], strict=True))
    model = replace(fits[0].model_, beside=beside)
    weights = [plan[2] for plan in plans]
    return Transfer(RESNET, "logistic", engine="torch").hold(model), fits, weights


def test_it_answers_the_weighted_average(averaged, pictures):
    model, fits, weights = averaged
    parts = [weight * fit.predict_proba(pictures[0]) for weight, fit in zip(weights, fits, strict=True)]
    np.testing.assert_allclose(model.predict_proba(pictures[0]), sum(parts), rtol=1e-12)
    assert [member.weight for member in model.model_.members] == pytest.approx(weights)


def test_it_is_saved_and_read_back_whole(averaged, pictures, tmp_path):
    model, _, _ = averaged
    folder = model.save(tmp_path / "average")
    loaded = Transfer.load(folder)
    np.testing.assert_array_equal(loaded.predict_proba(pictures[0]), model.predict_proba(pictures[0]))
    assert loaded.model_.beside[1].model.backbone is loaded.model_.backbone
    assert "an average of 3" in (folder / "README.md").read_text()
    names = artefact.verify(folder)["beside"]
    assert [entry["backbone"] for entry in names] == [1, 0]


def test_each_backbone_is_stored_once(averaged, tmp_path):
    model, fits, _ = averaged
    sizes = [(fit.save(tmp_path / str(at)) / "model.safetensors").stat().st_size for at, fit in enumerate(fits)]
    size = (model.save(tmp_path / "average") / "model.safetensors").stat().st_size
    assert size < 1.1 * (sizes[0] + sizes[1])


def test_it_travels_as_bytes(averaged, pictures):
    again = artefact.unpack(artefact.pack(averaged[0].model_))
    held = Transfer(RESNET, engine="torch").hold(again)
    np.testing.assert_array_equal(held.predict(pictures[0]), averaged[0].predict(pictures[0]))


def test_texts_keep_a_tokenizer_each(tmp_path):
    labels = [text.split()[0] for text in TEXTS]
    fits = [
        Transfer(name, "prototypes", engine="torch").fit(TEXTS, labels)
        for name in ("bundled:minilm", "bundled:wordllama")
    ]
    model = replace(fits[0].model_, beside=(Member(0.4, fits[1].model_),))
    average = Transfer("bundled:minilm", engine="torch").hold(model)
    folder = average.save(tmp_path / "average")
    assert {"tokenizer.json", "tokenizer.1.json"} <= {path.name for path in folder.iterdir()}
    loaded = Transfer.load(folder)
    expected = 0.6 * fits[0].predict_proba(TEXTS) + 0.4 * fits[1].predict_proba(TEXTS)
    np.testing.assert_allclose(loaded.predict_proba(TEXTS), expected, atol=1e-6)


def test_a_student_learns_from_each_of_them(averaged):
    teacher = Teacher.of([(averaged[0], 2.0), (averaged[1][1], 2.0)])
    assert teacher.weights == pytest.approx((0.25, 0.15, 0.1, 0.5))


def changed(folder, change):
    config = json.loads((folder / "config.json").read_text())
    change(config)
    (folder / "config.json").write_text(json.dumps(seal(config)))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda config: config["beside"][0].update(weight=0.9), "weigh too much"),
        (lambda config: config["beside"][0].update(weight=-0.1), "a number above 0"),
        (lambda config: config["beside"][0].update(backbone=2), "model 1 is none to average"),
        (lambda config: config["beside"][0]["config"].update(classes=["x", "y", "z"]), "model 1 is none to average"),
        (lambda config: config.update(beside=config["beside"] * 2), "weigh too much"),
        (lambda config: config.update(beside=7), "a list"),
        (lambda config: config.pop("beside"), "expected only"),
    ],
)
def test_what_headstart_did_not_write_is_refused(averaged, tmp_path, change, words):
    folder = averaged[0].save(tmp_path / "average")
    changed(folder, change)
    with pytest.raises(ArtefactError, match=words):
        artefact.read(folder)
