"""The evidence in words and figures, for a person at a terminal of 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from headstart.evidence.intervals import Interval
from headstart.evidence.scores import HEADLINE
from headstart.evidence.verdict import figure, signed, spread

if TYPE_CHECKING:
    from headstart.evidence.evidence import Evidence

__all__ = ["headline", "page"]

_WIDTH = 79
_SHOWN = {
    "classification": ("accuracy", "balanced_accuracy", "macro_f1", "log_loss"),
    "multilabel": ("accuracy", "macro_f1", "micro_f1", "log_loss"),
    "regression": ("r2", "mae", "rmse"),
}
_WORST = 5


def headline(evidence: Evidence) -> str:
    """accuracy .76 [.70, .81]; without transfer .51; gain +.25 [.18, .32]: transfer helps"""
    metric, gain = HEADLINE[evidence.kind], evidence.gain
    found = evidence.metrics[metric]
    line = f"{_words(metric)} {figure(found.value)} {spread(found)}"
    if gain is None:
        return line
    without = evidence.baselines[gain.over][metric].value
    said = {"helps": "transfer helps", "hurts": "transfer hurts"}.get(str(evidence.verdict), "cannot tell")
    return f"{line}; without transfer {figure(without)}; gain {signed(gain.value)} {spread(gain.interval)}: {said}"


def page(evidence: Evidence) -> str:
    """The headline, the model beside its baselines, the weakest classes, the commonest mistakes, and the notes."""
    blocks = [
        textwrap.wrap(headline(evidence), _WIDTH),
        textwrap.wrap(_rows(evidence), _WIDTH),
        list(_table(evidence)),
        list(_weakest(evidence)),
        list(_mistakes(evidence)),
        [line for note in evidence.notes for line in textwrap.wrap(note, _WIDTH, subsequent_indent="  ")],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _rows(evidence: Evidence) -> str:
    words = f"{evidence.n_train:,} rows to learn from, {evidence.n_test:,} to test on ({evidence.protocol})"
    return f"{words}; 95 % intervals in brackets"


def _table(evidence: Evidence) -> Iterator[str]:
    shown = _SHOWN[evidence.kind]
    yield " " * 15 + "".join(f"{_words(metric):<21}" for metric in shown[:3]).rstrip() + _last(shown, "  ")
    for name, scores in [("this model", evidence.metrics), *evidence.baselines.items()]:
        cells = "".join(f"{_cell(scores[metric]):<21}" for metric in shown[:3]).rstrip()
        last = f"{figure(scores[shown[3]].value):>7}" if len(shown) > 3 else ""
        yield f"{name:<15}{cells:<{_WIDTH - 22 if last else 0}}{last}".rstrip()


def _last(shown: tuple[str, ...], gap: str) -> str:
    return f"{gap}{_words(shown[3])}" if len(shown) > 3 else ""


def _weakest(evidence: Evidence) -> Iterator[str]:
    ranked = sorted((one for one in evidence.classes if one.support), key=lambda one: one.f1)
    if not ranked:
        return
    shown = ranked if len(ranked) <= 2 * _WORST else ranked[:_WORST]
    title = "classes" if shown is ranked else f"the {_WORST} weakest of {len(ranked)} classes"
    width = max(len(title), *(min(40, len(str(one.label))) for one in shown))
    yield f"{title:<{width}}  precision  recall    F1  rows"
    for one in shown:
        scores = f"{figure(one.precision):>9}  {figure(one.recall):>6}  {figure(one.f1):>4}  {one.support:>4}"
        yield f"{str(one.label)[:40]:<{width}}  {scores}"


def _mistakes(evidence: Evidence) -> Iterator[str]:
    if evidence.mistakes:
        yield "mistakes made most often"
        for one in evidence.mistakes[:3]:
            yield f"  {one.rows:g} x {one.truth} taken for {one.answer}"


def _cell(interval: Interval) -> str:
    return f"{figure(interval.value)} {spread(interval)}"


def _words(metric: str) -> str:
    return {"r2": "R2", "mae": "MAE", "rmse": "RMSE", "macro_f1": "macro F1", "micro_f1": "micro F1"}.get(
        metric, metric.replace("_", " ")
    )
