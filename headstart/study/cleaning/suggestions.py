"""Suggestions to clean data, as data: which rows, what is wrong with them, and what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

from headstart.messages import printable
from headstart.study.destination import Destination

__all__ = ["PROBLEMS", "Problem", "Suggestion", "Suggestions"]

Problem = Literal["label error", "value error", "outlier", "duplicate", "leak", "ambiguous classes"]
PROBLEMS: tuple[Problem, ...] = get_args(Problem)
_SHOWN = 5
_WHAT: dict[str, str] = {
    "label error": "given {label}, rather {suggestion} ({score:.2f})",
    "value error": "given {label}, rather {suggestion} ({score:.1f} standard deviations off)",
    "outlier": "unlike all other rows ({score:.1f} x the usual distance)",
    "duplicate": "repeats {other}",
    "leak": "is learnt from, and repeats {other}, which is tested",
    "ambiguous classes": "{label} and {suggestion} are hardly told apart (AUROC {score:.2f}): merge them?",
}


class Suggestion(NamedTuple):
    """One thing to look at.

    row         its position among the rows as they were read, from 0; None for classes
    name        of the row: a path, or "row 17"
    problem     of `PROBLEMS`
    label       as it is given; of a duplicate that of this row, of classes the first
    suggestion  the label that the model would give, or the value; of a duplicate the label of the other row, of classes
                the second; None where there is none
    score       label error: the probability of the suggested label; value error: how many robust standard deviations
                off; outlier: its distance over the median; classes: AUROC of the one against the other; else None
    other, other_name   the row that it repeats
    """

    row: int | None
    name: str
    problem: Problem
    label: Any = None
    suggestion: Any = None
    score: float | None = None
    other: int | None = None
    other_name: str | None = None

    def __str__(self) -> str:
        words = _WHAT[self.problem].format(
            label=self.label, suggestion=self.suggestion, score=self.score or 0.0, other=self.other_name
        )
        return words if self.row is None else f"{self.name}: {words}"


@dataclass(frozen=True, kw_only=True)
class Suggestions:
    """All of them, by problem and then the surest first.

    n_rows   how many rows were looked at
    notes    what was not looked for, and why
    """

    n_rows: int
    items: tuple[Suggestion, ...]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.items)

    def of(self, problem: Problem) -> list[Suggestion]:
        """Those of one problem."""
        return [item for item in self.items if item.problem == problem]

    def rows(self) -> list[dict[str, Any]]:
        """One record each."""
        return [item._asdict() for item in self.items]

    def columns(self) -> dict[str, list[Any]]:
        """As a table, one list a column."""
        return {name: [_cell(getattr(item, name)) for item in self.items] for name in Suggestion._fields}

    def to_json(self) -> dict[str, Any]:
        """Everything, as JSON."""
        return {"n_rows": self.n_rows, "suggestions": self.rows(), "notes": list(self.notes)}

    def write(self, path: Any, *, inputs: Sequence[str] = ()) -> None:
        """Write a .csv, .tsv, .jsonl, .json or .parquet. Raises ValueError and OSError as `Destination` does."""
        Destination(path, inputs=inputs).write(self)

    def __str__(self) -> str:
        counts = Counter(item.problem for item in self.items)
        lines = [f"{self.n_rows:,} rows looked at; {len(self):,} suggestions"]
        for problem in PROBLEMS:
            if not counts[problem]:
                continue
            lines.append(f"{problem}: {counts[problem]:,}")
            lines += [f"  {printable(str(item), newlines=False)}" for item in self.of(problem)[:_SHOWN]]
            if counts[problem] > _SHOWN:
                lines.append("  ...")
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])


def _cell(value: Any) -> Any:
    """Several labels as one text."""
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value
