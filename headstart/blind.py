"""Which way to go without target labels: nothing shows that adapting helps, so that much must speak for it.

`choose_by_shift` among the source alone and the adaptations, on every base. Regressions: the source alone, on the base
whose importance-weighted loss on source rows that it did not see is lowest (Sugiyama et al., 2007).
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from headstart.adapting import BASES, Base, learn
from headstart.chosen import Chosen, way_of
from headstart.evidence.choose import Said
from headstart.evidence.choose_rule import choose_by_shift
from headstart.evidence.shift import Shift, diagnose
from headstart.evidence.stories import log_ratios
from headstart.ground import Ground

__all__ = ["bases", "choose_blind"]

_STILL = ("source-only", "kmm", "rulsif", "mlls")
_MOVING = ("coral", "linear-transport")


def choose_blind(on: Ground) -> Chosen:
    """By the source's answers and both tasks' features alone."""
    models, _ = candidates(on)
    domains = on.domains
    found = diagnose(domains.source, domains.targets, domains.target, kind=cast(Any, on.kind), seed=on.seed)
    return ruled(on, models, found)


def candidates(on: Ground) -> tuple[dict[str, Said], list[str]]:
    domains = on.domains
    ratios = np.exp(log_ratios(domains.source, domains.target, seed=on.seed))
    weights = ratios * len(ratios) / ratios.sum()
    models, refused = {}, []
    for name in _STILL + _MOVING:
        for base in bases(on):
            try:
                made = learn(on, way_of(name), base)
            except ValueError as error:
                refused.append(f"{name}: {error}")
                continue
            said = made.head.predict(domains.target)
            models[f"{name} {base}"] = Said(
                domains.source, domains.targets, domains.target, said, made.source, weights=weights
            )
    return models, refused


def ruled(on: Ground, models: dict[str, Said], shift: Shift) -> Chosen:
    moving = [name for name in models if name.split()[0] in _MOVING]
    found = choose_by_shift(models, moving, shift)
    name, base = found.name.split()
    return Chosen(name, way_of(name), cast(Base, base), found.rule)


def bases(on: Ground) -> list[Base]:
    """Those that suit the features: trees ask for columns that mean something one by one."""
    return [base for base in BASES if base != "boosting" or on.scale == "each"]
