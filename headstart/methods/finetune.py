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
from headstart.defaults import with_own_defaults
from headstart.errors import TrainingError
from headstart.features.cache.cache import RUNS, Cache
from headstart.features.extract import Extraction
from headstart.features.feature_set import FeatureSet
from headstart.finetuning.stage import settled
from headstart.heads.calibrate import calibrate
from headstart.heads.head import ClassWeight, Head
from headstart.heads.module import TunedHead
from headstart.heads.sample_weights import row_weights
from headstart.network import Network
from headstart.tasks.task import Array, Kind
from headstart.training.batches import PLAIN, batches
from headstart.training.checkpoint import Journal
from headstart.training.device import below, settle
from headstart.training.feed import NOBODY, Data
from headstart.training.holdout import FEWEST, Holdout, answered, divided, divided_target
from headstart.training.initial import Scale, standardise, started
from headstart.training.loop import SILENT, Telling, Trained, logits, train
from headstart.training.recipe import Tuning

__all__ = ["Tuned", "tune"]

_NO_BETTER = "validation shows training to make it worse: the probe's head and the source's weights stay"

_BY_TARGET = {
    False: "each stage ends with its last weights, unless labelled target rows show earlier ones to be better",
    True: "each stage is trained on all rows for as many epochs as labelled target rows found best before",
}


class Tuned(NamedTuple):
    """The moved backbone, the head that belongs to it, and what happened in words."""

    backbone: Backbone
    head: Head
    notes: tuple[str, ...]


@with_own_defaults
def tune(
    seen: FeatureSet,
    backbone: Backbone,
    name: str,
    tuning: Tuning,
    *,
    target: FeatureSet | None = None,
    class_weight: ClassWeight = None,
    extraction: Extraction = PLAIN,
    telling: Telling = SILENT,
) -> Tuned:
    """Train on rows of `seen`, whose targets must be known, but for a share that says when to stop and sets the
    temperature. Duplicates and groups are on one side. The given backbone stays as it is.

    Up to `refit` rows, the training is then done again on all of them, for as many epochs as were best before.

    target       the rows of another task of the same kind and classes, for a loss that adapts to one. Their targets are
                 codes, -1 where not known, or numbers, NaN where not known, or None; those that are known are learnt
                 from too, and where there are enough a share of them says when to stop, see `divided_target`
    extraction   where to calculate, and in whose cache a killed run left its journal
    """
    began = time.perf_counter()
    _suits(name, tuning, seen.task.kind, target)
    device, training, notes = settle(tuning.training, extraction)
    backbone, tuning = _begun(backbone, tuning._replace(training=training))
    part = divided(seen, training) if target is None else divided_target(seen, target, training)
    job = _Job(_Rows.of(seen, target, class_weight), backbone, class_weight, device, extraction, telling)
    place = _place(extraction.cache, job.rows, backbone, name, tuning)
    journals = [Journal(place and place.with_name(place.name + part), every=training.journal) for part in ("", "-all")]
    first, last, missed = _twice(job, tuning, part, journals)
    last.network.cpu().to(memory_format=torch.contiguous_format)
    config = _told(part, first, last, target) | {"seconds": time.perf_counter() - began, **first.done.facts}
    head = last.scale.undo(cast(TunedHead, last.network.head))
    temperature = job.temperature(first.network, part.held)
    exported = head.exported(seen.task.kind, temperature=temperature, config=config)
    for journal in journals:
        journal.close()
    if tuning.tune.start == "probe" and not any(first.done.lengths):
        notes = (*notes, _NO_BETTER)
    told = [*notes, *missed, *first.done.notes, *last.done.notes, *(journals[0].notes or journals[1].notes)]
    return Tuned(_backbone(last.network, backbone, name), exported, tuple(dict.fromkeys(told)))


def _suits(name: str, tuning: Tuning, kind: Kind, target: FeatureSet | None) -> None:
    adapts = tuning.loss.needs == "target"
    if adapts and not (target is not None and len(target)):
        raise ValueError(f"method {name!r} adapts to a target task: give rows of one, without labels if there are none")
    if target is not None and not adapts:
        raise ValueError(f"method {name!r} has no use for a target task: leave it out, or use {name}+dann")
    if kind not in tuning.loss.kinds:
        raise ValueError(f"method {name!r} is for {' and '.join(tuning.loss.kinds)}, and this task is a {kind}")


def _twice(job: _Job, tuning: Tuning, part: Holdout, journals: list[Journal]) -> tuple[_Pass, _Pass, tuple[str, ...]]:
    """The training that stops by the rows held out; the one on all rows, the same where there is none; and in words
    why there is none."""
    first = job.train(tuning, journals[0], part)
    if not len(part.held) or len(job.rows.targets) > tuning.training.refit:
        return first, first, ()
    again = tuning._replace(tune=settled(tuning.tune, first.done.facts))
    try:
        return first, job.train(again, journals[1], job.rows.all(), lengths=first.done.lengths), ()
    except TrainingError as error:
        return first, first, (f"not trained again on all rows: {error}",)


