"""What a model that was fitted on a GPU stores, and how it is fed where there is none, and the other way round."""

from __future__ import annotations

import json

import numpy as np
import pytest
from elsewhere import pretended

import headstart as hs
from headstart.backbones.load import load
from headstart.features.cache.cache import Cache
from headstart.features.engines import select, support
from headstart.features.extract import Extraction, extract

LABELS = ["dark", "light"] * 12


def pictures(seed, count=24):
    rng = np.random.default_rng(seed)
    made = [rng.integers(0, 256, (32, 32, 3), dtype=np.uint8) for _ in range(count)]
    return [picture // 4 if number % 2 == 0 else picture for number, picture in enumerate(made)]


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """The folder of a model of a GPU, and its answers there."""
    with pretended():
        model = hs.Transfer("small:conv4-16", "ridge", device="cuda", cache=False).fit(pictures(0), LABELS)
        answers = model.predict_proba(pictures(1))
        return model.save(tmp_path_factory.mktemp("stored") / "model"), answers


@pytest.fixture
def has_bfloat16(monkeypatch):
    """Whatever this processor is, torch's bfloat16 is tried on it and works, if slowly."""
    plain = support.obstacle
    monkeypatch.setattr(
        select, "obstacle", lambda name, *args, **options: "" if name == "torch" else plain(name, *args, **options)
    )


@pytest.mark.device
def test_the_device_and_the_precision_are_in_the_artefact_and_on_its_card(fitted):
    folder, _ = fitted
    engine = json.loads((folder / "config.json").read_text("utf-8"))["engine"]
    assert (engine["name"], engine["precision"], engine["device"]) == ("torch", "bfloat16", "cuda")
    assert "torch bfloat16 on cuda" in (folder / "README.md").read_text("utf-8")


def test_a_head_of_bfloat16_features_is_fed_by_the_same_on_a_cpu(fitted, has_bfloat16):
    folder, expected = fitted
    answers = hs.predict(hs.Transfer.load(folder), pictures(1))
    assert answers.notes == ()
    np.testing.assert_allclose(answers.values, expected, atol=0.05)


def test_where_a_cpu_has_no_bfloat16_it_says_so_and_why(fitted, no_bfloat16, caplog):
    folder, expected = fitted
    note = (
        "the model was fitted on features of torch bfloat16 on cuda, which cannot be had here (this processor has no "
        "bfloat16 arithmetic): those of torch float32 on cpu are nearly the same, and so are the answers"
    )
    answers = hs.predict(hs.Transfer.load(folder), pictures(1))
    assert answers.notes == (note,)
    np.testing.assert_allclose(answers.values, expected, atol=0.1)
    with caplog.at_level("INFO", "headstart"):
        hs.Transfer.load(folder).predict(pictures(1))
    assert note in caplog.text


def test_a_model_of_a_cpu_is_fed_by_its_precision_on_a_gpu(tmp_path):
    model = hs.Transfer("small:conv4-16", "ridge", engine="torch", cache=False).fit(pictures(0), LABELS)
    expected = model.predict_proba(pictures(1))
    folder = model.save(tmp_path / "model")
    precision = model.model_.engine["precision"]
    with pretended():
        loaded = hs.Transfer.load(folder)
        answers = loaded.predict_proba(pictures(1))
        assert hs.predict(loaded, pictures(1)).notes == ()
    np.testing.assert_allclose(answers, expected, atol=1e-4 if precision == "float32" else 0.05)


def test_features_of_a_device_are_not_taken_for_those_of_another(cache):
    backbone, inputs = load("small:conv4-16"), pictures(2)
    extraction = Extraction(engine="torch", precision="float32", cache=Cache(cache.folder), thumbs=False)
    assert extract(inputs, backbone, extraction).computed == 24
    with pretended():
        assert extract(inputs, backbone, extraction).computed == 24
        assert extract(inputs, backbone, extraction).computed == 0
    assert extract(inputs, backbone, extraction).computed == 0
    about = [json.loads(file.read_text("utf-8")) for file in cache.folder.glob("features/*/about.json")]
    assert sorted(record["device"] for record in about) == ["cpu", "cuda"]


@pytest.mark.device
def test_a_model_of_openvino_is_not_fed_by_a_gpu():
    with pretended():
        asked = Extraction(device="cuda")
        with pytest.raises(
            ValueError, match="device = 'cuda': the model was fitted on features of OpenVINO, which runs"
        ):
            asked.as_fitted({"name": "openvino", "precision": "float32"})
        fed = Extraction().as_fitted({"name": "openvino", "precision": "bfloat16"})
    assert (fed.engine, fed.precision, fed.device) == ("openvino", "bfloat16", "auto")
