"""The guard: which way it takes, by which rows, and that it does not look where it may not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from headstart.adaptation.alignment.step import Domains
from headstart.adaptation.choice import strategy_of
from headstart.adaptation.domain_pair import DomainPair
from headstart.adaptation.guard import _losses, _losses_of_parts, _parts, choose
from headstart.adaptation.learn import fit_strategy
from headstart.adaptation.strategy import Strategy
from headstart.tasks import CLASSIFICATION


def ground(move, known=20, seed=0, shares=0.5, count=200):
    """Two classes apart along the first column; the target moved, and so many of its rows labelled."""
    rng = np.random.default_rng(seed)

    def rows(share):
        y = (rng.random(count) < share).astype(int)
        x = rng.normal(size=(count, 3))
        x[:, 0] += 3.0 * y
        return x, y

    (x, y), (z, truth) = rows(0.5), rows(shares)
    labels = np.where(np.arange(count) < known, truth, -1) if known else None
    folds = np.arange(count) % 5
    return DomainPair(Domains(x, y, move(z), labels, 2), (folds, folds), CLASSIFICATION, "plain", seed=seed), truth


def right(on, way, truth):
    return float((fit_strategy(on, way).predict(on.domains.target).argmax(1) == truth).mean())


@pytest.mark.parametrize("seed", [0, 3, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2, 4))])
def test_the_source_stays_where_nothing_has_changed(seed):
    on, _ = ground(lambda z: z, seed=seed)
    assert choose(on).strategy.align is None


def test_a_target_of_its_own_is_learnt_from_its_own_labels():
    on, truth = ground(lambda z: z * [-1.0, 1, 1] + [3.0, 0, 0], known=60)  # the classes have changed places
    found = choose(on)
    assert found.name != "source-only"
    assert right(on, found.strategy, truth) > 0.85 > right(on, Strategy(), truth)


@pytest.mark.slow
def test_an_adaptation_is_taken_where_it_is_better_by_more_than_chance():
    def away(z):
        return z @ np.array([[1.0, 2.0, 0.0], [-2.0, 1.0, 0.0], [0.0, 0.0, 4.0]]) + [9.0, -5.0, 2.0]

    taken = []
    for seed in range(4):
        on, truth = ground(away, known=10, seed=seed)
        found = choose(on)
        taken.append(found.name)
        assert right(on, found.strategy, truth) > right(on, Strategy(), truth) - 0.01
    assert set(taken) != {"source-only"}


def test_no_row_is_judged_by_a_fit_that_knew_its_answer(monkeypatch):
    on, _ = ground(lambda z: z, known=40)
    labelled = np.arange(40)
    alone = Strategy(source=False, target=True)
    losses = _losses_of_parts(on, alone, "linear")
    part = _parts(on)
    monkeypatch.setattr("headstart.adaptation.guard._parts", lambda on: part)
    known = on.domains.known.copy()
    hidden = labelled[part == 0]
    known[hidden] = 1 - known[hidden]
    other = _losses_of_parts(
        replace(on, domains=on.domains._replace(known=known)), Strategy(source=False, target=True), "linear"
    )
    # had a fit seen the answers that were turned round, it would say of these rows what it is told
    said, turned = (1 - np.sqrt(loss[hidden] / 2) for loss in (losses, other))  # of two classes: 2 (1 - p)^2
    np.testing.assert_allclose(said + turned, 1, atol=1e-6)


@pytest.mark.parametrize("base", ["linear", "kernel", pytest.param("boosting", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", ["pooled", "target-only", "augment", "balanced"])
def test_answers_that_follow_from_nothing_are_not_known(name, base):
    """More columns than rows: a fit tells all answers that it was given, and of others no more than chance."""
    rng = np.random.default_rng(0)
    on, _ = ground(lambda z: z, known=0, count=80)
    source, target = rng.normal(size=(80, 160)), rng.normal(size=(80, 160))
    domains = on.domains._replace(
        source=source, targets=np.arange(80) % 2, target=target, known=rng.permutation(np.arange(80) % 2)
    )
    on = replace(on, domains=domains, folds=(np.arange(80) % 5, np.arange(80) // 16))
    losses = _losses(on, strategy_of(name), base)
    assert losses.shape == (80,)
    assert losses.mean() > 0.45  # of two answers alike
    assert _losses_of_parts(on, strategy_of(name), base).mean() > 0.45
    if name in ("pooled", "balanced"):  # of the others the temperature says that nothing is known
        answers = fit_strategy(on, strategy_of(name), base).predict(target)
        assert np.square(answers - np.eye(2)[domains.known]).sum(axis=1).mean() < losses.mean() - 0.05


def test_rows_of_a_rare_class_are_spread():
    on, _ = ground(lambda z: z, known=40)
    codes = np.zeros(40, int)
    codes[[3, 17]] = 1
    part = _parts(replace(on, domains=on.domains._replace(known=np.r_[codes, np.full(160, -1)])))
    assert part[3] != part[17]
    assert np.bincount(part).tolist() == [4] * 10


def test_rows_that_belong_together_are_held_out_together():
    on, _ = ground(lambda z: z, known=40)
    blocks = np.arange(200) // 4
    part = _parts(replace(on, blocks=blocks))
    assert all(len(set(part[blocks[:40] == block])) == 1 for block in range(10))
    assert np.bincount(part).tolist() == [4] * 10


def test_a_class_that_stands_in_one_block_cannot_be_held_out_and_is_not():
    on, _ = ground(lambda z: z, known=20)
    codes = on.domains.known[:20]
    blocks = np.arange(200)
    blocks[:20] = np.where(codes == 1, 0, np.arange(20) + 1)
    assert choose(replace(on, blocks=blocks)).why.startswith("too few target labels to compare")


def test_few_blocks_that_share_a_fold_are_told_apart_by_themselves():
    on, truth = ground(lambda z: z, known=20)
    blocks, fold = np.arange(200) // 5, on.folds[1].copy()
    fold[:20] = 3
    one = replace(on, blocks=blocks, folds=(on.folds[0], fold))
    assert right(one, Strategy(source=False, target=True), truth) > 0.8


def test_without_labels_the_diagnosis_decides():
    on, _ = ground(lambda z: z, known=0, shares=0.1)
    found = choose(on)
    assert found.name in ("mlls", "source-only")
    assert found.why.startswith("too few target labels to compare")
    same, _ = ground(lambda z: z, known=0)
    assert choose(same).name == "source-only"


@pytest.mark.slow
def test_without_labels_other_shares_are_corrected_and_nothing_gets_worse():
    names = []
    for seed in range(5):
        on, truth = ground(lambda z: z, known=0, shares=0.1, count=400, seed=seed)
        found = choose(on)
        names.append(found.name)
        assert right(on, found.strategy, truth) >= right(on, Strategy(), truth) - 0.01
    assert names.count("mlls") >= 3


def test_one_row_of_a_rare_class_does_not_silence_the_other_labels():
    on, truth = ground(lambda z: z * [-1.0, 1, 1] + [3.0, 0, 0], known=60)
    known, y = on.domains.known.copy(), on.domains.targets.copy()
    known[0], y[:20] = 2, 2
    three = replace(on, domains=on.domains._replace(known=known, targets=y, classes=3))
    found = choose(three)
    assert "labelled target rows held out in turn" in found.why
    assert right(three, found.strategy, truth) > 0.8
