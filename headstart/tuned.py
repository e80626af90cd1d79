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
from headstart.errors import DataError
from headstart.features.cache import RUNS, Cache
from headstart.features.extract import Extraction
from headstart.features.proof import obstacle
from headstart.features.session import Session
from headstart.heads.calibrate import calibrate
from headstart.heads.head import ClassWeight, Head
from headstart.heads.select import fit_probe
from headstart.heads.standardize import standard
from headstart.heads.weights import row_weights
from headstart.methods import Tuning
from headstart.network import Network, TunedHead
from headstart.seen import Seen
from headstart.source import Data
from headstart.train import logits, train
from headstart.training import Training

__all__ = ["Tuned", "tune"]

_FOLDS = 5


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
    told: Callable[[int, int], None] = lambda done, total: None,
    say: Callable[[str], None] = lambda line: None,
) -> Tuned:
    """Train on four fifths of the rows of `seen`, whose targets must be known; the rest says when to stop, and sets the
    temperature. Duplicates and groups are on one side. The given backbone stays as it is.

    extraction   where to calculate, and in whose cache a killed run left its journal
    told, say    who hears of each epoch, and of what was decided on the way
    """
    began = time.perf_counter()
    task, seed = seen.task, tuning.training.seed
    targets = np.asarray(task.targets)
    rows, held = _divided(seen, seed)
    device, training, notes = _settled(tuning.training, extraction)
    tuning = tuning._replace(training=training)
    if tuning.tune.scratch:
        if backbone.random is None:
            raise ValueError(f"{backbone.name} has no weights that could be random")
        backbone = backbone.random(seed)
    inputs = batches(list(task.inputs), backbone, device, _below(seen, extraction))
    center, spread = _target_scale(targets[rows], task.kind)
    weights = row_weights(targets, task.kind, class_weight)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(np.random.default_rng([seed, 1]).integers(2**62)))
        head = _head(seen, rows, tuning, class_weight, (center, spread))
        network = Network(backbone, head)
    network.to(device).to(memory_format=torch.channels_last)
    if tuning.tune.scratch:
        _standardise(network, inputs, rows)
    data = Data(
        inputs=inputs,
        targets=torch.from_numpy((targets - center) / spread if task.kind == "regression" else targets),
        weights=torch.from_numpy(np.asarray(weights, np.float32)),
        kind=task.kind,
        train=rows,
        val=held,
    )
    journal = Journal(_place(extraction.cache, seen, backbone, name, tuning, weights), every=training.journal)
    done = train(network, data, tuning.tune, tuning.loss, training, journal, told, say)
    found = logits(network, inputs, held).double().cpu().numpy()
    network.cpu().to(memory_format=torch.contiguous_format)
    temperature = 1.0
    if task.kind != "regression":
        temperature = calibrate(found, targets[held], task.kind, weights[held]).temperature
    config: dict[str, Any] = {
        "epochs": len(done.curves),
        "parameters": done.parameters,
        "rows": [len(rows), len(held)],
        "rule": "each stage ends with the weights of its lowest validation loss",
        "curves": [list(row) for row in done.curves],
        "seconds": time.perf_counter() - began,
        **done.facts,
    }
    exported = _scaled(head, center, spread).exported(task.kind, temperature=temperature, config=config)
    journal.close()
    return Tuned(_backbone(network, backbone, name), exported, (*notes, *done.notes, *journal.notes))


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


def _target_scale(targets: Array, kind: str) -> tuple[float, float]:
    """Mean and deviation of a regression's targets; 0 and 1 otherwise."""
    if kind != "regression":
        return 0.0, 1.0
    return float(targets.mean()), float(targets.std()) or 1.0


def _head(seen: Seen, rows: Array, tuning: Tuning, class_weight: ClassWeight, scale: tuple[float, float]) -> TunedHead:
    """The head that training begins with: the probe's on the training rows, or one that knows nothing."""
    task, features, training = seen.task, np.asarray(seen.values), tuning.training
    outputs = max(1, len(task.classes))
    if tuning.tune.start == "zero" or tuning.tune.scratch:
        known = standard(features, rows, np.ones(len(rows)), "shared")
        return TunedHead(known.mean, known.scale, outputs, hidden=training.hidden, dropout=training.dropout)
    some = seen.take(rows)
    targets = np.asarray(some.task.targets)
    fitted = fit_probe(
        features[rows],
        targets,
        kind=task.kind,
        classes=outputs,
        folds=folds(targets, task.kind, some.blocks, some.keys, seed=training.seed),
        class_weight=class_weight,
        seed=training.seed,
        heads=("ridge",) if task.kind == "regression" else ("ridge", "logistic"),
        scale="shared",
    )
    head = TunedHead.like(fitted.head, dropout=training.dropout)
    if task.kind == "regression":
        with torch.no_grad():
            head.linear.weight.div_(scale[1])
            head.linear.bias.sub_(scale[0]).div_(scale[1])
    return head


def _standardise(network: Network, inputs: Any, rows: Array) -> None:
    """Let a head on a backbone that nobody has seen know the mean and the scale of its features."""
    features = logits(network.backbone, inputs, rows).cpu()
    network.head.get_buffer("mean").copy_(features.mean(0))
    network.head.get_buffer("scale").fill_(float(features.std(0).square().mean().sqrt()) or 1.0)


def _scaled(head: TunedHead, center: float, spread: float) -> TunedHead:
    """The head in the units of the targets."""
    with torch.no_grad():
        head.linear.weight.mul_(spread)
        head.linear.bias.mul_(spread).add_(center)
    return head


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
