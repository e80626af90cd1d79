"""From a task and a backbone to a fitted model whose backbone has moved."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
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
from headstart.errors import DataError, TrainingError
from headstart.features.cache import RUNS, Cache
from headstart.features.extract import Extraction
from headstart.features.proof import obstacle
from headstart.features.session import Session
from headstart.heads.calibrate import calibrate
from headstart.heads.head import ClassWeight, Head
from headstart.heads.weights import row_weights
from headstart.methods import Tuning
from headstart.network import Network, TunedHead
from headstart.seen import Seen
from headstart.source import Data
from headstart.start import Scale, started
from headstart.train import Telling, Trained, logits, train
from headstart.training import Training
from headstart.tune.stage import settled

__all__ = ["Tuned", "tune"]

_FOLDS = 5
_RULE = {
    False: "each stage ends with the weights of its lowest validation loss",
    True: "each stage is trained on all rows for as many epochs as gave the lowest validation loss before",
}


class Tuned(NamedTuple):
    """The moved backbone, the head that belongs to it, and what happened in words."""

    backbone: Backbone
    head: Head
    notes: tuple[str, ...]


class _Pass(NamedTuple):
    """One training: the network it ended with, and what it told."""

    network: Network
    scale: Scale
    done: Trained


def tune(
    seen: Seen,
    backbone: Backbone,
    name: str,
    tuning: Tuning,
    *,
    class_weight: ClassWeight = None,
    extraction: Extraction = PLAIN,
    told: Callable[[int, int], None] = lambda done, total: None,
    say: Callable[[str], None] = lambda line: None,
) -> Tuned:
    """Train on four fifths of the rows of `seen`, whose targets must be known; the rest says when to stop, and sets the
    temperature. Duplicates and groups are on one side. The given backbone stays as it is.

    Up to `refit` rows, the training is then done again on all of them, for as many epochs as were best before.

    extraction   where to calculate, and in whose cache a killed run left its journal
    told, say    who hears of each epoch, and of what was decided on the way
    """
    began = time.perf_counter()
    rows, held = _divided(seen, tuning.training.seed)
    device, training, notes = _settled(tuning.training, extraction)
    tuning = tuning._replace(training=training)
    if tuning.tune.scratch:
        if backbone.random is None:
            raise ValueError(f"{backbone.name} has no weights that could be random")
        backbone = backbone.random(training.seed)
        tuning = tuning._replace(training=replace(training, statistics="batch"))
    task, targets = seen.task, np.asarray(seen.task.targets)
    inputs = batches(list(task.inputs), backbone, device, _below(seen, extraction))
    weights = row_weights(targets, task.kind, class_weight)
    place = _place(extraction.cache, seen, backbone, name, tuning, weights)
    journals = [Journal(place and place.with_name(place.name + part), every=training.journal) for part in ("", "-all")]

    def trained(tuning: Tuning, train_on: Array, stop_by: Array, journal: Journal, lengths: list[int] | None) -> _Pass:
        scale = Scale.of(targets[train_on], task.kind)
        network = started(seen, train_on, backbone, tuning, inputs, class_weight=class_weight, scale=scale)
        network.to(device).to(memory_format=torch.channels_last)
        data = Data(
            inputs=inputs,
            targets=torch.from_numpy(scale.seen(targets, task.kind)),
            weights=torch.from_numpy(np.asarray(weights, np.float32)),
            kind=task.kind,
            train=train_on,
            val=stop_by,
        )
        told_by = Telling(told, say)
        done = train(network, data, tuning.tune, tuning.loss, tuning.training, journal, told_by, lengths=lengths)
        return _Pass(network, scale, done)

    last = first = trained(tuning, rows, held, journals[0], None)
    temperature = 1.0
    if task.kind != "regression":
        found = logits(first.network, inputs, held).double().cpu().numpy()
        temperature = calibrate(found, targets[held], task.kind, weights[held]).temperature
    if len(seen) <= training.refit:
        again = tuning._replace(tune=settled(tuning.tune, first.done.facts))
        try:
            last = trained(again, np.arange(len(seen)), np.arange(0), journals[1], first.done.lengths)
        except TrainingError as error:
            notes = (*notes, f"not trained again on all rows: {error}")
    last.network.cpu().to(memory_format=torch.contiguous_format)
    config: dict[str, Any] = {
        "epochs": len(first.done.curves),
        "parameters": first.done.parameters,
        "rows": [len(rows), len(held)],
        "rule": _RULE[last is not first],
        "curves": [list(row) for row in first.done.curves],
        "seconds": time.perf_counter() - began,
        **first.done.facts,
    }
    head = last.scale.undo(cast(TunedHead, last.network.head))
    exported = head.exported(task.kind, temperature=temperature, config=config)
    for journal in journals:
        journal.close()
    told_notes = [*notes, *first.done.notes, *last.done.notes, *(journals[0].notes or journals[1].notes)]
    return Tuned(_backbone(last.network, backbone, name), exported, tuple(dict.fromkeys(told_notes)))


def _divided(seen: Seen, seed: int) -> tuple[Array, Array]:
    """The rows that are trained on, and those that say when to stop. DataError where there are too few."""
    task = seen.task
    targets = np.asarray(task.targets)
    fold = folds(targets, task.kind, seen.blocks, seen.keys, k=_FOLDS, seed=seed)
    chosen = _most_alike(targets, fold, task.kind)
    rows, held = np.flatnonzero(fold != chosen), np.flatnonzero(fold == chosen)
    if len(rows) < 2 or not len(held):
        raise DataError(f"{len(seen)} rows are too few to train weights on and stop in time: use method 'probe'")
    return rows, held


def _settled(training: Training, extraction: Extraction) -> tuple[torch.device, Training, tuple[str, ...]]:
    """Where to calculate and how precisely, and why not as was asked."""
    cuda = extraction.device == "cuda" or (extraction.device == "auto" and torch.cuda.is_available())
    device = torch.device("cuda" if cuda else "cpu")
    if training.precision == "auto":
        return device, replace(training, precision="bfloat16" if cuda else "float32"), ()
    if training.precision == "bfloat16" and not cuda:
        why = obstacle("torch", "bfloat16", Session(extraction.cache).memory)
        if why:
            return device, replace(training, precision="float32"), (f"trained in float32: {why}",)
    return device, training, ()


def _below(seen: Seen, extraction: Extraction) -> Extraction:
    """How a frozen part is run: by the engine of the features, which is settled already."""
    used = seen.engine or {"name": "torch", "precision": "float32"}
    return replace(extraction, engine=used["name"], precision=used["precision"], cache=None, thumbs=False)


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
