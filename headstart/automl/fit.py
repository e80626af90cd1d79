"""The public `fit`: one method as it is asked for, or within a budget the best that a race finds."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from headstart.automl.pick import Picker
from headstart.data.roles import Roles
from headstart.evidence.origin import Origin
from headstart.features.engines.wish import Device
from headstart.listener import LOGGED, Listener
from headstart.study import protocol
from headstart.study.origin import origin_of, with_origin, without_origin
from headstart.study.shift import TargetLabels
from headstart.tasks.goal import Goal
from headstart.tracking.tracked import trackable
from headstart.transfer import EngineChoice, Transfer

__all__ = ["fit", "refuse_with_budget"]

NO_ROLES = Roles()


@trackable
def fit(
    data: Any,
    *,
    budget: str | float | None = None,
    candidates: Sequence[str] | None = None,
    race_folder: str | os.PathLike[str] | None = None,
    memory: str | float | None = None,
    disk: str | float | None = None,
    test: Any = None,
    source: Any = None,
    target_labels: TargetLabels = "all",
    backbone: str | None = None,
    method: str | None = None,
    roles: Roles = NO_ROLES,
    kind: str | None = None,
    class_weight: str | None = None,
    goal: str | Goal | None = None,
    seed: int = 0,
    engine: EngineChoice = "auto",
    device: Device = "auto",
    cache: bool = True,
    options: dict[str, Any] | None = None,
    keep_tuned: bool = False,
    keep_transfer: bool = False,
    control: bool = True,
    blocks: bool = False,
    allow_losses: bool = False,
    window: tuple[float, float] | None = None,
    provenance: bool = True,
    track: str | None = None,
    sample_rate: int | None = None,
    listener: Listener = LOGGED,
) -> Transfer:
    """Fit on data and learn from rows held out how good the model is and whether transfer helped.

    data    a folder with one sub-folder a class, a .csv, .tsv, .jsonl or .parquet, or a table in memory
    budget  None: one method on one backbone, which is picked on some of the rows to learn from where none is named. A
            time such as "10m", or seconds: the best backbone, method and options that a race finds on the training
            rows within it, the last fit and the test included; needs `pip install 'headstart[race]'`. `backbone` and
            `method` then name the only one that is raced
    candidates   names of backbones, as `headstart.automl.rank` takes them: the first is the default, in whose place
            another is taken where it is better on the rows to learn from (`automl.pick`); None: a few bundled ones.
            With a budget those that are raced; None: the bundled ones that are on this machine
    memory, disk  with a budget: sizes such as "4GB" that it may take at most; what would take more is not begun
    race_folder  with a budget: where trials are kept, so that the race can be stopped, resumed and looked at
    test    test data of your own in the same form; it is looked at once, at the end
    source  labelled data of a related task, in the same form, from which knowledge is to come
    target_labels   with a source: "all", or "none": answers of `data` are only looked at for the test
    method  a row of `headstart.methods.METHODS`; None: probe, or auto with a source, or the inner rule that a
            meta-trained backbone names (`few_shot`)
    roles   which column is what, where the names do not tell
    kind    "classification", "regression" or "multilabel", where the targets do not tell
    goal    what the model is to be good at, see `Transfer`: heads are chosen and answers decided for it, and models are
            compared by it
    keep_tuned   keep what a method that moves weights made, even where it is not shown to be better than the probe, or
                 with a source than the best that does not adapt
    keep_transfer   keep what was asked for even where the model without transfer is shown to be better
    control      test the same network from random weights too; without it, and with a budget, the evidence says that it
                 was left out
    blocks       fit the head while features pass by in blocks, as is done where they exceed a quarter of the memory
    allow_losses go on where more than a twentieth of the rows of data, test or source cannot be used as they are
    provenance   keep the paths of the data and the named columns, so that a report can show rows again
    track        where the fit is written down: "mlflow:URI" or "tensorboard:DIR" (`pip install 'headstart[track]'`);
                 None: nowhere. A service that fails is warned of, and the fit goes on
    sample_rate  the inputs are waves, as arrays, with so many samples a second (Hz): the same as in `roles`

    The other options are those of `Transfer`. Returns a fitted `Transfer` whose `evidence_` holds the answer. Raises
    DataError where the data cannot be used, BackboneError where the backbone cannot, ValueError for a budget that is
    none, RaceError where nothing could be fitted within it.
    """
    if sample_rate is not None:
        roles = replace(roles, sample_rate=sample_rate)
    origin = origin_of(data, test=test, source=source, roles=roles, kind=kind)
    common: dict[str, Any] = {
        "test": test,
        "roles": roles,
        "kind": kind,
        "class_weight": class_weight,
        "goal": goal,
        "seed": seed,
        "engine": engine,
        "device": device,
        "cache": cache,
        "allow_losses": allow_losses,
        "window": window,
        "listener": listener,
    }
    if budget is None:
        refuse_without_budget({"race_folder": race_folder, "memory": memory, "disk": disk})
        fitted = protocol.fit(
            data,
            source=source,
            target_labels=target_labels,
            backbone=backbone,
            method=method,
            options=options,
            keep_tuned=keep_tuned,
            keep_transfer=keep_transfer,
            control=control,
            blocks=blocks,
            chooser=Picker(candidates),
            **common,
        )
        return _telling(fitted, origin, provenance=provenance)
    from headstart.automl.race.fit import fit_within

    refuse_with_budget(
        {"source": source, "options": options, "keep_tuned": keep_tuned or None, "blocks": blocks or None}
    )
    if backbone is not None and candidates is not None:
        raise ValueError("backbone and candidates both name what is raced: give one of the two")
    fitted = fit_within(
        data,
        budget=budget,
        candidates=candidates if backbone is None else [backbone],
        methods=None if method is None else [method],
        keep_transfer=keep_transfer,
        memory=memory,
        disk=disk,
        folder=None if race_folder is None else Path(race_folder),
        **common,
    )
    return _telling(fitted, origin, provenance=provenance)


def _telling(fitted: Transfer, origin: Origin, *, provenance: bool) -> Transfer:
    """The fitted model, which tells where it comes from, or does not."""
    if provenance:
        return with_origin(fitted, origin)
    return without_origin(fitted, (origin.data, origin.test, origin.source))


def refuse_with_budget(options: dict[str, Any]) -> None:
    """Raises ValueError for an option that has no use within a budget."""
    for name, value in options.items():
        if value is not None:
            raise ValueError(f"{name} has no use with a budget, where a race finds method and options: leave it out")


def refuse_without_budget(options: dict[str, Any]) -> None:
    """ValueError that names the first option of a race that is given."""
    if given := [name for name, value in options.items() if value is not None]:
        raise ValueError(f"{given[0]} is of a race: give a budget too, such as budget='10m'")
