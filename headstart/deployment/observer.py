"""Who is told what the model sees: called with the features and the predictions of every batch that was served."""

from __future__ import annotations

from collections.abc import Callable

from headstart.tasks.task import Array

__all__ = ["Observer"]

Observer = Callable[[Array, Array], None]
"""Called with (N, D) features, and predictions (N, C) or (N,), in the thread that calculates; what it raises is counted
and goes no further."""
