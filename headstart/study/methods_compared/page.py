"""Methods beside each other in words and figures, for a person at a terminal of 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from headstart.evidence.intervals import Interval
from headstart.evidence.lines import WIDTH, wrapped
from headstart.evidence.steps import count
from headstart.evidence.verdict import figure, signed, spread
from headstart.study.methods_compared.judged import Claim
from headstart.study.methods_compared.record import MethodsCompared, Row
from headstart.study.methods_compared.ways import PROBE
from headstart.tasks.goal import in_words

__all__ = ["answer", "page"]

_ABOUT = 30
_TRANSFER = {
    "helps": "Transfer helps",
    "hurts": "Transfer hurts",
    "cannot tell": "It cannot be told whether transfer helps",
}
_ADAPTED = {
    "helps": "Adaptation helps",
    "hurts": "Adaptation hurts",
    "cannot tell": "It cannot be told whether adaptation helps",
}
_WIDENED = "intervals in these sentences are widened for as many comparisons as were made"


def page(compared: MethodsCompared) -> str:
    """The answer, how it was found, scores and gains, costs, and what is missing."""
    blocks = [
        wrapped(_partial(compared)),
        wrapped(answer(compared)),
        wrapped(_how(compared)),
        [*_gains(compared), *wrapped(_best(compared), indent="  ")],
        [*wrapped(_cost_of(compared)), *_costs(compared)],
        [line for text in _notes(compared) for line in wrapped(text, indent="  ")],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def answer(compared: MethodsCompared) -> str:
    """Did transfer help, and how far down should weights move?"""
    judged = compared.judged
    sentences = [
        *_of(judged.transfer, _TRANSFER, compared),
        *_depth(compared),
        *_of(judged.adapted, _ADAPTED, compared),
    ]
    if not sentences:
        return f"Nothing was transferred, or nothing else to compare it with; the best is {judged.best}."
    return " ".join(sentences)


def _of(claim: Claim | None, words: dict[str, str], compared: MethodsCompared) -> Iterator[str]:
    if claim is not None:
        yield f"{words[claim.verdict]}: {_claim(claim, in_words(compared.metric))}."


def _claim(claim: Claim, metric: str = "") -> str:
    """Such as: lp-ft over probe, accuracy +.05 [.01, .09]."""
    figures = f"{signed(claim.gain.value)} {spread(claim.gain)}"
    return (
        f"{claim.name} over {claim.over}, {metric} {figures}" if metric else f"{claim.name} over {claim.over} {figures}"
    )


def _depth(compared: MethodsCompared) -> Iterator[str]:
    """How far down weights should move."""
    moving, depth = compared.judged.moving, compared.judged.depth
    if moving is None:
        return
    if depth == PROBE:
        why = "which is worse" if moving.verdict == "hurts" else "which is not shown to be better"
        yield f"No weights need move: the best way to move them is {_claim(moving)}, {why}."
        return
    shown = "" if moving.verdict == "helps" else ", though not shown alone"
    yield f"Weights should move, by {depth} ({compared[depth].about}): {_claim(moving)}{shown}; {_deeper(compared)}."


def _deeper(compared: MethodsCompared) -> str:
    most = max(row.cost.parameters for row in compared.rows if row.moves)
    if compared[compared.judged.depth].cost.parameters >= most:
        return "of those that move less none is as good"
    return "none that moves more is shown to be better"


def _partial(compared: MethodsCompared) -> str:
    if compared.unfinished is None:
        return ""
    return (
        f"PARTIAL: interrupted before {', '.join(compared.unfinished)}. What is finished is kept, and the same command "
        "goes on from there."
    )


def _how(compared: MethodsCompared) -> str:
    network = f" on {compared.backbone}" if compared.backbone else ""
    return (
        f"{compared.goal.words}{network}; {compared.n_train:,} rows to learn from, {compared.n_test:,} to test on "
        f"({compared.protocol}), the same for all; in brackets: 95 % intervals, of gains paired; {_WIDENED}"
    )


def _gains(compared: MethodsCompared) -> Iterator[str]:
    """A row a way: its score, and what it gains over feature extraction and over no transfer."""
    rows = [["", in_words(compared.metric), f"over {PROBE}", "over no-transfer"]]
    for row in compared.rows:
        mark = "* " if row.name == compared.judged.best else "  "
        score = row.scores[compared.metric]
        cells = [f"{figure(score.value)} {spread(score)}", _gain(row.over_probe), _gain(row.over_no_transfer)]
        rows.append([mark + row.name, *cells])
    yield from _lines(rows, left=4)


def _gain(gain: Interval | None) -> str:
    return "" if gain is None else f"{signed(gain.value)} {spread(gain)}"


def _best(compared: MethodsCompared) -> str:
    claim = compared.judged.runner_up
    if claim is None:
        return "* the only one"
    told = "cannot be told apart" if claim.verdict == "cannot tell" else "better beyond chance"
    return (
        f"* best, {told} from the runner-up: {_claim(claim)}. The best of {len(compared.rows)} on the same rows looks "
        "better than it is."
    )


def _cost_of(compared: MethodsCompared) -> str:
    mean = f", the mean of {compared.trials}" if compared.trials > 1 else ""
    return f"cost of one fit{mean}; features of the frozen backbone apart ({compared.seconds['features']:,.1f} s now)"


def _costs(compared: MethodsCompared) -> Iterator[str]:
    rows = [["", "what it is", "seconds", "CPU s", "learnt", "steps", ""]]
    for row in compared.rows:
        cells = [_time(row.cost.seconds), _time(row.cost.cpu_seconds), count(row.cost.parameters), _steps(row)]
        about = textwrap.shorten(row.about, _ABOUT, placeholder="…")
        rows.append([f"  {row.name}", about, *cells, "cached" if row.cached else ""])
    yield from _lines(rows, left=2)


def _time(seconds: float) -> str:
    return f"{seconds:,.1f}" if seconds < 100 else f"{seconds:,.0f}"


def _steps(row: Row) -> str:
    return f"{row.cost.steps:,}" if row.cost.steps else "-"


def _lines(rows: list[list[str]], left: int) -> Iterator[str]:
    """The first columns begin at their left end, the others end at their right one."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    while sum(widths) + 2 * len(widths) - 2 > WIDTH and widths[1] > 8 and left == 2:
        widths[1] -= 1
    for row in rows:
        cells = [
            f"{cell[:width]:<{width}}" if place < left else f"{cell:>{width}}"
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def _notes(compared: MethodsCompared) -> Iterator[str]:
    if compared.rule:
        yield compared.rule
    if any(row.cached for row in compared.rows):
        yield "cached: answered by an earlier run, whose seconds these are"
    if compared.failed:
        many = len(compared.failed)
        yield f"{many} of {many + len(compared.rows)} failed:"
        yield from (f"{each.name}: {each.why}" for each in compared.failed)
    for each in compared.left_out:
        yield f"left out: {', '.join(each.names)}, since {each.why}"
