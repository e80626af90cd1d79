"""Discriminant analysis against plain fits, fold by fold, scikit-learn's, and nearest class means."""

from __future__ import annotations

import json
import tracemalloc

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from headstart.heads.discriminant import Discriminant
from headstart.heads.facts import facts_record
from headstart.heads.fitter import pose
from headstart.heads.prototypes import Prototypes
from headstart.heads.ridge import Ridge
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION


def plain(x, y, weights, classes, strength):
    """(D, C) and (C,) of the formula, solved as it stands; absent classes have NaN."""
    means = np.full((classes, x.shape[1]), np.nan)
    spread = np.zeros((x.shape[1],) * 2)
    for code in np.unique(y[weights > 0]):
        members = y == code
        means[code] = np.average(x[members], axis=0, weights=weights[members])
        apart = x[members] - means[code]
        spread += (apart * weights[members, None]).T @ apart
    precision = weights.sum() * np.linalg.inv(spread + strength * np.eye(x.shape[1]))
    return precision @ means.T, -np.einsum("cd,de,ce->c", means, precision, means) / 2


def problem(x, y, folds, classes, weights=None):
    return pose(x, y, kind=CLASSIFICATION, classes=classes, folds=folds, weights=weights)


def material(rows, width, classes=3, seed=0, absent=False):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, rows)
    y[:classes] = np.arange(classes)
    x = rng.standard_normal((rows, width)) @ rng.standard_normal((width, width)) + 2 * np.eye(classes, width)[y]
    folds = rng.integers(0, 4, rows)
    folds[:4] = np.arange(4)
    if absent:
        folds = np.where(y == classes - 1, 0, folds)
        folds[4:8] = np.arange(4)
    return x, y, folds, 0.2 + rng.random(rows)


@pytest.mark.parametrize(
    ("rows", "width"),
    [(80, 5), (24, 40), (60, 30), (200, 3)],
    ids=["few", "wide", "folds near D", "folds wider than D"],
)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("strength", [1e-3, 1.0, 1e3])
def test_out_of_fold_logits_are_those_of_a_plain_fit_of_each_fold(rows, width, weighted, strength):
    x, y, folds, weights = material(rows, width)
    weights = weights if weighted else np.ones(rows)
    posed = problem(x, y, folds, 3, weights)
    proposal = Discriminant(strengths=(strength,)).propose(posed)
    standard, v = posed.basis.standard, posed.weights
    z, y, folds = standard.apply(x)[posed.order], posed.targets, posed.folds
    expected = np.empty((rows, 3))
    for fold in range(4):
        rest = folds != fold
        beta, heights = plain(z[rest], y[rest], v[rest], 3, strength * posed.basis.unit)
        expected[~rest] = z[~rest] @ beta + heights
    apart = [logits - logits[:, :1] for logits in (proposal.out_of_fold, expected)]
    np.testing.assert_allclose(*apart, rtol=1e-6, atol=1e-6 * np.abs(apart[1]).max())
    beta, heights = plain(z, y, v, 3, strength * posed.basis.unit)
    logits, whole = proposal.finish().logits(x)[posed.order], z @ beta + heights
    apart = [logits - logits[:, :1], whole - whole[:, :1]]
    np.testing.assert_allclose(*apart, rtol=1e-4, atol=1e-5 * np.abs(apart[1]).max())  # its layer is float32


@pytest.mark.parametrize("width", [6, 90])
def test_a_class_that_a_fold_lacks_is_left_out_of_it(width):
    x, y, folds, weights = material(60, width, absent=True)
    posed = problem(x, y, folds, 3, weights)
    out = Discriminant(strengths=(1.0,)).propose(posed).out_of_fold
    z, rest = posed.basis.standard.apply(x)[posed.order], posed.folds != 0
    beta, heights = plain(z[rest], posed.targets[rest], posed.weights[rest], 3, posed.basis.unit)
    expected = (z[~rest] @ beta + heights)[:, :2]
    logits = out[~rest]
    np.testing.assert_allclose(logits[:, 1] - logits[:, 0], expected[:, 1] - expected[:, 0], rtol=1e-6, atol=1e-8)
    assert (logits.argmax(axis=1) < 2).all()
    assert np.isfinite(out).all()


def test_a_class_without_rows_is_never_answered(digits):
    fit = Discriminant()(digits.features, digits.targets, kind=CLASSIFICATION, classes=12, folds=digits.folds)
    assert (fit.head.logits(digits.features).argmax(axis=1) < 10).all()
    assert (fit.out_of_fold.argmax(axis=1) < 10).all()
    assert np.isfinite(fit.out_of_fold).all()


