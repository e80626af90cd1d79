"""Answers in context as a head: what it learns, how it is kept, and what it refuses."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from sklearn.datasets import load_diabetes

from headstart import ArtefactError, MissingWeights, Transfer
from headstart.artefact.tensors import check_head
from headstart.heads.incontext import InContext, codebook
from headstart.heads.module import HeadModule
from headstart.heads.select import fit_probe
from headstart.table_prior.network import Design, TablePrior
from headstart.table_prior.weights import write_weights
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A folder with a network that answers otherwise than its smoothers, though it has learnt nothing."""
    folder, design = tmp_path_factory.mktemp("weights"), Design(width=8, heads=2, layers=1, depth=1, wide=2)
    torch.manual_seed(0)
    network = TablePrior(design)
    for head in network.logits:
        torch.nn.init.normal_(head.weight, std=0.05)
    write_weights(network, folder)
    (folder / "training.json").write_text(json.dumps({"design": design._asdict()}), "utf-8")
    return str(folder)


def same_as_module(head, features):
    module = HeadModule.stored({name: torch.tensor(value) for name, value in head.arrays.items()}, head.form, 1.0)
    np.testing.assert_allclose(module.logits(features), head.logits(features), atol=1e-6)


def test_it_tells_penguins_apart_and_is_the_same_as_a_module(penguins, weights):
    half = penguins.take(np.arange(len(penguins.targets)) % 2 == 0)
    other = penguins.take(np.arange(len(penguins.targets)) % 2 == 1)
    for folder in ("", weights):
        fit = InContext(weights=folder)(half.features, half.targets, kind=CLASSIFICATION, classes=3, folds=half.folds)
        answers = fit.head.predict(other.features)
        assert (answers.argmax(1) == other.targets).mean() > 0.95
        assert (fit.out_of_fold.argmax(1) == half.targets).mean() > 0.95
        same_as_module(fit.head, other.features)


def test_the_folds_settle_how_much_the_network_says(penguins, weights, tmp_path):
    some = penguins.take(np.arange(0, 342, 3))
    asked = {"kind": CLASSIFICATION, "classes": 3, "folds": some.folds}
    account = InContext(weights=weights)(some.features, some.targets, **asked).head.facts.account
    assert account["losses"][str(account["network"])] == min(account["losses"].values())
    wrong = TablePrior(Design(width=8, heads=2, layers=1, depth=1, wide=2))
    for head in wrong.logits:
        torch.nn.init.normal_(head.weight, std=20.0, generator=torch.Generator().manual_seed(0))
    write_weights(wrong, tmp_path)
    (tmp_path / "training.json").write_text(json.dumps({"design": wrong.design._asdict()}), "utf-8")
    left = InContext(weights=str(tmp_path))(some.features, some.targets, **asked).head
    assert left.facts.account["network"] == 0
    bare = InContext(weights="none")(some.features, some.targets, **asked).head
    np.testing.assert_array_equal(left.arrays["network"], bare.arrays["network"])
    np.testing.assert_allclose(left.logits(penguins.features), bare.logits(penguins.features))


def test_large_tables_are_read_fewer_times():
    assert InContext().problems(100, 4) == 4
    assert InContext().problems(500, 20) == 3
    assert InContext().problems(1000, 100) == 1


def test_values_come_back_in_their_units():
    x, y = load_diabetes(return_X_y=True)
    y = 1e6 + y
    fit = InContext()(x[:200], y[:200], kind=REGRESSION, classes=1, folds=np.arange(200) % 5)
    error = y[200:] - fit.head.predict(x[200:])
    assert np.sqrt(np.mean(error**2)) < 0.8 * y[200:].std()
    same_as_module(fit.head, x[200:])


def test_more_rows_than_the_context_holds_are_drawn_from(penguins):
    options = InContext(rows=60)
    fit = options(penguins.features, penguins.targets, kind=CLASSIFICATION, classes=3, folds=penguins.folds)
    assert fit.head.arrays["context"].shape == (60, 4)
    assert fit.head.facts.account["context"] == 60
    assert (fit.out_of_fold.argmax(1) == penguins.targets).mean() > 0.9


def test_a_class_that_few_or_no_rows_have_keeps_small_odds(penguins):
    fit = InContext()(penguins.features, penguins.targets, kind=CLASSIFICATION, classes=5, folds=penguins.folds)
    answers = fit.head.predict(penguins.features)
    assert answers[:, 3:].max() < 0.01


def test_class_weights_raise_the_odds(penguins):
    """By log of the weight, whatever the row."""
    plain, heavy = (
        InContext(shares=(1.0,))(
            penguins.features,
            penguins.targets,
            kind=CLASSIFICATION,
            classes=3,
            folds=penguins.folds,
            class_weight=weight,
        ).head
        for weight in (None, {1: 4.0})
    )
    moved = heavy.logits(penguins.features) - plain.logits(penguins.features)
    np.testing.assert_allclose(moved[:, 1] - moved[:, 0], np.log(4), atol=0.01)


@pytest.mark.parametrize("classes", [2, 3, 10, 11, 40, 150])
def test_no_two_classes_have_the_same_symbols(classes):
    book = codebook(classes, 4, 0)
    assert len({tuple(column) for column in book.T}) == classes
    assert book.max() < 10
    if classes > 10:
        counts = np.bincount(book[0], minlength=10)
        assert counts.max() - counts.min() <= 1