def _told(part: Holdout, first: _Pass, last: _Pass, target: FeatureSet | None) -> dict[str, Any]:
    """What the config of the head says of the training."""
    held = part.held
    beside = {} if target is None else {"target_rows": len(part.target)}
    return {
        "epochs": len(first.done.curves),
        "parameters": first.done.parameters,
        "rows": [len(part.rows), len(held)],
        "rule": _rule(held, last is not first, target is not None),
        "curves": [list(row) if len(held) else list(row[:3]) for row in first.done.curves],
        **beside,
    }


class _Rows(NamedTuple):
    """The rows of a task, and behind them those of a target; a target that is not known is 0 and weighs nothing."""

    seen: FeatureSet
    target: FeatureSet | None
    targets: Array
    weights: Array

    @classmethod
    def of(cls, seen: FeatureSet, target: FeatureSet | None, class_weight: ClassWeight) -> _Rows:
        kind, ours = seen.task.kind, np.asarray(seen.task.targets)
        if target is None:
            return cls(seen, None, ours, row_weights(ours, kind, class_weight, seen.task.weight))
        known = answered(target)
        theirs = np.zeros(len(target), ours.dtype)
        if known.any():
            theirs[known] = np.asarray(target.task.targets)[known]
        targets = np.concatenate([ours, theirs])
        known = np.concatenate([np.ones(len(ours), bool), known])
        weights = np.zeros(len(targets))
        weights[known] = row_weights(targets[known], kind, class_weight)
        return cls(seen, target, targets, weights)

    def all(self) -> Holdout:
        """All of them to learn from."""
        split = len(self.seen)
        return Holdout(np.arange(split), NOBODY, np.arange(split, len(self.targets)))

    def inputs(self) -> list[Any]:
        return [one for seen in (self.seen, self.target) if seen is not None for one in seen.task.inputs]

    def keys(self) -> list[bytes]:
        return [key for seen in (self.seen, self.target) if seen is not None for key in seen.keys]

    def blocks(self) -> list[Array]:
        return [seen.blocks for seen in (self.seen, self.target) if seen is not None]


class _Pass(NamedTuple):
    """One training: the network it ended with, and what it told."""

    network: Network
    scale: Scale
    done: Trained


class _Job:
    """Trainings of one backbone on rows of one task, and those of a target beside it."""

    def __init__(
        self,
        rows: _Rows,
        backbone: Backbone,
        class_weight: ClassWeight,
        device: torch.device,
        extraction: Extraction,
        telling: Telling,
    ) -> None:
        self.rows, self.seen, self.backbone, self.class_weight = rows, rows.seen, backbone, class_weight
        self.device, self.telling = device, telling
        self.inputs = batches(rows.inputs(), backbone, device, below(self.seen.engine, extraction))

    def train(self, tuning: Tuning, journal: Journal, part: Holdout, *, lengths: list[int] | None = None) -> _Pass:
        """On these rows, stopping by those held out, or after `lengths` epochs."""
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
            train=rows,
            val=part.held,
            target=part.target,
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
        return calibrate(found, self.rows.targets[held], kind, self.rows.weights[held]).temperature


def _begun(backbone: Backbone, tuning: Tuning) -> tuple[Backbone, Tuning]:
    """What the training begins from: the backbone as it came, or its twin of random weights."""
    if not tuning.tune.scratch:
        return backbone, tuning
    if backbone.random is None:
        raise ValueError(f"{backbone.name} has no weights that could be random")
    training = replace(tuning.training, statistics="batch")  # random weights have no statistics to keep
    return backbone.random(training.seed), tuning._replace(training=training)


def _rule(held: Array, again: bool, adapts: bool) -> str:
    if not len(held):
        why = f": fewer than {FEWEST} labelled target rows cannot say when the target is learnt" if adapts else ""
        return f"each stage lasts all its epochs{why}"
    if adapts:
        return _BY_TARGET[again]
    if not again:
        return "each stage ends with its last weights, unless validation shows earlier ones to be better"
    return "each stage is trained on all rows for as many epochs as validation found best before"


def _backbone(network: Network, before: Backbone, name: str) -> Backbone:
    """The moved backbone, with a fingerprint of its own; the same one where nothing below the head has moved."""
    module = network.backbone
    moved = fingerprint(module, before.preprocess, before.spec)
    if moved == before.fingerprint:
        return before
    label = f"{before.name.partition('+')[0]}+{name}"
    return replace(before, name=label, module=module, fingerprint=moved, classifier=None)


def _place(cache: Cache | None, rows: _Rows, backbone: Backbone, name: str, tuning: Tuning) -> Any:
    """The folder of the journal of this very training."""
    if cache is None:
        return None
    about = [
        name,
        rows.seen.task.kind,
        len(rows.seen),
        backbone.fingerprint,
        *(rows.seen.engine.get(part) for part in ("name", "precision", "device")),
        *(asdict(cast(Any, part)) for part in tuning),
        torch.__version__,
        torch.get_num_threads(),
    ]
    key = blake3(json.dumps(about, sort_keys=True).encode())
    for part in (b"".join(rows.keys()), rows.targets, *rows.blocks(), rows.weights):
        key.update(part if isinstance(part, bytes) else np.ascontiguousarray(part).tobytes())
    return cache.folder / RUNS / key.hexdigest(length=16)
