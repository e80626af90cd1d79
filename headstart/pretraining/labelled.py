"""A backbone learns from rows with labels of another task than the one at hand: plain supervised pretraining.

What labelled data of a related task teach is kept in the backbone, and its head is thrown away (Donahue et al., 2014;
Yosinski et al., 2014). Where the classes are those of the task at hand, `fit --source` draws on more than features.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from blake3 import blake3

from headstart.backbones.backbone import Backbone
from headstart.errors import DataError
from headstart.features.cache.cache import RUNS, Cache
from headstart.features.extract import Extraction
from headstart.features.feature_set import FeatureSet, look
from headstart.finetuning.full import Full
from headstart.listener import Listener
from headstart.losses.supervised import Supervised
from headstart.network import Network
from headstart.pretraining.material import FEWEST
from headstart.pretraining.row import Learnt, Size, kept, set_options
from headstart.tasks import IMAGE, TEXT, Modality
from headstart.training.checkpoint import Journal
from headstart.training.declared import Option, options_of
from headstart.training.device import settle
from headstart.training.feed import Data
from headstart.training.holdout import divided
from headstart.training.job import Job, Rows
from headstart.training.loop import train
from headstart.training.optimizers import named
from headstart.training.options import Training
from headstart.training.recipe import Tuning
from headstart.training.telling import Telling
from headstart.training.validation import logits, mean_loss, validation_losses

__all__ = ["Labelled"]

_UNUSED = frozenset({"scratch", "seed", "views", "disk", "refit"})
"""Of the parts below: what has no use where all weights learn once."""


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """By the loss of the labels."""

    about: str
    training: Training
    tune: Full = field(default_factory=Full)
    loss: Supervised = field(default_factory=Supervised)
    size: Size = field(default_factory=Size)
    labelled: ClassVar[bool] = True
    modalities: ClassVar[tuple[Modality, ...]] = (IMAGE, TEXT)

    def options(self) -> dict[str, Option]:
        """See `Row`, as all that follows."""
        every = options_of(self.tune, self.loss, self.size, self.training)
        return {name: option for name, option in every.items() if name not in _UNUSED}

    def configured(self, name: str, options: Mapping[str, Any], seed: int, *, scratch: bool) -> Self:
        parts = {part: getattr(self, part) for part in ("tune", "loss", "size", "training")}
        settings = set_options(name, self.options(), options, parts, scratch=scratch)
        training = named(replace(settings["training"], seed=seed))
        return replace(self, **(settings | {"training": training, "tune": replace(settings["tune"], scratch=scratch)}))

    def learn(self, name: str, rows: FeatureSet, backbone: Backbone, how: tuple[Extraction, Listener]) -> Learnt:
        """`DataError` where too few rows have a label."""
        began = time.perf_counter()
        extraction, listener = how
        feature_set = look(_answered(rows).task, backbone, extraction, listener)
        device, training, notes = settle(self.training, extraction, backbone, len(feature_set))
        tuning = Tuning(self.tune, self.loss, training)
        part = divided(feature_set, training)
        job = Job(Rows.of(feature_set, None, None), backbone, None, device, extraction)
        start = job.start(tuning, part)
        journal = Journal(self._place(extraction.cache, feature_set, backbone, name), every=training.journal)
        done = train(start.network, start.data, *tuning, journal, Telling.to(listener, name))
        return Learnt(
            backbone=kept(start.network.backbone, backbone, name),
            first=None,
            history=[],
            held_out=_told(start.network.to(device), start.data),
            curves=done.curves,
            parameters=done.parameters,
            seconds=time.perf_counter() - began,
            notes=(*notes, *done.notes, *journal.notes),
            journal=journal,
        )

    def _place(self, cache: Cache | None, rows: FeatureSet, backbone: Backbone, name: str) -> Path | None:
        """The folder of the journal of this very training."""
        if cache is None:
            return None
        about: list[Any] = [
            name,
            backbone.fingerprint,
            asdict(self.tune),
            asdict(self.loss),
            asdict(self.training),
            *rows.calculated_by,
        ]
        about += [torch.__version__, torch.get_num_threads()]
        key = blake3(json.dumps(about, sort_keys=True).encode())
        for part in (b"".join(rows.keys), np.ascontiguousarray(rows.task.targets).tobytes(), rows.blocks.tobytes()):
            key.update(part)
        return cache.folder / RUNS / key.hexdigest(length=16)


def _answered(rows: FeatureSet) -> FeatureSet:
    """Those whose label is known."""
    task = rows.task
    labelled = np.arange(0) if task.targets is None else np.flatnonzero(task.kind.known(task.targets))
    if len(labelled) < FEWEST:
        raise DataError(
            f"{len(labelled)} rows have a label, too few to learn from: name the column of labels with --target, or "
            "learn without them, such as by --method simclr or mlm"
        )
    return rows.take(labelled)


def _told(network: Network, data: Data) -> dict[str, Any]:
    """How well the labels held out are told by the network, with the head that is thrown away."""
    if not len(data.val):
        return {}
    with network.asked():
        loss = mean_loss(validation_losses(network, data.inputs, data))
        answers = logits(network, data.inputs, data.val).cpu()
    scores: dict[str, Any] = {"rows": len(data.val), "loss": loss}
    if data.kind.exclusive:
        scores["accuracy"] = float((answers.argmax(1) == data.targets[data.val]).float().mean())
    return scores
