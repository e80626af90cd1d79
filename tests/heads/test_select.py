"""The choice of a head, on real data and on everything that could break it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from probes import probe
from threadpoolctl import threadpool_limits

from headstart.heads.calibrate import calibrate
from headstart.heads.facts import facts_record
from headstart.heads.head import probabilities
from headstart.heads.select import HEADS, fit_probe
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION

LINEAR = ("prototypes", "lda", "ridge", "logistic")


def accuracy(fit, data):
    return np.mean(fit.out_of_fold.argmax(axis=1) == data.targets)


def test_real_pictures_and_tables(digits, mnist, penguins):
    assert accuracy(probe(digits), digits) > 0.92
    assert accuracy(probe(mnist), mnist) > 0.8
    assert accuracy(probe(penguins), penguins) > 0.97


@pytest.mark.slow
def test_the_lowest_loss_wins_and_every_loss_is_told(digits):
    fit = probe(digits, heads=HEADS)
    told = fit.head.facts.candidates
    assert set(told) == set(HEADS)
    assert fit.head.name == min(told, key=told.__getitem__)
    for name in LINEAR:
        alone = probe(digits, heads=(name,))
        assert alone.head.name == name
        assert alone.head.facts.candidates == {name: pytest.approx(told[name])}
    assert "out of fold" in fit.head.facts.rule
    json.dumps(facts_record(fit.head.facts))


def test_the_temperature_is_that_of_the_out_of_fold_logits(mnist):
    fit = probe(mnist)
    found = calibrate(fit.out_of_fold, mnist.targets, CLASSIFICATION)
    assert fit.head.temperature == pytest.approx(found.temperature, rel=1e-3)
    assert fit.head.facts.candidates[fit.head.name] == pytest.approx(found.loss)
    p = probabilities(fit.out_of_fold, CLASSIFICATION, fit.head.temperature)
    sure = p.max(axis=1)
    assert abs(sure.mean() - accuracy(fit, mnist)) < 0.05


def test_all_cheap_heads_are_tried_that_suit_the_task(digits, penguins):
    linear = set(LINEAR)
    even = np.concatenate([np.flatnonzero(digits.targets == code)[:4] for code in range(10)])
    assert set(probe(digits.take(even)).head.facts.candidates) == linear
    assert set(probe(digits, scale="shared").head.facts.candidates) == linear | {"kernel"}
    uneven = penguins.take(
        np.concatenate([np.flatnonzero(penguins.targets == code)[: 40 * code + 20] for code in (0, 1)])
    )
    alike = {name for name in probe(uneven).head.facts.candidates if name.endswith(", classes alike")}
    assert {"logistic, classes alike", "ridge, classes alike"} <= alike
    assert alike <= {f"{name}, classes alike" for name in ("ridge", "logistic", "kernel")}
    assert ("kernel, classes alike" in alike) == ("kernel" in probe(uneven).head.facts.candidates)
    weighted = probe(uneven, class_weight={1: 2.0}).head.facts.candidates
    assert not any(name.endswith(", classes alike") for name in weighted)


def interaction(rows, seed=0):
    """Two columns whose signs together tell the class, and ten that tell nothing."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((rows, 12)).astype(np.float32)
    y = (rng.random(rows) < np.where(x[:, 0] * x[:, 1] > 0, 0.9, 0.1)).astype(np.int64)
    return x, y


def test_an_interaction_of_two_columns_is_no_case_for_a_linear_head():
    x, y = interaction(1200)
    fit = fit_probe(x[:800], y[:800], kind=CLASSIFICATION, classes=2, folds=np.arange(800) % 5)
    assert fit.head.name == "trees"
    assert np.mean(fit.head.predict(x[800:]).argmax(axis=1) == y[800:]) > 0.75
    values = np.where(x[:, 0] * x[:, 1] > 0, 1.0, -1.0) + 0.3 * np.random.default_rng(1).standard_normal(1200)
    fit = fit_probe(x[:800], values[:800], kind=REGRESSION, classes=1, folds=np.arange(800) % 5)
    assert fit.head.name == "trees"
    assert np.mean((fit.head.predict(x[800:]) - values[800:]) ** 2) < 0.5 * values.var()


@pytest.mark.parametrize("kind", [CLASSIFICATION, REGRESSION])
def test_what_is_linear_gets_a_linear_head(kind):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((600, 12)).astype(np.float32)
    y = x[:, 0] - x[:, 1] + 0.7 * rng.standard_normal(600)
    y = (y > 0).astype(np.int64) if kind == CLASSIFICATION else y
    fit = fit_probe(x, y, kind=kind, classes=2, folds=np.arange(600) % 5)
    assert fit.head.name in LINEAR


