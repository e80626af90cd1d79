"""What held-out rows say of all ways together: who is best, whether transfer helped, and how far weights should move.

Every difference is paired: both are scored on the same resamples of the same rows. A claim that is one of k that could
have been made has an interval of 1 - .05 / k (Bonferroni): the more ways there are, the more must one of them show.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from headstart.adaptation.strategies import UNADAPTED
from headstart.evidence.assess import NO_TRANSFER
from headstart.evidence.bootstrap import bootstrap
from headstart.evidence.held_out import HeldOut
from headstart.evidence.intervals import ALPHA, Interval, interval
from headstart.evidence.plain import plain
from headstart.evidence.scores import LOWER_IS_BETTER, better_by
from headstart.evidence.verdict import Verdict, verdict
from headstart.study.methods_compared.trying import Finished
from headstart.study.methods_compared.ways import AUTO, PROBE, is_method

__all__ = ["Claim", "Judge", "Judged", "judged"]


class Claim(NamedTuple):
    """One way over another, as one of so many comparisons: the interval is widened for these."""

    name: str
    over: str
    gain: Interval
    comparisons: int

    @property
    def verdict(self) -> Verdict:
        """ "helps" where the first is shown to be better, "hurts" where the other is."""
        return verdict(self.gain)

    def to_json(self) -> dict[str, Any]:
        """name, over, value, low, high, comparisons, verdict."""
        about = {"name": self.name, "over": self.over, "comparisons": self.comparisons, "verdict": self.verdict}
        return {**about, **plain(self.gain)}


class Judged(NamedTuple):
    """best         by its score
    runner_up    the best over the next; None where there is one way
    transfer     the best that transfers over no-transfer; None where either is not there
    moving       of those that move weights, the one to take, or where none is shown to be worth it the best, over the
                 probe; None where there is none
    depth        of these and the probe, the one that moves least and that the best is not shown to be better than
    adapted      the adapted one over the best that is not; None without a source
    advised      the simplest that `fit` can make and that the best is not shown to be better than; None: there is none
    """

    best: str
    runner_up: Claim | None
    transfer: Claim | None
    moving: Claim | None
    depth: str
    adapted: Claim | None
    advised: str | None


class Judge:
    """Scores and paired differences of all ways, on the same resamples."""

    def __init__(self, held_out: HeldOut, finished: Sequence[Finished], seed: int) -> None:
        self.metric, self.metrics = held_out.headline, held_out.metrics
        self._drawn = bootstrap(held_out, {each.way.name: each.answers for each in finished}, seed=seed)

    def scores(self, name: str) -> dict[str, Interval]:
        """Every score of a way."""
        return {metric: interval(self._drawn[name].draws(metric)) for metric in self.metrics}

    def gain(self, name: str, over: str, comparisons: int = 1) -> Interval | None:
        """The paired difference in the goal, above 0 where the first is better; None where the other is not there."""
        if over not in self._drawn or name == over:
            return None
        draws, other = (self._drawn[each].draws(self.metric) for each in (name, over))
        return interval(better_by(self.metric, draws, other), ALPHA / max(1, comparisons))

    def claim(self, name: str, over: str, comparisons: int) -> Claim | None:
        """The same, as one of so many."""
        gain = self.gain(name, over, comparisons)
        return None if gain is None else Claim(name, over, gain, max(1, comparisons))

    def by_score(self, names: Sequence[str]) -> list[str]:
        """The best first; of equals the first."""
        sign = 1 if self.metric in LOWER_IS_BETTER else -1
        return sorted(names, key=lambda name: sign * self._drawn[name].value[self.metric])

    def simplest(self, names: Sequence[str], best: str) -> str | None:
        """The first of them that the best is not shown to be better than."""
        for name in names:
            claim = self.claim(best, name, len(names) - (best in names))
            if claim is None or claim.verdict != "helps":
                return name
        return None


def judged(judge: Judge, finished: Sequence[Finished]) -> Judged:
    """Of at least one way that has finished."""
    ways = {each.way.name: each for each in finished}
    ranked = judge.by_score(list(ways))
    best, *others = ranked
    moving = sorted(
        (name for name, each in ways.items() if each.way.moves and each.way.transfers and not each.way.source),
        key=lambda name: ways[name].cost.parameters,
    )
    ladder = [*((PROBE,) if PROBE in ways else ()), *moving]
    depth = judge.simplest(ladder, judge.by_score(ladder)[0]) if ladder else None
    taken = depth if depth is not None and depth != PROBE else next(iter(judge.by_score(moving)), None)
    carrying = [name for name in ranked if ways[name].way.transfers]
    return Judged(
        best=best,
        runner_up=judge.claim(best, others[0], 1) if others else None,
        transfer=_transfer(judge, carrying),
        moving=None if taken is None else judge.claim(taken, PROBE, len(moving)),
        depth=depth or "",
        adapted=_adapted(judge, ways),
        advised=judge.simplest(_simple_first(ways, moving), best),
    )


def _transfer(judge: Judge, carrying: Sequence[str]) -> Claim | None:
    """Of those that transfer, best first: the first that is shown to be better than no-transfer, or else the first."""
    claims = [judge.claim(name, NO_TRANSFER, len(carrying)) for name in carrying]
    there = [claim for claim in claims if claim is not None]
    return next((claim for claim in there if claim.verdict == "helps"), there[0] if there else None)


def _adapted(judge: Judge, ways: Mapping[str, Finished]) -> Claim | None:
    plain_ways = judge.by_score([name for name in UNADAPTED if name in ways])
    return judge.claim(AUTO, plain_ways[0], len(plain_ways)) if AUTO in ways and plain_ways else None


def _simple_first(ways: Mapping[str, Finished], moving: Sequence[str]) -> list[str]:
    """Those that a fit can make: on frozen features, then beside a source, then by how much moves, and from scratch or
    without transfer last."""
    made = [name for name in ways if is_method(name)]
    frozen = [name for name in made if not ways[name].way.moves and name != NO_TRANSFER]
    frozen.sort(key=lambda name: (ways[name].way.source, name != PROBE))
    return [*frozen, *moving, *(name for name in made if name not in frozen and name not in moving)]
