"""Several targets of pictures that a table names, and of texts that it holds; weights that move for all of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from small import RESNET

import headstart as hs

WORDS = [
    f"{word} {noun}" for word in ("awful", "broken", "lovely", "great") for noun in ("film", "song", "meal", "room")
]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A table that names 24 pictures: how bright they are, and which channel is the brightest."""
    folder, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    rows = []
    for row in range(24):
        light = 20 * (row // 3)
        pixels = rng.integers(light, light + 40, (32, 32, 3)).astype(np.uint8)
        pixels[:, :, row % 3] += 40
        Image.fromarray(pixels).save(folder / f"{row}.png")
        rows.append({"file": f"{row}.png", "light": light / 10 + 0.1 * (row % 2), "colour": "rgb"[row % 3]})
    split = np.where(np.arange(24) % 4 == 3, "test", "train")
    pd.DataFrame(rows).assign(split=split).to_csv(folder / "table.csv", index=False)
    return folder


def test_a_table_that_names_pictures(pictures, run, tmp_path):
    words = ("--target", "light,colour", "--backbone", RESNET, "--engine", "torch", "--method", "joint")
    fitted = run("fit", pictures / "table.csv", *words, "--out", tmp_path / "m", "--json")
    assert fitted.code == 0, fitted.err
    assert fitted.json["tasks"]["light"]["metrics"]["r2"]["value"] > 0.5
    answered = run("predict", tmp_path / "m", pictures / "0.png", pictures / "1.png", "--json").json["predictions"]
    assert [set(row["targets"]) for row in answered] == [{"light", "colour"}] * 2
    model = hs.MultiTask.load(tmp_path / "m")
    assert model.models_["light"].backbone is model.models_["colour"].backbone
    broken = pictures / "broken.png"
    broken.write_bytes(b"no picture")
    with pytest.raises(hs.DataError, match=r"1 rows cannot be used: .*broken.png .* Leave them out"):
        model.predict([pictures / "0.png", broken])
    with pytest.raises(hs.DataError, match="is one string: give a list"):
        model.predict("a text")


@pytest.mark.slow
@pytest.mark.parametrize("method", ["lp-ft+pcgrad", "top", "probe"])
def test_weights_that_move_for_two_targets_of_texts(method, run, tmp_path):
    table = pd.DataFrame(
        {"text": WORDS * 2, "mood": (["bad"] * 8 + ["good"] * 8) * 2, "length": list(map(len, WORDS * 2))}
    )
    table["text"] += np.where(np.arange(32) < 16, "", " today")
    table["split"] = np.where(np.arange(32) % 4 == 3, "test", "train")
    table.loc[::5, "length"] = np.nan
    table.to_csv(tmp_path / "texts.csv", index=False)
    options = () if method == "probe" else ("--option", "epochs=1", "--option", "validation=0", "--keep-tuned")
    words = ("--target", "mood,length", "--kind", "classification,regression", "--backbone", "bundled:minilm")
    out = tmp_path / "m"
    fitted = run("fit", tmp_path / "texts.csv", *words, "--method", method, *options, "--out", out, "--json")
    assert fitted.code == 0, fitted.err
    assert fitted.json["tasks"]["mood"]["metrics"]["accuracy"]["value"] > 0.7
    model = hs.MultiTask.load(out)
    same = model.models_["mood"].backbone.fingerprint == model.models_["length"].backbone.fingerprint
    assert same
    assert model.models_["mood"].backbone.name.endswith(f"+{method}") == (method != "probe")


def test_a_row_for_one_target_is_refused_before_any_work():
    with pytest.raises(
        ValueError, match=r"method 'l2-sp' is for one target: use its first part alone, or with .pcgrad"
    ):
        hs.MultiTask("bundled:minilm", "l2-sp").fit(["a"], {})
    with pytest.raises(ValueError, match="method 'dann' draws on a source task, which is for one target"):
        hs.MultiTask("bundled:minilm", "dann").fit(["a"], {})
