"""Pictures of 12 bits in 16 from end to end: emoji whose grey lies between 1000 and 1200, as soft tissue's does."""

from __future__ import annotations

import numpy as np
import pytest
from demo_data import emoji_folder
from PIL import Image
from preloaded import COMMAND_LINE

import headstart
from headstart import Transfer

FIT = {"backbone": "bundled:mobilenetv2", "method": "prototypes", "engine": "torch", "cache": False}
SMALL = FIT | {"backbone": "timm:test_resnet?weights=random"}


def grey(path):
    picture = Image.open(path).convert("RGBA")
    white = Image.new("RGBA", picture.size, "white")
    white.alpha_composite(picture)
    return np.asarray(white.convert("L"), np.float64)


@pytest.fixture(scope="module")
def scans(tmp_path_factory):
    """The same 32 emoji of two kinds as 8 bits and as 12 bits in 16, in two folders."""
    root = tmp_path_factory.mktemp("scans")
    emoji = emoji_folder(root / "emoji")
    kinds = sorted(emoji.iterdir(), key=lambda folder: (-len(list(folder.iterdir())), folder.name))[:2]
    for kind in kinds:
        for depth in ("8", "12"):
            (root / depth / kind.name).mkdir(parents=True)
        for path in sorted(kind.iterdir())[:16]:
            values = grey(path)
            Image.fromarray(values.astype(np.uint8)).save(root / "8" / kind.name / path.name)
            deep = np.rint(1000 + 200 * values / 255).astype(np.uint16)
            Image.fromarray(deep).save(root / "12" / kind.name / path.name)
    return root


def test_twelve_bits_are_seen_as_eight_are_and_the_same_in_predict(scans, tmp_path):
    plain = headstart.fit(str(scans / "8"), **FIT)
    fitted = headstart.fit(str(scans / "12"), **FIT)
    low, high = fitted.model_.backbone.preprocess.window
    assert 1000 <= low < 1060 < high == 1200
    gained = [made.evidence_.metrics["accuracy"].value for made in (plain, fitted)]
    assert abs(gained[0] - gained[1]) < 0.05
    assert not [finding for finding in fitted.evidence_.findings if "near" in finding["what"]]
    assert any(f"{low:g} becomes black and 1200 white in 32 pictures" in note for note in fitted.evidence_.notes)
    for slim in (False, True):
        folder = fitted.save(tmp_path / f"slim {slim}", slim=slim)
        loaded = Transfer.load(folder)
        assert loaded.model_.backbone.preprocess.window == loaded.window == (low, high)
        all_rows = headstart.predict(loaded, str(scans / "12"))
        one = headstart.predict(loaded, str(scans / "12" / all_rows.names[20]))
        assert np.allclose(one.values[0], all_rows.values[20], atol=1e-4)
    assert f"of more than 8 bits {low:g} becomes black and 1200 white" in (folder / "README.md").read_text("utf-8")


def test_arrays_and_a_window_that_is_asked_for(scans):
    paths = sorted((scans / "12").glob("*/*.png"))
    stack = np.stack([np.asarray(Image.open(path)) for path in paths])
    labels = [path.parent.name for path in paths]
    fitted = Transfer(window=(900, 1300), **SMALL).fit(stack, labels)
    assert fitted.backbone_.preprocess.window == (900, 1300)
    assert np.allclose(fitted.predict_proba(stack), fitted.predict_proba([str(path) for path in paths]), atol=1e-4)
    with pytest.raises(ValueError, match=r"window = .*expected two ascending numbers"):
        Transfer(window=(3, 3), **SMALL).fit(stack, labels)


def test_a_model_of_eight_bits_says_that_it_knows_no_others(scans):
    heard = []

    class Ear:
        def say(self, words):
            heard.append(words)

        def progress(self, stage, done, total):
            pass

    paths = sorted((scans / "8").glob("*/*.png"))
    fitted = Transfer(**SMALL).fit([str(path) for path in paths], [path.parent.name for path in paths])
    headstart.predict(fitted, str(scans / "12"), listener=Ear())
    assert any("32 pictures have more than 8 bits, and the model was fitted to none such" in words for words in heard)


@pytest.mark.slow
def test_the_window_on_the_command_line(preloaded, scans, tmp_path):
    words = ["fit", str(scans / "12"), "--out", str(tmp_path / "m"), "--backbone", SMALL["backbone"], "--no-cache"]
    words += ["--method", "prototypes", "--engine", "torch", "--window", "0,4095", "--keep-transfer"]
    done = preloaded.run(COMMAND_LINE, *words)
    assert done.returncode == 0, done.stderr
    assert "0 becomes black and 4095 white in 32 pictures of more than 8 bits (as asked)" in " ".join(
        done.stderr.split()
    )
    assert Transfer.load(tmp_path / "m").model_.backbone.preprocess.window == (0, 4095)
