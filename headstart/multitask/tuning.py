"""Weights that move for several tasks at once: one backbone, a head a task, one training (hard sharing)."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from blake3 import blake3

from headstart.backbones.backbone import Backbone
from headstart.backbones.fingerprint import fingerprint
from headstart.errors import TrainingError
from headstart.features.cache.cache import RUNS, Cache
from headstart.features.extract import Extraction
from headstart.features.feature_set import FeatureSet
from headstart.heads.calibrate import calibrate
from headstart.heads.facts import TrainingFacts
from headstart.heads.head import ClassWeight, Head
from headstart.losses.supervised import Supervised
from headstart.multitask.heads import TaskHeads
from headstart.multitask.parts import part_of, rows_of, targets_of, weights_of
from headstart.multitask.weighted import Weighted
from headstart.network import Network
from headstart.tasks.side_by_side import Part
from headstart.tasks.task import Array
from headstart.training.batches import PLAIN, InputBatches, batches
from headstart.training.checkpoint import Journal
from headstart.training.device import below, settle
from headstart.training.feed import Data
from headstart.training.holdout import Holdout, divided
from headstart.training.initial import Scale, first_head
from headstart.training.loop import Trained, train
from headstart.training.recipe import Tuning
from headstart.training.telling import SILENT, Telling
from headstart.training.validation import logits

__all__ = ["TasksTuned", "loss_of_tasks", "tune_tasks"]

_NO_BETTER = "validation shows training to make it worse: the probes' heads and the source's weights stay"


class TasksTuned(NamedTuple):
    """The moved backbone, the head of each task on it, and what happened in words."""

    backbone: Backbone
    heads: tuple[Head, ...]
    notes: tuple[str, ...]


class _Pass(NamedTuple):
    """One training: the network, the scale of each task's targets, and what it told."""

    network: Network
    scales: list[Scale]
    done: Trained


def tune_tasks(
    feature_set: FeatureSet,
    backbone: Backbone,
    name: str,
    tuning: Tuning,
    *,
    class_weight: ClassWeight = None,
    extraction: Extraction = PLAIN,
    telling: Telling = SILENT,
) -> TasksTuned:
    """Train on rows whose kind is several side by side; where an answer is missing, that row says nothing of that task.

    As the tuning of one task: a share of the rows says when to stop and sets the temperatures, and up to `refit` rows
    the training is done again on all of them. A loss that weighs no tasks adds them up.
    """
    began = time.perf_counter()
    device, training, notes = settle(tuning.training, extraction, backbone, len(feature_set))
    tuning = tuning._replace(training=training, loss=loss_of_tasks(tuning.loss, name))
    backbone, tuning = _begun(backbone, tuning)
    job = _Job(feature_set, backbone, class_weight, device, extraction)
    part = divided(feature_set, training)
    place = job.place(extraction.cache, name, tuning)
    journals = [
        Journal(path, every=training.journal) for path in (place, place and place.with_name(f"{place.name}-all"))
    ]
    failed: list[str] = []
    first = last = job.trained(tuning, part, journals[0], telling)
    if len(part.held) and len(feature_set) <= training.refit:
        again = tuning._replace(tune=first.done.tune)
        every = Holdout(np.arange(len(feature_set)), np.arange(0))
        try:
            last = job.trained(again, every, journals[1], telling, lengths=first.done.lengths)
        except TrainingError as error:
            if error.__cause__ is not None:  # it is the device that failed, not the weights: nothing can go on
                raise
            failed = [f"not trained again on all rows: {error}"]
    facts = _facts(part, first, last, time.perf_counter() - began)
    heads = job.exported(first, last, part.held, facts)
    for journal in journals:
        journal.close()
    if tuning.tune.start == "probe" and not any(first.done.lengths):
        notes = (*notes, _NO_BETTER)
    notes = (*notes, *failed, *first.done.notes, *last.done.notes, *(journals[0].notes or journals[1].notes))
    return TasksTuned(_moved(last.network, backbone, name), heads, tuple(dict.fromkeys(notes)))


