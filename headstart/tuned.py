"""From a task and a backbone to a fitted model whose backbone has moved."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, replace
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from blake3 import blake3

from headstart.backbones.backbone import Backbone
from headstart.backbones.fingerprint import fingerprint
from headstart.batches import PLAIN, batches
from headstart.checkpoint import Journal
from headstart.data.split import folds
from headstart.data.task import Array
from headstart.device import below, settle
from headstart.errors import DataError, TrainingError
from headstart.features.cache import RUNS, Cache
from headstart.features.extract import Extraction
from headstart.heads.calibrate import calibrate
from headstart.heads.head import ClassWeight, Head
from headstart.heads.weights import row_weights
from headstart.methods import Tuning
from headstart.network import Network, TunedHead
from headstart.seen import Seen
from headstart.source import Data
from headstart.start import Scale, standardise, started
from headstart.train import SILENT, Telling, Trained, logits, train
from headstart.training import Training
from headstart.tune.stage import settled

__all__ = ["Tuned", "tune"]

_NOBODY: Array = np.arange(0)
_NO_BETTER = "validation shows training to make it worse: the probe's head and the source's weights stay"


class Tuned(NamedTuple):
    """The moved backbone, the head that belongs to it, and what happened in words."""

    backbone: Backbone
    head: Head
    notes: tuple[str, ...]


def tune(
    seen: Seen,
    backbone: Backbone,
    name: str,
    tuning: Tuning,
    *,
    class_weight: ClassWeight = None,
    extraction: Extraction = PLAIN,
    telling: Telling = SILENT,
) -> Tuned:
    """Train on rows of `seen`, whose targets must be known, but for a share that says when to stop and sets the
    temperature. Duplicates and groups are on one side. The given backbone stays as it is.

    Up to `refit` rows, the training is then done again on all of them, for as many epochs as were best before.

    extraction   where to calculate, and in whose cache a killed run left its journal
    """
    began = time.perf_counter()
    rows, held = _divided(seen, tuning.training)
    device, training, notes = settle(tuning.training, extraction)
    backbone, tuning = _begun(backbone, tuning._replace(training=training))
    job = _Job(seen, backbone, class_weight, device, extraction, telling)
    place = _place(extraction.cache, seen, backbone, name, tuning, job.weights)
    journals = [Journal(place and place.with_name(place.name + part), every=training.journal) for part in ("", "-all")]
    last = first = job.train(tuning, journals[0], rows, held)
    temperature = job.temperature(first.network, held)
    if len(held) and len(seen) <= training.refit:
        again = tuning._replace(tune=settled(tuning.tune, first.done.facts))
        try:
            last = job.train(again, journals[1], np.arange(len(seen)), lengths=first.done.lengths)
        except TrainingError as error:
            notes = (*notes, f"not trained again on all rows: {error}")
    last.network.cpu().to(memory_format=torch.contiguous_format)
    config: dict[str, Any] = {
        "epochs": len(first.done.curves),
        "parameters": first.done.parameters,
        "rows": [len(rows), len(held)],
        "rule": _rule(held, last is not first),
        "curves": [list(row) if len(held) else list(row[:3]) for row in first.done.curves],
        "seconds": time.perf_counter() - began,
        **first.done.facts,
    }
    head = last.scale.undo(cast(TunedHead, last.network.head))
    exported = head.exported(seen.task.kind, temperature=temperature, config=config)
    for journal in journals:
        journal.close()
    if tuning.tune.start == "probe" and not any(first.done.lengths):
        notes = (*notes, _NO_BETTER)
    told = [*notes, *first.done.notes, *last.done.notes, *(journals[0].notes or journals[1].notes)]
    return Tuned(_backbone(last.network, backbone, name), exported, tuple(dict.fromkeys(told)))


class _Pass(NamedTuple):
    """One training: the network it ended with, and what it told."""

    network: Network
    scale: Scale
    done: Trained


class _Job:
    """Trainings of one backbone on rows of one task."""

    def __init__(
        self,
        seen: Seen,
        backbone: Backbone,
        class_weight: ClassWeight,
        device: torch.device,
        extraction: Extraction,
        telling: Telling,
    ) -> None:
        self.seen, self.backbone, self.class_weight = seen, backbone, class_weight
        self.device, self.telling = device, telling
        self.targets = np.asarray(seen.task.targets)
        self.weights = row_weights(self.targets, seen.task.kind, class_weight)
        self.inputs = batches(list(seen.task.inputs), backbone, device, below(seen.engine, extraction))

    def train(
        self,
        tuning: Tuning,
        journal: Journal,
        rows: Array,
        held: Array = _NOBODY,
        *,
        lengths: list[int] | None = None,
    ) -> _Pass:
        """On these rows, stopping by those held out, or after `lengths` epochs."""
        kind, weight = self.seen.task.kind, self.class_weight
        scale = Scale.of(self.targets[rows], kind)
        network = started(self.seen, rows, self.backbone, tuning, class_weight=weight, scale=scale)
        network.to(self.device).to(memory_format=torch.channels_last)
        if tuning.tune.scratch:
            standardise(network, self.inputs, rows)
        data = Data(
            inputs=self.inputs,
            targets=torch.from_numpy(scale.seen(self.targets, kind)),
            weights=torch.from_numpy(np.asarray(self.weights, np.float32)),
            kind=kind,
            train=rows,
            val=held,
        )
        tune, loss, training = tuning
        done = train(network, data, tune, loss, training, journal, self.telling, lengths=lengths)
        return _Pass(network, scale, done)

    def temperature(self, network: Network, held: Array) -> float:
        """By which the network's answers to these rows are calibrated."""
        kind = self.seen.task.kind
        if kind == "regression" or not len(held):
            return 1.0
        found = logits(network, self.inputs, held).double().cpu().numpy()
        return calibrate(found, self.targets[held], kind, self.weights[held]).temperature


