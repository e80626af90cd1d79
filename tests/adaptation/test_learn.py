"""One fit that draws on a source: which rows it learns from, and a head that answers for the target."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from headstart.adaptation import learn as module
from headstart.adaptation.alignment.augment import FeatureAugmentation
from headstart.adaptation.alignment.step import Domains
from headstart.adaptation.alignment.subspace import SubspaceAlignment
from headstart.adaptation.alignment.tca import TCA
from headstart.adaptation.domain_pair import DomainPair
from headstart.adaptation.learn import composed, fit_strategy, learn
from headstart.adaptation.reweighting.mlls import MLLS
from headstart.adaptation.strategy import Strategy
from headstart.heads.select import fit_probe
from headstart.tasks import CLASSIFICATION, REGRESSION

RNG = np.random.default_rng(0)
X, Z = RNG.normal(size=(80, 4)), RNG.normal(size=(40, 4)) * 2 + 1
Y = (X[:, 0] + RNG.normal(size=80) / 2 > 0).astype(int)
KNOWN = np.where(np.arange(40) % 2, (Z[:, 0] > 1).astype(int), -1)
FOLDS = np.arange(80) % 5, np.arange(40) % 5


def ground(known=KNOWN, kind=CLASSIFICATION, y=Y, form="plain"):
    return DomainPair(Domains(X, y, Z, known, 2 if kind == CLASSIFICATION else 0), FOLDS, kind, form)


def probe(x, y, folds, **more):
    fitted = fit_probe(x, y, kind=CLASSIFICATION, classes=2, folds=folds, heads=("ridge", "logistic"), **more)
    return fitted.head.predict(Z)


def test_plain_ways_are_the_probe_on_their_rows():
    some = np.flatnonzero(KNOWN >= 0)
    both = np.concatenate([X, Z[some]]), np.concatenate([Y, KNOWN[some]]), np.concatenate([FOLDS[0], FOLDS[1][some]])
    rows = {Strategy(): (X, Y, FOLDS[0]), Strategy(target=True): both}
    rows[Strategy(source=False, target=True)] = Z[some], KNOWN[some], FOLDS[1][some]
    for strategy, (x, y, folds) in rows.items():
        np.testing.assert_allclose(
            fit_strategy(ground(), strategy).predict(Z), probe(x, y, folds, scale="shared"), rtol=1e-6
        )


def test_weights_of_a_step_are_those_of_the_rows():
    weights = MLLS()(ground().domains).weights
    expected = probe(X, Y, FOLDS[0], scale="shared", weights=weights)
    np.testing.assert_allclose(fit_strategy(ground(), Strategy(align=MLLS())).predict(Z), expected, rtol=1e-6)


@pytest.mark.parametrize("align", [SubspaceAlignment(dim=2), FeatureAugmentation()], ids=repr)
def test_a_head_behind_a_move_is_one_layer_that_says_the_same(align):
    on = ground()
    moved = align(on.domains)
    folds = np.arange(len(moved.source)) % 5
    fitted = fit_probe(
        moved.source, moved.targets, kind=CLASSIFICATION, classes=2, folds=folds, heads=("ridge",), scale="shared"
    )
    whole = composed(fitted.head, moved.move, 4)
    np.testing.assert_allclose(whole.logits(Z), fitted.head.logits(moved.move(Z)), atol=1e-5)
    assert whole.arrays["weight.0"].shape == (4, 2)


def test_a_step_that_bends_the_target_cannot_be_saved():
    with pytest.raises(ValueError, match="this step bends the features of the target, which a saved model cannot hold"):
        fit_strategy(ground(), Strategy(align=TCA(kernel="rbf")))


@pytest.mark.parametrize("known", [None, np.full(40, -1)])
def test_target_rows_without_labels_cannot_be_learnt_from(known):
    with pytest.raises(ValueError, match="no labelled target rows may be used"):
        fit_strategy(ground(known), Strategy(target=True))


def test_values_are_learnt_likewise():
    values = np.where(KNOWN >= 0, Z[:, 0], np.nan)
    on = ground(values, REGRESSION, X[:, 0])
    for strategy in (
        Strategy(),
        Strategy(target=True),
        Strategy(source=False, target=True),
        Strategy(align=FeatureAugmentation()),
    ):
        assert np.corrcoef(fit_strategy(on, strategy).predict(Z), Z[:, 0])[0, 1] > 0.95


def test_of_small_tasks_a_way_is_fitted_once(monkeypatch):
    on = ground()
    first = learn(on, Strategy(target=True))
    monkeypatch.setattr(module, "fit_probe", None)  # would be called
    assert learn(on, Strategy(target=True)) is first
    with pytest.raises(TypeError):
        learn(on, Strategy(target=True), "kernel")


def test_of_large_tasks_nothing_is_kept(monkeypatch):
    monkeypatch.setattr("headstart.adaptation.domain_pair._KEPT", 10)
    on = ground()
    assert learn(on, Strategy()) is not learn(on, Strategy())
    assert not on.learnt


def test_a_pair_of_which_other_answers_are_known_learns_anew():
    on = ground()
    learn(on, Strategy(target=True))
    masked = KNOWN.copy()
    masked[np.flatnonzero(KNOWN >= 0)[:8]] = -1
    other = replace(on, domains=on.domains._replace(known=masked))
    np.testing.assert_array_equal(
        fit_strategy(other, Strategy(target=True)).predict(Z),
        fit_strategy(ground(masked), Strategy(target=True)).predict(Z),
    )
