"""What the targets lack: classes with too few rows, classes that are rare beside others, targets that do not vary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from headstart.data.quality.findings import Finding, Severity, examples_of
from headstart.data.quality.inspection import Inspection
from headstart.data.splits.groups import blocks
from headstart.tasks.task import Array, Task

__all__ = ["target_findings", "without_empty_classes"]

_FEW = 5
_IMBALANCE = 10


def target_findings(inspection: Inspection) -> Iterator[Finding]:
    """Errors where nothing can be learnt or tested; rows of classes that cannot be tested are set aside.

    A class with a single row (exact copies count once) can be learnt or tested but not both. It is set aside, unless
    the data came with a test split of their own.
    """
    rows = np.flatnonzero(inspection.used)
    if len(rows) < 2:
        yield Finding(
            "usable rows", len(rows), (), "at least 2 are needed, and 20 to learn anything: add rows", "error"
        )
    elif len(np.unique(inspection.copy_of[rows])) == 1:
        action = "nothing can be learnt from one and the same input: add rows that differ"
        yield Finding("rows that are all equal", len(rows), inspection.examples(rows), action, "error")
    elif not inspection.task.kind.has_classes:
        yield from _constant_target(inspection, rows)
    elif inspection.task.kind.several:
        yield from _rare_labels(inspection)
    else:
        yield from _rare_classes(inspection)


def without_empty_classes(task: Task) -> Task:
    """The same task with the classes that no row has left out, and targets that count the others only."""
    if task.targets is None or not task.kind.has_classes:
        return task
    present = _rows_a_class(task, np.ones(len(task), dtype=bool)) > 0
    classes = tuple(label for label, is_present in zip(task.classes, present, strict=True) if is_present)
    if task.kind.several:
        return replace(task, classes=classes, targets=task.targets[:, present])
    return replace(task, classes=classes, targets=(np.cumsum(present) - 1)[task.targets])


def _constant_target(inspection: Inspection, rows: Array) -> Iterator[Finding]:
    targets = inspection.task.targets
    if targets is not None and len(np.unique(targets[rows])) == 1:
        what = f"rows with one and the same target, {targets[rows[0]]:.6g}"
        yield Finding(what, len(rows), (), "nothing can be learnt: name another target column", "error")


def _rare_labels(inspection: Inspection) -> Iterator[Finding]:
    count = _rows_a_class(inspection.task, inspection.used)
    if (rare := count < 2).any():
        action = "kept; whether they are predicted well cannot be known"
        yield Finding(
            "labels with fewer than 2 rows", int(rare.sum()), _named(inspection, rare, count), action, "warning"
        )


def _rare_classes(inspection: Inspection) -> Iterator[Finding]:
    different = _different(inspection, inspection.copy_of)
    testable = different >= (1 if inspection.given_test.any() else 2)
    single = (different > 0) & ~testable
    if single.any():
        action = "set aside: a class needs 2 different rows, one to learn from and one to test on"
        severity: Severity = "warning" if testable.any() else "error"
        yield Finding("classes with a single row", int(single.sum()), _named(inspection, single), action, severity)
    if testable.any():
        inspection.set_aside(_rows_of(inspection, single), "its class has no other row")
    if testable.sum() == 1:
        action = "there is nothing to tell apart: add rows of another class"
        yield Finding("classes that can be used", 1, _named(inspection, testable), action, "error")
    if testable.sum() > 1:
        yield from _thin_classes(inspection, different)
        yield from _imbalance(inspection)


def _thin_classes(inspection: Inspection, different: Array) -> Iterator[Finding]:
    few = (different < _FEW) & (_rows_a_class(inspection.task, inspection.used) > 0)
    if few.any():
        what, action = f"classes with fewer than {_FEW} rows", "kept; add rows, their own scores say little"
        yield Finding(what, int(few.sum()), _named(inspection, few, different), action, "warning")
    if inspection.given_test.any():
        yield from _unlearnt_classes(inspection)
        return
    block = blocks(len(inspection.task), inspection.keys, inspection.near_pairs, inspection.task.group)
    if (bound := (_different(inspection, block) == 1) & (different > 1)).any():
        action = "kept for training only: near duplicates and groups are never divided, so no test can hold them"
        yield Finding("classes that stand in one group", int(bound.sum()), _named(inspection, bound), action, "warning")


def _unlearnt_classes(inspection: Inspection) -> Iterator[Finding]:
    learnt = _rows_a_class(inspection.task, inspection.used & ~inspection.given_test)
    unknown = (learnt == 0) & (_rows_a_class(inspection.task, inspection.used) > 0)
    if (learnt > 0).sum() < 2:
        action = "at least 2 classes must have rows outside the given test split: add rows, or leave the split out"
        yield Finding(
            "classes with training rows", int((learnt > 0).sum()), _named(inspection, learnt > 0), action, "error"
        )
    elif unknown.any():
        action = "the model cannot know them: their test rows count as mistakes"
        yield Finding(
            "classes without training rows", int(unknown.sum()), _named(inspection, unknown), action, "warning"
        )


def _imbalance(inspection: Inspection) -> Iterator[Finding]:
    count = _rows_a_class(inspection.task, inspection.used)
    present = np.flatnonzero(count)
    least, most = present[np.argmin(count[present])], present[np.argmax(count[present])]
    if count[most] >= _IMBALANCE * count[least]:
        extremes = np.isin(np.arange(len(count)), [least, most])
        action = "--for balanced-accuracy, the default here, answers all classes alike well; --for names other goals"
        what = "rows of the largest class for each row of the smallest"
        yield Finding(what, int(count[most] // count[least]), _named(inspection, extremes, count), action, "warning")


def _rows_a_class(task: Task, used: npt.NDArray[np.bool_]) -> Array:
    """(C,) rows in use."""
    targets = np.asarray(task.targets)[used]
    return task.kind.counts(targets, len(task.classes))


def _different(inspection: Inspection, block: Array) -> Array:
    """(C,) in how many blocks the rows in use of each class stand."""
    rows = np.flatnonzero(inspection.used)
    pairs = np.unique(np.stack([np.asarray(inspection.task.targets)[rows], block[rows]]), axis=1)
    return np.bincount(pairs[0], minlength=len(inspection.task.classes))


def _rows_of(inspection: Inspection, classes: npt.NDArray[np.bool_]) -> Iterable[int]:
    rows: list[int] = np.flatnonzero(inspection.used & classes[np.asarray(inspection.task.targets)]).tolist()
    return rows


def _named(inspection: Inspection, classes: npt.NDArray[np.bool_], count: Array | None = None) -> tuple[str, ...]:
    """Up to five of the classes by name, with their counts."""
    codes = np.flatnonzero(classes).tolist()
    names = (inspection.task.classes[code] for code in codes)
    return examples_of(
        f"{name} ({count[code]})" if count is not None else name for name, code in zip(names, codes, strict=True)
    )
