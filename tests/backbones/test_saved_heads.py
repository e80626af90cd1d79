"""Every head that the table of methods can make, on real features: saved, read as a backbone, and the same answers."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from demo_data import emoji_folder, rated_sentences
from PIL import Image
from safetensors.torch import load_file, save_file

from headstart import BackboneError, Roles, Transfer, fit
from headstart.adaptation.domain_pair import SourceSide
from headstart.adaptation.learn import BASES, fit_strategy
from headstart.adaptation.strategies import STRATEGIES
from headstart.adaptation.strategy import Strategy
from headstart.backbones.classifier import answers, matched
from headstart.backbones.load import load
from headstart.data.arrays import as_task
from headstart.features.extract import Extraction
from headstart.features.feature_set import look
from headstart.heads.facts import FitterFacts
from headstart.heads.module import HeadModule
from headstart.listener import Logged
from headstart.methods.table import METHODS
from headstart.tasks import CLASSIFICATION

WORDS = "bundled:wordllama"
TEXTS = Roles(input=("text",), target="label")
FROZEN = [name for name, row in METHODS.items() if not row.moves_weights and not row.needs_source]
ON_BACKBONES = [name for name in FROZEN if METHODS[name].reuses]
STEPS = [name for name, row in STRATEGIES.items() if not row.strategy.guarded]
EXACT = {"engine": "torch", "cache": False}


def sentences(domain, count):
    """Rated sentences, half of them praise."""
    rows = [(text, rating > 0) for _, rating, text in rated_sentences(domain) if abs(rating) > 1]
    some = [text for text, praise in rows if praise][: count // 2], [text for text, praise in rows if not praise]
    texts = some[0] + some[1][: count // 2]
    return pd.DataFrame(
        {"text": texts, "label": np.repeat(["praise", "blame"], [len(some[0]), len(texts) - len(some[0])])}
    )


@pytest.fixture(scope="module")
def pair():
    """Source and target sentences."""
    return sentences("amazon", 160), sentences("tweets", 60)


@pytest.fixture(scope="module")
def ground(pair):
    """Their features on common ground; half of the target's answers are known."""
    plain, backbone = Extraction(engine="torch", precision="float32"), load(WORDS)
    seen = [
        look(as_task(list(table["text"]), list(table["label"]), kind="classification", group=None), backbone, plain,
             Logged()) for table in pair
    ]  # fmt: skip
    source, target = seen
    known = np.where(np.arange(len(target)) % 2, np.asarray(target.task.targets), -1)
    return SourceSide(source, 0).pair(target, known), np.asarray(target.values)


def same_function(head, features):
    """The torch form of a head says what the head says, of features as a backbone gives them."""
    tensors = {name: torch.tensor(value) for name, value in head.arrays.items()}
    module = HeadModule.stored(tensors, head.form, head.temperature)
    with torch.inference_mode():
        found = module(torch.tensor(np.asarray(features, np.float32))).numpy()
    np.testing.assert_allclose(found, head.logits(features) / head.temperature, atol=1e-6)
    np.testing.assert_allclose(torch.tensor(found).softmax(1).numpy(), head.predict(features), atol=1e-6)


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("name", STEPS)
def test_a_head_of_any_step_on_any_base(name, base, ground):
    on, features = ground
    head = replace(fit_strategy(on, STRATEGIES[name].strategy, base), form=on.form)
    same_function(head, features)


@pytest.mark.parametrize(("hidden", "form"), [(0, "plain"), (0, "root"), (7, "plain")])
def test_a_head_that_was_trained_with_its_backbone(hidden, form, ground):
    _, features = ground
    rng = np.random.default_rng(0)
    torch.manual_seed(0)
    made = HeadModule.fresh(features.mean(0), features.std(0), 3, form=form, hidden=hidden)
    torch.nn.init.normal_(made.linear.weight)
    head = made.exported(CLASSIFICATION, temperature=float(rng.uniform(0.5, 2)), facts=FitterFacts())
    same_function(head, features)


def says(folder, inputs, classes):
    """What the whole network of a saved model and what its head alone say of inputs: probabilities (N, C)."""
    backbone = load(f"file:{folder}")
    classifier = backbone.classifier()
    groups = matched(classifier.labels, classes)
    plain = Extraction(engine="torch", precision="float32")
    seen, whole = (
        look(as_task(list(inputs), None, kind="classification", group=None), on, plain, Logged())
        for on in (backbone, classifier.backbone)
    )
    return answers(np.asarray(whole.values), groups), answers(classifier.head(np.asarray(seen.values)), groups)


def answers_as_itself(made, folder, inputs):
    """To 1e-6; a head that answers in context, by a network, as far as the last bits of what it is given let it."""
    features, head = np.asarray(made.transform(inputs)), made.model_.head
    error = by_last_bits(head, features) if "context" in head.arrays else 0.0
    for probabilities in says(folder, inputs, list(made.classes_)):
        np.testing.assert_allclose(probabilities, made.predict_proba(inputs), atol=1e-6 + error)


