"""A fit whose features pass by in blocks: the protocol around it, and when it is taken."""

import numpy as np
import pytest
from PIL import Image

from headstart.backbones import load
from headstart.data.read import read
from headstart.errors import DataError
from headstart.study import in_blocks
from headstart.study.protocol import fit
from headstart.transfer import Transfer

BACKBONE = "small:conv4-28"


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Pictures of two colours to learn from, with one that cannot be read, and others to be tested on."""
    places = []
    for name, count in (("train", 24), ("test", 8)):
        place = tmp_path_factory.mktemp(name)
        random = np.random.default_rng(count)
        for number, label in enumerate(("dark", "light")):
            (place / label).mkdir()
            for row in range(count):
                pixels = random.integers(90 * number, 160 + 90 * number, (30, 30, 3)).clip(0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(place / label / f"{row}.png")
        places.append(place)
    (places[0] / "dark" / "broken.png").write_text("no picture")
    return places


def fitted(folders, method="ridge", **options):
    train, test = folders
    return fit(train, test=test, backbone=BACKBONE, method=method, engine="torch", allow_losses=True, **options)


@pytest.fixture(scope="module")
def model(folders):
    return fitted(folders, blocks=True, cache=False)


def test_the_test_rows_are_opened_once_and_the_evidence_says_how(model):
    evidence = model.evidence_
    assert (evidence.n_train, evidence.n_test) == (48, 16)
    assert evidence.protocol == "the test split that came with the data"
    assert any("fitted in blocks" in note for note in evidence.notes)
    assert evidence.facts.model.n_set_aside == 1
    assert evidence.assessment.metrics["accuracy"].value > 0.9


def test_the_model_is_one_like_any_other(model, folders, tmp_path):
    paths = [str(folders[1] / label / "0.png") for label in ("dark", "light")]
    again = Transfer.load(model.save(tmp_path / "model"))
    np.testing.assert_array_equal(model.predict_proba(paths), again.predict_proba(paths))
    assert model.predict(paths).tolist() == ["dark", "light"]
    assert model.model_.head.name == "ridge"


@pytest.mark.slow
def test_blocks_of_any_size_give_the_same_model(folders, model, monkeypatch):
    monkeypatch.setattr(in_blocks, "_AT_ONCE", 4 * model.backbone_.dim * 7)
    small = fitted(folders, blocks=True, cache=False)
    paths = [str(folders[1] / label / "1.png") for label in ("dark", "light")]
    np.testing.assert_allclose(small.predict_proba(paths), model.predict_proba(paths), rtol=1e-6)


@pytest.mark.slow
def test_a_probe_is_logistic_regression(folders):
    assert fitted(folders, "probe", blocks=True, cache=False).model_.head.name == "logistic"


def test_it_is_taken_where_features_exceed_a_quarter_of_the_memory(folders, monkeypatch):
    task = read(folders[0])
    asked = Transfer(BACKBONE, "ridge")
    width = load(BACKBONE).dim
    size = 4 * len(task) * width
    monkeypatch.setattr(in_blocks, "_memory", lambda: 4.0 * size)
    assert not in_blocks.beyond_memory(asked, task)
    monkeypatch.setattr(in_blocks, "_memory", lambda: 4.0 * size - 4)
    assert in_blocks.beyond_memory(asked, task)
    assert not in_blocks.beyond_memory(Transfer(BACKBONE, "boosting"), task)
    assert any("fitted in blocks" in note for note in fitted(folders, cache=False).evidence_.notes)


def test_a_method_that_needs_all_features_is_refused(folders):
    with pytest.raises(ValueError, match="'kernel' needs all features in memory: expected probe, logistic,"):
        fitted(folders, "kernel", blocks=True)


def test_too_few_rows_for_one_split_are_refused(folders):
    with pytest.raises(DataError, match="48 rows are too few for a fit in blocks"):
        fit(folders[0], backbone=BACKBONE, method="ridge", blocks=True, cache=False, allow_losses=True)


def test_rows_of_numbers_have_no_features_to_compute():
    with pytest.raises(ValueError, match="has no features to compute"):
        fit({"x": [1.0, 2.0] * 20, "y": ["a", "b"] * 20}, method="ridge", blocks=True)
