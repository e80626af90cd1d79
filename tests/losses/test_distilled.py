"""Losses that learn from a teacher, each against its paper's formula written with loops."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from small import RESNET, network_of, noise

from headstart.backbones.load import load
from headstart.losses.attention import Attention, attention
from headstart.losses.decoupled import Decoupled, decoupled
from headstart.losses.distilled import TeacherAnswers
from headstart.losses.hints import Hints, regressor, standardised
from headstart.losses.penalty import Context, Pass
from headstart.losses.relational import Relational, angles, distances
from headstart.losses.soft_targets import SoftTargets, divergence
from headstart.losses.supervised import Supervised
from headstart.losses.taps import Taps
from headstart.methods.table import METHODS
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION

RNG = np.random.default_rng(0)
Z, T = (torch.from_numpy(RNG.normal(size=(8, 5)) * 2) for _ in range(2))
Y = torch.from_numpy(RNG.integers(0, 5, 8))


def softmax(values):
    top = [math.exp(value) for value in values]
    return [value / sum(top) for value in top]


def kl(p, q):
    return sum(a * math.log(a / b) for a, b in zip(p, q, strict=True) if a > 0)


def test_soft_targets_are_a_divergence_at_a_temperature():
    for temperature in (1.0, 4.0):
        costs = divergence(Z, T, CLASSIFICATION, temperature)
        for row in range(8):
            p, q = (softmax((logits[row] / temperature).tolist()) for logits in (T, Z))
            assert float(costs[row]) == pytest.approx(temperature**2 * kl(p, q))


def test_soft_targets_of_many_labels_are_divergences_of_each_label():
    costs = divergence(Z, T, MULTILABEL, 3.0)
    for row in range(8):
        each = []
        for z, t in zip(Z[row].tolist(), T[row].tolist(), strict=True):
            p, q = (1 / (1 + math.exp(-value / 3)) for value in (t, z))
            each.append(kl([p, 1 - p], [q, 1 - q]))
        assert float(costs[row]) == pytest.approx(9 * sum(each) / 5)


def test_values_of_a_teacher_are_learnt_by_their_distance():
    np.testing.assert_allclose(divergence(Z[:, :1], T[:, :1], REGRESSION, 7.0), (Z - T)[:, 0] ** 2)


def test_at_a_high_temperature_the_gradient_is_that_of_matched_logits():
    """Hinton et al., 2015, equation 4: T^2 dC/dz -> (z - v) / N, logits of mean 0."""
    z, t = (logits - logits.mean(1, keepdim=True) for logits in (Z, T))
    z.requires_grad_(True)
    divergence(z, t, CLASSIFICATION, 1e4).sum().backward()
    np.testing.assert_allclose(z.grad, ((z - t) / 5).detach(), rtol=1e-3, atol=1e-4)


def test_decoupled_keeps_the_target_class_apart():
    alpha, beta, temperature = 1.5, 4.0, 2.0
    costs = decoupled(Z, T, Y, temperature, alpha, beta)
    for row, y in enumerate(Y.tolist()):
        p, q = (softmax((logits[row] / temperature).tolist()) for logits in (T, Z))
        tckd = kl([p[y], 1 - p[y]], [q[y], 1 - q[y]])
        rest_p, rest_q = ([value / (1 - x[y]) for c, value in enumerate(x) if c != y] for x in (p, q))
        assert float(costs[row]) == pytest.approx(temperature**2 * (alpha * tckd + beta * kl(rest_p, rest_q)))


def test_decoupled_with_the_teachers_own_doubt_is_the_plain_divergence():
    """Zhao et al., 2022, equation 5: KD = TCKD + (1 - p_y) NCKD."""
    doubt = 1 - T.softmax(1).gather(1, Y[:, None])[:, 0]
    tckd, nckd = decoupled(Z, T, Y, 1.0, 1.0, 0.0), decoupled(Z, T, Y, 1.0, 0.0, 1.0)
    np.testing.assert_allclose(tckd + doubt * nckd, divergence(Z, T, CLASSIFICATION, 1.0))
    two = decoupled(Z[:, :2], T[:, :2], Y % 2, 1.0, 1.0, 9.0)
    np.testing.assert_allclose(two, divergence(Z[:, :2], T[:, :2], CLASSIFICATION, 1.0))


def test_distances_and_angles_are_those_of_pairs_and_triples():
    x = Z.numpy()
    pairs = list(itertools.permutations(range(8), 2))
    d = np.array([np.linalg.norm(x[i] - x[j]) for i, j in pairs])
    np.testing.assert_allclose(sorted(distances(Z).tolist()), sorted(d / d.mean()))
    found = []
    for j in range(8):
        for i, k in itertools.permutations([row for row in range(8) if row != j], 2):
            e, f = x[i] - x[j], x[k] - x[j]
            found.append(e @ f / np.linalg.norm(e) / np.linalg.norm(f))
    np.testing.assert_allclose(angles(Z), found, atol=1e-12)
    np.testing.assert_allclose(distances(3 * Z + 1), distances(Z))
    np.testing.assert_allclose(angles(3 * Z + 1), angles(Z), atol=1e-12)


def test_rows_that_are_copies_have_a_gradient():
    x = Z[[0, 0, 1]].clone().requires_grad_(True)
    (distances(x).sum() + angles(x).sum()).backward()
    assert x.grad.isfinite().all()


def huber(a, b):
    return np.where(np.abs(a - b) <= 1, 0.5 * (a - b) ** 2, np.abs(a - b) - 0.5).mean()


@pytest.fixture
def network():
    return network_of(load(RESNET), classes=5, spread=0.1)


def passed(network, rows, kind=CLASSIFICATION, **more):
    """Rows of eight pictures that have just gone through."""
    inputs = (noise(8)[rows],)
    features = network.backbone(*inputs)
    return Pass(inputs, features, network.head(features), kind, rows=torch.tensor(rows), **more)


def test_relational_is_the_sum_of_both_terms(network):
    teacher = torch.from_numpy(RNG.normal(size=(8, 3))).float()
    penalty = Relational(distance=2.0, angle=3.0).start(Context(network, teacher=T, teacher_features=teacher))
    found = passed(network, [1, 4, 2, 7])
    s, t = found.features.detach(), teacher[[1, 4, 2, 7]]
    expected = 2 * huber(distances(s).numpy(), distances(t).numpy()) + 3 * huber(angles(s).numpy(), angles(t).numpy())
    assert float(penalty.batch(found)) == pytest.approx(expected, rel=1e-5)
    assert penalty.batch(passed(network, [3])) is None
    two = float(penalty.batch(passed(network, [3, 5])))
    assert two == pytest.approx(0.0, abs=1e-6)  # one distance, and its mean is itself


def test_hints_are_the_distance_of_what_a_linear_map_foretells(network):
    teacher = torch.from_numpy(RNG.normal(size=(8, 3)) * 4 + 2).float()
    penalty = Hints(weight=2.0).start(Context(network, seed=5, teacher=T, teacher_features=teacher))
    found = passed(network, [6, 0, 3])
    layer, v = penalty.helper.module, network.head.standardised(found.features).detach()
    u = (teacher - teacher.mean(0)) / (teacher - teacher.mean(0)).pow(2).mean().sqrt()
    r = (v @ layer.weight.T + layer.bias).detach()
    expected = 2 / 2 * np.mean([float((u[row] - r[place]).pow(2).sum()) / 3 for place, row in enumerate([6, 0, 3])])
    assert float(penalty.batch(found).detach()) == pytest.approx(expected, rel=1e-5)
    assert torch.equal(layer.weight, regressor(network.head.mean, 3, 5).weight)
    assert not torch.equal(layer.weight, regressor(network.head.mean, 3, 6).weight)
    assert standardised(torch.ones(4, 2)).abs().max() == 0


def test_attention_is_the_distance_of_maps_of_unit_length(network):
    maps = [torch.from_numpy(RNG.normal(size=(2, 3, 4, 5))) for _ in range(2)]
    (size, q), *others = attention(maps).items()
    assert size == (4, 5)
    assert not others
    for row in range(2):
        Q = sum(maps[1][row, c].numpy() ** 2 for c in range(3)).ravel()
        np.testing.assert_allclose(q[row], Q / np.linalg.norm(Q), rtol=1e-5)
    own = maps_of(network)
    penalty = Attention(weight=4.0).start(Context(network, teacher=T, teacher_maps=own))
    assert float(penalty.batch(passed(network, [1, 2, 5]))) == pytest.approx(0.0, abs=1e-9)  # its own teacher
    penalty.close()
    turned = {size: values.roll(1, 0) for size, values in own.items()}
    penalty = Attention(weight=4.0).start(Context(network, teacher=T, teacher_maps=turned))
    apart = sum(
        np.mean([float((values[row] - values[row - 1]).pow(2).sum()) for row in (1, 2, 5)]) for values in own.values()
    )
    assert float(penalty.batch(passed(network, [1, 2, 5]))) == pytest.approx(4 / 2 * apart, rel=1e-4)
    penalty.close()


def maps_of(network):
    """The maps of all eight pictures."""
    taps = Taps(network.backbone, [end for stage in network.stages[:-1] for end in network.modules_of(stage)[-1:]])
    network.backbone(noise(8))
    maps = {size: values.detach() for size, values in attention(taps.taken()).items()}
    taps.close()
    return maps


def test_maps_of_no_common_size_are_refused(network):
    penalty = Attention().start(Context(network, teacher=T, teacher_maps={(3, 3): torch.ones(8, 9)}))
    with pytest.raises(
        ValueError, match=r"no map of the student is of a size that the teacher has: .*, and 3 x 3; use"
    ):
        penalty.batch(passed(network, [0, 1]))
    penalty.close()


def test_a_row_without_an_answer_and_a_class_that_is_not_known_cost_nothing(network):
    teacher = T.clone().float()
    teacher[:, 3] = torch.nan
    teacher[2] = torch.nan
    penalty = SoftTargets(temperature=2.0, weight=3.0).start(Context(network, teacher=teacher))
    found = passed(network, [2, 4])
    known = [0, 1, 2, 4]
    alone = divergence(found.logits[1:, known], teacher[4:5, known], CLASSIFICATION, 2.0)
    assert float(penalty.batch(found)) == pytest.approx(3 * float(alone[0]) / 2, rel=1e-5)
    silent = penalty.batch(passed(network, [2]))
    assert float(silent) == 0


def test_decoupled_takes_the_label_where_there_is_one_and_else_the_teachers_answer(network):
    teacher = T.clone().float()
    teacher[:, 0] = torch.nan
    loss = Decoupled(alpha=2.0, beta=5.0, temperature=3.0)
    penalty = loss.start(Context(network, teacher=teacher))
    targets, weights = torch.tensor([4, 1, 2]), torch.tensor([1.0, 0.0, 2.0])
    found = passed(network, [0, 1, 5], targets=targets, weights=weights)
    t = teacher[[0, 1, 5], 1:]
    y = torch.tensor([3, int(t[1].argmax()), 1])
    expected = decoupled(found.logits[:, 1:], t, y, 3.0, 2.0, 5.0).mean()
    assert float(penalty.batch(found)) == pytest.approx(float(expected), rel=1e-5)


def test_labels_count_as_much_as_is_asked():
    z, y = Z.float(), Y
    np.testing.assert_allclose(
        SoftTargets(labels=0.25).each(z, y, CLASSIFICATION), 0.25 * Supervised().each(z, y, CLASSIFICATION)
    )


TAUGHT = {name: row.loss for name, row in METHODS.items() if row.needs_teacher}


@pytest.mark.parametrize("name", TAUGHT)
def test_each_says_what_it_needs_of_a_teacher(name, network):
    loss = TAUGHT[name]
    assert loss.needs == "teacher"
    what = {"answers": "a loss that learns from a teacher needs its answers"}
    why = what.get(loss.learns_from, f"learns from the teacher's {loss.learns_from}: give Data")
    with pytest.raises(ValueError, match=why):
        loss.start(Context(network))
    with pytest.raises(ValueError, match=r"mixup = 0.2: \w+ learns from a teacher, which was not asked of mixed rows"):
        loss.suits(CLASSIFICATION, mixup=0.2)
    whole = {"teacher": T.float(), "teacher_features": T.float(), "teacher_maps": {(3, 3): torch.ones(8, 9)}}
    penalty = loss.start(Context(network, **whole))
    with pytest.raises(ValueError, match="go by the numbers of rows, and this pass has none"):
        penalty.batch(passed(network, [0, 1])._replace(rows=None))
    penalty.close()


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: SoftTargets(temperature=0.0), "temperature = 0.0: expected more than 0"),
        (lambda: Decoupled(temperature=-1.0), "temperature = -1.0: expected more than 0"),
        (lambda: SoftTargets(weight=-1.0), "weight = -1.0: expected 0 or more"),
        (lambda: SoftTargets(labels=-1.0), "labels = -1.0: expected 0 or more"),
        (lambda: Decoupled(beta=-1.0), "beta = -1.0: expected 0 or more"),
        (lambda: Relational(angle=-1.0), "angle = -1.0: expected 0 or more"),
        (lambda: Hints(rate=0.0), "rate = 0.0: expected more than 0"),
    ],
)
def test_an_amount_that_cannot_be_is_refused(make, why):
    with pytest.raises(ValueError, match=why):
        make()


def test_decoupled_is_for_classes():
    with pytest.raises(ValueError, match="Decoupled is for classification, and this task is a regression"):
        Decoupled().suits(REGRESSION, mixup=0.0)
    assert TeacherAnswers(Context(None, teacher=T)).columns.tolist() == [0, 1, 2, 3, 4]
