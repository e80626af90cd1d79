"""Real weights and real data through the whole path: fitted, saved, exported, and asked in a process of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from demo_data import VADER, emoji_folder, sentiment_csv
from italian import words_of
from pages import PROJECT

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

import headstart as hs
from headstart.data.arrays import as_task
from headstart.data.roles import Roles
from headstart.deployment.formats.parity import session_of
from headstart.deployment.formats.sample import exact_features

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
PAGE = (PROJECT / "docs" / "export.md").read_text("utf-8")


def reader(words):
    """The block of docs/export.md that holds these words, without its last line, which asks for an example."""
    block = next(block for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if words in block)
    return block.rsplit("\n\n", 1)[0]


def elsewhere(folder, code, call):
    """What the code prints as JSON, in a process that has neither headstart nor torch."""
    last = f"assert not {{'headstart', 'torch', 'pandas'}} & set(__import__('sys').modules)\nprint(json.dumps({call}))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{last}"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": ""},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_pictures(tmp_path):
    emoji_folder(tmp_path / "all", at_least=25, at_most=25)
    for place in sorted((tmp_path / "all").iterdir())[:3]:
        (tmp_path / "photos" / place.name).mkdir(parents=True)
        for path in sorted(place.iterdir())[:12]:
            shutil.copyfile(path, tmp_path / "photos" / place.name / path.name)
    fitted = hs.fit(tmp_path / "photos", backbone="bundled:efficientnet-lite0", cache=False)
    exported = hs.export(fitted, tmp_path / "flowers.onnx", check_on=tmp_path / "photos", int8=False)
    assert exported.parity.rows == 36
    files = sorted((tmp_path / "photos").rglob("*.png"))[::4]
    ask = "session.run(['probabilities'], {'pixels': pixels(path)})[0][0].tolist()"
    answers = elsewhere(tmp_path, reader("def pixels"), f"[{ask} for path in {list(map(str, files))}]")
    np.testing.assert_allclose(answers, fitted.predict_proba(list(map(str, files))), atol=1e-4)
    session = session_of((tmp_path / "flowers.onnx").read_bytes())
    rng = np.random.default_rng(0)
    for shape in [(1, 1, 1, 3), (1, 600, 40, 3), (7, 33, 90, 3), (1, 900, 1200, 3)]:
        pixels = rng.integers(0, 256, shape, dtype=np.uint8)
        expected = fitted.predict_proba(list(pixels))
        np.testing.assert_allclose(session.run(["probabilities"], {"pixels": pixels})[0], expected, atol=1e-4)
    grey = rng.integers(0, 256, (50, 60), dtype=np.uint8)
    asked = session.run(["probabilities"], {"pixels": np.stack([grey] * 3, -1)[None]})[0]
    np.testing.assert_allclose(asked, fitted.predict_proba([grey]), atol=1e-4)
    small = hs.export(fitted, tmp_path / "small.onnx", check_on=tmp_path / "photos", int8=True)
    entries = session_of((tmp_path / "small.onnx").read_bytes()).get_modelmeta().custom_metadata_map
    assert json.loads(entries["headstart.classes"]) == list(fitted.classes_)
    assert small.facts["bytes"] < 0.4 * small.facts["bytes_float"]
    assert small.facts["int8"]["same"] > 0.8


@pytest.mark.skipif(not VADER.exists(), reason="make data")
@pytest.mark.parametrize("backbone", ["bundled:wordllama", "bundled:minilm"])
def test_texts(tmp_path, backbone, caplog, capfd):
    sentiment_csv(tmp_path / "amazon.csv", train=80, test=60)
    fitted = hs.fit(tmp_path / "amazon.csv", backbone=backbone, cache=False)
    exported = hs.export(fitted, tmp_path / "reviews.onnx", check_on=tmp_path / "amazon.csv", int8=True)
    assert exported.parity.largest <= 1e-4
    assert exported.facts["bytes"] < 0.5 * exported.facts["bytes_float"]
    assert "pre-processing" not in caplog.text + capfd.readouterr().err
    hs.export(fitted, tmp_path / "reviews.onnx", check_on=tmp_path / "amazon.csv", overwrite=True)
    texts = pd.read_csv(tmp_path / "amazon.csv").iloc[:7, 0].tolist()
    texts = [*texts, "a", "very long " * 700]
    call = f"session.run(['probabilities'], feeds({texts!r}))[0].tolist()"
    answers = elsewhere(tmp_path, reader("tokenizer.encode"), call)
    np.testing.assert_allclose(answers, fitted.predict_proba(texts), atol=1e-4)
    again = hs.Transfer(f"onnx:{tmp_path / 'reviews.onnx'}", "ridge", cache=False).fit(texts, ["a", "b", "a"] * 3)
    own = exact_features(fitted, as_task(texts)).features.values
    np.testing.assert_allclose(again.transform(texts), own, atol=1e-4)


@pytest.mark.skipif(not VADER.exists(), reason="make data")
def test_texts_without_a_network(tmp_path):
    sentiment_csv(tmp_path / "amazon.csv", train=80, test=60)
    fitted = hs.fit(tmp_path / "amazon.csv", method="no-transfer", cache=False)
    hs.export(fitted, tmp_path / "words.onnx", check_on=tmp_path / "amazon.csv")
    texts = ["It broke after a day", "Great sound, 大好き", "nothing"]
    answers = elsewhere(
        tmp_path, reader("def terms"), f"session.run(['probabilities'], {{'terms': terms({texts!r})}})[0].tolist()"
    )
    np.testing.assert_allclose(answers, fitted.predict_proba(texts), atol=1e-4)


@pytest.mark.parametrize("backbone", ["bundled:speech-embedding", "bundled:ge2e"])
def test_recordings(tmp_path, backbone):
    import soundfile

    for name, data in sorted(words_of("carlo").items())[:24]:
        side = tmp_path / "recordings" / ("a" if len(name) % 2 else "b")
        side.mkdir(parents=True, exist_ok=True)
        (side / f"{name.replace('/', '-')}.wav").write_bytes(data)
    fitted = hs.fit(tmp_path / "recordings", backbone=backbone, cache=False)
    exported = hs.export(fitted, tmp_path / "words.onnx", check_on=tmp_path / "recordings")
    assert exported.parity.largest <= 1e-4
    rate = fitted.model_.backbone.preprocess.rate
    at = np.arange(rate * 25) / rate
    soundfile.write(tmp_path / "long.wav", 0.2 * np.sin(2 * np.pi * (200 + 20 * at) * at), rate)
    answers = elsewhere(
        tmp_path, reader("soundfile.read"), "session.run(['probabilities'], feeds('long.wav'))[0].tolist()"
    )
    np.testing.assert_allclose(answers, fitted.predict_proba([str(tmp_path / "long.wav")]), atol=1e-4)


@pytest.mark.parametrize("method", ["fine-tune", "lora"])
def test_weights_that_moved(tmp_path, method):
    if method == "lora":
        pytest.importorskip("peft")
    texts = [f"{word} {noun}" for word in ("awful", "broken", "lovely", "great") for noun in ("film", "song", "meal")]
    fitted = hs.Transfer("bundled:minilm", method, options={"epochs": 1, "batch": 4, "validation": 0}, cache=False)
    fitted.fit(texts, ["bad"] * 6 + ["good"] * 6)
    exported = hs.export(fitted, tmp_path / "m.onnx", check_on=texts)
    assert exported.parity.largest <= 1e-4


def test_a_model_that_a_source_helped(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3))
    frame = pd.DataFrame(x, columns=["a", "b", "c"]).assign(target=np.where(x @ [2, -1, 0.5] > 0, "high", "low"))
    target = frame[100:].assign(a=lambda t: 2 * t["a"] + 1, split=["train", "test"] * 50)
    for method in ("coral", "augment", "bbse"):
        fitted = hs.fit(target, source=frame[:100], method=method, roles=Roles(target="target"))
        exported = hs.export(fitted, tmp_path / f"{method}.onnx", check_on=target[["a", "b", "c"]])
        assert exported.parity.rows == 100


@pytest.mark.parametrize("opset", [18, 20, 23])
def test_the_opset_that_was_asked_for_is_that_of_the_file(tmp_path, opset):
    import onnx

    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(40, 3)), columns=["a", "b", "c"]).assign(d=["x", "y"] * 20)
    fitted = hs.Transfer(method="ridge").fit(frame, np.where(frame["a"] > 0, "high", "low"))
    exported = hs.export(fitted, tmp_path / "m.onnx", opset=opset)
    assert exported.parity.rows == 200
    assert {part.domain: part.version for part in onnx.load(exported.path).opset_import}[""] == opset
