"""What a learner scores in episodes: accuracy, or of a regression the mean squared error."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor, nn

from headstart.meta_learning.episodes import Episode
from headstart.meta_learning.learner import Batch, FeatureLearner, Learner
from headstart.network import Network
from headstart.tasks.task import Kind
from headstart.training.batches import Batches
from headstart.training.step import Features

__all__ = ["batch_of", "by_features", "by_inputs"]


def by_features(
    learner: FeatureLearner, head: nn.Module, features: Tensor, episodes: Iterable[Episode], kind: Kind
) -> list[float]:
    """Of each episode, from features (N, D) of all rows, computed once."""
    with torch.no_grad():
        return [
            _score(
                learner.from_features(
                    head,
                    features[episode.support],
                    _tensor(episode.support_targets, kind, features.device),
                    features[episode.query],
                    episode.way,
                ),
                _tensor(episode.query_targets, kind, features.device),
                kind,
            )
            for episode in episodes
        ]


def by_inputs(
    learner: Learner,
    network: Network,
    features: Features,
    inputs: Batches,
    episodes: Iterable[Episode],
    kind: Kind,
) -> list[float]:
    """Of each episode, from the inputs of its rows; what learns in the network must be open."""
    scores = []
    for episode in episodes:
        batch = batch_of(episode, inputs, kind)
        with torch.no_grad():
            scores.append(_score(learner.answers(network, features, batch), batch.asked, kind))
    return scores


def batch_of(episode: Episode, inputs: Batches, kind: Kind, codes: Tensor | None = None) -> Batch:
    """An episode as tensors. codes (N,) classes of all rows among those of the task, where a learner asks for them."""
    rows = np.concatenate([episode.support, episode.query])
    tensors = inputs.batch(rows, None)
    device = tensors[0].device
    truth = [_tensor(side, kind, device) for side in (episode.support_targets, episode.query_targets)]
    targets = torch.cat(truth)
    of_rows = targets if codes is None else codes[rows].to(device)
    return Batch(tensors, targets, len(episode.support), episode.way, kind, of_rows)


def _tensor(targets: object, kind: Kind, device: torch.device) -> Tensor:
    return torch.as_tensor(targets, dtype=torch.int64 if kind.has_classes else torch.float32).to(device)


def _score(answers: Tensor, truth: Tensor, kind: Kind) -> float:
    if kind.has_classes:
        return float((answers.argmax(1) == truth).float().mean())
    return float((answers[:, 0] - truth).square().mean())
