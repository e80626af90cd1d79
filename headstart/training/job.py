"""A job: trainings of one backbone on the rows of a task, of a target task beside it, and on a teacher's answers."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch

from headstart.backbones.backbone import Backbone
from headstart.features.extract import Extraction
from headstart.features.feature_set import FeatureSet
from headstart.heads.calibrate import calibrate
from headstart.heads.head import ClassWeight
from headstart.heads.sample_weights import row_weights
from headstart.network import Network
from headstart.tasks.task import Array
from headstart.training.batches import batches
from headstart.training.device import below
from headstart.training.feed import NOBODY, Data
from headstart.training.holdout import Holdout, answered
from headstart.training.initial import Scale, standardise, started
from headstart.training.recipe import Tuning
from headstart.training.taught import Taught
from headstart.training.validation import logits

__all__ = ["Job", "Rows", "Start"]


class Rows(NamedTuple):
    """The rows of a task, and behind them those of a target, or those without an answer for a student; a target that is
    not known is 0 and weighs nothing."""

    seen: FeatureSet
    target: FeatureSet | None
    targets: Array
    weights: Array

    @classmethod
    def of(cls, seen: FeatureSet, target: FeatureSet | None, class_weight: ClassWeight) -> Rows:
        kind, ours = seen.task.kind, np.asarray(seen.task.targets)
        if target is None:
            return cls(seen, None, ours, row_weights(ours, kind, class_weight, seen.task.weight))
        known = answered(target)
        theirs = np.zeros((len(target), *ours.shape[1:]), ours.dtype)
        if known.any():
            theirs[known] = np.asarray(target.task.targets)[known]
        targets = np.concatenate([ours, theirs])
        known = np.concatenate([np.ones(len(ours), bool), known])
        weights = np.zeros(len(targets))
        given = None if known[len(ours) :].any() else seen.task.weight
        weights[known] = row_weights(targets[known], kind, class_weight, given)
        return cls(seen, target, targets, weights)

    @property
    def behind(self) -> Array:
        """The numbers of those that are behind those of the task."""
        return np.arange(len(self.seen), len(self.targets))

    def all(self, bare: bool = False) -> Holdout:
        """All of them to learn from; those behind as rows of a target, or as `bare` ones."""
        own = np.arange(len(self.seen))
        return Holdout(own, NOBODY, bare=self.behind) if bare else Holdout(own, NOBODY, self.behind)

    def inputs(self) -> list[Any]:
        return [one for seen in (self.seen, self.target) if seen is not None for one in seen.task.inputs]

    def keys(self) -> list[bytes]:
        return [key for seen in (self.seen, self.target) if seen is not None for key in seen.keys]

    def blocks(self) -> list[Array]:
        return [seen.blocks for seen in (self.seen, self.target) if seen is not None]


class Start(NamedTuple):
    """What a training begins with: the network, its rows, and the scale of its targets."""

    network: Network
    data: Data
    scale: Scale


class Job:
    """Trainings of one backbone on rows of one task, and those of a target beside it."""

    def __init__(
        self,
        rows: Rows,
        backbone: Backbone,
        class_weight: ClassWeight,
        device: torch.device,
        extraction: Extraction,
        taught: Taught | None = None,
    ) -> None:
        self.rows, self.seen, self.backbone, self.class_weight = rows, rows.seen, backbone, class_weight
        self.device, self.taught = device, taught
        self.inputs = batches(rows.inputs(), backbone, device, below(self.seen.engine, extraction))

    def start(self, tuning: Tuning, part: Holdout) -> Start:
        """A training on these rows, which stops by those held out."""
        kind, weight, rows = self.seen.task.kind, self.class_weight, part.rows
        scale = Scale.of(self.rows.targets[rows], kind)
        network = started(self.seen, rows, self.backbone, tuning, class_weight=weight, scale=scale)
        network.to(self.device).to(memory_format=torch.channels_last)
        if tuning.tune.scratch:
            standardise(network, self.inputs, rows)
        data = Data(
            inputs=self.inputs,
            targets=torch.from_numpy(scale.seen(self.rows.targets, kind)),
            weights=torch.from_numpy(np.asarray(self.rows.weights, np.float32)),
            kind=kind,
            train=np.concatenate([rows, part.bare]),
            val=part.held,
            target=part.target,
        )
        if self.taught is not None:
            data = self.taught.beside(data, scale)
        return Start(network, data, scale)

    def temperature(self, network: Network, held: Array) -> float:
        """By which the network's answers to these rows are calibrated."""
        kind = self.seen.task.kind
        if not kind.has_classes or not len(held):
            return 1.0
        out = logits(network, self.inputs, held).double().cpu().numpy()
        return calibrate(out, self.rows.targets[held], kind, self.rows.weights[held]).temperature
