"""Beside skada, what the tests of single methods do not compare: components, weights of rows, answers brought.

`bench/beside.py` compares and times more, and ADAPT too.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import nnls
from scipy.stats import spearmanr
from skadas import skada
from sklearn.compose import TransformedTargetRegressor
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.preprocessing import StandardScaler
from two_tasks import make_classification_da, make_regression_da

from headstart.adaptation.alignment.jdot import JDOT
from headstart.adaptation.alignment.tca import TCA
from headstart.adaptation.estimators.adapted import Adapted
from headstart.adaptation.reweighting.bbse import BBSE
from headstart.adaptation.reweighting.discriminator import DiscriminatorWeights
from headstart.adaptation.reweighting.kliep import KLIEP
from headstart.adaptation.reweighting.kmm import KMM
from headstart.adaptation.reweighting.nearest_neighbours import NearestNeighbourWeights
from headstart.linalg.kernels import width

pytestmark = pytest.mark.usefixtures("routed")

TWO = make_classification_da()
X, DOMAIN = np.concatenate([TWO.source, TWO.target]), np.repeat([1, -2], 100)
Y = np.concatenate([TWO.targets, np.full(100, -1)])


def of_skada(adapter):
    found = adapter.fit(X, Y, sample_domain=DOMAIN).compute_weights(X, Y, sample_domain=DOMAIN)[:100]
    return found / found.mean()


def test_components_are_skadas_where_it_solves_for_them():
    """With mu above 0 it takes `eigh` of a matrix that is not symmetric; the head here minds no scale of components."""
    head = QuadraticDiscriminantAnalysis()
    theirs = skada.TransferComponentAnalysis(head, n_components=2, mu=0).fit(X, Y, sample_domain=DOMAIN)
    ours = Adapted(TCA(dim=2, mu=0.0, gamma=0.5), head).fit(X, Y, sample_domain=DOMAIN)
    new = np.random.default_rng(0).uniform(size=(300, 2))
    meant = theirs.decision_function(new, sample_domain=np.full(300, -2))
    np.testing.assert_allclose(ours.estimator_.decision_function(ours.move_(new)), meant, rtol=1e-6, atol=1e-8)


@pytest.mark.filterwarnings("ignore:The number of unique classes")
def test_counts_of_nearest_rows_are_skadas():
    for smooth in (False, True):
        theirs = of_skada(skada.NearestNeighborReweightAdapter(laplace_smoothing=smooth))
        ours = NearestNeighbourWeights(prior=float(smooth))(TWO.domains()).weights
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


@pytest.mark.filterwarnings("ignore::UserWarning")  # skada says that its solver stops early
@pytest.mark.parametrize("solver", ["frank-wolfe", "scipy"])
def test_kernel_means_match_no_worse_than_skadas(solver):
    theirs = of_skada(skada.KMMReweightAdapter(gamma=1.0, solver=solver, max_iter=200))
    ours = KMM(gamma=1.0)(TWO.domains()).weights
    K, kappa = rbf_kernel(TWO.source, gamma=1.0), rbf_kernel(TWO.source, TWO.target, gamma=1.0).mean(axis=1)

    def matched(w):
        return (kappa @ w) ** 2 / (w @ K @ w)

    assert matched(ours) == pytest.approx(matched(theirs), rel=2e-4)
    assert matched(ours) >= matched(theirs) * (1 - 1e-6)


class Each(np.random.RandomState):
    """Draws every row once."""

    def choice(self, a, size=None, replace=True, p=None):
        return np.asarray(a)[:size]


def test_the_likelihood_is_above_that_of_skada():
    """Its ascent moves by 2e-16 a step, so that it stays where it starts."""
    theirs = of_skada(skada.KLIEPReweightAdapter(1.0, random_state=Each()))
    k_p, k_q = (rbf_kernel(rows, TWO.target, gamma=1.0) for rows in (TWO.source, TWO.target))
    ours = KLIEP(gamma=1.0)(TWO.domains()).weights

    def likelihood(w):
        theta, off = nnls(k_p, w, maxiter=10_000)
        assert off < 0.1
        return np.log(k_q @ theta / (k_p @ theta).mean()).mean()

    # Frank-Wolfe of ADAPT 0.4.5, 2,000 steps: .214566
    assert likelihood(ours) == pytest.approx(0.214566, abs=2e-5)
    assert likelihood(ours) > likelihood(theirs)


def test_the_odds_of_a_discriminator_are_skadas_the_other_way_up():
    """It weighs by P(source) / P(target), of a model that saw the rows."""
    ours = DiscriminatorWeights(clip=None)(TWO.domains()).weights
    assert spearmanr(ours, of_skada(skada.DiscriminatorReweightAdapter())).statistic < -0.95


def test_the_answers_that_transport_brings_are_skadas():
    two = make_regression_da()
    rows, domain = np.concatenate([two.source, two.target]), DOMAIN
    ridge = KernelRidge(alpha=0.01 * 100, kernel="rbf", gamma=width(rows))
    f = TransformedTargetRegressor(ridge, transformer=StandardScaler(with_std=False))
    theirs = skada.JDOTRegressor(f, alpha=0.5, tol=1e-12)
    theirs.fit(rows, np.concatenate([two.targets, np.full(100, np.nan)]), sample_domain=domain)
    ways = np.square(two.source - two.target.T)
    step = JDOT(alpha=ways.max() / (ways.mean() * two.targets.var()), rounds=100)
    np.testing.assert_allclose(step(two.domains(classes=0)).targets, 100 * theirs.sol_.plan.T @ two.targets, atol=1e-9)


def test_weights_of_classes_are_near_those_that_skada_finds_from_kernel_means():
    """Label shift: MMDTarS there, a confusion matrix here; both estimate q(y) / p(y), .4 and 1.6."""
    draw = np.random.default_rng(0)
    codes = np.concatenate([np.arange(200) % 2, (np.arange(200) % 5 > 0).astype(int)])
    rows = draw.normal(size=(400, 2)) + 2.0 * codes[:, None]
    domain = np.repeat([1, -2], 200)
    masked = np.where(domain > 0, codes, -1)
    theirs = skada.MMDTarSReweightAdapter(gamma=0.5).fit(rows, masked, sample_domain=domain)
    found = theirs.compute_weights(rows, masked, sample_domain=domain)[:2]
    domains = TWO.domains()._replace(source=rows[:200], targets=codes[:200], target=rows[200:])
    ours = BBSE(draws=20)(domains).weights[:2]
    np.testing.assert_allclose(ours, [0.4, 1.6], atol=0.1)
    np.testing.assert_allclose(ours, found, atol=0.12)
