"""A job: trainings of one backbone on the rows of a task, of a target task beside it, and on a teacher's answers."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch

from headstart.backbones.backbone import Backbone
from headstart.errors import TrainingError
from headstart.features.engines.device_errors import device_errors
from headstart.features.extract import Extraction
from headstart.features.feature_set import FeatureSet
from headstart.heads.calibrate import calibrate
from headstart.heads.decision import utility_of
from headstart.heads.head import ClassWeight
from headstart.heads.prior import shares_of
from headstart.heads.sample_weights import row_weights
from headstart.network import Network
from headstart.tasks.goal import Aim
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
    def of(cls, feature_set: FeatureSet, target: FeatureSet | None, class_weight: ClassWeight) -> Rows:
        kind, ours = feature_set.task.kind, np.asarray(feature_set.task.targets)
        if target is None:
            return cls(feature_set, None, ours, row_weights(ours, kind, class_weight, feature_set.task.weight))
        labelled = answered(target)
        theirs = np.zeros((len(target), *ours.shape[1:]), ours.dtype)
        if labelled.any():
            theirs[labelled] = np.asarray(target.task.targets)[labelled]
        targets = np.concatenate([ours, theirs])
        labelled = np.concatenate([np.ones(len(ours), bool), labelled])
        weights = np.zeros(len(targets))
        task_weights = None if labelled[len(ours) :].any() else feature_set.task.weight
        weights[labelled] = row_weights(targets[labelled], kind, class_weight, task_weights)
        return cls(feature_set, target, targets, weights)

    @property
    def behind(self) -> Array:
        """The numbers of those that are behind those of the task."""
        return np.arange(len(self.seen), len(self.targets))

    def all(self, bare: bool = False) -> Holdout:
        """All of them to learn from; those behind as rows of a target, or as `bare` ones."""
        numbers = np.arange(len(self.seen))
        return Holdout(numbers, NOBODY, bare=self.behind) if bare else Holdout(numbers, NOBODY, self.behind)

    def inputs(self) -> list[Any]:
        return [
            row
            for feature_set in (self.seen, self.target)
            if feature_set is not None
            for row in feature_set.task.inputs
        ]

    def keys(self) -> list[bytes]:
        return [key for feature_set in (self.seen, self.target) if feature_set is not None for key in feature_set.keys]

    def blocks(self) -> list[Array]:
        return [feature_set.blocks for feature_set in (self.seen, self.target) if feature_set is not None]


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
        """A training on these rows, which stops by those held out. `TrainingError` where the device has no memory for
        the network."""
        kind, weight, rows = self.seen.task.kind, self.class_weight, part.rows
        scale = Scale.of(self.rows.targets[rows], kind)
        network = started(self.seen, rows, self.backbone, tuning, class_weight=weight, scale=scale)
        with device_errors(str(self.device), TrainingError, "nothing was trained yet"):
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

    def outputs(self, network: Network, held_out: Array) -> Array | None:
        """(n, C) logits, or (n, 1) values on the scale of the head's own training, for these rows; None of none."""
        if not len(held_out):
            return None
        return np.asarray(logits(network, self.inputs, held_out).double().cpu().numpy())

    def answering(self, out: Array | None, held_out: Array, aim: Aim | None) -> tuple[float, Array | None]:
        """The temperature by which the network's outputs for these rows are calibrated, and the utility by which
        answers are decided."""
        task = self.seen.task
        kind, classes = task.kind, len(task.classes)
        temperature, p = 1.0, np.zeros((0, classes))
        if kind.has_classes and out is not None:
            temperature = calibrate(out, self.rows.targets[held_out], kind, self.rows.weights[held_out]).temperature
            p = kind.probabilities(out, temperature)
        if aim is None or not kind.exclusive:
            return temperature, None
        targets = np.asarray(task.targets)
        weights = self.rows.weights[: len(targets)]
        return temperature, utility_of(aim, p, shares_of(targets, weights, classes))
