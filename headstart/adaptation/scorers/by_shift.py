"""The rule that lets the shift decide which criterion is trusted: of the models that its story allows.

    1. Where the story stands that the source moved as a whole (`stories.moved` with p >= .05), or was asked for and
       none stands: the model with the highest InfoMax of all. A move makes the target of the source, so that a model
       that moves features must answer the target as it answers source rows that it did not see. It is refuted if
       - it calls the classes in other shares: by more than .05, and told apart by a chi-squared test at the 5 % level;
       - or it is less sure: its entropy is higher by .01 nats, and told apart by Welch's test (1947) at the 1 % level.
    2. Else: of the models that do not move features, the one with the lowest importance-weighted log loss.

InfoMax asks for even answers, which is right where shares are kept and wrong where they changed; weighted validation
takes P(y | x) as the source's, which a move breaks. Each alone chooses badly under the other's shift. No labels used.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
from scipy.stats import chi2_contingency, entropy
from scipy.stats import t as t_distribution

from headstart.adaptation.scorers.criteria import Choice, Said, choose
from headstart.adaptation.shift.diagnose import Shift

__all__ = ["as_sure", "choose_by_shift", "keeps_shares"]

_NEAR = 0.05
_LEVEL = 0.05
_CLOSE, _UNSURE = 0.01, 0.01
_FEWEST = 2


def choose_by_shift(models: Mapping[str, Said], moving: Collection[str], shift: Shift) -> Choice:
    """Of classifiers, some of them `moving` features (by name) and one at least not; each with p_source and weights.

    Raises ValueError where a name is unknown, where every model moves features, and as `choose` does
    """
    strange = sorted(set(moving) - set(models))
    if strange:
        raise ValueError(f"moving names {', '.join(strange)}: expected names of the models {', '.join(models)}")
    still = {name: answers for name, answers in models.items() if name not in moving}
    if not still:
        raise ValueError("every model moves features: expected one at least that does not, such as source only")
    why = "moving the source as a whole does not explain the target"
    stands = {story.name for story in shift.stories if story.stands}
    if "moved" in stands or (shift.stories and not stands):
        choice = choose("infomax", models)
        moved = models[choice.name]
        if choice.name not in moving or (keeps_shares(moved) and as_sure(moved)):
            what = "moving the source as a whole explains" if stands else "neither other shares nor weights explain"
            return choice._replace(rule=f"{what} the target: {choice.rule}")
        how = "is less sure than" if keeps_shares(moved) else "calls the classes in other shares than"
        why = f"{choice.name} {how} in the source, which no move does"
    choice = choose("iwv", still)
    return choice._replace(rule=f"{why}, so that models that move features are left out: {choice.rule}")


def keeps_shares(answers: Said) -> bool:
    """Whether a classifier calls the classes in the target in the shares that it calls them in the source."""
    if answers.p_source is None:
        raise ValueError("p_source is None: this rule needs what the model says of source rows that it did not see")
    classes = answers.p_target.shape[1]
    called = np.array([np.bincount(p.argmax(axis=1), minlength=classes) for p in (answers.p_source, answers.p_target)])
    shares = called / called.sum(axis=1, keepdims=True)
    if np.abs(shares[0] - shares[1]).sum() / 2 <= _NEAR:
        return True
    return float(chi2_contingency(called[:, called.any(axis=0)], correction=False).pvalue) >= _LEVEL


def as_sure(answers: Said) -> bool:
    """Whether a classifier is as sure in the target as it is of source rows that it did not see."""
    if answers.p_source is None:
        raise ValueError("p_source is None: this rule needs what the model says of source rows that it did not see")
    target_entropy, source_entropy = (
        np.asarray(entropy(p, axis=1), np.float64) for p in (answers.p_target, answers.p_source)
    )
    apart = float(target_entropy.mean() - source_entropy.mean())
    if apart <= _CLOSE or min(len(target_entropy), len(source_entropy)) < _FEWEST:
        return True
    if np.ptp(target_entropy) == np.ptp(source_entropy) == 0:
        return False
    parts = [rows.var(ddof=1) / len(rows) for rows in (target_entropy, source_entropy)]
    freedom = sum(parts) ** 2 / sum(
        v**2 / (len(rows) - 1) for v, rows in zip(parts, (target_entropy, source_entropy), strict=True)
    )
    return float(t_distribution.sf(apart / np.sqrt(sum(parts)), freedom)) >= _UNSURE