class _Job:
    """Trainings of one backbone on rows of several tasks.

    targets (N, K), 0 where not known; weights (N, T), 0 there
    """

    def __init__(
        self,
        feature_set: FeatureSet,
        backbone: Backbone,
        class_weight: ClassWeight,
        device: torch.device,
        how: Extraction,
    ) -> None:
        self.seen, self.task, self.backbone, self.class_weight = feature_set, feature_set.task, backbone, class_weight
        self.parts: Sequence[Part] = feature_set.task.kind.parts
        self.device, self.how = device, how
        self.rows = [rows_of(self.task, part) for part in self.parts]
        self.answers = [targets_of(self.task, part, rows) for part, rows in zip(self.parts, self.rows, strict=True)]
        self.weights = np.zeros((len(feature_set), len(self.parts)))
        for place, (part, rows) in enumerate(zip(self.parts, self.rows, strict=True)):
            self.weights[rows, place] = weights_of(self.task, part, rows, self.answers[place], class_weight)
        self.inputs: InputBatches = batches(list(self.task.inputs), backbone, device, below(feature_set.engine, how))

    def trained(
        self,
        tuning: Tuning,
        part: Holdout,
        journal: Journal,
        telling: Telling,
        *,
        lengths: list[int] | None = None,
    ) -> _Pass:
        """A training on these rows, which stops by those held out."""
        scales = self._scales(part.rows)
        network = self._network(tuning, part.rows, scales)
        data = Data(
            inputs=self.inputs,
            targets=torch.from_numpy(self._targets(scales)),
            weights=torch.from_numpy(self.weights.astype(np.float32)),
            kind=self.task.kind,
            train=part.rows,
            val=part.held,
        )
        done = train(network, data, *tuning, journal, telling, lengths=lengths)
        return _Pass(network, scales, done)

    def exported(self, first: _Pass, last: _Pass, held_out: Array, facts: TrainingFacts) -> tuple[Head, ...]:
        """The heads of the last training, at the temperatures that suit the first on the rows held out of it."""
        out = logits(first.network, self.inputs, held_out).double().cpu().numpy() if len(held_out) else np.zeros((0, 0))
        network = last.network.cpu().to(memory_format=torch.contiguous_format)
        heads = cast(TaskHeads, network.head).each()
        return tuple(
            scale.undo(head).exported(part.kind, temperature=self._temperature(place, out, held_out), facts=facts)
            for place, (part, head, scale) in enumerate(zip(self.parts, heads, last.scales, strict=True))
        )

    def place(self, cache: Cache | None, name: str, tuning: Tuning) -> Path | None:
        """The folder of the journal of this very training."""
        if cache is None:
            return None
        about = [
            name,
            *((part.name, part.kind, list(map(str, part.classes))) for part in self.parts),
            self.backbone.fingerprint,
            *self.seen.calculated_by,
            *(type(part).__name__ for part in tuning),
            *(asdict(cast(Any, part)) for part in tuning),
            torch.__version__,
            torch.get_num_threads(),
        ]
        key = blake3(json.dumps(about, sort_keys=True).encode())
        for data in (b"".join(self.seen.keys), np.asarray(self.task.targets), self.seen.blocks, self.weights):
            key.update(data if isinstance(data, bytes) else np.ascontiguousarray(data).tobytes())
        return cache.folder / RUNS / key.hexdigest(length=16)

    def _scales(self, rows: Array) -> list[Scale]:
        """Of each task, by those of its answers that are learnt from."""
        return [
            Scale.of(answers[np.isin(task_rows, rows)], part.kind)
            for part, task_rows, answers in zip(self.parts, self.rows, self.answers, strict=True)
        ]

    def _targets(self, scales: list[Scale]) -> Array:
        """(N, K) float32 as the network sees them."""
        targets = np.zeros(np.asarray(self.task.targets).shape, np.float64)
        for part, rows, answers, scale in zip(self.parts, self.rows, self.answers, scales, strict=True):
            targets[rows, part.columns] = scale.seen(answers.astype(np.float64), part.kind).reshape(len(rows), -1)
        return targets.astype(np.float32)

    def _network(self, tuning: Tuning, rows: Array, scales: list[Scale]) -> Network:
        """With the heads of the probes, or those that know nothing. They are drawn apart from the backbone's own."""
        seed = int(np.random.default_rng([tuning.training.seed, 1]).integers(2**62))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            heads = []
            for part, task_rows, scale in zip(self.parts, self.rows, scales, strict=True):
                alone = part_of(self.seen, part, task_rows)
                some = np.flatnonzero(np.isin(task_rows, rows))
                weight = self.class_weight if part.kind.has_classes else None
                heads.append(first_head(alone, some, tuning, weight, scale))
            network = Network(self.backbone, TaskHeads(heads))
        network.to(self.device).to(memory_format=torch.channels_last)
        if tuning.tune.scratch:
            features = logits(network.backbone, self.inputs, rows)
            scale_of_all = float(features.std(0).square().mean().sqrt()) or 1.0
            cast(TaskHeads, network.head).standardise(features.mean(0), scale_of_all)
        return network

    def _temperature(self, place: int, out: Array, held_out: Array) -> float:
        """By which the answers to one task are calibrated; 1 where nobody can say."""
        part, task_rows = self.parts[place], self.rows[place]
        labelled = np.isin(held_out, task_rows)
        if not part.kind.has_classes or not labelled.any():
            return 1.0
        at = np.searchsorted(task_rows, held_out[labelled])
        weights = self.weights[held_out[labelled], place]
        return calibrate(out[labelled][:, part.outputs], self.answers[place][at], part.kind, weights).temperature


