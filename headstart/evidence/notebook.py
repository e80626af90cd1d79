"""The head of a report, as a notebook shows evidence and a fitted model: the verdict, and each model with its interval.

It is HTML with its style in it, in the colours of what it stands in.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from headstart.drawing.intervals import axis_of, foot, strip
from headstart.drawing.svg import safe
from headstart.evidence.page import headline
from headstart.evidence.verdict import figure, spread
from headstart.messages import printable
from headstart.tasks.goal import in_words

if TYPE_CHECKING:
    from headstart.evidence.record import Record

__all__ = ["ShownInNotebook", "head_of"]

_CELL = "padding:0 .8em 0 0;text-align:left;border:0;background:none"
_ROOT = "color:inherit;--ink:currentColor;--quiet:currentColor;max-width:46em;font-variant-numeric:tabular-nums"


def head_of(evidence: Record) -> str:
    """The verdict in a sentence, the scores as dots with intervals, and how many rows they are of."""
    metric = evidence.headline
    scores = {"this model": evidence.metrics, **evidence.baselines}
    axis = axis_of([value for row in scores.values() for value in row[metric]])
    rows = "".join(
        f'<tr><th scope="row" style="{_CELL};font-weight:{"bold" if not at else "normal"}">{safe(name, 60)}</th>'
        f'<td style="{_CELL};width:45%">{strip(axis, *row[metric], ours=not at)}</td>'
        f'<td style="{_CELL};text-align:right">{figure(row[metric].value)}</td>'
        f'<td style="{_CELL}">{spread(row[metric])}</td></tr>'
        for at, (name, row) in enumerate(scores.items())
    )
    ticks = foot(axis, [figure(tick) if tick else "0" for tick in axis.ticks])
    last = f'<tr><td style="{_CELL}"></td><td style="{_CELL};width:45%">{ticks}</td></tr>'
    tested = f"{evidence.n_train:,} rows to learn from, {evidence.n_test:,} rows to test on; 95 % intervals"
    return (
        f'<div style="{_ROOT}"><p><strong>{escape(printable(headline(evidence)))}</strong></p>'
        f'<table style="border-collapse:collapse;width:100%" aria-label="{safe(in_words(metric))}">{rows}{last}</table>'
        f"<p>{escape(tested)}</p></div>"
    )


class ShownInNotebook:
    """For estimators: once there is evidence a notebook shows its head, until then what scikit-learn shows."""

    def _html_repr(self) -> str:
        evidence: Any = getattr(self, "evidence_", None)
        if evidence is not None:
            return head_of(evidence)
        diagram: str = super()._html_repr()  # type: ignore[misc]
        return diagram
