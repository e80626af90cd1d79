"""Pretraining: from rows without labels to a backbone that `fit` begins with."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

from headstart.artefact import Pretraining, check_target, write_backbone
from headstart.backbones.backbone import Backbone
from headstart.backbones.load import default, load
from headstart.data.read import read
from headstart.data.roles import Roles
from headstart.defaults import with_own_defaults
from headstart.errors import BackboneError, MissingWeights
from headstart.features.cache.cache import Cache
from headstart.features.extract import Extraction
from headstart.linalg.forked import settle
from headstart.listener import LOGGED, Listener
from headstart.pretraining.material import material_of
from headstart.pretraining.page import facts_of, page_of
from headstart.pretraining.table import DEFAULTS, PRETRAINING, row_named
from headstart.pretraining.unlabelled import learn, resized
from headstart.tasks.task import Task
from headstart.training.loop import Telling

__all__ = ["Pretrained", "pretrain"]

NO_ROLES = Roles()
RANDOM = "?weights=random"


class Pretrained(NamedTuple):
    """A backbone that has learnt, what is known of it, and where it is kept (None: nowhere)."""

    backbone: Backbone
    made: Pretraining
    folder: Path | None

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        saved = None if self.folder is None else str(self.folder)
        return {"backbone": self.backbone.name, **self.made._asdict(), "saved": saved}

    def __str__(self) -> str:
        return self.made.page if self.folder is None else f"{self.made.page}\n\nsaved: {self.folder}"


@with_own_defaults
def pretrain(
    data: Any,
    *,
    backbone: str | None = None,
    method: str | None = None,
    out: str | os.PathLike[str] | None = None,
    roles: Roles = NO_ROLES,
    labels: bool = False,
    options: dict[str, Any] | None = None,
    seed: int = 0,
    device: Literal["auto", "cpu", "cuda"] = "auto",
    cache: bool = True,
    overwrite: bool = False,
    allow_losses: bool = False,
    listener: Listener = LOGGED,
) -> Pretrained:
    """Let a backbone learn from data, which may have no labels; `headstart.fit(..., backbone="file:OUT")` begins there.

    data      as `headstart.predict` takes them: any folder of pictures or texts, a table, a list; or a `Task`
    backbone  "hub:name" to go on from; with "?weights=random" behind it, to begin from scratch
    method    a row of `headstart.pretraining.PRETRAINING`; None: the default of the modality
    out       folder to keep the backbone in; None: it is only returned
    labels    some rows have one (as `headstart.fit` reads them): nearest neighbours are scored by it after each epoch.
              Only method "supervised" learns from labels
    options   of the method, by name

    A killed run goes on where it stood when the same is asked again. `DataError` where the data cannot be used,
    `BackboneError` where the backbone cannot, `TrainingError` where the embeddings collapse.
    """
    settle()
    if out is not None:
        check_target(out, overwrite=overwrite)
    asked = None if method is None else row_named(method)
    named = labels or roles.target is not None or (asked is not None and asked.labelled)
    task = read(data, roles=roles, need_target=named, partly=named)
    listener.say(f"read {len(task):,} {task.modality.noun}")
    method = method or DEFAULTS.get(task.modality, next(iter(DEFAULTS.values())))
    row = row_named(method).configured(method, options or {}, seed, scratch=RANDOM in (backbone or ""))
    _suits_data(method, row.modality, task)
    began = _begun(backbone or default(task.modality), task)
    kept = Cache() if cache else None
    material = material_of(task, began, kept, listener, allow_losses=allow_losses)
    began = resized(material.backbone, row.size.size)
    extraction = Extraction(device=device, cache=kept)
    telling = Telling(partial(listener.progress, f"{method}: epochs"), listener.say)
    listener.say(f"learning: {method} from {len(material.rows):,} {task.modality.noun}, from {began.name}")
    learnt = learn(method, row, material.rows, began, extraction, telling)
    facts = facts_of(learnt, material, began, seed)
    made = Pretraining(method, row.settings, None, page_of(method, facts), facts)
    folder = None if out is None else write_backbone(learnt.backbone, made, out, overwrite=overwrite)
    learnt.journal.close()
    return Pretrained(learnt.backbone, made, folder)


def _suits_data(method: str, modality: str, task: Task) -> None:
    if modality == task.modality:
        return
    others = ", ".join(name for name, row in PRETRAINING.items() if row.modality == task.modality)
    noun = task.modality.noun
    instead = f"use {others}" if others else "there is no method for them"
    raise ValueError(f"method {method!r} is for inputs of kind {modality}, and the data are {noun}: {instead}")


def _begun(name: str, task: Task) -> Backbone:
    """The backbone of this name, for such data."""
    try:
        backbone = load(name)
    except MissingWeights as error:
        raise MissingWeights(f"{error} To begin from scratch instead: --backbone '{name}{RANDOM}'") from error
    if backbone.modality != task.modality:
        raise BackboneError(
            f"{name} reads inputs of kind {backbone.modality}, and the data are {task.modality.noun}: expected one "
            f"such as {task.modality.backbone}"
        )
    return backbone
