"""Two small tasks for the tests of losses that adapt to a target: the target is the source, turned to other colours."""

from __future__ import annotations

import numpy as np
import torch
from small import Interrupted, noise

from headstart.losses.domains import Domains
from headstart.losses.penalty import Pass
from headstart.tasks import CLASSIFICATION
from headstart.training.feed import Data

SOURCE, TARGET = 12, 7


def pass_of(network, features, target, kind=CLASSIFICATION, done=0.5):
    """What a network without a backbone makes of these features."""
    logits = network.head(features)
    return Pass((features,), features, logits, kind, torch.as_tensor(target), done)


def domains_of(x, logits, target, done=0.5):
    """The same for a cost that is asked alone."""
    target = torch.as_tensor(target)
    return Domains(x, logits, target, Pass((x,), x, logits, CLASSIFICATION, target, done))


def two_tasks(left=10**9, source=SOURCE, target=TARGET, kind=CLASSIFICATION):
    """Pictures of `source` labelled rows, and behind them `target` rows, none of which is labelled."""
    rows = Interrupted(noise(source + target, bright=2), left=left)
    rows.inputs[0][source:] = rows.inputs[0][source:].neg() + 1
    codes = torch.arange(source + target) % 3
    targets = codes if kind == CLASSIFICATION else codes.float()
    targets[source:] = 0
    weights = torch.ones(source + target)
    weights[source:] = 0
    return Data(rows, targets, weights, kind, np.arange(source), np.arange(0), source + np.arange(target))