def loss_of_tasks(loss: Supervised, name: str) -> Supervised:
    """The loss of a row that learns several tasks. ValueError for one that compares with something else."""
    if loss.needs == "tasks":
        return loss
    if loss.needs != "nothing":
        raise ValueError(f"method {name!r} is for one target: use its first part alone, or with +pcgrad or so")
    return Weighted(label_smoothing=loss.label_smoothing, l1=loss.l1, l2=loss.l2)


def _begun(backbone: Backbone, tuning: Tuning) -> tuple[Backbone, Tuning]:
    """The backbone as it came, or its twin of random weights."""
    if not tuning.tune.scratch:
        return backbone, tuning
    if backbone.random is None:
        raise ValueError(f"{backbone.name} has no weights that could be random")
    training = replace(tuning.training, statistics="batch")  # random weights have no statistics to keep
    return backbone.random(training.seed), tuning._replace(training=training)


def _moved(network: Network, before: Backbone, name: str) -> Backbone:
    """The backbone with a fingerprint of its own; the same one where nothing below the heads has moved."""
    moved = fingerprint(network.backbone, before.preprocess, before.spec)
    if moved == before.fingerprint:
        return before
    label = f"{before.name.partition('+')[0]}+{name}"
    return replace(before, name=label, module=network.backbone, fingerprint=moved, classifier=None)


def _facts(part: Holdout, first: _Pass, last: _Pass, seconds: float) -> TrainingFacts:
    rule = "each stage lasts all its epochs"
    if len(part.held):
        rule = "each stage ends with its last weights, unless validation shows earlier ones to be better"
    if last is not first:
        rule = "each stage is trained on all rows for as many epochs as validation found best before"
    return TrainingFacts(
        epochs=len(first.done.curves),
        parameters=first.done.parameters,
        rows=(len(part.rows), len(part.held)),
        rule=rule,
        curves=tuple(tuple(row) if len(part.held) else tuple(row[:3]) for row in first.done.curves),
        target_rows=None,
        seconds=seconds,
        account=first.done.account,
    )
