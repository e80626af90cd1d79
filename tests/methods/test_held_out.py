"""What a training says of the rows that it held out calibrates sets and intervals of a model whose weights moved."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import headstart
from headstart import Transfer
from headstart.data.arrays import as_task
from headstart.features.extract import Extraction
from headstart.features.feature_set import look
from headstart.listener import SILENT
from headstart.methods.method import Data
from headstart.methods.table import row_of
from headstart.methods.uncertainty import calibration_of
from headstart.training.holdout import divided

NAME = "timm:test_resnet?weights=random"


def pictures(count: int, seed: int) -> tuple[list[Image.Image], np.ndarray]:
    """Noise, brighter in one of three channels."""
    rng = np.random.default_rng(seed)
    codes = np.arange(count) % 3
    pixels = rng.integers(0, 200, (count, 32, 32, 3)) + 30 * np.eye(3, dtype=int)[codes][:, None, None]
    return [Image.fromarray(each.astype(np.uint8)) for each in pixels], codes


@pytest.fixture(scope="module", params=["classification", "regression"])
def case(request):
    """A transfer, its rows, and what was fitted to them, which holds a fifth of them out and is not trained again."""
    inputs, codes = pictures(60, 0)
    targets = codes.astype(float) + np.linspace(0, 0.1, 60) if request.param == "regression" else codes
    options = {"epochs": 2, "batch": 16, "refit": 0}
    made = Transfer(NAME, "top", kind=request.param, options=options, engine="torch", cache=False)
    rows = made.look(as_task(inputs, targets.tolist(), kind=request.param), listener=SILENT)
    fitted = row_of(made.plan).fit(made.plan, Data(rows, made.backbone_, (made.extraction(), SILENT)))
    return made, rows, fitted


def test_it_is_the_answer_of_the_model_to_the_rows_that_were_held_out(case):
    made, rows, fitted = case
    held = divided(rows, row_of(made.plan).training).held
    assert fitted.held_out.rows.tolist() == held.tolist()
    assert 10 <= len(held) <= 14
    calibration = calibration_of(fitted, rows)
    assert calibration.targets.tolist() == np.asarray(rows.task.targets)[held].tolist()
    seen = look(rows.take(held).task, fitted.backbone, Extraction(engine="torch", cache=None), SILENT)
    answered = fitted.head.answer(np.asarray(seen.values))
    expected = np.asarray(getattr(answered, "predictions", answered))
    assert expected.shape == calibration.predictions.shape
    assert np.allclose(expected, calibration.predictions, atol=0.05)  # features may have been kept in bfloat16


def test_the_estimator_gives_sets_or_intervals_and_says_why_nothing_is_strange_to_it(tmp_path):
    inputs, codes = pictures(60, 0)
    options = {"epochs": 2, "batch": 16}
    made = Transfer(NAME, "top", options=options, engine="torch", cache=False).fit(inputs, codes.tolist())
    new, truth = pictures(90, 1)
    sets = made.predict_set(new, 0.8)
    assert sets.shape == (90, 3)
    assert sets[np.arange(90), truth].mean() > 0.6  # a threshold of 12 rows
    with pytest.raises(headstart.DataError, match="does not store what it learnt from"):
        made.out_of_distribution(new)
    made.save(tmp_path / "m")
    assert (Transfer.load(tmp_path / "m").predict_set(new, 0.8) == sets).all()


def test_without_rows_held_out_there_are_none():
    inputs, codes = pictures(30, 0)
    options = {"epochs": 1, "batch": 16, "validation": 0.0}
    made = Transfer(NAME, "top", options=options, engine="torch", cache=False).fit(inputs, codes.tolist())
    assert made.model_.uncertainty is None
    with pytest.raises(headstart.DataError, match="stores no scores for sets and intervals"):
        made.predict_set(inputs)