def test_the_same_again_is_the_same_again_with_all_candidates():
    x, y = interaction(300)
    arguments = {"kind": CLASSIFICATION, "classes": 2}
    order = np.random.default_rng(1).permutation(300)
    fit = fit_probe(x, y, folds=np.arange(300) % 5, **arguments)
    moved = fit_probe(x[order], y[order], folds=(np.arange(300) % 5)[order], **arguments)
    assert fit.head.facts == moved.head.facts
    assert all((array == moved.head.arrays[name]).all() for name, array in fit.head.arrays.items())


def test_rows_without_weight_count_for_no_candidate():
    x, y = interaction(400)
    y = np.concatenate([y[:300], 1 - y[300:]])
    arguments = {"kind": CLASSIFICATION, "classes": 2}
    some = fit_probe(x, y, folds=np.arange(400) % 5, weights=(np.arange(400) < 300).astype(float), **arguments)
    few = fit_probe(x[:300], y[:300], folds=np.arange(300) % 5, **arguments)
    assert some.head.facts.candidates["ridge"] == pytest.approx(few.head.facts.candidates["ridge"], abs=0.02)


def test_out_of_fold_losses_are_those_of_new_rows():
    """The mean over thirty draws, for a problem in which a fold that stopped early would look better."""
    apart = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        y = np.arange(1120) % 2
        x = rng.standard_normal((1120, 60)) + 1.5 * y[:, None] * np.eye(60)[0]
        known = {"kind": CLASSIFICATION, "classes": 2, "folds": np.arange(120) // 2 % 10}
        fit = fit_probe(x[:120], y[:120], heads=("logistic",), **known)
        p = fit.head.predict(x[120:])[np.arange(1000), y[120:]]
        apart.append(-np.log(p).mean() - fit.head.facts.candidates["logistic"])
    assert abs(np.mean(apart)) < 2.5 * np.std(apart) / np.sqrt(len(apart)) + 0.02


def test_values_are_answered_by_those_that_can(penguins):
    arguments = {"kind": REGRESSION, "classes": 1, "folds": penguins.folds}
    mass = penguins.features[:, 3].astype(np.float64)
    fit = fit_probe(penguins.features[:, :3], mass, heads=LINEAR, **arguments)
    assert (fit.head.name, fit.head.temperature) == ("ridge", 1.0)
    rmse = np.sqrt(np.mean((fit.out_of_fold[:, 0] - mass) ** 2))
    assert fit.head.facts.candidates == {"ridge": pytest.approx(rmse)}
    with pytest.raises(ValueError, match=r"logistic head answers .* not regression: use 'ridge' or 'neural'"):
        fit_probe(penguins.features, mass, heads=("logistic",), **arguments)


def test_several_labels(penguins):
    labels = np.stack([penguins.targets == 1, penguins.targets == 2, penguins.targets >= 0], axis=1)
    fit = fit_probe(penguins.features, labels, kind=MULTILABEL, classes=3, folds=penguins.folds, heads=LINEAR)
    p = fit.head.predict(penguins.features)
    assert np.mean((p > 0.5) == labels) > 0.95


@pytest.mark.parametrize("name", LINEAR)
@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_row_order_does_not_change_a_bit(digits, name, class_weight):
    data = digits.take(slice(0, 150))
    order = np.random.default_rng(0).permutation(150)
    fit = probe(data, heads=(name,), class_weight=class_weight)
    moved = probe(data.take(order), heads=(name,), class_weight=class_weight)
    assert (fit.out_of_fold[order] == moved.out_of_fold).all()
    for key, array in fit.head.arrays.items():
        assert (array == moved.head.arrays[key]).all()


@pytest.mark.parametrize("name", LINEAR)
def test_threads_do_not_change_a_bit(mnist, name):
    fits = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            fits.append(probe(mnist, heads=(name,)))
    assert (fits[0].out_of_fold == fits[1].out_of_fold).all()


@pytest.mark.parametrize("name", HEADS)
def test_balanced_weights_help_the_rare_class(name):
    rng = np.random.default_rng(0)
    targets = (np.arange(400) < 40).astype(int)
    features = (rng.standard_normal((400, 6)) + 1.0 * targets[:, None] * np.eye(6)[0]).astype(np.float32)
    arguments = {"kind": CLASSIFICATION, "classes": 2, "folds": np.arange(400) % 5, "heads": (name,)}
    recalls = []
    for class_weight in (None, "balanced"):
        fit = fit_probe(features, targets, class_weight=class_weight, **arguments)
        recalls.append(np.mean(fit.out_of_fold.argmax(axis=1)[:40] == 1))
    assert recalls[1] > (0.4 if name in ("boosting", "trees") else 0.5)  # forty rows teach trees less
    assert name in ("prototypes", "lda") or recalls[0] < 0.3  # these have equal priors, whatever the weights


def test_the_callers_arrays_are_left_alone(digits):
    data = digits.take(slice(0, 80))
    before = [part.copy() for part in data]
    for part in data:
        part.setflags(write=False)
    probe(data, heads=HEADS)
    assert all((part == old).all() for part, old in zip(data, before, strict=True))


def test_one_class_in_one_fold_only(penguins):
    folds = np.where(penguins.targets == 1, 0, np.arange(342) % 4)
    fit = probe(penguins._replace(folds=folds), heads=LINEAR)
    common = penguins.targets != 1
    assert np.mean(fit.out_of_fold[common].argmax(axis=1) == penguins.targets[common]) > 0.95
    assert fit.head.facts.candidates[fit.head.name] < 0.1
    assert np.mean(fit.head.logits(penguins.features).argmax(axis=1) == penguins.targets) > 0.9


def test_a_shared_scale_is_not_carried_away_by_features_that_hardly_stir_in_training():
    rng = np.random.default_rng(0)
    targets = np.arange(400) % 2
    features = np.abs(rng.standard_normal((400, 50)) + targets[:, None] * 0.5).astype(np.float32)
    features[:, 40:] *= np.where(np.arange(400) < 100, 1e-4, 1)[:, None]
    losses = {}
    for scale in ("each", "shared"):
        fit = fit_probe(
            features[:100],
            targets[:100],
            kind=CLASSIFICATION,
            classes=2,
            folds=np.arange(100) // 2 % 5,
            scale=scale,
            heads=LINEAR,
        )
        p = fit.head.predict(features[100:])[np.arange(300), targets[100:]]
        losses[scale] = -np.log(np.maximum(p, 1e-12)).mean()
    assert losses["shared"] < np.log(2) < losses["each"] / 2


def test_the_form_on_which_ridge_does_best_is_taken_and_kept_in_the_head(mnist):
    fits = {forms: probe(mnist, forms=forms) for forms in (("plain",), ("root",), ("plain", "root"))}
    assert [fit.head.form for fit in fits.values()] == ["plain", "root", "root"]
    assert (fits["plain", "root"].out_of_fold == fits["root",].out_of_fold).all()
    logits = fits["root",].head.logits(mnist.features)
    rooted = probe(mnist._replace(features=np.sqrt(mnist.features)))
    np.testing.assert_allclose(logits, rooted.head.logits(np.sqrt(mnist.features)), atol=1e-6)


def test_there_must_be_a_form(digits):
    with pytest.raises(ValueError, match="forms must name at least one of 'plain' and 'root'"):
        probe(digits, forms=())


def test_heads_must_have_names_that_exist(digits):
    for heads in (("rigde",), ()):
        with pytest.raises(
            ValueError,
            match="heads must be among prototypes, lda, ridge, logistic, neural, kernel, boosting, trees, incontext, ",
        ):
            probe(digits, heads=heads)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(2, 40),
    width=st.integers(1, 60),
    classes=st.integers(2, 6),
    scale=st.sampled_from([0.0, 1e-30, 1e-6, 1.0, 1e6, 1e30]),
    seed=st.integers(0, 1000),
)
def test_any_shape_is_fitted(rows, width, classes, scale, seed):
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, classes, rows)
    targets[:2] = 0, classes - 1
    features = (rng.standard_normal((rows, width)) * scale).astype(np.float32)
    features[:, rng.random(width) < 0.2] = 3.0
    folds = rng.integers(0, 3, rows)
    folds[:2] = 0, 1
    fit = fit_probe(features, targets, kind=CLASSIFICATION, classes=classes, folds=folds, heads=LINEAR)
    p = fit.head.predict(features)
    assert np.isfinite(fit.out_of_fold).all()
    np.testing.assert_allclose(p.sum(axis=1), 1)


@pytest.mark.parametrize("head", ["ridge", "logistic"])
@pytest.mark.parametrize("kind", [CLASSIFICATION, REGRESSION])
def test_a_row_of_weight_three_is_three_rows(head, kind):
    if (head, kind) == ("logistic", REGRESSION):
        return
    rng = np.random.default_rng(0)
    x, weights, folds = rng.normal(size=(60, 4)), rng.integers(1, 4, 60), np.arange(60) % 5
    y = x[:, 0] + rng.normal(size=60) / 2
    y = (y > 0).astype(int) if kind == CLASSIFICATION else y
    many = np.repeat(np.arange(60), weights)
    same = {"kind": kind, "classes": 2, "heads": (head,)}
    one = fit_probe(x, y, folds=folds, weights=weights.astype(float), **same)
    other = fit_probe(x[many], y[many], folds=folds[many], **same)
    np.testing.assert_allclose(one.head.predict(x), other.head.predict(x), rtol=1e-6)
