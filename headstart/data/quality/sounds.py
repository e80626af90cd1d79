"""What is wrong with recordings that can be read: silence, clipping, an offset, and files that end too early."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import cast

import numpy as np

from headstart.data.quality.findings import Finding
from headstart.data.quality.inspection import Inspection
from headstart.data.sound_sketch import facts_of
from headstart.data.wave_header import declared_seconds
from headstart.tasks.audio import Clip
from headstart.tasks.task import Array

__all__ = ["sound_findings"]

_QUIET = 2.0**-12
"""Of full scale (-72 dB): fainter is silence."""
_CLIPPED = 1e-3
_OFFSET = 0.02
_SHORT = 0.02


def sound_findings(inspection: Inspection) -> Iterator[Finding]:
    """Of recordings, from their sketches. All stay in use: whether they do harm is for their owner to say."""
    if inspection.thumbs is None or inspection.task.modality.has_pixels or not inspection.task.modality.has_thumbs:
        return
    facts, used = facts_of(inspection.thumbs), inspection.used
    swing = facts.peak - np.abs(facts.mean)
    silent = swing <= _QUIET
    yield from _finding(
        inspection, used & silent, "recordings that are silent", "kept; there is nothing to hear: leave them out",
        [f"peak {peak:.1g}" for peak in facts.peak],
    )  # fmt: skip
    yield from _finding(
        inspection, used & (facts.clipped > _CLIPPED), "recordings that are clipped",
        "kept; they were recorded too loud, and models may take the distortion for what they are asked",
        [f"{100 * share:.2g} % of its samples at full scale" for share in facts.clipped],
    )  # fmt: skip
    yield from _finding(
        inspection, used & ~silent & (np.abs(facts.mean) > _OFFSET), "recordings with an offset (DC)",
        "kept; their samples are not centred at 0, as those of a poor sound card",
        [f"mean {mean:+.2g}" for mean in facts.mean],
    )  # fmt: skip
    clips = cast("list[Clip]", inspection.task.inputs)
    declared = np.array([_declared(clip, at) for clip, at in zip(clips, facts.declared, strict=True)])
    missing = 1 - facts.seconds / np.maximum(declared, 1e-9)
    yield from _finding(
        inspection, used & (missing > _SHORT), "recordings that end before their header says",
        "kept as far as they go; the files are truncated: take fresh copies",
        [f"{has:.3g} of {says:.3g} s" for has, says in zip(facts.seconds, declared, strict=True)],
    )  # fmt: skip


def _declared(clip: Clip, seconds: float) -> float:
    """As the header says; that of a WAV file is read again, since libsndfile believes the file."""
    path = clip.path
    if clip.start or clip.stop is not None or not path or os.path.splitext(path)[1].lower() not in (".wav", ".wave"):
        return seconds
    return max(seconds, declared_seconds(path) or 0.0)


def _finding(inspection: Inspection, which: Array, what: str, action: str, details: list[str]) -> Iterator[Finding]:
    rows = np.flatnonzero(which)
    if len(rows):
        names = tuple(f"{inspection.name(row)} ({details[row]})" for row in rows[:5].tolist())
        yield Finding(what, len(rows), names, action, "warning")
