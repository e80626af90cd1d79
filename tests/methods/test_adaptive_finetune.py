"""Pictures from the command line: weights that move towards a target whose answers only the test looks at."""

from __future__ import annotations

import numpy as np
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


def test_fit_source_by_an_adversary(run, tmp_path):
    source, target = folder(tmp_path / "s", 12, 0, 100), folder(tmp_path / "t", 10, 1, 60)
    words = ["fit", target, "--source", source, "--backbone", "timm:test_resnet?weights=random", "--method", "dann"]
    words += ["--target-labels", "none", "--option", "epochs=1", "--engine", "torch", "--out", tmp_path / "model"]
    fitted = run(*words)
    assert fitted.code == 0, fitted.err
    made = Transfer.load(tmp_path / "model")
    assert made.method == "dann"
    assert made.backbone_.name == "timm:test_resnet?weights=random+dann"
    notes = made.evidence_.notes
    assert "Learnt from 12 source rows; answers of target rows are not looked at, but for the test." in notes
    (said,) = [note for note in notes if note.startswith("Over source-only: ")]
    assert "adaptation" in said or "cannot tell whether it helps" in said
