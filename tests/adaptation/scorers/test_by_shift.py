"""The rule by the shift: which criterion is trusted, which models are left out, and what it says of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import entropy, ttest_ind

from headstart.adaptation.scorers.by_shift import as_sure, choose_by_shift, keeps_shares
from headstart.adaptation.scorers.criteria import CRITERIA, Said
from headstart.adaptation.shift.diagnose import Shift
from headstart.adaptation.shift.hypotheses import Hypothesis

Array = np.ndarray[Any, Any]
ROWS = 200


def said(share: float, sure: float, *, loss: float = 0.1, rows: int = ROWS) -> Said:
    """Of a model that calls half of the source and `share` of the target class 1; `sure` there."""
    y = np.arange(ROWS) % 2
    p_source = np.where(np.eye(2)[y] > 0, np.exp(-loss), 1 - np.exp(-loss))
    called = (np.arange(rows) < round(share * rows)).astype(np.int64)
    p_target = np.where(np.eye(2)[called] > 0, sure, 1 - sure)
    return Said(np.ones((ROWS, 1)), y, np.ones((rows, 1)), p_target, p_source, weights=np.ones(ROWS))


def shift(p: float) -> Shift:
    """The diagnosis where the story of a move has this p."""
    return Shift("unclear", False, "", "", stories=(Hypothesis("label", 0.5, 80), Hypothesis("moved", p, 160)))


def test_where_a_move_explains_the_target_the_sure_and_even_model_is_chosen() -> None:
    models = {"source": said(0.1, 0.99, loss=0.01), "coral": said(0.5, 0.99, loss=0.3)}
    found = choose_by_shift(models, {"coral"}, shift(0.05))
    assert found.name == "coral"
    assert found.criterion == "infomax"
    assert found.rule.startswith("moving the source as a whole explains the target: coral has the highest infomax")


@pytest.mark.parametrize("p", [0.049, float("nan")])
def test_where_none_does_moving_models_are_left_out(p: float) -> None:
    models = {"source": said(0.1, 0.99, loss=0.2), "kmm": said(0.1, 0.9, loss=0.1), "coral": said(0.5, 0.99, loss=0.01)}
    found = choose_by_shift(models, {"coral"}, shift(p))
    assert found.name == "kmm"
    assert set(found.scores) == {"source", "kmm"}
    assert found.rule.startswith(
        "moving the source as a whole does not explain the target, so that models that move features are left out: "
        "kmm has the lowest iwv"
    )
    assert choose_by_shift(models, {"coral"}, Shift("none", False, "", "")).name == "kmm"


def test_a_move_that_changes_the_shares_called_is_refuted() -> None:
    models = {"source": said(0.1, 0.99), "coral": said(0.36, 0.99)}
    assert CRITERIA["infomax"].of(models["coral"]) > CRITERIA["infomax"].of(models["source"])
    found = choose_by_shift(models, {"coral"}, shift(1.0))
    assert found.name == "source"
    assert found.rule.startswith("coral calls the classes in other shares than in the source, which no move does, so")


def test_a_move_that_is_less_sure_of_the_target_is_refuted() -> None:
    rng = np.random.default_rng(0)
    spread = said(0.5, 0.9, loss=0.02)._replace(p_target=np.stack([p := rng.uniform(0.02, 0.98, ROWS), 1 - p], axis=1))
    assert keeps_shares(spread)
    assert not as_sure(spread)
    found = choose_by_shift({"source": said(0.0, 0.99), "coral": spread}, {"coral"}, shift(1.0))
    assert found.name == "source"
    assert found.rule.startswith("coral is less sure than in the source, which no move does, so")
    assert as_sure(spread._replace(p_source=spread.p_target))
    assert as_sure(said(0.5, 0.99, loss=0.01))
    assert not as_sure(said(0.5, 0.8, loss=0.01))
    for seed in range(5):
        p = np.random.default_rng(seed).beta(2, 8, (ROWS, 2))
        one = spread._replace(p_source=np.stack([p[:, 0], 1 - p[:, 0]], axis=1),
                              p_target=np.stack([p[:, 1] ** 0.7, 1 - p[:, 1] ** 0.7], axis=1))  # fmt: skip
        there, here = (entropy(q, axis=1) for q in (one.p_target, one.p_source))
        welch = ttest_ind(there, here, equal_var=False, alternative="greater").pvalue
        assert as_sure(one) == (welch >= 0.01 or there.mean() - here.mean() <= 0.01)
    with pytest.raises(ValueError, match="p_source is None: this rule needs"):
        as_sure(spread._replace(p_source=None))


def test_where_no_story_stands_a_move_may_be_taken() -> None:
    models = {"source": said(0.1, 0.99, loss=0.01), "coral": said(0.5, 0.99, loss=0.01)}
    none = Shift("conditional", False, "", "", stories=(Hypothesis("label", 0.01, 80), Hypothesis("moved", 0.01, 160)))
    found = choose_by_shift(models, {"coral"}, none)
    assert found.name == "coral"
    assert found.rule.startswith("neither other shares nor weights explain the target: coral has the highest infomax")


def test_a_model_that_does_not_move_may_win_by_infomax_whatever_its_shares() -> None:
    models = {"source": said(0.36, 0.99), "coral": said(0.5, 0.6)}
    found = choose_by_shift(models, {"coral"}, shift(1.0))
    assert (found.name, found.criterion) == ("source", "infomax")


def test_shares_are_compared_by_homogeneity_unless_they_are_near() -> None:
    """z of .5 in 200 rows against q in m: (.5 - q) / sqrt(v (1/200 + 1/m)), v of the pooled share; 1.96 is told."""
    assert keeps_shares(said(0.41, 0.9))  # z = 1.81
    assert not keeps_shares(said(0.39, 0.9))  # z = 2.21
    assert keeps_shares(said(0.3, 0.9, rows=20))  # z = 1.70
    assert not keeps_shares(said(0.42, 0.9, rows=10_000))  # z = 2.26
    assert keeps_shares(said(0.451, 0.9, rows=1_000_000))
    one = said(0, 0.9)
    assert keeps_shares(one._replace(p_source=np.tile([0.9, 0.1], (ROWS, 1))))


def test_shares_of_a_class_that_is_never_called_do_not_count() -> None:
    one = said(0.39, 0.9)
    three = one._replace(p_source=np.insert(one.p_source, 1, 0, axis=1), p_target=np.insert(one.p_target, 1, 0, axis=1))
    assert not keeps_shares(three)


def test_bad_input_in_words() -> None:
    models = {"source": said(0.1, 0.9), "coral": said(0.5, 0.99)}
    with pytest.raises(ValueError, match="moving names tca: expected names of the models source, coral"):
        choose_by_shift(models, {"tca"}, shift(1.0))
    with pytest.raises(ValueError, match="every model moves features: expected one at least that does not"):
        choose_by_shift(models, set(models), shift(1.0))
    with pytest.raises(ValueError, match="p_source is None: this rule needs"):
        keeps_shares(models["coral"]._replace(p_source=None))
    with pytest.raises(ValueError, match="weights is None: this criterion needs density ratios"):
        choose_by_shift({"source": models["source"]._replace(weights=None)}, (), shift(0.0))
    with pytest.raises(ValueError, match="infomax is for classes"):
        choose_by_shift({"source": models["source"]._replace(p_target=np.ones(ROWS))}, (), shift(1.0))
