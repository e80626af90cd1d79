"""What a check found, in words for a person and as JSON for a machine, and what follows from it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from headstart.errors import DataError
from headstart.messages import shown
from headstart.tasks.task import Array

__all__ = ["Drop", "Finding", "Report", "Severity", "examples_of", "short"]

Severity = Literal["error", "warning", "note"]

LONGEST = 36
_EXAMPLES = 5
_WIDTH = 79


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    what      a noun phrase, the same words for the same kind of finding
    count     how many: rows, classes, columns or cells, as `what` says
    examples  up to five, by name
    action    what is done about it, or what to do
    severity  an "error" stops a fit, a "warning" may spoil the evidence, a "note" is good to know
    """

    what: str
    count: int
    examples: tuple[str, ...]
    action: str
    severity: Severity

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "examples": list(self.examples)}

    def __str__(self) -> str:
        """At most 79 columns: severity, what and how many; examples; and what is done, behind an arrow."""
        lines = _wrapped(f"{self.what}: {self.count:,}", first=f"{self.severity:<8}")
        more = "; ..." if len(self.examples) == _EXAMPLES < self.count else ""
        if self.examples:
            lines += _wrapped("; ".join(self.examples) + more, first=" " * 8)
        return "\n".join([*lines, *_wrapped(self.action, first="     -> ")])


class Drop(NamedTuple):
    """A row that is not used, and why."""

    row: int
    why: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """All findings of a check, the most severe first, and what they mean for N rows.

    drop        rows to set aside, by number
    near_pairs  (P, 2) rows that are nearly the same
    blocks      (N,) the block of each row: what a split must not divide
    """

    rows: int
    findings: tuple[Finding, ...]
    drop: tuple[Drop, ...]
    near_pairs: Array
    blocks: Array

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity == "error")

    @property
    def keep(self) -> Array:
        """The rows to use, ascending."""
        return np.setdiff1d(np.arange(self.rows), [drop.row for drop in self.drop])

    def raise_if_error(self) -> None:
        """Raises DataError in the words of all findings that stop a fit."""
        if self.errors:
            raise DataError("\n".join(str(finding) for finding in self.errors))

    def to_json(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "used": len(self.keep),
            "findings": [finding.to_json() for finding in self.findings],
            "set_aside": [{"row": drop.row, "why": drop.why} for drop in self.drop],
        }

    def __str__(self) -> str:
        head = f"{self.rows:,} rows, {len(self.keep):,} of them usable"
        return "\n".join([head, *(map(str, self.findings) if self.findings else ["nothing to report"])])


def examples_of(names: Iterable[object]) -> tuple[str, ...]:
    """The first five in words that can be printed."""
    return tuple(short(str(name), 2 * LONGEST) for _, name in zip(range(_EXAMPLES), names, strict=False))


def short(name: str, longest: int = LONGEST) -> str:
    """A name on one printable line of at most `longest` characters, cut in its middle."""
    text = "".join(letter if letter.isprintable() else " " for letter in shown(name))
    head = longest // 3
    return text if len(text) <= longest else f"{text[:head]}...{text[head + 3 - longest :]}"


def _wrapped(text: str, *, first: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=first, subsequent_indent=" " * 8, break_on_hyphens=False)
