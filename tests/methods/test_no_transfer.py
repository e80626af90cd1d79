"""The model without transfer as a method: every kind and modality, its file, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from demo_data import sentiment_csv
from PIL import Image
from safetensors.numpy import load_file, save
from short_minilm import short_minilm

import headstart as hs
from headstart.artefact import read, verify
from headstart.artefact.strict_json import parse
from headstart.artefact.writing import listing
from headstart.data.arrays import as_task
from headstart.data.splits.split import folds
from headstart.errors import ArtefactError
from headstart.evidence.baselines.no_transfer import no_transfer
from headstart.evidence.page import headline
from headstart.features.feature_set import glance
from headstart.listener import LOGGED
from headstart.methods.plan import Plan
from headstart.study.contenders import answer_cache
from headstart.study.untransferred import Untransferred
from headstart.transfer import Transfer

WORDS = ["good", "fine", "lovely", "bad", "poor", "awful"]
TEXTS = [f"a {WORDS[row % 6]} {noun} {row}" for row in range(60) for noun in ("film",)]
MOODS = np.where(np.arange(60) % 6 < 3, "good", "bad")


def fitted(kind: str = "classification", y: Any = MOODS, **more: Any) -> Transfer:
    return Transfer(method="no-transfer", kind=kind).fit(TEXTS, y, **more)


def came_back(model: Transfer, inputs: Any, folder: Any) -> Transfer:
    """From its file, with the same answers."""
    again = Transfer.load(model.save(folder))
    np.testing.assert_array_equal(again.predict(inputs), model.predict(inputs))
    return again


def test_texts_of_every_kind_come_back(tmp_path):
    plain = came_back(fitted(), [*TEXTS, "", "unknown words", "悪い"], tmp_path / "classes")
    assert plain.score(TEXTS, MOODS) == 1.0
    assert plain.backbone_ is None
    assert plain.transform(["a good film"]).shape == (1, plain.model_.head.width)
    values = np.arange(60) % 6 * 2.0
    assert came_back(fitted("regression", values), TEXTS, tmp_path / "values").score(TEXTS, values) > 0.5
    labels = [[word] if word in ("good", "bad") else [] for word in (WORDS[row % 6] for row in range(60))]
    several = came_back(fitted("multilabel", labels), TEXTS, tmp_path / "labels")
    assert several.predict(["a good film", "a fine film"]).tolist() == [[0, 1], [0, 0]]


def test_groups_weights_and_goals_are_taken():
    weights = np.where(np.arange(60) % 6 == 0, 0, 1)
    grouped = fitted(groups=np.arange(60) // 10, sample_weight=weights)
    assert "good" not in " ".join(grouped.model_.encoder[1]["terms"].tobytes().decode().split("\n")).split()
    rare = Transfer(method="no-transfer", goal="f1:bad", class_weight={"bad": 3.0}).fit(TEXTS, MOODS)
    assert rare.score(TEXTS, MOODS) > 0.9


@pytest.mark.parametrize("text", ["", "the same words", "x"])
def test_texts_that_tell_nothing_answer_with_the_shares(text, tmp_path):
    texts = [text + "!" * row for row in range(12)]  # no two are the same, and all hold the same words
    model = Transfer(method="no-transfer").fit(texts, ["a"] * 9 + ["b"] * 3)
    p = came_back(model, ["", "new"], tmp_path / "model").predict_proba(["", "new"])
    assert p[:, 0] == pytest.approx([0.75, 0.75], abs=0.1)


def test_the_method_and_the_contender_are_one_model(tmp_path):
    """And what the contender says of rows out of fold is what the method does."""
    rows = glance(as_task(TEXTS, list(MOODS)), Transfer(cache=False).extraction(), LOGGED)
    task, plan = rows.task, Plan("no-transfer")
    in_folds = folds(task.targets, task.kind, rows.blocks, rows.keys, seed=0)
    expected = no_transfer(task, ["a good film", "x"], folds=in_folds)
    np.testing.assert_allclose(fitted().predict_proba(["a good film", "x"]), expected, atol=1e-12)
    contender = Untransferred(plan, answer_cache(Transfer(cache=False).extraction(), LOGGED))
    answers = contender.answer(rows, rows.take(np.arange(5)))
    np.testing.assert_array_equal(getattr(answers, "predictions", answers), fitted().predict_proba(TEXTS[:5]))
    assert contender.out_of_fold(rows).shape == (60, 2)


def test_pictures_come_back_and_are_read_by_the_same_window(tmp_path):
    rng = np.random.default_rng(0)
    deep = [rng.integers(0, 1500, (40, 40)).astype(np.uint16) + np.uint16(1200 * (row % 2)) for row in range(24)]
    model = Transfer(method="no-transfer").fit(deep, ["dark", "light"] * 12)
    assert model.model_.encoder[0]["window"] is not None
    again = came_back(model, deep[:1], tmp_path / "deep")
    assert again.score(deep, ["dark", "light"] * 12) > 0.9
    asked = Transfer(method="no-transfer", window=(0, 4000)).fit(deep, ["dark", "light"] * 12)
    assert asked.model_.encoder[0]["window"] == [0.0, 4000.0]
    flat = [Image.new("RGB", (40, 40), (row * 9, 90, 200 - row)) for row in range(24)]
    values = came_back(Transfer(method="no-transfer", kind="regression").fit(flat, range(24)), flat, tmp_path / "flat")
    assert values.score(flat, range(24)) > 0.5
    assert values.model_.encoder[0]["window"] is None


def test_columns_are_what_a_probe_makes_of_them():
    rng = np.random.default_rng(0)
    inputs = pd.DataFrame({"size": rng.normal(size=60), "colour": rng.choice(["red", "green"], 60)})
    labels = np.where(inputs["size"] + (inputs["colour"] == "red") > 0.5, "big", "small")
    plain, probe = (Transfer(method=name).fit(inputs, labels) for name in ("no-transfer", "probe"))
    np.testing.assert_array_equal(plain.predict_proba(inputs), probe.predict_proba(inputs))


def test_the_verb_fits_shows_and_predicts(run, tmp_path):
    data = sentiment_csv(tmp_path / "rows.csv", train=200, test=120)
    said = run("fit", data, "--method", "no-transfer", "--out", tmp_path / "model").out
    assert "nothing was transferred, as was asked" in " ".join(said.split())
    evidence = run("show", tmp_path / "model", "--json").json
    assert (evidence["gain"], evidence["verdict"], set(evidence["baselines"])) == (None, None, {"majority"})
    assert headline(hs.Transfer.load(tmp_path / "model").evidence_).endswith("nothing was transferred, as was asked")
    answers = run("predict", tmp_path / "model", data, "--json").json["predictions"]
    assert len(answers) >= 320
    card = (tmp_path / "model" / "README.md").read_text()
    assert "the columns themselves" not in card


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="method 'no-transfer' reuses nothing: leave backbone 'bundled:minilm' out"):
        Transfer("bundled:minilm", "no-transfer").fit(TEXTS, MOODS)
    with pytest.raises(ValueError, match="'no-transfer' moves no weights and has no option 'epochs'"):
        Transfer(method="no-transfer", options={"epochs": 2}).fit(TEXTS, MOODS)
    with pytest.raises(ValueError, match="only one class, 'same', in all 60 rows"):
        Transfer(method="no-transfer").fit(TEXTS, ["same"] * 60)
    table = pd.DataFrame({"text": TEXTS, "a": MOODS, "b": MOODS[::-1]})
    with pytest.raises(ValueError, match="no-transfer"):
        hs.fit_tasks(table, ["a", "b"], method="no-transfer", cache=False)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    return fitted().save(tmp_path_factory.mktemp("stored") / "model")


def forged(stored, tmp_path, tensors: Any = lambda named: named, config: Any = lambda parsed: parsed):
    """A copy whose tensors and config somebody has changed, with hashes that fit."""
    from headstart.artefact.files import seal
    from headstart.artefact.strict_json import dump

    folder = tmp_path / "forged"
    folder.mkdir()
    files = {file.name: file.read_bytes() for file in stored.iterdir()}
    files["model.safetensors"] = save(tensors(load_file(stored / "model.safetensors")))
    parsed = config(parse(files.pop("config.json"), "config.json"))
    listed = {name: data for name, data in files.items() if name != "README.md"}
    parsed = {key: value for key, value in parsed.items() if key != "checksum"} | {"files": listing(listed)}
    for name, data in (files | {"config.json": dump(seal(parsed))}).items():
        (folder / name).write_bytes(data)
    return folder


def encoder(**changes: Any):
    def change(config):
        stored = config["encoder"]
        return config | {"encoder": stored | {"config": stored["config"] | changes}}

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tensors": lambda t: t | {"encoder.terms": t["encoder.terms"][:-9]}}, "the terms of the model are damaged"),
        ({"tensors": lambda t: t | {"encoder.rarity": t["encoder.rarity"][1:]}}, "expected the rarity of"),
        ({"tensors": lambda t: t | {"encoder.rarity": -t["encoder.rarity"]}}, "no number above 0"),
        ({"tensors": lambda t: {n: v for n, v in t.items() if n != "encoder.terms"}}, "holds the encoder's"),
        ({"tensors": lambda t: t | {"head.weight.0": t["head.weight.0"][1:]}}, "head.weight.0 has the shape"),
        ({"config": encoder(count=1)}, "the terms of the model are damaged"),
        ({"config": encoder(kind="description")}, "a model for text inputs has an encoder of image inputs"),
        ({"config": encoder(kind="pickle")}, "an encoder of the kind 'pickle'"),
        ({"config": encoder(version=9)}, "terms of version 9; expected 1"),
        ({"config": lambda c: c | {"modality": "image"}}, "a model for image inputs has an encoder of text inputs"),
        ({"config": lambda c: c | {"modality": "table"}}, "a model for table inputs has an encoder of text inputs"),
        ({"config": lambda c: c | {"encoder": None}}, "expected only head and uncertainty tensors"),
    ],
)
def test_a_forged_model_is_refused(stored, tmp_path, change, words):
    folder = forged(stored, tmp_path, **change)
    for reads in (read, verify):
        with pytest.raises(ArtefactError, match=words):
            reads(folder)


def test_a_head_that_is_narrower_than_its_encoder_is_refused(stored, tmp_path):
    def narrower(tensors):
        names = ("head.mean", "head.scale", "head.weight.0")
        return tensors | {name: np.ascontiguousarray(tensors[name][1:]) for name in names}

    with pytest.raises(ArtefactError, match=r"the head stands on \d+ features, and the encoder makes \d+"):
        read(forged(stored, tmp_path, narrower))


def test_a_text_of_a_megabyte_is_answered():
    p = fitted().predict_proba(["a good film " * 90_000, "a bad film"])
    assert p[0].argmax() == 1
    assert p[1].argmax() == 0


def test_it_teaches_a_student(short):
    """Whose teacher it is need have no backbone."""
    student = Transfer(
        short, "distil", options={"epochs": 1, "batch": 16, "validation": 0}, engine="torch", cache=False
    )
    taught = student.fit(TEXTS[:24], None, teacher=fitted())
    assert taught.predict_proba(TEXTS[:4]).shape == (4, 2)


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """The name of a part of MiniLM."""
    return str(short_minilm(tmp_path_factory.mktemp("backbone") / "short"))
