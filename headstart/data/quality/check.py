"""Check before work: what is wrong with the data, how much of it, by example, and what is done about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from headstart.data.losses import MANY, WAY_OUT, are_many, causes_of, lost_rows
from headstart.data.quality.classes import target_findings, without_empty_classes
from headstart.data.quality.duplicates import duplicate_findings, near_pairs
from headstart.data.quality.findings import Drop, Finding, Report, examples_of
from headstart.data.quality.inspection import Inspection
from headstart.data.quality.leaks import leak_findings
from headstart.data.quality.missing import missing_findings
from headstart.data.quality.sounds import sound_findings
from headstart.data.quality.straddling import straddling_findings
from headstart.data.spellings import spelling_findings
from headstart.data.splits.groups import blocks
from headstart.tasks.task import Array, SetAside, Task

__all__ = ["Finding", "Report", "check", "without_empty_classes"]

_SEVERITIES = ("error", "warning", "note")


def check(
    task: Task,
    *,
    keys: Sequence[bytes],
    thumbs: Array | None = None,
    near: Array | None = None,
    failed: Sequence[SetAside] = (),
    truncated: npt.ArrayLike | None = None,
    taught: bool = False,
    allow_losses: bool = True,
) -> Report:
    """Look at a task before any work is done.

    keys       (N,) content keys
    thumbs     (N, 32, 32, 3) uint8 of pictures, (N, W) sketches of recordings; without them near duplicates are not
               looked for
    near       (P, 2) near duplicates where they are known already
    failed     inputs that could not be read and are not among the rows, beside those in `task.set_aside`
    truncated  (N,) how many tokens of each text the backbone does not read
    taught     the task is learnt from other rows too, so that its targets need not suffice to learn from
    allow_losses   whether more than a twentieth of the rows may have been set aside as they were read

    Rows of a given test split are set aside only where their target is missing.
    """
    if len(keys) != len(task):
        raise ValueError(f"a check needs one key a row: got {len(keys)} keys for {len(task)} rows")
    pairs = near_pairs(task, keys, thumbs) if near is None else np.asarray(near, np.int64).reshape(-1, 2)
    inspection = Inspection(task, list(keys), pairs, thumbs)
    findings = [*_unusable(task, failed, allow_losses), *_of_rows(inspection, truncated, taught)]
    return Report(
        rows=len(task),
        findings=tuple(sorted(findings, key=lambda finding: _SEVERITIES.index(finding.severity))),
        drop=tuple(Drop(row, inspection.dropped[row]) for row in sorted(inspection.dropped)),
        near_pairs=pairs,
        blocks=blocks(len(task), keys, pairs, task.group),
    )


def _of_rows(inspection: Inspection, truncated: npt.ArrayLike | None, taught: bool) -> Iterator[Finding]:
    """One check after another: each sees the rows that those before it left in use."""
    labelled = inspection.task.targets is not None
    if labelled:
        yield from _missing_targets(inspection)
    yield from _empty_texts(inspection)
    yield from duplicate_findings(inspection)
    yield from straddling_findings(inspection)
    if labelled and not taught:
        yield from target_findings(inspection)
    yield from leak_findings(inspection)
    yield from missing_findings(inspection)
    yield from sound_findings(inspection)
    yield from spelling_findings(inspection)
    if truncated is not None:
        yield from _truncated_texts(inspection, np.asarray(truncated))


def _unusable(task: Task, failed: Sequence[SetAside], allow_losses: bool) -> Iterator[Finding]:
    rows = lost_rows(task, learnt=True)
    if are_many(len(rows), task.n_read) and not allow_losses:
        names = examples_of(f"{item.name} ({item.why})" for item in rows)
        action = f"{MANY}. Why: {causes_of(rows)}. {WAY_OUT}"
        yield Finding("rows that cannot be used as they are", len(rows), names, action, "error")
    lost = dict.fromkeys([*task.set_aside, *failed])
    if lost:
        names = examples_of(f"{item.name} ({item.why})" for item in lost)
        yield Finding("inputs that cannot be used", len(lost), names, "set aside", "warning")


def _missing_targets(inspection: Inspection) -> Iterator[Finding]:
    task, targets = inspection.task, np.asarray(inspection.task.targets)
    rows = np.flatnonzero(~task.kind.known(targets))
    if len(rows):
        inspection.set_aside(rows, "its target is missing")
        yield Finding("rows without a target", len(rows), inspection.examples(rows), "set aside", "warning")


def _empty_texts(inspection: Inspection) -> Iterator[Finding]:
    texts = inspection.task.modality.texts(inspection.task.inputs)
    if not texts:
        return
    empty = np.array([not text.strip() for text in texts], dtype=bool) & inspection.used
    if empty.any():
        rows = np.flatnonzero(empty)
        inspection.set_aside(np.flatnonzero(empty & ~inspection.given_test), "the text is empty")
        action = "set aside: there is nothing to learn from; those of a given test split stay"
        yield Finding("empty texts", len(rows), inspection.examples(rows), action, "warning")


def _truncated_texts(inspection: Inspection, lost: Array) -> Iterator[Finding]:
    rows = np.flatnonzero((lost > 0) & inspection.used)
    if len(rows):
        longest_first = rows[np.argsort(-lost[rows], kind="stable")]
        names = examples_of(f"{inspection.name(row)} ({int(lost[row]):,} tokens)" for row in longest_first)
        action = f"the backbone does not read their ends: {int(lost[rows].sum()):,} tokens in all"
        yield Finding("texts that are cut off", len(rows), names, action, "warning")