@pytest.mark.parametrize("relative", [0.01, 0.1, 0.5])
def test_it_is_scikit_learns_with_shrinkage_but_for_priors(digits, relative):
    """(1 - s) S / N + s tr(S / N) / D I is (S + lambda I) (1 - s) / N for lambda = s / (1 - s) tr(S) / D, so that these
    logits are 1 - s of those; scikit-learn's with the priors taken out again."""
    kept = digits.features.std(axis=0) > 0
    x, y = digits.features[:, kept].astype(np.float64), digits.targets
    posed = problem(x, y, digits.folds, 10)
    z = posed.basis.standard.apply(x)
    means = np.stack([z[y == code].mean(axis=0) for code in range(10)])
    spread = np.square(z - means[y]).sum() / z.shape[1]
    shrinkage = relative / (1 + relative)
    theirs = LinearDiscriminantAnalysis(solver="eigen", shrinkage=shrinkage).fit(z, y)
    ours = Discriminant(strengths=(relative * spread / posed.basis.unit,))(
        x, y, kind=CLASSIFICATION, classes=10, folds=digits.folds
    )
    expected = (theirs.decision_function(z) - np.log(theirs.priors_)) * (1 - shrinkage)
    apart = [rows - rows.mean(axis=1, keepdims=True) for rows in (ours.head.logits(x), expected)]
    np.testing.assert_allclose(*apart, rtol=1e-4, atol=1e-4 * np.abs(apart[1]).max())


def test_weakly_regularised_it_is_fishers_discriminant(penguins):
    x, y = penguins.features.astype(np.float64), penguins.targets
    theirs = LinearDiscriminantAnalysis(solver="eigen").fit(x, y)
    ours = Discriminant(strengths=(1e-9,))(x, y, kind=CLASSIFICATION, classes=3, folds=penguins.folds)
    expected = theirs.decision_function(x) - np.log(theirs.priors_)
    apart = [logits - logits.mean(axis=1, keepdims=True) for logits in (ours.head.logits(x), expected)]
    np.testing.assert_allclose(*apart, rtol=1e-4, atol=1e-4 * np.abs(apart[1]).max())


@pytest.mark.parametrize("wide", [False, True])
def test_strongly_regularised_it_ranks_as_prototypes_do(digits, mnist, wide):
    data = mnist.take(slice(0, 200)) if wide else digits
    arguments = {"kind": CLASSIFICATION, "classes": 10, "folds": data.folds}
    strong = Discriminant(strengths=(1e7,))(data.features, data.targets, **arguments)
    nearest = Prototypes()(data.features, data.targets, **arguments)
    present = np.unique(data.targets)
    ours, theirs = (fit.head.logits(data.features)[:, present] for fit in (strong, nearest))
    ours, theirs = (logits - logits.mean(axis=1, keepdims=True) for logits in (ours, theirs))
    ratio = (ours * theirs).sum() / np.square(theirs).sum()
    np.testing.assert_allclose(ours, ratio * theirs, atol=1e-4 * np.abs(ours).max())
    assert (strong.out_of_fold.argmax(axis=1) == nearest.out_of_fold.argmax(axis=1)).mean() > 0.995


def test_its_account_tells_the_strengths_that_were_tried(mnist):
    fit = Discriminant()(mnist.features, mnist.targets, kind=CLASSIFICATION, classes=10, folds=mnist.folds)
    account = fit.head.facts.account
    assert min(account["losses"], key=account["losses"].__getitem__) == f"{account['relative_strength']:.3g}"
    assert (fit.out_of_fold.argmax(axis=1) == mnist.targets).mean() > 0.8
    json.dumps(facts_record(fit.head.facts))


def test_many_folds_are_merged_whole(digits):
    """Leave-one-out on 200 rows is answered by ten fits."""
    data = digits.take(slice(0, 200))
    many = problem(data.features, data.targets, np.arange(200), 10)
    ten = many.merged(10)
    assert ten.folds.max() == 9
    out = [Discriminant(strengths=(1.0,)).propose(posed).out_of_fold for posed in (many, ten)]
    np.testing.assert_array_equal(*out)


@pytest.mark.parametrize("kind", [REGRESSION, MULTILABEL])
def test_other_kinds_are_refused(penguins, kind):
    targets = penguins.features[:, 0] if kind is REGRESSION else np.eye(3, dtype=np.uint8)[penguins.targets]
    with pytest.raises(ValueError, match=f"discriminant head answers classification tasks, not {kind}"):
        Discriminant()(penguins.features, targets, kind=kind, classes=3, folds=penguins.folds)


def test_no_copy_of_all_rows_is_made():
    x, y, folds, _ = material(6000, 200)
    posed = problem(x.astype(np.float32), y, folds, 3)
    copy = posed.basis.rows.size * 8
    tracemalloc.start()
    try:
        held = [Discriminant().propose(posed), Ridge().propose(posed)]
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(held) == 2
    assert peak < copy
    assert kept < copy / 8  # a proposal keeps its answers and what it needs to finish, not the sums of all folds
