"""Where a training keeps what a killed run goes on from: a folder of the cache, named by all that it depends on."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from blake3 import blake3

from headstart.backbones.backbone import Backbone
from headstart.features.cache.cache import RUNS, Cache
from headstart.training.checkpoint import Journal
from headstart.training.job import Rows
from headstart.training.options import Training
from headstart.training.recipe import Tuning
from headstart.training.taught import Taught

__all__ = ["journals", "place_of"]


def journals(place: Path | None, training: Training) -> tuple[Journal, Journal]:
    """Of the training that stops by the rows held out, and of the one on all rows."""
    places = (place, place and place.with_name(f"{place.name}-all"))
    first, last = (Journal(path, every=training.journal) for path in places)
    return first, last


def place_of(
    cache: Cache | None,
    rows: Rows,
    backbone: Backbone,
    name: str,
    tuning: Tuning,
    taught: Taught | None,
    device: torch.device,
    steps: int | None = None,
) -> Path | None:
    """The folder of the journal of this very training, on this very device.

    steps   that it lasts, where that is known before
    """
    if cache is None:
        return None
    about = [
        name,
        rows.seen.task.kind,
        len(rows.seen),
        steps,
        backbone.fingerprint,
        *rows.seen.calculated_by,
        *([] if device.type == "cpu" else [str(device)]),
        *(asdict(cast(Any, part)) for part in tuning),
        torch.__version__,
        torch.get_num_threads(),
    ]
    key = blake3(json.dumps(about, sort_keys=True).encode())
    more = [] if taught is None else taught.content()
    for part in (b"".join(rows.keys()), rows.targets, *rows.blocks(), rows.weights, *more):
        key.update(part if isinstance(part, bytes) else np.ascontiguousarray(part).tobytes())
    return cache.folder / RUNS / key.hexdigest(length=16)
