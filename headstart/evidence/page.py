"""The evidence in words and figures, for a person at a terminal of 80 columns."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator

from headstart.evidence.assess import NO_PRETRAINING, NO_TRANSFER, Gain
from headstart.evidence.distillation import in_words as taught_in_words
from headstart.evidence.distillation import table as costs
from headstart.evidence.facts import left_out_in_words
from headstart.evidence.lines import WIDTH, wrapped
from headstart.evidence.race import table as race_table
from headstart.evidence.record import Record
from headstart.evidence.steps import table
from headstart.evidence.uncertainty import sentences
from headstart.evidence.verdict import figure, signed, spread
from headstart.tasks.goal import in_words

__all__ = ["headline", "page"]

_NEW_DATA = "new data"
_TRANSFER, _PRETRAINING = "transfer", "pretraining"
_WORST, _MISTAKES, _LABEL = 5, 3, 28
_TWO = 2
_NOT_USED = "the saved model does not use it"
_SAID = {
    True: {"helps": "{} helps", "hurts": "{} hurts", "cannot tell": "cannot tell whether {} helps"},
    False: {
        "helps": "this model is better",
        "hurts": "this model is worse",
        "cannot tell": "cannot tell which is better",
    },
}


def headline(evidence: Record) -> str:
    """Such as: balanced accuracy .76 [.70, .81]; without transfer .51; gain +.25 [.18, .32]: transfer helps.

    With a source also: gain over pooled, which does not adapt, -.04 [-.07, -.01]: adaptation hurts.
    """
    metric, gain = evidence.headline, evidence.gain
    score = evidence.metrics[metric]
    parts = [f"{_goal(evidence)} {figure(score.value)} {spread(score)}"]
    if gain is not None and evidence.facts.instead is not None:
        with_ = f"with transfer ({gain.over}) {figure(evidence.baselines[gain.over][metric].value)}"
        parts += [with_, f"gain without it {_gain(gain)}: {_not_used(evidence)}"]
    elif gain is not None:
        what = _PRETRAINING if gain.over == NO_PRETRAINING else _TRANSFER
        without = evidence.baselines[gain.over][metric].value
        parts += [f"without {what} {figure(without)}", f"gain {_gain(gain)}: {_said(evidence, what)}"]
    elif untold := evidence.facts.transfer_untold:
        adaptation = evidence.adaptation
        if adaptation is not None and adaptation.why == untold:
            return "; ".join([*parts, f"whether transfer and adaptation help is not known: {untold}"])
        parts.append(f"whether transfer helps is not known: {untold}")
    elif evidence.facts.model is not None and evidence.facts.model.method == NO_TRANSFER:
        parts.append("nothing was transferred, as was asked")
    return "; ".join([*parts, *_adaptation(evidence), *_taught(evidence)])


def _not_used(evidence: Record) -> str:
    """The verdict where the model is without transfer, though it was asked to transfer."""
    if evidence.verdict == "helps":
        return f"the training rows spoke against transfer, and the rows to test on speak for it; {_NOT_USED}"
    return f"transfer does not help here; {_NOT_USED}"


def _said(evidence: Record, what: str) -> str:
    """The verdict in words: of transfer, where something was carried over; else of this model."""
    return _SAID[evidence.facts.carried][str(evidence.verdict)].format(what)


def _adaptation(evidence: Record) -> Iterator[str]:
    adaptation = evidence.adaptation
    if adaptation is None:
        return
    if adaptation.gain is None:
        yield f"adaptation not judged: {adaptation.why}"
    else:
        verdict = _SAID[True][str(adaptation.verdict)].format("adaptation")
        yield f"gain over {adaptation.gain.over}, which does not adapt, {_gain(adaptation.gain)}: {verdict}"


def _taught(evidence: Record) -> Iterator[str]:
    if evidence.distillation is not None:
        yield taught_in_words(
            evidence.distillation, {key: phrase.format("the teacher") for key, phrase in _SAID[True].items()}
        )


def _gain(gain: Gain) -> str:
    return f"{signed(gain.value)} {spread(gain.interval)}"


def page(evidence: Record) -> str:
    """The headline, the model beside its baselines, the weakest classes, the commonest mistakes, and the notes."""
    blocks = [
        wrapped(headline(evidence)),
        wrapped(_rows(evidence)),
        [*_table(evidence), *_left_out(evidence)],
        [line for text in _ranks(evidence) for line in wrapped(text)],
        [line for text in _uncertainty(evidence) for line in wrapped(text, indent="  ")],
        list(_steps(evidence)),
        list(_race(evidence)),
        list(_kept(evidence)),
        list(_weakest(evidence)),
        list(_mistakes(evidence)),
        [line for note in evidence.notes for line in wrapped(note, indent="  ")],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _rows(evidence: Record) -> str:
    past = "fitted earlier on {:,} rows, " if evidence.protocol == _NEW_DATA else "{:,} rows to learn from, "
    learnt = past.format(evidence.n_train) if evidence.n_train else ""
    if evidence.goal is not None and (evidence.kind.exclusive or evidence.headline != evidence.kind.headline):
        learnt = f"goal: {evidence.goal.words}; {learnt}"
    how = f" ({evidence.protocol})" if evidence.protocol else ""
    return f"{learnt}{evidence.n_test:,} rows to test on{how}; in brackets: 95 % intervals"


def _table(evidence: Record) -> Iterator[str]:
    """As many scores as 79 columns hold, the one of the goal first; from the fourth on without intervals."""
    shown = (evidence.headline, *(metric for metric in evidence.kind.summary if metric != evidence.headline))
    rows = [["", *map(in_words, shown)]]
    for name, scores in [("this model", evidence.metrics), *evidence.baselines.items()]:
        cells = [f"{figure(scores[metric].value)} {spread(scores[metric])}" for metric in shown[:3]]
        rows.append([name, *cells, *(figure(scores[metric].value) for metric in shown[3:])])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    while sum(widths) + 2 * len(widths) - 2 > WIDTH:
        widths.pop()
    for row in rows:
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)).rstrip()


def _ranks(evidence: Record) -> Iterator[str]:
    """How well the probabilities rank the rows, beside those without transfer."""
    scores = evidence.metrics
    area, precision = scores.get("auroc"), scores.get("average_precision")
    if area is None or precision is None or math.isnan(area.value):
        return
    other = evidence.baselines.get(NO_TRANSFER, {})
    without = (
        f" (no-transfer {figure(other['auroc'].value)}, {figure(other['average_precision'].value)})" if other else ""
    )
    of_class = f" of {_short(_rarer(evidence))}" if len(evidence.classes) == _TWO and evidence.kind.exclusive else ""
    yield (
        f"order of the probabilities: AUROC {figure(area.value)} {spread(area)}, average precision{of_class} "
        f"{figure(precision.value)} {spread(precision)}{without}"
    )


def _uncertainty(evidence: Record) -> list[str]:
    return [] if evidence.uncertainty is None else sentences(evidence.uncertainty)


def _rarer(evidence: Record) -> object:
    """Of two classes, that whose average precision is given, see `ranking.py`."""
    first, second = evidence.classes
    return second.label if second.support <= first.support else first.label


def _left_out(evidence: Record) -> Iterator[str]:
    if names := evidence.facts.left_out:
        yield from wrapped(left_out_in_words(names))


def _steps(evidence: Record) -> Iterator[str]:
    if steps := evidence.facts.steps:
        yield f"what each dearer step bought ({in_words(steps[0].metric)}; cost of one fit)"
        yield from table(steps)


def _race(evidence: Record) -> Iterator[str]:
    if (race := evidence.facts.race) is not None:
        yield from race_table(race)


def _kept(evidence: Record) -> Iterator[str]:
    if (distillation := evidence.distillation) is not None:
        yield from wrapped(f"what the student kept of its teacher ({distillation.teacher}), and what either costs")
        yield from costs(distillation)


def _weakest(evidence: Record) -> Iterator[str]:
    ranked = sorted((row for row in evidence.classes if row.support), key=lambda row: row.f1)
    if not ranked:
        return
    shown = ranked if len(ranked) <= 2 * _WORST else ranked[:_WORST]
    title = "classes" if shown is ranked else f"the {_WORST} weakest of {len(ranked)} classes"
    width = max(len(title), *(len(_short(row.label)) for row in shown))
    yield f"{title:<{width}}  precision  recall    F1  rows"
    for row in shown:
        scores = f"{figure(row.precision):>9}  {figure(row.recall):>6}  {figure(row.f1):>4}  {row.support:>4}"
        yield f"{_short(row.label):<{width}}  {scores}"


def _mistakes(evidence: Record) -> Iterator[str]:
    rows = {row.label: row.support for row in evidence.classes}
    if evidence.mistakes:
        yield "mistakes made most often"
    for row in evidence.mistakes[:_MISTAKES]:
        times = f"{row.rows:.1f}".removesuffix(".0")
        yield f"  {_short(row.truth)} taken for {_short(row.answer)}: {times} of {rows.get(row.truth, '?')}"


def _short(label: object) -> str:
    return textwrap.shorten(str(label), _LABEL, placeholder="…") or str(label)[: _LABEL - 1] + "…"


def _goal(evidence: Record) -> str:
    return in_words(evidence.headline) if evidence.goal is None else evidence.goal.words
