"""The network that a training begins with: a copy of the backbone, with the probe's head or one that knows nothing."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from headstart.backbones.backbone import Backbone
from headstart.data.splits.split import folds
from headstart.features.feature_set import FeatureSet
from headstart.heads.head import ClassWeight
from headstart.heads.module import HeadModule
from headstart.heads.select import fit_probe
from headstart.heads.standardize import standard
from headstart.network import Network
from headstart.tasks.task import Array, Kind
from headstart.training.batches import Batches
from headstart.training.recipe import Tuning
from headstart.training.validation import logits

__all__ = ["Scale", "first_head", "standardise", "started"]


class Scale(NamedTuple):
    """Of a regression's targets: the network sees (y - center) / spread. 0 and 1 for other kinds."""

    center: float
    spread: float

    @classmethod
    def of(cls, targets: Array, kind: Kind) -> Scale:
        """Mean and deviation of the rows that are trained on."""
        if kind.has_classes:
            return cls(0.0, 1.0)
        return cls(float(targets.mean()), float(targets.std()) or 1.0)

    def seen(self, targets: Array, kind: Kind) -> Array:
        """The targets as the network sees them."""
        return (targets - self.center) / self.spread if not kind.has_classes else targets

    def restored(self, outputs: Array) -> Array:
        """What the network says, in the units of the targets."""
        return outputs * self.spread + self.center

    def scaled(self, head: HeadModule) -> HeadModule:
        """A head in the units of the targets on the scale that the network sees, in place."""
        with torch.no_grad():
            head.linear.weight.div_(self.spread)
            head.linear.bias.sub_(self.center).div_(self.spread)
        return head

    def undo(self, head: HeadModule) -> HeadModule:
        """The head in the units of the targets, in place."""
        with torch.no_grad():
            head.linear.weight.mul_(self.spread)
            head.linear.bias.mul_(self.spread).add_(self.center)
        return head


def started(
    feature_set: FeatureSet, rows: Array, backbone: Backbone, tuning: Tuning, *, class_weight: ClassWeight, scale: Scale
) -> Network:
    """For training on these rows of `feature_set`. What is drawn for it is drawn apart from the backbone's own
    beginnings."""
    seed = int(np.random.default_rng([tuning.training.seed, 1]).integers(2**62))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Network(backbone, first_head(feature_set, rows, tuning, class_weight, scale))


def first_head(
    feature_set: FeatureSet, rows: Array, tuning: Tuning, class_weight: ClassWeight, scale: Scale
) -> HeadModule:
    """The head that a training on these rows of `feature_set` begins with: the probe's, or one that knows nothing."""
    task, features, training = feature_set.task, np.asarray(feature_set.values), tuning.training
    outputs = max(1, len(task.classes))
    if tuning.tune.start == "zero" or tuning.tune.scratch:
        scaling = standard(features, rows, np.ones(len(rows)), "shared")
        return HeadModule.fresh(scaling.mean, scaling.scale, outputs, hidden=training.hidden, dropout=training.dropout)
    some = feature_set.take(rows)
    targets = np.asarray(some.task.targets)
    fitted = fit_probe(
        features[rows],
        targets,
        kind=task.kind,
        classes=outputs,
        folds=folds(targets, task.kind, some.blocks, some.keys, seed=training.seed),
        class_weight=class_weight,
        seed=training.seed,
        heads=("ridge",) if not task.kind.has_classes else ("ridge", "logistic"),
        forms=("plain", "root"),
        scale="shared",
    )
    return scale.scaled(HeadModule.like(fitted.head, dropout=training.dropout))


def standardise(network: Network, inputs: Batches, rows: Array) -> None:
    """Let a head on a backbone that nobody has seen know the mean and the scale of its features."""
    features = logits(network.backbone, inputs, rows)
    network.head.get_buffer("mean").copy_(features.mean(0))
    network.head.get_buffer("scale").fill_(float(features.std(0).square().mean().sqrt()) or 1.0)
