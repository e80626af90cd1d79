"""Who is held out: splits, folds, groups and strata."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headstart.face import face

if TYPE_CHECKING:
    from headstart.data.splits.split import Split, folds, split

__all__ = ["Split", "folds", "split"]

face(__name__, {"Split": "split", "folds": "split", "split": "split"})
