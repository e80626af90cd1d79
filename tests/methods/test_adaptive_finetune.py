"""Pictures from the command line: weights that move towards a target whose answers only the test looks at."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from headstart import Transfer


def folder(path, count, seed, tint):
    rng = np.random.default_rng(seed)
    for row in range(count):
        pixels = rng.integers(0, 150, (32, 32, 3), np.uint8)
        pixels[..., row % 2] += tint
        (path / "ab"[row % 2]).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path / "ab"[row % 2] / f"{row}.png")
    return path


@pytest.fixture
def fit(run, tmp_path):
    """`headstart fit` with a source of 12 pictures and a target of 10, by an adversary; the model that was saved."""
    source, target = folder(tmp_path / "s", 12, 0, 100), folder(tmp_path / "t", 10, 1, 60)
    words = ["fit", target, "--source", source, "--backbone", "timm:test_resnet?weights=random", "--method", "dann"]
    words += ["--target-labels", "none", "--option", "epochs=1", "--engine", "torch", "--out", tmp_path / "model"]

    def fit_words(*more):
        fitted = run(*words, *more)
        assert fitted.code == 0, fitted.err
        return Transfer.load(tmp_path / "model")

    return fit_words


def test_fit_source_by_an_adversary(fit):
    made = fit("--keep-tuned")
    assert made.method == "dann"
    assert made.backbone_.name == "timm:test_resnet?weights=random+dann"
    notes = made.evidence_.notes
    assert "Learnt from 12 source rows; answers of target rows are not looked at, but for the test." in notes
    (over,) = [note for note in notes if note.startswith("Over source-only: ")]
    assert "adaptation" in over or "cannot tell whether it helps" in over


def test_weights_that_are_not_shown_to_be_better_are_not_kept(fit):
    """Ten pictures cannot show it."""
    made = fit()
    evidence = made.evidence_
    assert (made.method, made.options) == ("source-only", None)
    assert made.backbone_.name == "timm:test_resnet?weights=random"
    assert "dann" in evidence.baselines
    assert evidence.adaptation.why == "dann took source-only, which does not adapt"
    assert any("do not show dann to be better than source-only, so source-only is kept" in n for n in evidence.notes)
