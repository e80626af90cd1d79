"""A training on a teacher's answers: which answer belongs to which row, rows without a label, and exact resume."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from typing import ClassVar

import numpy as np
import pytest
import torch
from PIL import Image
from small import Interrupted, Killed, Rows, data_of, network_of, noise
from torch.nn import functional

from headstart import Transfer
from headstart.finetuning.full import Full
from headstart.finetuning.head import HeadOnly
from headstart.losses.hints import Hints
from headstart.losses.penalty import Norms
from headstart.losses.soft_targets import SoftTargets
from headstart.losses.supervised import Needs, Supervised
from headstart.methods.teacher import Teacher
from headstart.tasks import CLASSIFICATION, REGRESSION
from headstart.training.augmentation import View
from headstart.training.batches import PLAIN, batches
from headstart.training.checkpoint import Journal
from headstart.training.feed import NOBODY, Data
from headstart.training.initial import Scale
from headstart.training.loop import train
from headstart.training.options import Training
from headstart.training.taught import Taught
from headstart.training.validation import logits

RNG = np.random.default_rng(0)
PICTURES = [Image.fromarray(RNG.integers(0, 256, (36, 36, 3), np.uint8)) for _ in range(8)]


@dataclass(frozen=True, kw_only=True)
class Recorded(Supervised):
    """Keeps what it is shown."""

    needs: ClassVar[Needs] = "teacher"

    def start(self, context):
        return Kept(context.network)


class Kept(Norms):
    passes: ClassVar[list] = []

    def __init__(self, network):
        super().__init__(network, l1=0, l2=0)
        self.passes.clear()

    def batch(self, forward_pass):
        self.passes.append((forward_pass.inputs[0], forward_pass.rows))


def test_a_row_has_the_number_of_the_form_in_which_it_is_shown(backbone):
    inputs = batches(PICTURES, backbone)
    data = Data(inputs, torch.arange(8) % 3, torch.ones(8), CLASSIFICATION, np.arange(8), NOBODY)
    data = data._replace(teacher=torch.zeros(16, 3), teacher_views=2)
    training = Training(epochs=3, batch=4, seed=5, validation=0, patience=9)
    train(network_of(backbone), data, Full(), Recorded(), training, Journal(None))
    numbers = torch.cat([rows for _, rows in Kept.passes])
    assert sorted((numbers % 8).tolist()) == sorted([*range(8)] * 3)
    assert set((numbers // 8).tolist()) == {0, 1}
    for pixels, rows in Kept.passes:
        for shown, number in zip(pixels, rows.tolist(), strict=True):
            (expected,) = inputs.batch(np.array([number % 8]), View(5, number // 8))
            assert torch.equal(shown, expected[0])


def test_a_teacher_is_asked_of_each_form(backbone):
    teacher = Transfer(backbone.name, "logistic", engine="torch", cache=False).fit(PICTURES, list("ab" * 4))
    asked = Teacher.of(teacher)
    taught = asked.ask_views(PICTURES, "features", PLAIN, (5, 2))
    assert taught.views == 2
    feed = batches(PICTURES, backbone)
    for number in (3, 8 + 3):
        with torch.no_grad():
            features = backbone.module(*feed.batch(np.array([number % 8]), View(5, number // 8))).numpy()
        np.testing.assert_allclose(taught.features[number], features[0], rtol=1e-3, atol=1e-4)
        expected = teacher.model_.head.predict(features)
        np.testing.assert_allclose(np.exp(taught.answers[number]), expected[0], rtol=1e-2, atol=1e-3)
    maps = asked.ask_views(PICTURES, "maps", PLAIN, (5, 2)).maps
    assert {len(values) for values in maps.values()} == {16}
    for values in maps.values():
        np.testing.assert_allclose(np.linalg.norm(values, axis=1), 1, rtol=1e-4)


def test_rows_without_a_label_are_learnt_from_the_teacher_alone(backbone):
    truth = torch.arange(24) % 3
    data = data_of(Rows(noise(24, bright=3.0)), range(24), [])._replace(val=NOBODY)
    data = data._replace(
        targets=torch.zeros_like(truth),
        weights=torch.zeros(24),
        teacher=10.0 * functional.one_hot(truth, 3).float(),
    )
    network = network_of(backbone)
    training = Training(epochs=40, batch=8, lr=3e-3, augment=False, refit=0)
    done = train(network, data, HeadOnly(), SoftTargets(), training, Journal(None))
    assert np.isfinite([curve.train for curve in done.curves]).all()
    assert (logits(network, data.inputs, np.arange(24)).argmax(1) == truth).float().mean() > 0.8


@pytest.mark.parametrize("loss", [SoftTargets(), Hints()])
def test_a_run_with_a_teacher_that_was_stopped_anywhere_ends_with_the_same_bits(backbone, loss, tmp_path):
    teacher = torch.from_numpy(RNG.normal(size=(20, 3)).astype(np.float32))
    training = Training(epochs=3, batch=5, lr=1e-2, augment=False, patience=9, margin=0)

    def data(left=10**9):
        rows = data_of(Interrupted(noise(20, bright=2), left=left), range(14), range(14, 20))
        return rows._replace(teacher=teacher, teacher_features=teacher)

    whole = network_of(backbone)
    expected = train(whole, data(), Full(), loss, training, Journal(None))
    stopped = 0
    for after in chain([6, 8, 5], [10**9]):
        again = network_of(backbone)
        try:
            outcome = train(again, data(after), Full(), loss, training, Journal(tmp_path / "run", every=0))
            break
        except Killed:
            stopped += 1
    assert stopped >= 2
    assert outcome.curves == expected.curves
    for key, value in whole.state_dict().items():
        assert torch.equal(value, again.state_dict()[key]), key


def test_answers_are_cut_put_in_order_and_silenced():
    taught = Taught(answers=np.arange(6.0).reshape(3, 2), features=np.eye(3), maps={(1, 2): np.ones((3, 2))})
    cut = taught.take(np.array([2, 0]))
    np.testing.assert_array_equal(cut.answers, [[4, 5], [0, 1]])
    np.testing.assert_array_equal(cut.features, np.eye(3)[[2, 0]])
    assert cut.maps[1, 2].shape == (2, 2)
    np.testing.assert_array_equal(taught.onto(np.array([1, -1, 0])).answers[0], [1, np.nan, 0])
    two = replace(taught, answers=np.tile(taught.answers, (2, 1)), views=2).silent(np.array([False, True, False]))
    assert np.isnan(two.answers).all(1).tolist() == [False, True, False] * 2
    assert len(taught.content()) == 3


def test_values_are_taught_as_the_network_sees_them():
    data = data_of(Rows(noise(3)), range(3), [])._replace(kind=REGRESSION)
    beside = Taught(answers=np.array([[1.0], [3.0], [7.0]])).beside(data, Scale(3.0, 2.0))
    assert beside.teacher.tolist() == [[-1.0], [0.0], [2.0]]
    assert beside.teacher_features is None
