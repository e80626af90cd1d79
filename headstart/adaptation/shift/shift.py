"""A shift in words and figures, a finding a line."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from headstart.evidence.lines import wrapped
from headstart.evidence.verdict import figure, spread

if TYPE_CHECKING:
    from headstart.adaptation.shift.diagnose import Shift

__all__ = ["lines"]

_SHOWN = 5


def lines(shift: Shift) -> list[str]:
    """From the kind to what to try, in 79 columns."""
    sure = shift.sure or shift.kind in ("none", "unclear")
    written = [f"shift: {shift.kind}{'' if sure else ' (suspected)'}: {shift.why}", *_tests(shift)]
    for story in shift.stories:
        verdict = f"{'explains it' if story.stands else 'does not explain it'} (p {figure(story.p)})"
        written.append(f"{story.name}: {'could not be tested' if math.isnan(story.p) else verdict}")
    if shift.shares:
        of = [f"{name} " for name in shift.classes] or [""] * len(shift.shares)
        some = [f"{name}{figure(entry.value)} {spread(entry)}" for name, entry in zip(of, shift.shares, strict=True)]
        written.append(f"shares if only they changed: {', '.join(some[: 2 * _SHOWN])}")
    if shift.columns:
        columns = (f"{column.name} {figure(column.distance)}" for column in shift.columns[:_SHOWN])
        written.append("columns: " + ", ".join(columns))
    if shift.rows:
        written.append("target rows least like the source: " + ", ".join(shift.names or map(str, shift.rows)))
    entries = [*written, *shift.notes, f"try: {shift.recommendation}"]
    return [line for entry in entries for line in wrapped(entry, indent="  ")]


def _tests(shift: Shift) -> list[str]:
    written = []
    if shift.kernel and shift.classifier:
        auc, p, kernel = (figure(value) for value in (shift.classifier.auc, shift.classifier.p, shift.kernel.p))
        written.append(f"told apart with AUC {auc} (p {p}); kernel test p {kernel}")
    if shift.support:
        share = shift.support.share
        written.append(f"outside the source's support: {figure(share.value)} {spread(share)} of the target")
    if shift.conditional:
        answers, features, rows = shift.conditional
        written.append(f"{rows} known labels: y given x p {figure(answers)}, x given y p {figure(features)}")
    return written