def by_last_bits(head, features):
    """How far answers move with what float32 sums of D terms leave unknown: some sqrt(D) half bits of the largest."""
    unknown = 2.0**-24 * np.sqrt(features.shape[1]) * np.abs(features).max(axis=0)
    signs = np.random.default_rng(0).choice([-1, 1], (4, *features.shape))
    return max(np.abs(head.predict(features + unknown * each) - head.predict(features)).max() for each in signs)


@pytest.mark.parametrize("name", ON_BACKBONES)
def test_a_saved_model_of_any_head_answers_as_itself(name, pair, tmp_path):
    table = pair[0]
    made = Transfer(WORDS, name, **EXACT).fit(list(table["text"]), list(table["label"]))
    answers_as_itself(made, made.save(tmp_path / "model"), list(pair[1]["text"]))


def test_direct_is_what_a_model_that_was_adapted_says(pair, tmp_path):
    source, target = pair
    target = target.assign(split=np.where(np.arange(len(target)) % 2, "train", "test"))  # one trial, not fifteen
    made = fit(target, source=source, backbone=WORDS, method="likeness", roles=TEXTS, **EXACT)
    folder = made.save(tmp_path / "model")
    answers_as_itself(made, folder, list(target["text"]))
    again = fit(target, backbone=f"file:{folder}", method="ridge", roles=TEXTS, **EXACT)
    tested = target[target["split"] == "test"]
    right = (made.predict(list(tested["text"])) == tested["label"]).mean()
    assert again.evidence_.baselines["direct"]["accuracy"].value == pytest.approx(right, abs=1e-12)


def test_direct_of_pictures_is_what_the_model_says(tmp_path):
    folder = emoji_folder(tmp_path / "pictures", at_least=60, at_most=6)
    paths = sorted(folder.rglob("*.png"))
    names = [path.parent.name for path in paths]
    made = Transfer("bundled:efficientnet-lite0", "kernel", **EXACT).fit(paths, names)
    at = made.save(tmp_path / "model")
    again = fit(folder, backbone=f"file:{at}", method="prototypes", **EXACT)
    right = np.mean(made.predict(paths) == names)
    assert again.evidence_.baselines["direct"]["accuracy"].value == pytest.approx(right, abs=1e-12)


def test_a_head_that_holds_what_is_not_known_here_is_refused_before_any_work(pair, tmp_path):
    table = pair[0]
    folder = Transfer(WORDS, "ridge", **EXACT).fit(list(table["text"]), list(table["label"])).save(tmp_path / "model")
    path = folder / "model.safetensors"
    save_file(load_file(path) | {"head.centre": torch.ones(3)}, path)
    with pytest.raises(BackboneError, match=r"its head holds centre, expected only mean, scale, weight.0, bias.0: use"):
        load(f"file:{folder}")


def drawn_pictures():
    rng = np.random.default_rng(0)
    shades = 100 * np.eye(3, dtype=np.uint8)
    return [Image.fromarray(rng.integers(0, 150, (40, 40, 3), np.uint8) + shades[i % 3]) for i in range(30)]


@pytest.mark.parametrize("name", ON_BACKBONES)
def test_a_saved_model_of_pictures_with_any_head_answers_as_itself(name, tmp_path):
    pictures = drawn_pictures()
    made = Transfer("timm:test_resnet?weights=random", name, **EXACT).fit(pictures, list("abc" * 10))
    answers_as_itself(made, made.save(tmp_path / "model"), pictures[:9])


@pytest.mark.parametrize("modality", ["table", "array"])
@pytest.mark.parametrize("name", FROZEN)
def test_a_saved_model_of_columns_with_any_head_has_a_torch_form(name, modality, tmp_path):
    """No backbone can be made of it, but its head is a module as any other."""
    x = np.random.default_rng(0).normal(size=(60, 3))
    X = pd.DataFrame(x, columns=["a", "b", "c"]) if modality == "table" else x
    folder = Transfer(method=name).fit(X, np.where(x[:, 0] * x[:, 1] > 0, "high", "low")).save(tmp_path / "model")
    head = Transfer.load(folder).model_.head
    same_function(head, np.random.default_rng(1).normal(size=(20, head.width)).astype(np.float32))


@pytest.mark.parametrize("modality", ["table", "array"])
def test_a_model_of_columns_is_no_backbone(modality, tmp_path):
    x = np.random.default_rng(0).normal(size=(40, 2))
    X = pd.DataFrame(x, columns=["a", "b"]) if modality == "table" else x
    folder = Transfer(method="boosting").fit(X, np.where(x[:, 0] > 0, "high", "low")).save(tmp_path / "model")
    assert json.loads((folder / "config.json").read_text())["modality"] == modality
    with pytest.raises(BackboneError, match=f"is a model of a {modality}, which has no backbone: its features are the"):
        load(f"file:{folder}")


def test_a_network_begins_with_a_linear_head_alone(ground):
    on, _ = ground
    for base in ("kernel", "boosting"):
        head = fit_strategy(on, Strategy(), base)
        with pytest.raises(ValueError, match=r"head has more than one layer: use ridge or logistic, since .* its .*s"):
            HeadModule.like(head)
    with pytest.raises(ValueError, match=r"cannot begin with its shift, turn, unit"):
        HeadModule.like(fit_strategy(on, STRATEGIES["likeness"].strategy, "linear"))
