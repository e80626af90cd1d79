"""Labels that look like one label written in several ways, and texts that were decoded wrongly once."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from headstart.data.encoding import CP1252
from headstart.data.labels import likeness
from headstart.data.quality.findings import Finding, examples_of
from headstart.data.quality.inspection import Inspection

__all__ = ["garbled", "spelling_findings"]

NEXT = f"[{re.escape(CP1252[0x80:0xC0])}]"
GARBLED = re.compile(f"(?<![A-ZÀ-Þ])(?:[ÂÃ]{NEXT}|â€{NEXT}|ï»¿)|(?:[ÐÑ]{NEXT}){{2}}|(?:[ä-é]{NEXT}{{2}}){{2}}|\ufffd")


def spelling_findings(inspection: Inspection) -> Iterator[Finding]:
    """A warning for labels that differ only in case, width or punctuation, and one for garbled texts or labels."""
    yield from _alike(inspection)
    yield from _garbled(inspection)


def garbled(text: str) -> bool:
    """Whether a text holds what UTF-8 looks like once it was read as cp1252, or the sign for a lost character."""
    return not text.isascii() and GARBLED.search(text) is not None


def _alike(inspection: Inspection) -> Iterator[Finding]:
    task = inspection.task
    if task.targets is None or not task.kind.has_classes:
        return
    groups: dict[str, list[int]] = {}
    for code, label in enumerate(task.classes):
        if isinstance(label, str):
            groups.setdefault(likeness(label), []).append(code)
    several = [codes for codes in groups.values() if len(codes) > 1]
    if not several:
        return
    targets = np.asarray(task.targets)[inspection.used]
    rows = task.kind.counts(targets, len(task.classes))
    names = examples_of(", ".join(f"{task.classes[code]!r} ({int(rows[code])})" for code in codes) for codes in several)
    action = "kept apart, as they stand; if they mean the same, write them alike (such as column.str.lower())"
    what = "labels that differ only in case, width or punctuation"
    yield Finding(what, sum(map(len, several)), names, action, "warning")


def _garbled(inspection: Inspection) -> Iterator[Finding]:
    task = inspection.task
    texts = task.modality.texts(task.inputs)
    rows = [row for row, text in enumerate(texts) if garbled(text)]
    labels = [label for label in task.classes if isinstance(label, str) and garbled(label)]
    if rows or labels:
        shown = [_around(texts[row]) for row in rows] + labels
        action = "kept; bytes of UTF-8 were once read as cp1252, or lost: export the data again as UTF-8"
        yield Finding("garbled texts or labels", len(rows) + len(labels), examples_of(shown), action, "warning")


def _around(text: str) -> str:
    """The first garbled place of a text, with a few letters on either side."""
    place = GARBLED.search(text)
    return "" if place is None else text[max(0, place.start() - 12) : place.end() + 12]
