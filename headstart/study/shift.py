"""A source task beside a target task: how do they differ, and what follows from it?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, cast

from headstart.adaptation.domain_pair import features_of_both
from headstart.adaptation.shift.diagnose import Shift, diagnose
from headstart.adaptation.shift.plot import shift_picture
from headstart.backbones.load import default, load
from headstart.data.losses import require_few_lost
from headstart.data.pair import Pair, apart, pair
from headstart.data.read import read
from headstart.data.roles import Roles
from headstart.defaults import with_own_defaults
from headstart.errors import DataError, MissingColumn
from headstart.features.cache.cache import Cache
from headstart.features.extract import Extraction
from headstart.features.feature_set import look, through_window
from headstart.listener import LOGGED, Listener
from headstart.study.destination import check_file
from headstart.tasks.task import Array, Columns, Task

__all__ = ["TargetLabels", "may_use", "read_pair", "shift"]

NO_ROLES = Roles()
TargetLabels = Literal["all", "none"]


@with_own_defaults
def shift(
    source: Any,
    target: Any,
    *,
    backbone: str | None = None,
    roles: Roles = NO_ROLES,
    kind: str | None = None,
    target_labels: TargetLabels = "all",
    seed: int = 0,
    cache: bool = True,
    picture: Path | None = None,
    listener: Listener = LOGGED,
) -> Shift:
    """How the target differs from the source: whether, in which way, in which columns and rows, and what to try.

    source, target   data as in `headstart.fit`; of tables the columns that both have are compared
    target_labels    "all": what is known of the target's answers is used. "none": not even if it is there
    picture          where to write a map of both and the columns that differ most, as SVG

    Raises DataError where the two have nothing in common, or the source no labels; ValueError, before any work, where
    the map cannot be written.
    """
    if picture is not None:
        check_file(picture)
    both = read_pair(source, target, roles=roles, kind=kind, target_labels=target_labels, listener=listener)
    if both.source.kind.several:
        raise DataError("the shift of a task with many labels a row is not diagnosed: give one label a row")
    name = None if both.source.modality.has_columns else backbone or default(both.source.modality)
    network, extraction = load(name) if name else None, Extraction(cache=Cache() if cache else None)
    network, target_task = through_window(network, both.target, [both.source], None, listener)
    ours = look(both.source, network, extraction, listener, "source")
    theirs = look(target_task, network, extraction, listener, "target")
    x, z, encoder = features_of_both(ours, theirs)
    names = None if encoder is None else list(encoder.names)
    answers, target_answers = cast(Array, ours.task.targets), theirs.task.targets
    difference = diagnose(x, answers, z, target_answers, kind=both.source.kind, names=names, seed=seed)
    if picture is not None:
        picture.write_text(shift_picture(x, z, difference, seed=seed), encoding="utf-8")
    return difference._replace(
        notes=(*both.notes, *difference.notes),
        names=tuple(theirs.task.names[row] for row in difference.rows),
        classes=tuple(map(str, both.source.classes)) if len(difference.shares) == len(both.source.classes) else (),
    )


def read_pair(
    source: Any,
    target: Any,
    *,
    roles: Roles,
    kind: str | None,
    target_labels: TargetLabels,
    tested: bool = False,
    allow_losses: bool = True,
    listener: Listener = LOGGED,
) -> Pair:
    """Both tasks on common ground. A target in which the source's column of labels is missing has none.

    tested         whether answers that may not be used are kept for a test
    allow_losses   whether more than a twentieth of the rows of either may be such that they cannot be used
    """
    labels = may_use(target_labels)
    ours = _source(source, roles, kind)
    theirs, why = _target(target, ours, roles)
    require_few_lost(ours, allow=allow_losses, of="the source")
    require_few_lost(theirs, allow=allow_losses)
    both = pair(ours, theirs if labels or tested else replace(theirs, targets=None), blind=not labels)
    both = both._replace(notes=(*both.notes, *why))
    both = both if roles.group else apart(both)
    for what, task in (("source", both.source), ("target", both.target)):
        listener.say(f"{what}: {len(task):,} rows" + ("" if task.targets is not None else ", no labels used"))
    for note in both.notes:
        listener.say(f"  {note}")
    return both


def may_use(target_labels: TargetLabels, *, drawn: bool = True) -> bool:
    """Whether answers of the target may be learnt from; they must be where nothing is drawn from a source."""
    if target_labels not in ("all", "none"):
        raise ValueError(f"target_labels = {target_labels!r}: expected all or none")
    if target_labels == "none" and not drawn:
        raise ValueError(
            "target_labels = 'none' has no use without a source: give one (--source DATA), or leave it out"
        )
    return target_labels == "all"


def _source(source: Any, roles: Roles, kind: str | None) -> Task:
    """The source, which is not split, and need not have the target's groups."""
    roles = replace(roles, split=None, domain=None)
    try:
        return read(source, roles=roles, kind=kind)
    except MissingColumn as error:
        if error.role != "group":
            raise DataError(f"the source: {error}") from None
    return read(source, roles=replace(roles, group=None), kind=kind)


def _inputs_alike(source: Task) -> Columns | None:
    """The types of the source's columns but for its answers, so that answers of another kind do not read as missing."""
    if source.columns is None or not source.columns.types:
        return None
    return Columns(types=tuple((name, kind) for name, kind in source.columns.types if name != source.columns.target))


def _target(target: Any, source: Task, roles: Roles) -> tuple[Task, tuple[str, ...]]:
    """The target, and why it is taken to have no labels, if it is: not where it has some that cannot be read."""
    named = roles.target or (source.columns and source.columns.target)
    alike = _inputs_alike(source)
    roles = replace(roles, modality=source.modality)
    try:
        return read(target, roles=replace(roles, target=named), kind=source.kind, partly=True, columns=alike), ()
    except MissingColumn as error:
        if error.role != "target":
            raise DataError(f"the target: {error}") from None
        why: DataError = error
    except DataError as error:
        why = error
    task = read(target, roles=replace(roles, target=None), need_target=False, columns=alike)
    if task.columns is not None and not isinstance(why, MissingColumn):
        raise DataError(f"the target: {why}")
    return task, (f"the target is taken to have no labels: {why}",)
