"""What a helper asks for: a call after each step, and one after each epoch, the network in eval mode."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from small import Rows, data_of, noise
from steps import PLAIN, open_network

from headstart.finetuning.full import Full
from headstart.losses.penalty import Context, Helper, Norms, Penalty
from headstart.losses.supervised import Supervised
from headstart.training.checkpoint import Journal
from headstart.training.loop import train
from headstart.training.options import Training


@dataclass(frozen=True, kw_only=True)
class Counted(Supervised):
    calls: list[object] = field(default_factory=list)

    def start(self, context: Context) -> Penalty:
        penalty = Norms(context.network, l1=0.0, l2=0.0)

        def stepped():
            self.calls.append("step")

        def epoch(number):
            self.calls.append((number, context.network.backbone.training))

        penalty.helper = Helper(torch.nn.Linear(1, 1), 1.0, stepped, epoch)
        return penalty


def test_both_are_called_when_they_are_due(backbone):
    loss = Counted()
    training = Training(epochs=2, batch=8, precision=PLAIN.precision, validation=0)
    data = data_of(Rows(noise(14, seed=1)), range(14), [])
    train(open_network(backbone), data._replace(val=data.val.astype(int)), Full(), loss, training, Journal(None))
    assert loss.calls == ["step", "step", (0, False), "step", "step", (1, False)]
