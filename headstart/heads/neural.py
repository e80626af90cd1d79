"""The textbook's small neural head: Dense 256, ReLU, dropout 1/2, softmax; AdamW; early stopping (Chollet, 2021, 8.3).

One network for each fold, which never learns from it, and one for all rows are trained side by side on the same
batches: their first layers are one matrix product, and a row weighs nothing in the network that holds it out. After
each epoch the networks of the folds answer for their held-out rows. The epoch at which those answers were best is
kept, for the out-of-fold logits and for the network of all rows alike: the best weights, not the last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from headstart.heads.facts import FitterFacts
from headstart.heads.fitter import Posed, Proposal
from headstart.heads.head import Head
from headstart.heads.networks import Networks, row_losses
from headstart.heads.problem import Problem
from headstart.heads.standardize import BLOCK, standard
from headstart.linalg.moments import blocks
from headstart.linalg.torch_threads import one_torch_thread
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION
from headstart.tasks.task import Array, Kind

__all__ = ["Neural"]

STREAM = 0x4EAD


@dataclass(frozen=True, kw_only=True)
class Neural(Posed):
    """One hidden layer; float32, on one thread.

    hidden      width of the hidden layer
    dropout     share of hidden units left out at each step
    rate        learning rate of AdamW
    decay       its weight decay
    batch       rows a step
    epochs      at most
    gain        the share by which the held-out loss must fall to count as better
    patience    epochs without that after which to stop
    most_folds  more folds than these are merged, whole, into these
    """

    kinds: ClassVar[tuple[Kind, ...]] = (CLASSIFICATION, MULTILABEL, REGRESSION)
    hidden: int = 256
    dropout: float = 0.5
    rate: float = 1e-3
    decay: float = 1e-2
    batch: int = 64
    epochs: int = 100
    gain: float = 0.01
    patience: int = 3
    most_folds: int = 5

    def propose(self, problem: Problem) -> Proposal:
        """The network of all rows at the best epoch; its account tells that epoch and the loss after each."""
        self.check(problem.kind)
        problem = problem.merged(self.most_folds)
        course = _Course(self, problem)
        losses: list[float] = []
        mark, waited = np.inf, 0
        with one_torch_thread():
            while len(losses) < self.epochs and waited < self.patience:
                course.epoch()
                out = course.held_out()
                losses.append(problem.score(out).loss)
                if losses[-1] == min(losses):
                    best, arrays = out, course.arrays()
                better = losses[-1] < mark * (1 - self.gain)
                mark, waited = (losses[-1], 0) if better else (mark, waited + 1)
        facts = FitterFacts(account={"epoch": int(np.argmin(losses)) + 1, "losses": losses})
        return Proposal(best, lambda: Head(name="neural", kind=problem.kind, arrays=arrays, facts=facts))


class _Course:
    """The training of one network a fold and one for all rows."""

    def __init__(self, options: Neural, problem: Problem) -> None:
        self.options, self.problem = options, problem
        self.std = standard(problem.features, problem.order, problem.weights, problem.scale)
        self.x = torch.empty(problem.features.shape, dtype=torch.float32)
        for rows in blocks(len(self.x), BLOCK):
            self.x[rows] = torch.from_numpy(self.std.apply(problem.features[problem.order[rows]]))
        self.center, self.spread = _moments(problem)
        self.targets = _tensor(problem, self.center, self.spread)
        learns = problem.folds != np.arange(problem.folds.max() + 2)[:, None]
        self.weights = torch.from_numpy((learns * problem.weights).astype(np.float32))
        seed = int(np.random.SeedSequence((problem.seed, STREAM)).generate_state(1)[0])
        self.generator = torch.Generator().manual_seed(seed)
        widths = (self.x.shape[1], options.hidden, problem.columns)
        self.networks = Networks(len(self.weights), widths, self.generator)
        tensors = [*self.networks.weights, *self.networks.biases]
        self.optimizer = torch.optim.AdamW(tensors, lr=options.rate, weight_decay=options.decay, fused=True)

    def epoch(self) -> None:
        """Once over the rows, in a new order."""
        for rows in torch.split(torch.randperm(len(self.x), generator=self.generator), self.options.batch):
            z = self.networks(self.x[rows], self.options.dropout)
            weights = self.weights[:, rows]
            losses = (row_losses(z, self.targets[rows], self.problem.kind) * weights).sum(dim=1)
            self.optimizer.zero_grad()
            torch.autograd.backward((losses / weights.sum(dim=1).clamp(min=1e-6)).sum())
            self.optimizer.step()

    @torch.no_grad()
    def held_out(self) -> Array:
        """(N, C) logits of each row by the network that holds it out."""
        out = np.empty((len(self.x), self.problem.columns))
        for rows in blocks(len(self.x), BLOCK):
            z = self.networks(self.x[rows]).numpy()
            folds = self.problem.folds[rows]
            out[rows] = z[folds, np.arange(len(folds))]
        return self.problem.filled(out * self.spread + self.center)

    def arrays(self) -> dict[str, Array]:
        """A copy of the network of all rows as it stands, for a `Head`."""
        layers = self.networks.last()
        layers["weight.1"] *= np.float32(self.spread)
        biases = {name: layers[name].astype(np.float64) for name in ("bias.0", "bias.1")}
        biases["bias.1"] = biases["bias.1"] * self.spread + self.center
        return {"mean": self.std.mean, "scale": self.std.scale, **layers, **biases}


def _moments(problem: Problem) -> tuple[float, float]:
    """Mean and deviation of the values of a regression; 0 and 1 for classes, and 1 where all values are one."""
    if problem.kind.has_classes:
        return 0.0, 1.0
    return float(problem.truth.mean()), float(problem.truth.std()) or 1.0


def _tensor(problem: Problem, center: float, spread: float) -> Tensor:
    if problem.kind.exclusive:
        return torch.from_numpy(problem.targets)
    return torch.from_numpy(((problem.truth - center) / spread).astype(np.float32))