def test_more_classes_than_it_tells_apart_are_found_by_their_codes():
    rng = np.random.default_rng(0)
    targets = np.arange(240) % 15
    centres = 8 * rng.normal(size=(15, 4))
    x = (centres[targets] + rng.normal(size=(240, 4))).astype(np.float32)
    fit = InContext()(x[:180], targets[:180], kind=CLASSIFICATION, classes=15, folds=np.arange(180) // 15 % 4)
    assert (fit.head.predict(x[180:]).argmax(1) == targets[180:]).mean() > 0.85


def test_features_of_one_unit_are_read_by_their_axes(digits):
    some = digits.take(slice(0, 200))
    asked = {"kind": CLASSIFICATION, "classes": 10, "folds": some.folds, "scale": "shared", "heads": ["incontext"]}
    fit = fit_probe(np.tile(some.features, 2), some.targets, **asked)
    assert fit.head.width == 128
    assert len(fit.head.arrays["shift"]) <= 16
    later = digits.take(slice(200, 600))
    assert (fit.head.predict(np.tile(later.features, 2)).argmax(1) == later.targets).mean() > 0.75
    same_as_module(fit.head, np.tile(later.features, 2))


def test_the_default_tries_it_where_its_weights_are_named(penguins, weights):
    some = penguins.take(np.arange(0, 342, 3))
    asked = {"kind": CLASSIFICATION, "classes": 3, "folds": some.folds}
    named = fit_probe(some.features, some.targets, **asked, network=weights)
    assert "incontext" in named.head.facts.candidates
    assert "incontext" not in fit_probe(some.features, some.targets, **asked).head.facts.candidates


def test_on_features_of_one_unit_it_is_chosen_only_where_it_beats_the_other_heads():
    """A band of the first of 24 axes, of which a kernel sees little; and a half of it, for which a line will do."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(400, 24))
    x[:, 0] *= 2
    x[:, 1:4] *= 1.5
    x = x.astype(np.float32)
    asked = {"kind": CLASSIFICATION, "classes": 2, "folds": np.arange(400) % 5, "scale": "shared", "network": ""}
    band = fit_probe(x, (np.abs(x[:, 0]) < 1.32).astype(int), **asked)
    losses = band.head.facts.candidates
    assert band.head.name == "incontext"
    assert losses["incontext"] < min(losses[name] for name in ("prototypes", "ridge", "logistic", "kernel")) - 0.03
    half = fit_probe(x, (x[:, 0] + rng.normal(size=400) > 0).astype(int), **asked)
    assert "incontext" in half.head.facts.candidates
    assert half.head.name != "incontext"


@pytest.mark.slow
def test_the_option_of_probe_has_it_tried_on_any_features(digits):
    some = digits.take(slice(0, 150))
    names = ["none", "some", "more"]
    for backbone in (None, "identity"):
        for asked, options in ((False, {}), (True, {"incontext": "yes"})):
            model = (
                Transfer(backbone, "probe", options=options) if backbone else Transfer(method="probe", options=options)
            )
            model.fit(some.features, [names[target % 3] for target in some.targets])
            assert ("incontext" in model.model_.head.facts.candidates) == asked
    with pytest.raises(ValueError, match="incontext = 'perhaps': expected yes or no"):
        Transfer(options={"incontext": "perhaps"}).fit(some.features, some.targets)
    with pytest.raises(ValueError, match="method 'ridge' moves no weights and has no option 'incontext'"):
        Transfer(method="ridge", options={"incontext": True}).fit(some.features, some.targets)


def test_what_it_cannot_read_is_refused(penguins, tmp_path):
    wide = np.tile(penguins.features, 30)
    asked = {"classes": 3, "folds": penguins.folds}
    with pytest.raises(ValueError, match="has 120 columns once its categories are columns of their own"):
        InContext()(wide, penguins.targets, kind=CLASSIFICATION, **asked)
    with pytest.raises(ValueError, match="answers classification and regression tasks, not multilabel"):
        InContext()(penguins.features, np.eye(3, dtype=np.uint8)[penguins.targets], kind=MULTILABEL, **asked)
    with pytest.raises(MissingWeights, match=r"no training.json; expected a folder"):
        InContext(weights=str(tmp_path))(penguins.features, penguins.targets, kind=CLASSIFICATION, **asked)


def test_a_damaged_context_is_refused(penguins):
    some = penguins.take(np.arange(0, 340, 10))
    head = InContext()(some.features, some.targets, kind=CLASSIFICATION, classes=3, folds=some.folds).head
    check_head(head.arrays, features=4, outputs=3)
    damages = {
        "network": (head.arrays["network"][:-1], "network holds"),
        "answers": (head.arrays["answers"] + 0.5, "answers hold what is none of 3 symbols"),
        "design": (head.arrays["design"] * [11, 1, 1, 1, 1, 1], "design names 33.0 symbols"),
        "weight.0": (head.arrays["weight.0"][:-1], "weight.0 has 5 rows, expected 6"),
    }
    for name, (array, why) in damages.items():
        with pytest.raises(ArtefactError, match=why):
            check_head(head.arrays | {name: array}, features=4, outputs=3)
        with pytest.raises(ValueError, match=why):
            HeadModule.stored(
                {key: torch.tensor(part) for key, part in (head.arrays | {name: array}).items()}, "plain", 1.0
            )
    with pytest.raises(ArtefactError, match="is of no network here"):
        check_head(head.arrays | {"design": head.arrays["design"] - 0.5}, features=4, outputs=3)
