"""Did adaptation help? The model against the best way that does not adapt, on the same rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from headstart.evidence.assess import Adaptation, Gain, assess
from headstart.evidence.held_out import HeldOut
from headstart.tasks.goal import Answers

__all__ = ["adaptation_of"]

_BY_TRAINING = "the best of {}, on labelled target rows held out in turn from those that were learnt from"
_BY_TEST = (
    "the best of {}, on the tested rows themselves, since too few others have labels: the gain over it is rather too "
    "small than too large"
)
_ALONE = "no other way neither adapts nor learns from answers of the target"


def adaptation_of(
    held_out: HeldOut,
    predictions: Answers,
    taken: Answers,
    best: Sequence[str | None],
    gains: Mapping[str, Gain],
    *,
    seed: int = 0,
) -> Adaptation:
    """The paired gain over the best way that does not adapt.

    predictions, taken   those of the model, and of the way of `best` in each trial, as in `assess`
    best         that way by trial, as rows that were learnt from said; None where they could not
    gains        over each way that does not adapt, by its name
    """
    names = ", ".join(gains)
    if None in best:
        over = min(gains, key=lambda name: gains[name].value)
        return Adaptation.of(gains[over], _BY_TEST.format(names))
    counts = Counter(best).most_common()
    over = str(counts[0][0])
    if len(counts) > 1:
        over = f"{' and '.join(f'{name} in {count}' for name, count in counts)} of {len(best)} trials"
    gain = assess(held_out, predictions, {over: taken}, seed=seed).gains[over]
    return Adaptation.of(gain, _ALONE if len(gains) == 1 else _BY_TRAINING.format(names))
