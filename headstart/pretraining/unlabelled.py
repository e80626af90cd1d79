"""A backbone learns from rows without labels: the one training loop, an objective as its loss."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Self, cast

import numpy as np
import torch
from blake3 import blake3
from torch import nn

from headstart.backbones.backbone import Backbone
from headstart.features.cache.cache import RUNS, Cache
from headstart.features.extract import Extraction
from headstart.features.feature_set import FeatureSet
from headstart.listener import Listener
from headstart.network import Network
from headstart.preprocessing.preprocess import Preprocess
from headstart.pretraining.encoder_tune import EncoderOnly
from headstart.pretraining.loss import Pretext, SelfSupervised
from headstart.pretraining.material import labelled_rows
from headstart.pretraining.objective import Objective
from headstart.pretraining.row import Learnt, Size, kept, set_options
from headstart.pretraining.variation import Variation
from headstart.pretraining.views import batches_of_views
from headstart.pretraining.watch import Watch, watched
from headstart.tasks import CLASSIFICATION, Modality
from headstart.training.batches import InputBatches, batches
from headstart.training.checkpoint import Journal
from headstart.training.declared import Option, options_of
from headstart.training.device import settle
from headstart.training.feed import NOBODY, Data
from headstart.training.loop import train
from headstart.training.optimizers import named
from headstart.training.options import Training
from headstart.training.telling import Telling

__all__ = ["Unlabelled"]

FEWEST_IN_A_STEP = 4
"""Rows, so that no step of an epoch has a single one."""

SHARED: tuple[str, ...] = (
    "epochs",
    "batch",
    "lr",
    "optimizer",
    "schedule",
    "weight_decay",
    "clip",
    "micro",
    "statistics",
)
SHARED += ("precision", "journal")
"""What of `Training` an objective without labels has a use for."""


@dataclass(frozen=True, kw_only=True)
class Unlabelled:
    """By an objective, from rows without labels.

    size, variation   of pictures
    """

    about: str
    objective: Objective
    training: Training
    size: Size = field(default_factory=Size)
    variation: Variation = field(default_factory=Variation)
    labelled: ClassVar[bool] = False

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """See `Row`, as all that follows."""
        return (self.objective.modality,)

    def options(self) -> dict[str, Option]:
        of_pictures = (self.size, self.variation) if self.objective.modality.has_pixels else ()
        every = options_of(self.training)
        return options_of(self.objective, *of_pictures) | {name: every[name] for name in SHARED}

    def configured(self, name: str, options: Mapping[str, Any], seed: int, *, scratch: bool) -> Self:
        parts = {part: getattr(self, part) for part in ("objective", "size", "variation", "training")}
        settings = set_options(name, self.options(), options, parts, scratch=scratch)
        training = named(replace(settings["training"], seed=seed))
        if training.batch < FEWEST_IN_A_STEP:
            raise ValueError(
                f"batch = {training.batch}: rows are compared with the others of a step, expected "
                f"{FEWEST_IN_A_STEP} or more"
            )
        return replace(self, **(settings | {"training": training}))

    def learn(self, name: str, rows: FeatureSet, backbone: Backbone, how: tuple[Extraction, Listener]) -> Learnt:
        """`TrainingError` where the embeddings collapse, or the loss is not finite."""
        began = time.perf_counter()
        self.objective.suits(backbone)
        device, training, notes = settle(self.training, how[0], backbone, len(rows))
        seen = replace(backbone, preprocess=self.objective.form(cast(Preprocess, backbone.preprocess)))
        plain = batches(cast("list[Any]", rows.task.inputs), seen, device)
        views = batches_of_views(plain, self.objective.views(backbone, self.variation), device)
        network = self._network(backbone).to(device).to(memory_format=torch.channels_last)
        watch = _watch(plain, rows, training.seed)
        pretext = Pretext(name, self.objective, network, backbone.dim, training, watch)
        journal = Journal(self._place(how[0].cache, rows, backbone, name), every=training.journal)
        loss, telling = SelfSupervised(pretext=pretext), Telling.to(how[1], name)
        done = train(network, _data(views), EncoderOnly(), loss, training, journal, telling)
        return Learnt(
            backbone=kept(pretext.module, backbone, name),
            first=pretext.first,
            history=pretext.history,
            held_out={},
            curves=done.curves,
            parameters=done.parameters,
            seconds=time.perf_counter() - began,
            notes=(*notes, *done.notes, *journal.notes),
            journal=journal,
        )

    def _network(self, backbone: Backbone) -> Network:
        """A copy of the backbone behind the encoder of the objective, and no head."""
        stages = tuple((name, tuple(f"module.{prefix}" for prefix in prefixes)) for name, prefixes in backbone.stages)
        encoder = self.objective.encoder(cast(nn.Module, backbone.module))
        return Network(replace(backbone, module=encoder, stages=stages), nn.Identity())

    def _place(self, cache: Cache | None, rows: FeatureSet, backbone: Backbone, name: str) -> Path | None:
        """The folder of the journal of this very training."""
        if cache is None:
            return None
        parts: tuple[Any, ...] = (self.objective, self.variation, self.training)
        about = [name, backbone.fingerprint, *map(asdict, parts), torch.__version__, torch.get_num_threads()]
        key = blake3(json.dumps(about, sort_keys=True).encode())
        key.update(b"".join(rows.keys))
        return cache.folder / RUNS / key.hexdigest(length=16)


def _watch(plain: InputBatches, rows: FeatureSet, seed: int) -> Watch:
    labelled = labelled_rows(rows)
    looked_at = watched(len(rows), None if labelled is None else labelled[0], seed)
    codes = None if labelled is None else np.asarray(rows.task.targets)[looked_at]
    return Watch(plain, looked_at, codes, seed)


def _data(views: InputBatches) -> Data:
    """All rows learn, and count alike; there is nothing that they could be asked for."""
    count = len(views)
    everything = np.arange(count)
    return Data(views, torch.zeros(count), torch.ones(count), CLASSIFICATION, everything, NOBODY)
