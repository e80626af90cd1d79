"""Heads are chosen, and answers decided, for what is wanted."""

from __future__ import annotations

import json

import numpy as np
import pytest
from probes import probe

from headstart.heads.facts import facts_record
from headstart.heads.head import probabilities
from headstart.heads.select import fit_probe
from headstart.tasks import CLASSIFICATION, REGRESSION
from headstart.tasks.goal import Aim


def uneven(rows=1500, shift=1.2):
    """One row in ten is of the second class."""
    rng = np.random.default_rng(0)
    y = (np.arange(rows) % 10 == 0).astype(np.int64)
    x = (rng.standard_normal((rows, 6)) + shift * y[:, None] * np.eye(6)[0]).astype(np.float32)
    return x, y, {"kind": CLASSIFICATION, "classes": 2, "folds": np.arange(500) // 10 % 5}


def recalls_of(answers, y):
    return [np.mean(answers[y == code] == code) for code in (0, 1)]


@pytest.mark.parametrize("heads", [None, ("lda",), ("ridge",), ("logistic",), ("kernel",)])
def test_uneven_classes_have_the_probabilities_of_the_rows_and_the_decisions_of_the_aim(heads):
    x, y, arguments = uneven()
    known, new = (x[:500], y[:500]), x[500:]
    heads_of = {
        metric: fit_probe(*known, heads=heads, aim=Aim(metric), **arguments).head
        for metric in ("accuracy", "balanced_accuracy")
    }
    for head in heads_of.values():
        assert head.predict(new)[:, 1].mean() == pytest.approx(0.1, abs=0.03)
    plain, balanced = (recalls_of(head.decide(head.predict(new)), y[500:]) for head in heads_of.values())
    assert np.mean(balanced) > np.mean(plain) + 0.1
    assert balanced[0] < plain[0]
    np.testing.assert_allclose(heads_of["balanced_accuracy"].arrays["utility"], [1 / 0.9, 1 / 0.1])
    assert "utility" not in heads_of["accuracy"].arrays


def test_candidates_are_told_by_what_they_are_compared_by():
    """For balanced accuracy half of the log loss goes over rows and half over classes; else all over rows."""
    x, y, arguments = uneven()
    for metric in ("accuracy", "balanced_accuracy"):
        fit = fit_probe(x[:500], y[:500], heads=("ridge",), aim=Aim(metric), **arguments)
        p = probabilities(fit.out_of_fold, CLASSIFICATION, fit.head.temperature)
        losses = -np.log(p[np.arange(500), y[:500]])
        of_classes = np.mean([losses[y[:500] == code].mean() for code in (0, 1)])
        expected = losses.mean() if metric == "accuracy" else (losses.mean() + of_classes) / 2
        assert fit.head.facts.candidates["ridge"] == pytest.approx(expected, rel=1e-6)


def test_with_class_weights_the_likeliest_class_is_the_answer_for_balanced_accuracy():
    x, y, arguments = uneven()
    weighted = fit_probe(x[:500], y[:500], class_weight="balanced", aim=Aim("balanced_accuracy"), **arguments).head
    p = weighted.predict(x[500:])
    assert p[:, 1].mean() > 0.3
    assert (weighted.decide(p) == p.argmax(axis=1)).all()
    assert np.mean(recalls_of(p.argmax(axis=1), y[500:])) > 0.65


def test_costs_are_paid_as_seldom_as_can_be():
    x, y, arguments = uneven(rows=4500)
    costs = np.array([[0.0, 1.0], [6.0, 0.0]])
    head = fit_probe(x[:500], y[:500], aim=Aim("cost", costs=costs), **arguments).head
    p = head.predict(x[500:])
    answers = (head.decide(p), p.argmax(axis=1), np.zeros(4000, np.int64))
    decided, likeliest, none = (costs[y[500:], each].mean() for each in answers)
    assert decided < min(likeliest, none) - 0.01
    assert (head.decide(p) == (p @ costs).argmin(axis=1)).all()


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ("accuracy", ("whose accuracy is within two standard errors", "within half of one of the lowest log loss")),
        ("balanced_accuracy", ("whose balanced accuracy is within two", "half of it over rows and half over classes")),
        ("log_loss", ("of the heads within half a standard error of the lowest log loss",)),
        ("macro_f1", ("of the heads within half a standard error of the lowest log loss",)),
        ("auroc", ("of the heads within half a standard error of the lowest log loss",)),
        (None, ("of the heads within one standard error of it the simplest",)),
    ],
)
def test_the_rule_and_its_figures_are_told(digits, metric, words):
    facts = probe(digits.take(slice(0, 200)), aim=None if metric is None else Aim(metric)).head.facts
    assert facts.standard_errors.keys() == facts.candidates.keys()
    assert min(facts.standard_errors.values()) == 0.0
    assert all(word in facts.rule for word in words)
    json.dumps(facts_record(facts))


def test_of_a_class_and_of_costs_the_rule_is_told(digits):
    data = digits.take(slice(0, 60))
    aims = {"cost is": Aim("cost", costs=1 - np.eye(10)), "log loss of the one class is": Aim("f1", code=3)}
    for words, aim in aims.items():
        assert f"of the heads whose {words} within two standard errors" in probe(data, aim=aim).head.facts.rule


def test_errors_of_values_are_measured_by_the_aim(penguins):
    arguments = {"kind": REGRESSION, "classes": 1, "folds": penguins.folds}
    mass = penguins.features[:, 3].astype(np.float64)
    fits = {
        metric: fit_probe(penguins.features[:, :3], mass, aim=Aim(metric), **arguments)
        for metric in ("r2", "rmse", "mae")
    }
    rules = {metric: fit.head.facts.rule for metric, fit in fits.items()}
    for metric, fit in fits.items():
        errors = np.abs(fit.out_of_fold[:, 0] - mass)
        expected = errors.mean() if metric == "mae" else np.sqrt(np.square(errors).mean())
        assert fit.head.facts.candidates[fit.head.name] == pytest.approx(expected)
    assert "lowest RMSE" in rules["r2"]
    assert rules["r2"] == rules["rmse"]
    assert "lowest mean absolute error" in rules["mae"]


def test_the_scale_of_a_bare_array_is_the_one_on_which_ridge_does_best(mnist):
    """Pixels have one unit, and a column that hardly stirs says less; features of their own units say nothing alike."""
    both = probe(mnist, scale=("each", "shared"))
    alone = {scale: probe(mnist, scale=scale) for scale in ("each", "shared")}
    losses = {scale: fit.head.facts.candidates["ridge"] for scale, fit in alone.items()}
    assert both.head.facts.candidates["ridge"] == min(losses.values()) == losses["shared"]
    assert (both.head.arrays["scale"] == alone["shared"].head.arrays["scale"]).all()
    units = mnist.features * np.geomspace(1e-4, 1e4, mnist.features.shape[1])[None].astype(np.float32)
    fits = [probe(mnist._replace(features=units), scale=scale) for scale in (("each", "shared"), "each")]
    assert (fits[0].head.arrays["scale"] == fits[1].head.arrays["scale"]).all()
    assert fits[0].head.facts.candidates == fits[1].head.facts.candidates
