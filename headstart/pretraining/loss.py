"""An objective as the loss of a training: no label is looked at, and what it costs is the cost of each batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from headstart.errors import TrainingError
from headstart.losses.penalty import Context, Helper, Pass, Penalty
from headstart.losses.supervised import Needs, Supervised
from headstart.network import Network
from headstart.pretraining.objective import Encoded, Learner, Objective
from headstart.pretraining.watch import Health, Watch, collapse_of
from headstart.tasks.task import Kind
from headstart.training.options import Training

__all__ = ["Pretext", "SelfSupervised"]

_STREAM = 3


@dataclass(frozen=True, kw_only=True)
class SelfSupervised(Supervised):
    """The loss of what is learnt without labels."""

    pretext: Penalty
    needs: ClassVar[Needs] = "views"

    def suits(self, kind: Kind, *, mixup: float) -> None:
        """Any task: its kind is not looked at."""

    def each(self, logits: Tensor, targets: Tensor, kind: Kind) -> Tensor:
        """(N,) nothing."""
        return logits.new_zeros(len(logits))

    def start(self, context: Context) -> Penalty:
        """See `Supervised`."""
        return self.pretext


class Pretext:
    """What a network is trained by without labels: the cost of an objective, and a look at the embeddings after each
    epoch.

    first     what the embeddings tell before the training
    history   the same after each epoch that is done
    """

    def __init__(
        self, name: str, objective: Objective, network: Network, dim: int, training: Training, watch: Watch
    ) -> None:
        self._name, self._objective, self._network, self._watch = name, objective, network, watch
        drawn = int(np.random.default_rng([training.seed, _STREAM]).integers(2**62))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(drawn)
            learner = objective.learner(network.backbone, dim)
        self._beside = _Beside(learner, training.epochs).to(next(network.parameters()).device)
        self.helper = Helper(self._beside, 1.0, self._stepped, self._epoch)
        with network.asked():
            self.first = watch(self.module)

    @property
    def module(self) -> nn.Module:
        """The backbone's own network, which learns."""
        return self._network.backbone.get_submodule("module")

    @property
    def history(self) -> list[Health]:
        rows: list[list[float]] = self._beside.history.tolist()
        return [Health(*row) for row in rows if row[0] == row[0]]

    def batch(self, forward_pass: Pass) -> Tensor:
        """The mean cost of these rows."""
        rows = torch.arange(len(forward_pass.features)) if forward_pass.rows is None else forward_pass.rows
        encoded = Encoded(forward_pass.features, forward_pass.inputs, self._network.backbone, forward_pass.done, rows)
        cost: Tensor = self._beside.learner(encoded)
        return cost

    def weights(self) -> Tensor | None:
        """Nothing."""
        return None

    def close(self) -> None:
        """Nothing is held."""

    def _stepped(self) -> None:
        self._beside.learner.stepped(self._network.backbone)

    def _epoch(self, epoch: int) -> None:
        """TrainingError where the embeddings have collapsed."""
        health = self._watch(self.module)
        self._beside.history[epoch] = torch.tensor(health, dtype=torch.float64)
        if words := collapse_of(health, self.first):
            raise TrainingError(
                f"method {self._name!r} collapsed in epoch {epoch + 1}: {words}. Such embeddings tell nothing apart: "
                f"give a lower learning rate (--option lr=...), or {self._objective.advice}"
            )


class _Beside(nn.Module):
    """What a killed run needs beside the encoder: the learner, and what was told after the epochs before."""

    history: Tensor
    learner: Learner

    def __init__(self, learner: Learner, epochs: int) -> None:
        super().__init__()
        self.learner = learner
        self.register_buffer("history", torch.full((epochs, len(Health._fields)), torch.nan, dtype=torch.float64))
