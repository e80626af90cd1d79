"""`headstart clean`: a probe is asked of every row of labelled data that a fit without it did not learn from."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from headstart.backbones.backbone import Backbone
from headstart.data.read import read
from headstart.data.roles import Roles
from headstart.defaults import with_own_defaults
from headstart.features.engines.wish import Device
from headstart.features.extraction import Extraction
from headstart.features.feature_set import FeatureSet
from headstart.listener import LOGGED, Listener
from headstart.methods.method import Data, Fitted
from headstart.methods.plan import Plan
from headstart.methods.table import row_of
from headstart.methods.uncertainty import calibration_of, placed
from headstart.study.answering import say_read
from headstart.study.check import report_of
from headstart.study.cleaning.cleaned import write_cleaned
from headstart.study.cleaning.labels import ambiguous_classes, label_errors, require_cleanlab
from headstart.study.cleaning.rows import outliers, repeated
from headstart.study.cleaning.suggestions import PROBLEMS, Suggestion, Suggestions
from headstart.study.destination import Destination
from headstart.transfer import EngineChoice, Transfer

__all__ = ["clean", "suggestions_of"]

NO_ROLES = Roles()


@with_own_defaults
def clean(
    data: Any,
    *,
    out: str | os.PathLike[str] | None = None,
    apply: str | os.PathLike[str] | None = None,
    backbone: str | None = None,
    roles: Roles = NO_ROLES,
    kind: str | None = None,
    seed: int = 0,
    engine: EngineChoice = "auto",
    device: Device = "auto",
    cache: bool = True,
    listener: Listener = LOGGED,
) -> Suggestions:
    """What is likely wrong with labelled data: label errors, outliers, duplicates, leaks, classes that are hardly told
    apart. Nothing of the data is changed.

    data    as `fit` takes them; rows of every split are looked at
    out     a .csv, .tsv, .jsonl, .json or .parquet for the suggestions
    apply   a .csv, .tsv, .jsonl or .parquet for a cleaned copy: label errors corrected, duplicates and leaks left out

    The other options are those of `Transfer`. Raises DataError where the data cannot be read, ValueError where a file
    cannot be written or is the data itself, ImportError without cleanlab (`headstart[clean]`).
    """
    require_cleanlab()
    inputs = [os.fsdecode(data)] if isinstance(data, str | os.PathLike) else []
    files = [None if path is None else Destination(path, inputs=inputs) for path in (out, apply)]
    if out is not None and apply is not None and os.path.realpath(out) == os.path.realpath(apply):
        raise ValueError(f"{os.fspath(out)} cannot hold both the suggestions and the cleaned data: name two files")
    task = read(data, roles=roles, kind=kind)
    say_read(task, listener)
    extractor = Transfer(backbone, kind=str(task.kind), seed=seed, engine=engine, device=device, cache=cache)
    feature_set = extractor.look(task, listener=listener)
    how = (extractor.extraction(), listener)
    suggested = suggestions_of(feature_set, extractor.backbone_, extractor.plan, how)
    if files[0] is not None:
        files[0].write(suggested)
    if files[1] is not None:
        write_cleaned(data, feature_set.task, suggested, files[1])
    return suggested


def suggestions_of(
    feature_set: FeatureSet, backbone: Backbone | None, plan: Plan, how: tuple[Extraction, Listener]
) -> Suggestions:
    """Of rows that a backbone has seen; the plan's method is asked of each by a fit without it."""
    report = report_of(feature_set)
    items: list[Suggestion] = list(repeated(feature_set, report))
    rows = replace(feature_set, blocks=report.blocks).take(report.keep)
    notes: list[str] = []
    how[1].say(f"fitting: {plan.method}, each row asked of a fit without it")
    try:
        fitted = row_of(plan).fit(plan, Data(rows, backbone, how))
    except ValueError as error:  # DataError is one: so few rows, or one class
        notes.append(f"labels and outliers were not looked for: {error}")
    else:
        items += _of_a_fit(fitted, rows)
    items.sort(key=lambda item: PROBLEMS.index(item.problem))
    return Suggestions(n_rows=len(feature_set), items=tuple(items), notes=tuple(notes))


def _of_a_fit(fitted: Fitted, rows: FeatureSet) -> list[Suggestion]:
    """What the out-of-fold answers say of the labels, and the features of the rows."""
    calibration, where = calibration_of(fitted, rows), placed(fitted, rows)
    items: list[Suggestion] = []
    if calibration is not None:
        items += [*label_errors(rows.task, calibration), *ambiguous_classes(rows.task, calibration)]
    return items if where is None else [*items, *outliers(rows.task, where)]
