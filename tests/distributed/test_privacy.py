"""Private sums: how much one row can change, how much noise that takes, and what is left of the budget."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

pytest.importorskip("opacus")

from headstart.distributed.clients import Privacy, read_federation
from headstart.distributed.federate import federate
from headstart.distributed.privacy import (
    Ledger,
    Release,
    clipped,
    made_definite,
    noise_for,
    noisy,
    sensitivity,
    spent,
)
from headstart.errors import DataError
from headstart.heads.from_sums import fit_sums
from headstart.heads.sums import Sums
from headstart.listener import SILENT
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION

PRIVACY = Privacy(epsilon=3.0, delta=1e-5, clip=2.0)


def exact_delta(epsilon, sigma):
    """Of one Gaussian release of sensitivity 1 (Balle and Wang, 2018, theorem 8)."""
    return norm.cdf(0.5 / sigma - epsilon * sigma) - np.exp(epsilon) * norm.cdf(-0.5 / sigma - epsilon * sigma)


@pytest.mark.parametrize("epsilon", [0.3, 1.0, 3.0, 10.0])
def test_the_noise_is_enough_and_hardly_more(epsilon):
    sigma = noise_for(epsilon, 1e-5)
    assert exact_delta(epsilon, sigma) <= 1e-5
    assert exact_delta(epsilon, 0.8 * sigma) > 1e-5
    assert spent([sigma], 1e-5) <= epsilon
    assert epsilon < spent([sigma, sigma], 1e-5) < 2 * epsilon
    assert spent([], 1e-5) == 0.0


@pytest.mark.parametrize(("kind", "columns"), [(CLASSIFICATION, 4), (MULTILABEL, 3), (REGRESSION, 1)])
def test_no_row_changes_the_sums_by_more_than_the_sensitivity(kind, columns):
    rng = np.random.default_rng(0)
    x = clipped(rng.standard_normal((200, 5)) * 10 ** rng.uniform(-2, 2, (200, 1)), 2.0) / 2.0
    assert np.linalg.norm(x, axis=1).max() == pytest.approx(1.0)
    targets = {
        CLASSIFICATION: np.arange(200) % 4,
        MULTILABEL: np.ones((200, 3), np.uint8),
        REGRESSION: np.resize([1.0, -1.0, 0.3], 200),
    }[kind]
    lengths = []
    for row in range(200):
        vector = Sums.of(x[[row]], targets[[row]], kind=kind, classes=columns).vector()[1:]  # rows are not told
        if kind is not REGRESSION:  # squares are answers once more, and not released again
            vector = np.delete(vector, np.arange(1 + 5 + columns, 1 + 5 + 2 * columns))
        lengths.append(np.linalg.norm(vector))
    assert max(lengths) <= sensitivity(kind, columns) * (1 + 1e-12)
    assert max(lengths) > 0.85 * sensitivity(kind, columns)  # xx' has off-diagonal parts once only


@pytest.fixture
def member(owners, owned, serve):
    server = serve()
    agreement = server.agreed()
    return owners(read_federation(owned / "clients.toml").clients[0])[0].under(agreement)


def test_the_noise_has_the_spread_that_it_says(member):
    none = noisy(member, PRIVACY, 0.0, np.random.default_rng(0))
    drawn = np.array([noisy(member, PRIVACY, 2.0, np.random.default_rng(seed)) for seed in range(60)]) - none
    size, folds = len(none) // 3, 3
    for fold in range(folds):
        part = drawn[:, fold * size : (fold + 1) * size]
        assert not part[:, 0].any()  # how many rows there are is never told
        np.testing.assert_allclose(part[:, 1:].std(axis=0).mean(), 2.0 * np.sqrt(5), rtol=0.1)
    assert abs(np.corrcoef(drawn[:, 1], drawn[:, 1 + size])[0, 1]) < 0.5


def test_without_noise_the_head_is_that_of_the_clipped_rows(member):
    vector = noisy(member, PRIVACY, 0.0, np.random.default_rng(0))
    width, kind = member.agreement.width, CLASSIFICATION
    folds = [Sums.from_vector(part, width, 2, rounding=1e-7) for part in np.split(vector, 3)]
    folds = [made_definite(fold, PRIVACY, kind) for fold in folds]
    rows = clipped(member.features, PRIVACY.clip)
    want = fit_sums([Sums.of(rows, member.rows.task.targets, kind=kind, classes=2)], kind=kind)
    head = fit_sums(folds, kind=kind, strengths=(1.0,))
    np.testing.assert_allclose(head.logits(rows), want.logits(rows), atol=1e-6)


def test_values_come_back_in_their_own_units():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((60, 3)), rng.uniform(10, 30, 60)
    privacy = replace(PRIVACY, clip=100.0, low=10.0, high=30.0)
    coded = Sums.of(x / 100, (y - 20) / 10, kind=REGRESSION)
    back, want = made_definite(coded, privacy, REGRESSION), Sums.of(x, y, kind=REGRESSION)
    for name in ("total", "gram", "answers", "cross", "squares"):
        np.testing.assert_allclose(getattr(back, name), getattr(want, name), rtol=1e-8, atol=1e-8)
    with pytest.raises(DataError, match="a regression needs the range of its values"):
        made_definite(coded, PRIVACY, REGRESSION)


def test_a_spent_budget_is_refused_and_nothing_is_told(member, tmp_path):
    ledger, privacy = Ledger(tmp_path / "a.privacy.json"), replace(PRIVACY, budget=4.0)
    first = Release(privacy, ledger)
    assert first.of(member) is first.of(member)
    assert len(ledger.sigmas()) == 1
    with pytest.raises(
        DataError, match=r"the privacy budget is spent: epsilon (2\.9|3)\d* of 4 at delta 1e-05 is used"
    ):
        Release(privacy, ledger).of(member)
    assert len(ledger.sigmas()) == 1
    Release(replace(privacy, budget=6.0), ledger).of(member)
    assert json.loads(ledger.file.read_text("utf-8"))["epsilon"] == pytest.approx(spent(ledger.sigmas(), 1e-5))


def test_a_damaged_ledger_releases_nothing(tmp_path):
    ledger = Ledger(tmp_path / "a.privacy.json")
    ledger.file.write_text("{", "utf-8")
    with pytest.raises(DataError, match="remembers what privacy was spent and cannot be read"):
        ledger.spend(1.0, 1e-5, 10.0)


@pytest.mark.slow
def test_a_private_federation_tells_epsilon_and_refuses_a_second(owned, tmp_path):
    for name in ("north", "south", "west"):
        (tmp_path / f"{name}.csv").write_bytes((owned / f"{name}.csv").read_bytes())
    text = (owned / "clients.toml").read_text("utf-8")
    privacy = "[privacy]\nepsilon = 50.0\ndelta = 1e-5\nclip = 5.0\n"
    file = tmp_path / "clients.toml"
    file.write_text(text.replace("[[client]]", privacy + "[[client]]", 1), "utf-8")
    result = federate(file, listener=SILENT)
    assert any("epsilon 50, delta 1e-05" in note for note in result.model.evidence_.notes)
    assert result.notes
    assert all(" ".join(str(result).split()).count(note) == 1 for note in result.notes)
    assert (tmp_path / "north.privacy.json").is_file()
    with pytest.raises(DataError, match=r"north: the privacy budget is spent"):
        federate(file, listener=SILENT)
