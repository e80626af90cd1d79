"""Heads from sums against the heads that see every row."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.heads.discriminant import Discriminant
from headstart.heads.fitter import pose
from headstart.heads.from_sums import fit_sums
from headstart.heads.prototypes import Prototypes
from headstart.heads.ridge import Ridge
from headstart.heads.standardize import standard
from headstart.heads.sum_axes import standard_of_sums
from headstart.heads.sums import Sums, fold_sums, merged
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION

ROWS = {"prototypes": Prototypes, "lda": Discriminant, "ridge": Ridge}
FEW, MANY = (40, 60), (150, 12)


def draw(shape, kind, seed=0):
    n, d = shape
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((n, d)) * 3.0 ** rng.integers(-3, 3, d) + 5 * rng.standard_normal(d)
    features[:, 1] = 0.7  # constant
    codes = rng.permutation(np.arange(n) % 4)
    features[:, 2] += codes
    if kind is REGRESSION:
        return features, features[:, 2] + 1000 + rng.standard_normal(n)
    if kind is MULTILABEL:
        return features, np.stack([codes > 1, codes == 0, rng.random(n) < 0.3], axis=1).astype(np.uint8)
    return features, codes


def classes_of(kind):
    return {CLASSIFICATION: 4, MULTILABEL: 3, REGRESSION: 1}[kind]


def in_memory(name, features, targets, kind, folds, scale, **options):
    classes = classes_of(kind)
    problem = pose(features, targets, kind=kind, classes=classes, folds=folds, scale=scale)
    return ROWS[name](**options).propose(problem).finish()


PAIRS = [
    ("prototypes", CLASSIFICATION),
    ("prototypes", MULTILABEL),
    ("lda", CLASSIFICATION),
    ("ridge", CLASSIFICATION),
    ("ridge", MULTILABEL),
    ("ridge", REGRESSION),
]


@pytest.mark.parametrize("scale", ["each", "shared", "same"])
@pytest.mark.parametrize("shape", [FEW, MANY], ids=["fewer rows than features", "more rows than features"])
@pytest.mark.parametrize(("name", "kind"), PAIRS)
def test_a_head_from_sums_of_parts_is_the_head_of_all_rows(name, kind, shape, scale):
    features, targets = draw(shape, kind)
    owners = np.arange(len(features)) % 7 % 3  # unequal
    options = {} if name == "prototypes" else {"strengths": (0.1,)}
    expected = in_memory(name, features, targets, kind, owners, scale, **options)
    parts = fold_sums(features, targets, owners, kind=kind, classes=classes_of(kind))
    head = fit_sums(parts[::-1], name, kind=kind, scale=scale, **options)
    rows = draw(shape, kind, seed=1)[0]
    want = expected.logits(rows)
    np.testing.assert_allclose(head.logits(rows), want, rtol=0, atol=1e-6 * np.abs(want).max())


@pytest.mark.parametrize("shape", [FEW, MANY])
def test_the_strength_of_a_regression_is_chosen_as_over_rows(shape):
    features, values = draw(shape, REGRESSION)
    folds = np.arange(len(features)) % 2
    parts = fold_sums(features, values, folds, kind=REGRESSION)
    head, expected = fit_sums(parts, kind=REGRESSION), in_memory("ridge", features, values, REGRESSION, folds, "each")
    account, want = head.facts.account, expected.facts.account
    assert account["relative_strength"] == want["relative_strength"]
    assert len(account["losses"]) > 2
    assert account["losses"].keys() == want["losses"].keys()
    np.testing.assert_allclose(list(account["losses"].values()), list(want["losses"].values()), rtol=1e-6)
    np.testing.assert_allclose(head.logits(features), expected.logits(features), rtol=1e-6)


@pytest.mark.parametrize("kind", [CLASSIFICATION, MULTILABEL])
def test_the_held_out_error_of_classes_is_that_of_refits(kind):
    features, targets = draw(MANY, kind)
    folds = np.arange(len(features)) % 3
    classes = classes_of(kind)
    parts = fold_sums(features, targets, folds, kind=kind, classes=classes)
    account = fit_sums(parts, kind=kind).facts.account
    problem = pose(features, targets, kind=kind, classes=classes, folds=folds)
    fit = Ridge(strengths=(account["relative_strength"],)).propose(problem)
    coded = 2 * kind.truth(targets, classes) - 1
    error = np.sqrt(np.mean(np.square(problem.restored(fit.out_of_fold) - coded)))
    assert account["losses"][f"{account['relative_strength']:.3g}"] == pytest.approx(error, rel=1e-6)


def test_discriminant_analysis_is_held_out_by_the_best_multiple_of_its_logits():
    features, codes = draw(MANY, CLASSIFICATION)
    folds = np.arange(len(features)) % 3
    account = fit_sums(fold_sums(features, codes, folds, kind=CLASSIFICATION, classes=4), "lda", kind=CLASSIFICATION)
    account = account.facts.account
    problem = pose(features, codes, kind=CLASSIFICATION, classes=4, folds=folds)
    logits = problem.restored(Discriminant(strengths=(account["relative_strength"],)).propose(problem).out_of_fold)
    logits -= logits.mean(axis=1, keepdims=True)
    coded = 2 * np.eye(4)[codes] - 1
    multiple = (logits * coded).sum() / np.square(logits).sum()
    error = np.sqrt(np.mean(np.square(multiple * logits - coded)))
    assert account["losses"][f"{account['relative_strength']:.3g}"] == pytest.approx(error, rel=1e-6)


def test_a_class_that_no_owner_has_is_never_the_answer():
    features, codes = draw(MANY, CLASSIFICATION)
    parts = fold_sums(features, codes, np.arange(len(codes)) % 2, kind=CLASSIFICATION, classes=5)
    for name in ("prototypes", "lda", "ridge"):
        head = fit_sums(parts, name, kind=CLASSIFICATION)
        assert (head.logits(features).argmax(axis=1) != 4).all()


def test_an_owner_with_one_class_only_counts():
    features, codes = draw(MANY, CLASSIFICATION)
    expected = in_memory("lda", features, codes, CLASSIFICATION, np.arange(len(codes)) % 2, "each", strengths=(1.0,))
    head = fit_sums(fold_sums(features, codes, codes, kind=CLASSIFICATION, classes=4), "lda", kind="classification")
    assert set(head.facts.account["losses"]) >= {"1"}
    again = fit_sums(
        fold_sums(features, codes, codes, kind=CLASSIFICATION, classes=4),
        "lda",
        kind="classification",
        strengths=(1.0,),
    )
    np.testing.assert_allclose(again.logits(features), expected.logits(features), atol=1e-6)


def test_weights_count_as_repetitions():
    features, values = draw(MANY, REGRESSION)
    times = np.arange(len(features)) % 3
    weighted = Sums.of(features, values, kind=REGRESSION, weights=times)
    repeated = Sums.of(features.repeat(times, axis=0), values.repeat(times), kind=REGRESSION)
    for name in ("weight", "total", "gram", "answers", "cross", "squares"):
        np.testing.assert_allclose(getattr(weighted, name), getattr(repeated, name), rtol=1e-12)


@pytest.mark.parametrize("scale", ["each", "shared", "same"])
def test_the_standardisation_of_the_sums_is_that_of_the_rows(scale):
    features, codes = draw(MANY, CLASSIFICATION)
    sums = merged(fold_sums(features, codes, np.arange(len(codes)) % 4, kind=CLASSIFICATION, classes=4))
    want = standard(features, np.arange(len(features)), np.ones(len(features)), scale)
    got = standard_of_sums(sums, scale)
    np.testing.assert_allclose(got.mean, want.mean, rtol=1e-12)
    np.testing.assert_allclose(got.scale, want.scale, rtol=1e-9)


def test_a_vector_holds_the_sums():
    features, codes = draw(MANY, CLASSIFICATION)
    sums = Sums.of(features, codes, kind=CLASSIFICATION, classes=4)
    vector = sums.vector()
    again = Sums.from_vector(vector, sums.width, sums.columns, rounding=sums.rounding)
    np.testing.assert_array_equal(again.vector(), vector)
    np.testing.assert_array_equal(again.gram, sums.gram)
    np.testing.assert_array_equal((sums + sums - sums).vector(), vector)


def test_what_is_no_sum_is_refused():
    features, codes = draw(MANY, CLASSIFICATION)
    sums = Sums.of(features, codes, kind=CLASSIFICATION, classes=4)
    with pytest.raises(ValueError, match="the same backbone and the same classes"):
        merged([sums, Sums.none(5, 4)])
    with pytest.raises(ValueError, match="there are no sums to merge"):
        merged([])
    with pytest.raises(ValueError, match="are no sums over 3 features"):
        Sums.from_vector(sums.vector(), 3, 4, rounding=1e-7)
    broken = sums.vector()
    broken[5] = np.nan
    with pytest.raises(ValueError, match=r"1 of .* numbers are NaN or infinite"):
        Sums.from_vector(broken, 12, 4, rounding=1e-7)
    with pytest.raises(ValueError, match="features must be finite"):
        Sums.of(np.full((3, 2), np.inf), np.zeros(3, int), kind=CLASSIFICATION, classes=2)
    with pytest.raises(ValueError, match=r"features must be \(N, D\)"):
        Sums.of(features, codes[1:], kind=CLASSIFICATION, classes=4)
    with pytest.raises(ValueError, match="at least 2 rows, got 0"):
        fit_sums([Sums.none(5, 4)], kind=CLASSIFICATION)
    with pytest.raises(ValueError, match="one of prototypes, lda, ridge, got 'tree'"):
        fit_sums([sums], "tree", kind=CLASSIFICATION)
    with pytest.raises(ValueError, match="the lda head answers classification tasks, not regression"):
        fit_sums([sums], "lda", kind=REGRESSION)
