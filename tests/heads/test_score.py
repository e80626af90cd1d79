"""What out-of-fold logits are worth, against the scores themselves on the answers that are decided."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import accuracy_score, balanced_accuracy_score, log_loss

from headstart.heads.decision import decide
from headstart.heads.fitter import pose
from headstart.heads.score import score
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION
from headstart.tasks.goal import Aim

COSTS = np.array([[0.0, 1.0, 2.0], [3.0, 0.0, 1.0], [9.0, 4.0, 0.0]])


def posed(weights=None, folds=None, seed=0):
    """Uneven classes, and logits that tell something of them."""
    rng = np.random.default_rng(seed)
    y = rng.choice(3, 300, p=[0.7, 0.2, 0.1])
    x = rng.normal(size=(300, 4))
    folds = np.arange(300) % 5 if folds is None else folds(y)
    problem = pose(x, y, kind=CLASSIFICATION, classes=3, folds=folds, weights=weights)
    return problem, rng.normal(size=(300, 3)) + 1.5 * np.eye(3)[problem.targets]


def answered(scored, logits):
    p = softmax(logits / scored.settled.temperature + scored.settled.offsets, axis=1)
    return p, decide(p, scored.utility)


@pytest.mark.parametrize("weighted", [False, True])
def test_what_is_lost_of_the_aim_is_what_is_counted(weighted):
    weights = np.random.default_rng(1).integers(1, 4, 300).astype(float) if weighted else None
    problem, logits = posed(weights)
    y, v = problem.targets, problem.weights
    for aim in (Aim("accuracy"), Aim("balanced_accuracy"), Aim("cost", costs=COSTS)):
        scored = score(problem, logits, aim=aim)
        _, answers = answered(scored, logits)
        expected = {
            "accuracy": 1 - accuracy_score(y, answers, sample_weight=v),
            "balanced_accuracy": 1 - balanced_accuracy_score(y, answers, sample_weight=v),
            "cost": np.average(COSTS[y, answers], weights=v),
        }[aim.metric]
        assert scored.aimed.mean == pytest.approx(expected, rel=1e-9)
        assert scored.aimed.weights.sum() == pytest.approx(1.0)
        assert scored.decided


def test_of_a_class_the_log_loss_beside_the_rest_is_lost():
    problem, logits = posed()
    scored = score(problem, logits, aim=Aim("f1", code=2))
    p, _ = answered(scored, logits)
    assert scored.aimed.mean == pytest.approx(log_loss(problem.targets == 2, p[:, 2]))


@pytest.mark.parametrize("metric", ["macro_f1", "log_loss", "auroc"])
def test_of_other_aims_nothing_is_counted(metric):
    problem, logits = posed()
    scored = score(problem, logits, aim=Aim(metric))
    assert scored.aimed is None
    assert scored.decided


def test_the_loss_is_over_rows_and_for_balanced_accuracy_half_over_classes():
    problem, logits = posed()
    scored = {metric: score(problem, logits, aim=Aim(metric)) for metric in ("accuracy", "balanced_accuracy")}
    p, _ = answered(scored["accuracy"], logits)
    losses, y = -np.log(p[np.arange(300), problem.targets]), problem.targets
    of_classes = np.mean([losses[y == code].mean() for code in range(3)])
    assert scored["accuracy"].loss == scored["accuracy"].own.mean == pytest.approx(losses.mean())
    assert scored["balanced_accuracy"].loss == pytest.approx((losses.mean() + of_classes) / 2)
    one, other = (each.settled for each in scored.values())
    assert (one.temperature, one.offsets.tolist()) == (other.temperature, other.offsets.tolist())


def test_rows_of_a_class_that_their_fold_could_not_learn_count_for_nothing():
    problem, logits = posed(folds=lambda y: np.where(y == 2, 0, np.arange(300) % 5))
    lost = problem.targets == 2
    worse = logits.copy()
    worse[lost] = worse[lost][:, ::-1] * 50
    for aim in (Aim("accuracy"), Aim("balanced_accuracy"), Aim("cost", costs=COSTS), Aim("f1", code=1)):
        one, other = (score(problem, each, aim=aim) for each in (logits, worse))
        assert (one.own.weights[lost] == 0).all()
        assert one.aimed.mean == pytest.approx(other.aimed.mean)
        assert one.loss == pytest.approx(other.loss)


def test_without_an_aim_the_temperature_alone_is_settled():
    problem, logits = posed()
    scored = score(problem, logits, aim=None)
    assert (scored.settled.offsets == 0).all()
    assert (scored.aimed, scored.utility, scored.decided) == (None, None, False)


def test_values_and_labels_have_no_decisions():
    x, values = np.random.default_rng(0).normal(size=(40, 3)), np.random.default_rng(1).normal(size=40)
    problem = pose(x, values, kind=REGRESSION, classes=1, folds=np.arange(40) % 4)
    out = problem.truth + 0.3 * np.random.default_rng(2).normal(size=(40, 1))
    errors = np.abs(out - problem.truth)[:, 0]
    assert score(problem, out, aim=Aim("r2")).loss == pytest.approx(np.sqrt(np.square(errors).mean()))
    absolute = score(problem, out, aim=Aim("mae"))
    assert absolute.loss == pytest.approx(errors.mean())
    np.testing.assert_allclose(absolute.own.rows, errors)
    labels = (np.random.default_rng(3).random((40, 2)) < 0.5).astype(np.uint8)
    several = pose(x, labels, kind=MULTILABEL, classes=2, folds=np.arange(40) % 4)
    scored = score(several, np.random.default_rng(4).normal(size=(40, 2)), aim=Aim("macro_f1"))
    assert (scored.utility, scored.aimed, scored.decided) == (None, None, False)
