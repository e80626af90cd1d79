"""Recordings from a folder to a saved model and its answers, on the command line and in Python, with a real network."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from italian import both
from tones import RATE, melody, words, write

import headstart as hs
from headstart.data.quality.near_sounds import near_sounds
from headstart.data.sound_sketch import sketch
from headstart.data.sounds import clip_of
from headstart.errors import DataError, MissingWeights

BACKBONE = "bundled:speech-embedding"


@pytest.fixture(scope="module", autouse=True)
def weights() -> None:
    from headstart.backbones.load import load

    try:
        load(BACKBONE)
    except MissingWeights as error:
        pytest.skip(str(error))


def run(*arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "headstart", *map(str, arguments)], capture_output=True, text=True, timeout=600
    )
    assert done.returncode == code, done.stderr
    return done


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder of recordings of 8 kHz, some of which cannot be used, and a model fitted by the command line."""
    folder = tmp_path_factory.mktemp("sound")
    words(folder / "words", each=14, rate=8000)
    (folder / "words" / "low" / "broken.wav").write_bytes(b"RIFF....WAVEnothing")
    run("fit", folder / "words", "--out", folder / "model", "--no-control")
    return folder


def test_what_fit_says_and_keeps(place):
    page = run("show", place / "model").stdout
    assert "accuracy" in page
    evidence = json.loads(run("show", place / "model", "--json").stdout)
    assert evidence["baselines"].keys() >= {"majority", "no-transfer"} if "baselines" in evidence else True
    assert any("resampled to 16,000 Hz: 28 of 8,000 Hz" in note for note in evidence["notes"])
    loaded = hs.Transfer.load(place / "model")
    assert loaded.model_.modality == "audio"
    assert loaded.evidence_.facts.model.n_set_aside == 1
    card = (place / "model" / "README.md").read_text("utf-8")
    assert "16,000 Hz" in card


