"""Which kind of shift it is, by which story of it stands, and what follows from it: in words.

Without target labels p(y | x) is not seen: a conditional shift can at best be suspected. Sure is only what labels
showed, and that there is no shift or no support. Where two stories stand that call for different steps: unclear.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

from headstart.adaptation.shift.conditional import Conditional
from headstart.adaptation.shift.hypotheses import Hypothesis
from headstart.adaptation.shift.support import Support

__all__ = ["RECOMMENDED", "Judged", "ShiftKind", "judge"]

ShiftKind = Literal["none", "label", "covariate", "conditional", "support", "unclear"]
_OUTSIDE = 0.1
_LEVEL = 0.01

RECOMMENDED: dict[ShiftKind, str] = {
    "none": "no shift was found: use the source as it is, or pool both tasks; there is nothing to adapt",
    "label": "correct the shares of the classes (BBSE, or EM on the probabilities); do not match features: CORAL and "
    "transport without classes would mix the classes",
    "covariate": "weigh the source rows (KMM, RuLSIF, discriminator weights), or match features (CORAL, TCA); a more "
    "flexible model on the source may do as well",
    "conditional": "move the source's features (CORAL, linear transport, transport by classes) and label some target "
    "rows (feature augmentation, pooling); weights of rows would hurt",
    "support": "much of the target lies where the source has no rows: weights cannot help; move the features (CORAL, "
    "linear transport), and label some target rows there",
    "unclear": "what explains the target is not settled, and steps differ: label some 30 target rows and ask again, or "
    "compare methods under the guard",
}


class Judged(NamedTuple):
    """The kind, whether it is more than a suspicion, and why."""

    kind: ShiftKind
    sure: bool
    why: str


def judge(stories: Sequence[Hypothesis], support: Support, labels: Conditional | None) -> Judged:
    """Of two tasks that differ. Simple stories come first: shares of classes, a move of all rows, weights of rows."""
    by_name = {story.name: story for story in stories}
    shares, weights, move = (by_name[name].stands for name in ("label", "covariate", "moved"))
    if support.share.low > _OUTSIDE:
        return Judged("support", True, f"{support.share.value:.0%} of the target lies outside the source's support")
    if all(math.isnan(story.p) for story in stories):
        return Judged("unclear", False, "too few rows to test what explains the target")
    if labels is not None and not math.isnan(labels.answers + labels.features):
        judged = _by_labels(labels, shares)
        if judged:
            return judged
        move = False
    if shares and not move:
        return Judged("label", False, "the source's classes in other shares explain the target")
    if weights and not move:
        return Judged("covariate", False, "weights of the source's rows explain the target, other shares do not")
    if shares or weights:
        also = "other shares of the classes" if shares else "weights of the source's rows"
        return Judged("unclear", False, f"{also} explain the target, and so does moving the source as a whole")
    how = ", but moving the source as a whole does" if move else ""
    untested = " and ".join(name for name in ("label", "covariate") if math.isnan(by_name[name].p))
    how += f" ({untested} could not be tested)" if untested else ""
    return Judged("conditional", False, f"neither other shares nor weights explain the target{how}")


def _by_labels(labels: Conditional, shares: bool) -> Judged | None:
    """What the known target labels decide; None where they refute nothing."""
    answers, features = labels.answers < _LEVEL, labels.features < _LEVEL
    if answers and (features or not shares):
        return Judged("conditional", True, "answers go with features otherwise than in the source, class by class too")
    if answers:
        return Judged(
            "label", True, "known labels: features within each class are the source's, answers given features not"
        )
    if features:
        return Judged("covariate", True, "known labels: answers go with features as in the source, the features differ")
    return None
