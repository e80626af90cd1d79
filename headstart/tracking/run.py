"""What a tracking service is asked to write down of one fit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Protocol

__all__ = ["Outcome", "Run"]

Outcome = Literal["FINISHED", "FAILED", "KILLED"]


class Run(Protocol):
    """One fit, from its beginning to its end. Each call may raise what the service raises."""

    def parameters(self, words: Mapping[str, str]) -> None:
        """What was asked for, or taken; a name is given once."""

    def figures(self, values: Mapping[str, float], step: int) -> None:
        """Finite numbers by name, at a step from 0."""

    def text(self, name: str, words: str) -> None:
        """A page of Markdown or JSON, under a file's name."""

    def file(self, path: Path) -> None:
        """A file as it is."""

    def end(self, outcome: Outcome) -> None:
        """No more follows."""