def test_answers_are_the_same_in_a_fresh_process_and_in_the_order_of_the_inputs(place):
    files = sorted((place / "words").rglob("*.wav"))
    run("predict", place / "model", *files, place / "gone.wav", "--out", place / "answers.csv")
    with open(place / "answers.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == [str(path) for path in (*files, place / "gone.wav")]
    assert rows[-1]["reason"].startswith("no such file")
    broken = next(row for row in rows if row["name"].endswith("broken.wav"))
    assert (broken["prediction"], broken["reason"][:13]) == ("", "no sound that")
    answered = [row for row in rows if row["prediction"]]
    assert np.mean([Path(row["name"]).parent.name == row["prediction"] for row in answered]) > 0.9
    model = hs.Transfer.load(place / "model")
    here = hs.predict(model, [row["name"] for row in answered])
    assert np.allclose(here.values[:, 0], [float(row["p(high)"]) for row in answered], atol=2e-6)


def test_waves_give_the_answers_of_their_files(place):
    model = hs.Transfer.load(place / "model")
    files = sorted((place / "words" / "low").glob("a*.wav"))
    waves = [soundfile.read(path, dtype="float32")[0] for path in files]
    by_file = model.predict_proba(files)
    assert np.allclose(model.predict_proba([(wave, 8000) for wave in waves]), by_file, atol=1e-6)
    assert np.allclose(model.set_params(sample_rate=8000).predict_proba(waves), by_file, atol=1e-6)
    assert np.allclose(model.predict_proba([path.read_bytes() for path in files]), by_file, atol=1e-6)
    with pytest.raises(DataError, match=r"give sample_rate"):
        model.set_params(sample_rate=None).predict(waves)


def test_an_answer_for_each_window_with_its_times(place):
    rng = np.random.default_rng(3)
    parts = [melody(pitch, 2.0, RATE, rng) for pitch in (200, 900, 200)]
    long = write(place / "long.flac", np.concatenate(parts)[: 5 * RATE + RATE // 2])
    run("predict", place / "model", long, place / "gone.wav", "--windows", 2, "--out", place / "windows.csv")
    with open(place / "windows.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["start"], row["end"]) for row in rows] == [("0.0", "2.0"), ("2.0", "4.0"), ("3.5", "5.5"), ("", "")]
    assert [row["prediction"] for row in rows[:2]] == ["low", "high"]
    assert rows[3]["reason"].startswith("no such file")
    model = hs.Transfer.load(place / "model")
    alone = hs.predict(model, [(parts[1], RATE)]).values
    assert np.allclose(float(rows[1]["p(high)"]), alone[0, 0], atol=0.02)
    assert "expected 0.025 to 30" in run("predict", place / "model", long, "--windows", "90", code=2).stderr


def test_one_answer_a_file_is_of_the_mean_over_windows(place):
    model = hs.Transfer.load(place / "model")
    rng = np.random.default_rng(4)
    first, second = (np.resize(melody(pitch, 3.0, RATE, rng), 30 * RATE) for pitch in (200, 900))
    rows = model.transform([(first, RATE), (second, RATE), (np.concatenate([first, second]), RATE)])
    assert np.allclose(rows[2], rows[:2].mean(axis=0), rtol=1e-3, atol=1e-3)


@pytest.mark.slow
def test_features_and_check_of_a_folder(place):
    run("features", place / "words", "--out", place / "features.npy")
    assert np.load(place / "features.npy").shape == (29, 96)
    report = json.loads(run("check", place / "words", "--json").stdout)
    assert (report["rows"], report["used"]) == (28, 28)
    assert [finding["what"] for finding in report["findings"]] == ["inputs that cannot be used"]


@pytest.mark.slow
def test_without_transfer_no_network_is_kept(place):
    run("fit", place / "words", "--out", place / "plain", "--method", "no-transfer")
    model = hs.Transfer.load(place / "plain")
    assert model.model_.backbone is None
    files = [path for path in sorted((place / "words").rglob("*.wav")) if path.stem != "broken"]
    truth = [path.parent.name for path in files]
    assert np.mean(model.predict(files) == truth) > 0.9
    with pytest.raises(ValueError, match=r"windows are for a model whose backbone hears recordings"):
        hs.predict(model, files, windows=1.0)


@pytest.mark.parametrize("method", ["top", "lora"])
def test_weights_move_and_the_model_is_the_same_once_it_is_loaded(place, method):
    pytest.importorskip("peft")
    files = [path for path in sorted((place / "words").rglob("*.wav")) if path.stem != "broken"]
    truth = [path.parent.name for path in files]
    model = hs.Transfer(BACKBONE, method, options={"epochs": 1, "batch": 8}, cache=False)
    model.fit(files, truth)
    model.save(place / method)
    assert np.allclose(hs.Transfer.load(place / method).predict_proba(files), model.predict_proba(files), atol=1e-5)


@pytest.mark.slow
def test_a_source_of_recordings(place):
    words(place / "source", each=10)
    run(
        "fit",
        place / "words",
        "--source",
        place / "source",
        "--method",
        "coral",
        "--out",
        place / "drawn",
        "--no-control",
    )
    model = hs.Transfer.load(place / "drawn")
    files = [path for path in sorted((place / "words").rglob("*.wav")) if path.stem != "broken"]
    assert np.mean(model.predict(files) == [path.parent.name for path in files]) > 0.9


def test_one_recording_of_each_word_is_enough_for_another_speaker():
    """One-shot: each word once by a man, asked of a woman. Cepstra alone do far worse."""
    pairs = {name: pair for name, pair in both().items() if not name.isdigit() and max(map(len, pair)) < 24000}
    names = distinct({name: man for name, (man, _) in pairs.items()})[:60]
    model = hs.Transfer(BACKBONE, method="prototypes", cache=False)
    model.fit([pairs[name][0] for name in names] * 2, names * 2)
    right = np.mean(model.predict([pairs[name][1] for name in names]) == names)
    man, woman = (np.stack([sketch(clip_of(pairs[name][who])) for name in names])[:, -121:-1] for who in (0, 1))
    man, woman = ((x - x.mean(axis=0)) / x.std(axis=0) for x in (man, woman))
    plain = np.mean(((woman[:, None] - man[None]) ** 2).sum(axis=2).argmin(axis=1) == np.arange(len(names)))
    assert right >= 0.6
    assert right > plain + 0.2


def distinct(recordings: dict[str, bytes]) -> list[str]:
    """Names without those of copies: some prompts are the same recording."""
    names = sorted(recordings)
    sketches = np.stack([sketch(clip_of(io.BytesIO(recordings[name]).getvalue())) for name in names])
    copies = {int(second) for _, second in near_sounds(sketches)}
    return [name for row, name in enumerate(names) if row not in copies]
