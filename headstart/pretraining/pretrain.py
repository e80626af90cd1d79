"""Pretraining: from rows without labels to a backbone that `fit` begins with."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

from headstart.artefact import Pretraining, check_target, write_backbone
from headstart.backbones.backbone import Backbone
from headstart.backbones.columns import fresh
from headstart.backbones.load import default, load
from headstart.data.read import read
from headstart.data.roles import Roles
from headstart.defaults import with_own_defaults
from headstart.errors import BackboneError, MissingWeights
from headstart.features.cache.cache import Cache
from headstart.features.engines.wish import Device
from headstart.features.extract import Extraction
from headstart.features.feature_set import noted
from headstart.linalg.forked import settle
from headstart.listener import LOGGED, Listener
from headstart.pretraining.material import material_of
from headstart.pretraining.page import facts_of, page_of
from headstart.pretraining.row import resized
from headstart.pretraining.table import DEFAULTS, PRETRAINING, row_named
from headstart.tasks import Modality
from headstart.tasks.task import Task

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
    device: Device = "auto",
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
    requested = None if method is None else row_named(method)
    named = labels or roles.target is not None or (requested is not None and requested.labelled)
    task = read(data, roles=roles, need_target=named, partly=named)
    listener.say(f"read {len(task):,} {task.modality.noun}")
    method = method or DEFAULTS.get(task.modality, next(iter(DEFAULTS.values())))
    _suits_data(method, row_named(method).modalities, task)
    scratch = RANDOM in (backbone or "") or (backbone is None and task.modality.has_columns)
    row = row_named(method).configured(method, options or {}, seed, scratch=scratch)
    if named and not row.labelled:
        task = noted(task, _use_of_labels(method, task), listener)
    began = _begun(backbone, task, seed)
    store = Cache() if cache else None
    material = material_of(task, began, store, listener, allow_losses=allow_losses)
    start = resized(material.backbone, row.size.size)
    extraction = Extraction(device=device, cache=store)
    listener.say(f"learning: {method} from {len(material.rows):,} {task.modality.noun}, from {began.name}")
    learnt = row.learn(method, material.rows, start, (extraction, listener))
    facts = facts_of(learnt, material, _anywhere(backbone or began.name), began.fingerprint, seed)
    settings = {name: option.default for name, option in row.options().items()}
    made = Pretraining(method, settings, None, page_of(method, facts), facts)
    folder = None if out is None else write_backbone(learnt.backbone, made, out, overwrite=overwrite)
    learnt.journal.close()
    return Pretrained(learnt.backbone, made, folder)


def _use_of_labels(method: str, task: Task) -> str:
    """What is done with labels by a method that does not learn from them."""
    scored = task.targets is not None and task.kind.exclusive
    use = "nearest neighbours are scored by them" if scored else "there is nothing that could be scored by them"
    return f"labels: method {method!r} does not learn from them; {use}"


def _anywhere(name: str) -> str:
    """A name by which a backbone is found from every working directory."""
    hub, colon, rest = name.partition(":")
    folder = rest if colon else name
    return f"{hub if colon else 'file'}:{os.path.abspath(folder)}" if os.path.isdir(folder) else name


def _suits_data(method: str, modalities: tuple[Modality, ...], task: Task) -> None:
    if task.modality in modalities:
        return
    others = ", ".join(name for name, row in PRETRAINING.items() if task.modality in row.modalities)
    instead = f"use {others}" if others else "there is no method for them"
    nouns = " or ".join(modality.noun for modality in modalities)
    raise ValueError(f"method {method!r} is for {nouns}, and the data are {task.modality.noun}: {instead}")


def _begun(name: str | None, task: Task, seed: int) -> Backbone:
    """The backbone of this name, for such data; of tables one of random weights where none is named."""
    cells = task.modality.cells(task.inputs)
    if name is None and cells is not None:
        return fresh(cells, seed)
    name = name or default(task.modality)
    try:
        backbone = load(name)
    except MissingWeights as error:
        raise MissingWeights(f"{error} To begin from scratch instead: --backbone '{name}{RANDOM}'") from error
    if backbone.modality != task.modality:
        instead = f"expected one such as {task.modality.backbone}" if task.modality.backbone else "leave it out"
        raise BackboneError(
            f"{name} reads inputs of kind {backbone.modality}, and the data are {task.modality.noun}: {instead}"
        )
    return backbone
