"""A linear head on what the table network makes of rows: no row tells its own answer, and it is kept as it answers."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from sklearn.datasets import load_diabetes

from headstart import ArtefactError
from headstart.artefact.tensors import check_head
from headstart.heads.incontext import InContext
from headstart.heads.module import HeadModule
from headstart.heads.row_embeddings import RowEmbeddings
from headstart.heads.select import fit_probe
from headstart.table_prior.network import Design, TablePrior
from headstart.table_prior.weights import write_weights
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION


@pytest.fixture(scope="module")
def reading(tmp_path_factory):
    """With a network that makes something of rows, though it has learnt nothing."""
    folder, design = tmp_path_factory.mktemp("weights"), Design(width=8, heads=2, layers=1, depth=1, wide=2)
    torch.manual_seed(0)
    write_weights(TablePrior(design), folder)
    (folder / "training.json").write_text(json.dumps({"design": design._asdict()}), "utf-8")
    return InContext(weights=str(folder))


def same_as_module(head, features):
    module = HeadModule.stored({name: torch.tensor(value) for name, value in head.arrays.items()}, head.form, 1.0)
    np.testing.assert_allclose(module.logits(features), head.logits(features), atol=1e-6)


@pytest.mark.parametrize("linear", ["ridge", "logistic"])
def test_it_tells_penguins_apart_and_is_the_same_as_a_module(penguins, reading, linear):
    half, other = (penguins.take(np.arange(len(penguins.targets)) % 2 == side) for side in (0, 1))
    options = RowEmbeddings(linear=linear, reading=reading)
    fit = options(half.features, half.targets, kind=CLASSIFICATION, classes=3, folds=half.folds)
    assert fit.head.name == f"row-{linear}"
    assert fit.head.arrays["weight.0"].shape == (16 + 3, 3)
    assert (fit.head.predict(other.features).argmax(1) == other.targets).mean() > 0.95
    assert (fit.out_of_fold.argmax(1) == half.targets).mean() > 0.95
    same_as_module(fit.head, other.features)
    check_head(fit.head.arrays, features=4, outputs=3)


def test_values_come_back_in_their_units(reading):
    x, y = load_diabetes(return_X_y=True)
    y = 1e6 + y
    asked = {"kind": REGRESSION, "classes": 1, "folds": np.arange(200) % 5}
    fit = RowEmbeddings(linear="ridge", reading=reading)(x[:200], y[:200], **asked)
    error = y[200:] - fit.head.predict(x[200:])
    assert np.sqrt(np.mean(error**2)) < 0.85 * y[200:].std()
    same_as_module(fit.head, x[200:])


def test_labels_without_a_meaning_are_not_learnt(reading):
    """They would be, where the embedding of a row held its own answer."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(400, 3)).astype(np.float32), rng.integers(0, 2, 400)
    fit = RowEmbeddings(reading=reading)(x[:200], y[:200], kind=CLASSIFICATION, classes=2, folds=np.arange(200) % 5)
    assert (fit.out_of_fold.argmax(1) == y[:200]).mean() < 0.62
    assert fit.head.predict(x[200:]).max() < 0.9


def test_a_class_that_a_fold_or_no_row_has_and_more_classes_than_symbols(reading):
    rng = np.random.default_rng(0)
    targets = np.arange(240) % 15
    centres = 8 * rng.normal(size=(16, 4))
    targets[:3] = 15  # in the first fold alone
    x = (centres[targets] + rng.normal(size=(240, 4))).astype(np.float32)
    asked = {"kind": CLASSIFICATION, "classes": 17, "folds": np.arange(180) // 15 % 4}
    fit = RowEmbeddings(reading=reading)(x[:180], targets[:180], **asked)
    answers = fit.head.predict(x[180:])
    assert (answers.argmax(1) == targets[180:]).mean() > 0.8
    assert answers[:, 16].max() < 0.01
    assert np.isfinite(fit.out_of_fold).all()


def test_a_linear_head_that_is_named_with_the_network_stands_on_it(penguins, reading):
    some = penguins.take(np.arange(0, 342, 3))
    asked = {"kind": CLASSIFICATION, "classes": 3, "folds": some.folds}
    named = fit_probe(some.features, some.targets, **asked, network=reading.weights, heads=["ridge"])
    assert named.head.arrays.keys() >= {"context", "embeds"}
    assert named.head.facts.account["context"] == 114
    bare = fit_probe(some.features, some.targets, **asked, heads=["ridge"])
    assert "context" not in bare.head.arrays
    with pytest.raises(ValueError, match="kernel head does not stand on what the table network makes of rows"):
        fit_probe(some.features, some.targets, **asked, network=reading.weights, heads=["kernel"])
    several = np.eye(3, dtype=np.uint8)[penguins.targets]
    with pytest.raises(ValueError, match="answers classification and regression tasks, not multilabel"):
        RowEmbeddings(reading=reading)(penguins.features, several, kind=MULTILABEL, classes=3, folds=penguins.folds)


def test_a_damaged_one_is_refused(penguins, reading):
    some = penguins.take(np.arange(0, 340, 10))
    asked = {"kind": CLASSIFICATION, "classes": 3, "folds": some.folds}
    head = RowEmbeddings(reading=reading)(some.features, some.targets, **asked).head
    damages = {"embeds": np.ones(2), "weight.0": head.arrays["weight.0"][:-1]}
    for name, array in damages.items():
        with pytest.raises(ArtefactError, match=name):
            check_head(head.arrays | {name: array}, features=4, outputs=3)
    bare = {
        name: array for name, array in head.arrays.items() if name not in ("context", "answers", "network", "design")
    }
    with pytest.raises(ArtefactError, match="embeds"):
        check_head(bare, features=4, outputs=3)
