"""A loss gets what it may look at by name: distillation is one loss of a few lines, written here as a user would."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch
from small import RESNET, Rows, data_of, network_of, noise
from torch.nn import functional

from headstart.backbones.load import load
from headstart.finetuning.head import HeadOnly
from headstart.losses.penalty import Context, Norms, Pass
from headstart.losses.supervised import Needs, Supervised
from headstart.training.checkpoint import Journal
from headstart.training.loop import train
from headstart.training.options import Training
from headstart.training.validation import logits


@dataclass(frozen=True, kw_only=True)
class SoftTargets(Supervised):
    """Hinton et al., 2015: T^2 KL(softmax(teacher / T) || softmax(z / T)), beside the loss of the labels."""

    temperature: float = 2.0
    weight: float = 4.0
    needs: ClassVar[Needs] = "teacher"

    def start(self, context: Context) -> Distance:
        return Distance(self, context)


class Distance(Norms):
    def __init__(self, loss: SoftTargets, context: Context) -> None:
        super().__init__(context.network, l1=loss.l1, l2=loss.l2)
        self.loss, self.teacher = loss, context.teacher

    def batch(self, forward_pass: Pass) -> torch.Tensor:
        T = self.loss.temperature
        soft = (self.teacher[forward_pass.rows].to(forward_pass.logits) / T).softmax(1)
        apart = functional.kl_div((forward_pass.logits / T).log_softmax(1), soft, reduction="batchmean")
        return self.loss.weight * T**2 * apart


def data_with(teacher):
    """24 pictures, all called class 0."""
    data = data_of(Rows(noise(24, bright=3.0)), range(24), [])
    return data._replace(targets=torch.zeros_like(data.targets), val=data.val.astype(int), teacher=teacher)


def test_a_student_learns_what_the_teacher_says_row_by_row():
    truth = torch.arange(24) % 3
    network = network_of(load(RESNET))
    data = data_with(10.0 * functional.one_hot(truth, 3).float())
    training = Training(epochs=40, batch=8, lr=3e-3, augment=False, mixup=0.0, refit=0)
    train(network, data, HeadOnly(), SoftTargets(), training, Journal(None))
    answers = logits(network, data.inputs, np.arange(24)).argmax(1)
    assert (answers == truth).float().mean() > 0.8


def test_without_a_teacher_it_is_refused():
    with pytest.raises(ValueError, match="SoftTargets learns from a teacher: give its answers"):
        train(network_of(load(RESNET)), data_with(None), HeadOnly(), SoftTargets(), Training(epochs=1), Journal(None))
