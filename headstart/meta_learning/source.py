"""Episodes of the rows of a task: what the outer loop learns from, and validates by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

import torch
from torch import Tensor

from headstart.meta_learning.episodes import TRAIN_STREAM, VALIDATION_STREAM, Sampler, Shape
from headstart.meta_learning.judge import batch_of, by_features, by_inputs
from headstart.meta_learning.learner import Batch, FeatureLearner, Learner, Standing
from headstart.meta_learning.options import MetaTraining
from headstart.network import Network
from headstart.tasks.task import Array, Kind
from headstart.training.feed import Feed
from headstart.training.sampler import parts
from headstart.training.step import Features

__all__ = ["Draw", "TaskSource", "features_of"]

_ROWS = 32


class Draw(NamedTuple):
    """Episodes of some rows, of these shapes in turn: what is drawn of them and what they are scored by.

    rows   their numbers; codes (N,) classes of all rows, from 0 up among those to meta-train on
    """

    train: Sampler
    validation: Sampler | None
    validation_rows: Array
    shapes: Sequence[Shape]
    codes: Tensor
    kind: Kind


class TaskSource:
    """Episodes of the rows of a feed, which are those of the samplers."""

    def __init__(self, feed: Feed, draw: Draw, options: MetaTraining) -> None:
        self.feed, self.draw, self.options = feed, draw, options

    @property
    def features(self) -> Features:
        """See `Source`."""
        return self.feed.features

    def batches(self, epoch: int, number: int) -> list[Batch]:
        """Those of a step have one shape; the shapes take turns."""
        step = epoch * self.options.steps + number
        shape = self.draw.shapes[step % len(self.draw.shapes)]._replace(query=self.options.asked)
        first = step * self.options.tasks
        drawn = [
            self.draw.train.draw(shape, seed=self.options.seed, stream=TRAIN_STREAM, number=first + task)
            for task in range(self.options.tasks)
        ]
        return [batch_of(episode, self.feed.inputs, self.draw.kind, self.draw.codes) for episode in drawn]

    def validated(self, network: Network, learner: Learner) -> list[float]:
        """1 - accuracy, or the squared error, of each of the same episodes of validation rows."""
        sampler = self.draw.validation
        if sampler is None:
            return []
        count = -(-self.options.checked // len(self.draw.shapes))
        episodes = [
            episode
            for shape in self.draw.shapes
            for episode in sampler.several(shape, count, seed=self.options.seed, stream=VALIDATION_STREAM)
        ]
        if isinstance(learner, FeatureLearner):
            rows, head = self.draw.validation_rows, cast(Standing, network.head)
            values = torch.zeros(len(self.draw.codes), len(head.mean), device=head.mean.device)
            values[rows] = features_of(self.feed, rows)
            scores = by_features(learner, head, values, episodes, self.draw.kind)
        else:
            scores = by_inputs(learner, network, self.features, self.feed.inputs, episodes, self.draw.kind)
        return [1 - score for score in scores] if self.draw.kind.has_classes else scores


def features_of(feed: Feed, rows: Array) -> Tensor:
    """(R, D) of some rows, as they are in prediction."""
    with torch.no_grad():
        some = [feed.features(*feed.inputs.batch(part, None)).float() for part in parts(rows, _ROWS)]
    return torch.cat(some) if some else torch.zeros(0, 0)
