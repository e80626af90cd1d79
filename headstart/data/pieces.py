"""Which recordings were one: parts of one file, and files whose names differ in their last number only.

A recording that was cut up lies as interview_001.wav, interview_002.wav, ...; a model that knows the one knows the
room, the microphone and the speaker of the other. Numbers that only count the recordings of a class (dog_01, dog_02)
say nothing of the kind: names count where each class has several of them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Any

from headstart.messages import shown
from headstart.tasks.audio import Clip

__all__ = ["pieces"]

_NUMBERED = re.compile(r"(?P<stem>.*[^\W_].*?)[-_. ]\d{2,6}")
_FEWEST = 2
"""Names that each class must have."""


def pieces(clips: Sequence[Clip | None], targets: Sequence[Any] | None) -> tuple[list[str] | None, str]:
    """(N,) what to call the recording that each is a part of, and the rule in words; None and "" where each is whole.

    clips     None where there is none
    targets   of each row, to see whether names tell more than the class
    """
    paths = ["" if clip is None or clip.path is None else clip.path for clip in clips]
    parts = [path for path in paths if path]
    if len(set(parts)) < len(parts):
        group = [shown(path) or f"row {row}" for row, path in enumerate(paths)]
        return group, "parts of one file stay together: never one in training and one in the test"
    stems = [_stem(path) for path in paths]
    if targets is None or not _tell_more(stems, targets):
        return None, ""
    group = [shown(stem or path) or f"row {row}" for row, (stem, path) in enumerate(zip(stems, paths, strict=True))]
    several = next(stem for stem in stems if stem and stems.count(stem) > 1)
    rule = (
        f"files whose names differ in their last number only, such as {shown(several)!r} and a number, stay together "
        "as parts of one recording; a table with a column called group says it otherwise"
    )
    return group, rule


def _stem(path: str) -> str:
    """The name without its last number, wherever the file lies; "" where it has none."""
    match = _NUMBERED.fullmatch(os.path.splitext(os.path.basename(path))[0])
    return "" if match is None else match["stem"]


def _tell_more(stems: Sequence[str], targets: Sequence[Any]) -> bool:
    """Whether most files are numbered, some name stands twice, and each class has several names."""
    numbered = [(stem, str(target)) for stem, target in zip(stems, targets, strict=True) if stem]
    if 2 * len(numbered) <= len(stems) or len({stem for stem, _ in numbered}) == len(numbered):
        return False
    names: dict[str, set[str]] = {}
    for stem, target in numbered:
        names.setdefault(target, set()).add(stem)
    return len({str(target) for target in targets}) == len(names) and min(map(len, names.values())) >= _FEWEST
