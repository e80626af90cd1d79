"""Subspace alignment against the printed figure, skada, and what it promises."""

from __future__ import annotations

import numpy as np
import pytest
from skadas import skada
from sklearn.decomposition import PCA
from sklearn.linear_model import RidgeClassifier
from two_tasks import make_classification_da

from headstart.adaptation.alignment.step import Align, Domains
from headstart.adaptation.alignment.subspace import SubspaceAlignment
from headstart.adaptation.estimators.adapted import Adapted

pytestmark = pytest.mark.usefixtures("routed")

DRAW = np.random.default_rng(1)
SOURCE = DRAW.normal(size=(50, 6)) * [4, 3, 2, 0.1, 0.1, 0.1] + 2
TARGET = SOURCE @ np.linalg.qr(DRAW.normal(size=(6, 6)))[0] - 1
ANSWERS = (SOURCE[:, 0] > 2).astype(int)


def domains(source=SOURCE, target=TARGET, weights=None):
    return Domains(source, np.arange(len(source)) % 2, target, None, 2, weights)


def test_printed_figure():
    two = make_classification_da()
    aligned = SubspaceAlignment(dim=2)(two.domains())
    head = RidgeClassifier().fit(aligned.source, aligned.targets)
    assert head.score(aligned.move(two.target), two.answers) == 0.91


@pytest.mark.parametrize("dim", [1, 3, 6])
def test_predictions_are_skadas(dim):
    x, y = np.concatenate([SOURCE, TARGET]), np.concatenate([ANSWERS, np.full(50, -1)])
    domain = np.repeat([1, -2], 50)
    theirs = skada.SubspaceAlignment(RidgeClassifier(), n_components=dim).fit(x, y, sample_domain=domain)
    ours = Adapted(SubspaceAlignment(dim=dim), RidgeClassifier()).fit(x, y, sample_domain=domain)
    draw = np.random.default_rng(2)
    new = TARGET[draw.integers(50, size=200)] + draw.normal(size=(200, 6))
    np.testing.assert_array_equal(ours.predict(new), theirs.predict(new, sample_domain=np.full(200, -2)))


def test_the_formula_from_two_pca():
    aligned = SubspaceAlignment(dim=2)(domains())
    s, t = PCA(2).fit(SOURCE), PCA(2).fit(TARGET)
    match = s.components_ @ t.components_.T
    signs = np.sign((aligned.move(TARGET) * t.transform(TARGET)).sum(0))
    np.testing.assert_allclose(aligned.move(TARGET) * signs, t.transform(TARGET), atol=1e-9)
    np.testing.assert_allclose(aligned.source * signs, s.transform(SOURCE) @ match, atol=1e-9)
    assert aligned.facts["overlap"] == pytest.approx((match**2).sum() / 2)
    assert isinstance(SubspaceAlignment(), Align)


def test_share_chooses_dim():
    variances = PCA().fit(TARGET).explained_variance_ratio_.cumsum()
    for share in (0.3, 0.9, 0.95, 0.9999):
        assert SubspaceAlignment(share=share)(domains()).facts["dim"] == np.argmax(variances >= share) + 1
    assert SubspaceAlignment(share=1)(domains()).facts["dim"] == 6
    assert SubspaceAlignment(share=1)(domains(SOURCE[:4])).facts["dim"] == 3


def test_identical_tasks_stay_alike():
    aligned = SubspaceAlignment()(domains(SOURCE, SOURCE.copy()))
    np.testing.assert_allclose(aligned.source, aligned.move(SOURCE), atol=1e-9)
    assert aligned.facts["overlap"] == pytest.approx(1)


def test_weights_count_as_repeated_rows():
    weights = np.arange(50) % 3
    often = SubspaceAlignment(dim=2)(domains(np.repeat(SOURCE, weights, axis=0)))
    weighed = SubspaceAlignment(dim=2)(domains(weights=weights / weights.mean()))
    np.testing.assert_allclose(np.repeat(weighed.source, weights, axis=0), often.source, atol=1e-9)


def test_bad_input():
    with pytest.raises(ValueError, match="the target has 1 row: expected 2 or more"):
        SubspaceAlignment()(domains(SOURCE, TARGET[:1]))
    with pytest.raises(ValueError, match="all rows of the target are the same"):
        SubspaceAlignment()(domains(SOURCE, np.ones((4, 6))))
    with pytest.raises(ValueError, match="dim=5, but the source varies along 3 axes and the target along 6: expected"):
        SubspaceAlignment(dim=5)(domains(SOURCE[:4]))
    for bad in (0, 2.5, -1, True):
        with pytest.raises(ValueError, match=r"dim=.*expected a whole number, 1 or more"):
            SubspaceAlignment(dim=bad)
    for bad in (0, float("nan"), 1.5):
        with pytest.raises(ValueError, match=r"share=.*such as 0.95"):
            SubspaceAlignment(share=bad)
