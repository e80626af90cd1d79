"""Baselines and controls that are cached: the same figures with and without, and what a second fit leaves undone."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.datasets import load_sample_images
from small import RESNET, bright

import headstart
from headstart.backbones.load import load
from headstart.data.arrays import as_task
from headstart.data.read import read
from headstart.data.roles import Roles
from headstart.evidence.assess import NO_TRANSFER
from headstart.evidence.baselines import no_transfer as baseline
from headstart.features.cache.cache import Cache
from headstart.features.extract import Extraction
from headstart.features.feature_set import look
from headstart.listener import Logged
from headstart.methods.plan import Plan
from headstart.study import contenders, untransferred
from headstart.study.contenders import contenders_of
from headstart.study.content import content, packed

LITE0 = "bundled:efficientnet-lite0"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    """Parts of two photographs whose things ImageNet has classes for."""
    folder, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    for picture, name in zip(load_sample_images().images, ("palace", "daisy"), strict=True):
        (folder / name).mkdir()
        for number in range(14):
            top, left = (int(rng.integers(0, length - 220)) for length in picture.shape[:2])
            Image.fromarray(picture[top : top + 220, left : left + 220]).save(folder / name / f"{number}.png")
    return folder


def contending(rows, backbone, cache, plan=None):
    """The answers of each contender, of one trial, as arrays: probabilities, and decisions where there are any."""
    how = (Extraction(cache=cache), Logged())
    train, test = np.arange(0, len(rows), 2), np.arange(1, len(rows), 2)
    all_of_them = contenders_of(rows, backbone, plan or Plan("ridge"), *how)
    return {name: packed(contend(None, train, test)) for name, contend in all_of_them}


def without_seconds(model) -> str:
    """The evidence, but for what is told of the run: what it took, and in what batches features were computed."""
    record = model.evidence_.to_json()
    del record["seconds"], record["about"]["engine"]
    return json.dumps(record, sort_keys=True)


def test_contenders_of_pictures_answer_the_same_to_the_bit(pictures, tmp_path, monkeypatch):
    backbone, cache = load(LITE0), Cache(tmp_path)
    rows = look(read(pictures), backbone, Extraction(cache=cache), Logged())
    plain = contending(rows, backbone, None)
    assert plain.keys() == {"majority", NO_TRANSFER, "direct", "random-weights"}
    kept = contending(rows, backbone, cache)

    def not_again(*arguments, **options):
        raise AssertionError("a second fit computes this again")

    for module, name in [
        (untransferred, "fit_untransferred"),
        (untransferred, "describe"),
        (contenders, "look"),
    ]:
        monkeypatch.setattr(module, name, not_again)
    shut = backbone.classifier._replace(read=not_again)
    object.__setattr__(backbone, "classifier", shut)
    object.__setattr__(backbone, "random", not_again)
    again = contending(rows, backbone, cache)
    for name, answers in plain.items():
        for first, second, third in zip(answers, kept[name], again[name], strict=True):
            assert first.tobytes() == second.tobytes() == third.tobytes(), name
        assert answers[0].shape == (14, 2)
    assert len(plain[NO_TRANSFER]) == 2
    with pytest.raises(AssertionError, match="computes this again"):
        contending(rows, backbone, cache, Plan("ridge", seed=1))
    with pytest.raises(AssertionError, match="computes this again"):
        contending(rows, backbone, cache, Plan("ridge", "balanced"))
    with pytest.raises(AssertionError, match="computes this again"):
        contending(rows.take(np.arange(27)), backbone, cache)


def test_labels_that_do_not_match_leave_the_classifier_unread(pictures, tmp_path):
    (tmp_path / "pictures").mkdir()
    for name, other in (("palace", "one"), ("daisy", "two")):
        (tmp_path / "pictures" / other).symlink_to(pictures / name, target_is_directory=True)
    backbone = load(LITE0)
    rows = look(read(tmp_path / "pictures"), backbone, Extraction(cache=None), Logged())

    def unread():
        raise AssertionError("read for nothing")

    object.__setattr__(backbone, "classifier", backbone.classifier._replace(read=unread, content=unread))
    assert contenders.direct_answers(rows, backbone, Extraction(cache=None), Logged()) is None


def test_a_trained_baseline_is_given_descriptions_once_and_answers_as_from_thumbnails(pictures, monkeypatch):
    backbone = load(LITE0)
    rows = look(read(pictures), backbone, Extraction(cache=None), Logged())
    described = []
    describe = untransferred.describe
    monkeypatch.setattr(untransferred, "describe", lambda thumbs: described.append(len(thumbs)) or describe(thumbs))
    few = contending(rows, backbone, None)[NO_TRANSFER]
    assert sum(described) == len(set(rows.keys))
    monkeypatch.setattr(untransferred, "LANDMARKS", 3)
    for again, first in zip(contending(rows, backbone, None)[NO_TRANSFER], few, strict=True):
        assert (again == first).all()
    assert sum(described) == len(set(rows.keys))


@pytest.mark.slow
def test_a_fit_of_a_table_is_the_same_with_and_without(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path))
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"size": rng.normal(size=90), "colour": rng.choice(list("rgb"), 90)})
    data["kind"] = np.where(data["size"] + (data["colour"] == "r") > 0.3, "a", "b")
    options = {"roles": Roles(target="kind"), "method": "ridge"}
    plain = headstart.fit(data, cache=False, **options)
    assert not list(tmp_path.rglob("*.npy"))
    kept = headstart.fit(data, **options)
    assert len(list((tmp_path / "answers").rglob("*.npy"))) == 15
    monkeypatch.setitem(baseline.LEARNERS, "table", None)
    again = headstart.fit(data, **options)
    assert without_seconds(plain) == without_seconds(kept) == without_seconds(again)


@pytest.mark.parametrize(
    "changed",
    [
        pd.DataFrame({"size": [1.0, 2.0], "colour": ["r", "g"]}),
        pd.DataFrame({"size": [1, 2], "colour": pd.Categorical(["r", "g"])}),
        pd.DataFrame({"size": [1, 2], "colour": ["r", "b"]}),
        pd.DataFrame({"length": [1, 2], "colour": ["r", "g"]}),
        pd.DataFrame({"size": np.array([1, "2"], object), "colour": ["r", "g"]}),
    ],
)
def test_columns_of_other_types_or_names_are_other_content(changed):
    """1 and 1.0 have one key, and so have 1 and a category of 1: trees take them apart."""
    frame = pd.DataFrame({"size": [1, 2], "colour": ["r", "g"]})
    numbers = pd.DataFrame({"size": np.array([1, 2], object)}), pd.DataFrame({"size": np.array([1, 2.0], object)})

    def parts(inputs):
        rows = look(as_task(inputs), None, Extraction(cache=None), Logged())
        return list(content(replace(rows, task=replace(rows.task, inputs=inputs))))

    assert parts(frame) == parts(frame.copy())
    assert parts(frame) != parts(changed)
    assert parts(numbers[0]) != parts(numbers[1])


def test_a_second_fit_says_what_a_cached_contender_took_when_it_was_calculated(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path))
    for row in range(60):
        place = tmp_path / "pictures" / ("train" if row < 30 else "test") / "rgb"[row % 3]
        place.mkdir(parents=True, exist_ok=True)
        bright(row).save(place / f"{row}.png")
    options = {"epochs": 1, "precision": "float32", "disk": 0, "refit": 0}
    common = {"backbone": RESNET, "method": "top", "options": options, "engine": "torch", "control": False}
    first, second = (headstart.fit(tmp_path / "pictures", **common).evidence_ for _ in range(2))
    took = [{step.step: (step.seconds, step.parameters) for step in made.facts.steps} for made in (first, second)]
    assert took[0]["probe"] == took[1]["probe"]
    assert took[0]["probe"][0] > 0
    assert took[0]["top"][1] == took[1]["top"][1] > took[0]["probe"][1] > 0
