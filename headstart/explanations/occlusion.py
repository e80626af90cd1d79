"""Occlusion (Zeiler and Fergus, 2014): how much the answer loses where a part is missing. It asks nothing of the model
but answers.

    a_u = mean over the windows w that hold u of   f(everything) - f(everything but w)
"""

from __future__ import annotations

import numpy as np

from headstart.explanations.attribution import Attribution, Case
from headstart.explanations.question import Question
from headstart.tasks.task import Array

__all__ = ["occlusion", "windows_of"]

_ALONE = "each part is missing by itself, so that parts which say the same hide each other"


def occlusion(case: Case, question: Question, *, side: int = 1) -> Attribution:
    """side   of a window, in parts, where these lie in a grid (overlapping, one part apart); 1: each part alone."""
    windows = windows_of(len(case.parts), case.shape, side)
    kept = np.concatenate([np.ones((1, len(case.parts)), bool), ~windows])
    scores = question.of_predictions(case.ask(kept))
    lost = scores[0] - scores[1:]
    values = (windows * lost[:, None]).sum(0) / windows.sum(0)
    return Attribution(values, score=float(scores[0]), note=_ALONE if side == 1 else "")


def windows_of(parts: int, shape: tuple[int, int] | None, side: int) -> Array:
    """(W, parts) bool: which parts each window holds."""
    if shape is None or side == 1:
        return np.eye(parts, dtype=bool)
    rows, columns = shape
    windows = []
    for top in range(1 - side // 2, rows - side + 1 + side // 2):
        for left in range(1 - side // 2, columns - side + 1 + side // 2):
            window = np.zeros(shape, bool)
            window[max(0, top) : top + side, max(0, left) : left + side] = True
            windows.append(window.ravel())
    return np.unique(np.array([window for window in windows if window.any()]), axis=0)
