"""A backbone learns from rows without labels: the one training loop, an objective as its loss."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from blake3 import blake3
from torch import nn

from headstart.backbones.backbone import Backbone
from headstart.backbones.fingerprint import fingerprint
from headstart.features.cache.cache import RUNS, Cache
from headstart.features.extract import Extraction
from headstart.features.feature_set import FeatureSet
from headstart.network import Network
from headstart.preprocessing.spec import PicturePreprocess
from headstart.pretraining.encoder_tune import EncoderOnly
from headstart.pretraining.loss import Pretext, SelfSupervised
from headstart.pretraining.material import labelled_rows
from headstart.pretraining.row import Unlabelled
from headstart.pretraining.views import batches_of_views
from headstart.pretraining.watch import Health, Watch, watched
from headstart.tasks import CLASSIFICATION
from headstart.training.batches import batches
from headstart.training.checkpoint import Journal
from headstart.training.device import settle
from headstart.training.feed import NOBODY, Data
from headstart.training.loop import Curve, Telling, train

__all__ = ["Learnt", "learn", "resized"]


class Learnt(NamedTuple):
    """A backbone that has learnt, and how that went.

    first, history   what the embeddings told before the training, and after each epoch
    journal          of the training, to be closed once the backbone is kept
    """

    backbone: Backbone
    first: Health | None
    history: list[Health]
    curves: list[Curve]
    parameters: int
    seconds: float
    notes: tuple[str, ...]
    journal: Journal


def learn(
    name: str, row: Unlabelled, rows: FeatureSet, backbone: Backbone, extraction: Extraction, telling: Telling
) -> Learnt:
    """Learn from all rows by a row of the table that is configured. The given backbone stays as it is.

    `TrainingError` where the embeddings collapse, or the loss is not finite.
    """
    began = time.perf_counter()
    row.objective.suits(backbone)
    device, training, notes = settle(row.training, extraction)
    plain = batches(cast("list[Any]", rows.task.inputs), backbone, device)
    views = row.objective.views(backbone, row.variation)
    network = _network(row, backbone).to(device).to(memory_format=torch.channels_last)
    labelled = labelled_rows(rows)
    looked_at = watched(len(rows), None if labelled is None else labelled[0], training.seed)
    codes = None if labelled is None else np.asarray(rows.task.targets)[looked_at]
    watch = Watch(plain, looked_at, codes, training.seed)
    pretext = Pretext(name, row.objective, network, backbone.dim, training, watch)
    everything = np.arange(len(rows))
    data = Data(
        inputs=batches_of_views(plain, views, device),
        targets=torch.zeros(len(rows)),
        weights=torch.ones(len(rows)),
        kind=CLASSIFICATION,
        train=everything,
        val=NOBODY,
    )
    journal = Journal(_place(extraction.cache, rows, backbone, name, row), every=training.journal)
    done = train(network, data, EncoderOnly(), SelfSupervised(pretext=pretext), training, journal, telling)
    return Learnt(
        _kept(pretext.module, backbone, name),
        pretext.first,
        pretext.history,
        done.curves,
        done.parameters,
        time.perf_counter() - began,
        (*notes, *done.notes, *journal.notes),
        journal,
    )


def resized(backbone: Backbone, size: int) -> Backbone:
    """The same for pictures of size x size pixels. ValueError where the network does not take them."""
    preprocess = backbone.preprocess
    if not size or not isinstance(preprocess, PicturePreprocess) or preprocess.size == (size, size):
        return backbone
    share = preprocess.resize / min(preprocess.size)
    other = replace(preprocess, size=(size, size), resize=max(size, round(size * share)))
    module = cast(nn.Module, backbone.module)
    try:
        with torch.no_grad():
            module(*other.largest())
    except (RuntimeError, AssertionError, ValueError, IndexError) as error:
        raise ValueError(
            f"size = {size}: {backbone.name} does not take pictures of {size} x {size} pixels ({error}); leave it out, "
            f"for its own {preprocess.size[0]}"
        ) from error
    return replace(backbone, preprocess=other, fingerprint=fingerprint(module, other, backbone.spec), classifier=None)


def _network(row: Unlabelled, backbone: Backbone) -> Network:
    """A copy of the backbone behind the encoder of the objective, and no head."""
    stages = tuple((name, tuple(f"module.{prefix}" for prefix in prefixes)) for name, prefixes in backbone.stages)
    encoder = row.objective.encoder(cast(nn.Module, backbone.module))
    return Network(replace(backbone, module=encoder, stages=stages), nn.Identity())


def _kept(module: nn.Module, before: Backbone, name: str) -> Backbone:
    """The backbone that has learnt, with a name and a fingerprint of its own."""
    module = module.cpu().to(memory_format=torch.contiguous_format).requires_grad_(False).eval()
    label = f"{before.name.partition('?')[0].partition('+')[0]}+{name}"
    mark = fingerprint(module, before.preprocess, before.spec)
    return replace(before, name=label, module=module, fingerprint=mark, classifier=None)


def _place(cache: Cache | None, rows: FeatureSet, backbone: Backbone, name: str, row: Unlabelled) -> Path | None:
    """The folder of the journal of this very training."""
    if cache is None:
        return None
    parts: tuple[Any, ...] = (row.objective, row.variation, row.training)
    about = [name, backbone.fingerprint, *map(asdict, parts), torch.__version__, torch.get_num_threads()]
    key = blake3(json.dumps(about, sort_keys=True).encode())
    key.update(b"".join(rows.keys))
    return cache.folder / RUNS / key.hexdigest(length=16)