def _begun(backbone: Backbone, tuning: Tuning) -> tuple[Backbone, Tuning]:
    """What the training begins from: the backbone as it came, or its twin of random weights."""
    if not tuning.tune.scratch:
        return backbone, tuning
    if backbone.random is None:
        raise ValueError(f"{backbone.name} has no weights that could be random")
    training = replace(tuning.training, statistics="batch")  # random weights have no statistics to keep
    return backbone.random(training.seed), tuning._replace(training=training)


def _rule(held: Array, again: bool) -> str:
    if not len(held):
        return "each stage lasts all its epochs"
    if not again:
        return "each stage ends with its last weights, unless validation shows earlier ones to be better"
    return "each stage is trained on all rows for as many epochs as validation found best before"


def _divided(seen: Seen, training: Training) -> tuple[Array, Array]:
    """The rows that are trained on, and those that say when to stop. DataError where there are too few."""
    if not training.validation:
        return np.arange(len(seen)), _NOBODY
    task = seen.task
    targets = np.asarray(task.targets)
    fold = folds(targets, task.kind, seen.blocks, seen.keys, k=round(1 / training.validation), seed=training.seed)
    chosen = _most_alike(targets, fold, task.kind)
    rows, held = np.flatnonzero(fold != chosen), np.flatnonzero(fold == chosen)
    if len(rows) < 2 or not len(held):
        raise DataError(f"{len(seen)} rows are too few to train weights on and stop in time: use method 'probe'")
    return rows, held


def _most_alike(targets: Array, fold: Array, kind: str) -> int:
    """The fold whose targets are most like all of them: large groups make some folds lopsided."""
    coded = (targets[:, None] == np.unique(targets)) if kind == "classification" else targets.reshape(len(targets), -1)
    whole = coded.mean(axis=0)
    apart = [float(np.abs(coded[fold == one].mean(axis=0) - whole).sum()) for one in range(int(fold.max()) + 1)]
    return int(np.argmin(apart))


def _backbone(network: Network, before: Backbone, name: str) -> Backbone:
    """The moved backbone, with a fingerprint of its own; the same one where nothing below the head has moved."""
    module = network.backbone
    moved = fingerprint(module, before.preprocess, before.spec)
    if moved == before.fingerprint:
        return before
    label = f"{before.name.partition('+')[0]}+{name}"
    return replace(before, name=label, module=module, fingerprint=moved, classifier=None)


def _place(cache: Cache | None, seen: Seen, backbone: Backbone, name: str, tuning: Tuning, weights: Array) -> Any:
    """The folder of the journal of this very training."""
    if cache is None:
        return None
    about = [
        name,
        seen.task.kind,
        backbone.fingerprint,
        *(seen.engine.get(part) for part in ("name", "precision", "device")),
        *(asdict(cast(Any, part)) for part in tuning),
        torch.__version__,
        torch.get_num_threads(),
    ]
    key = blake3(json.dumps(about, sort_keys=True).encode())
    for part in (b"".join(seen.keys), np.asarray(seen.task.targets), seen.blocks, weights):
        key.update(part if isinstance(part, bytes) else np.ascontiguousarray(part).tobytes())
    return cache.folder / RUNS / key.hexdigest(length=16)
