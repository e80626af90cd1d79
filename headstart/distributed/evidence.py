"""What the clients' own evidence says: of the model as a whole, and to each client whether it helped.

A score of the whole is the mean of the clients' scores, weighed by their held-out rows. Rows of different clients are
independent, so that the halves of the intervals join by squares, each with its client's weight (MOVER: Zou and Donner,
2008); the same of gains, which are paired at each client.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from headstart.distributed.owner import ALONE, SHARED, TUNED
from headstart.errors import DataError
from headstart.evidence.assess import NO_TRANSFER, Assessment, Gain
from headstart.evidence.evidence import Evidence
from headstart.evidence.intervals import Interval
from headstart.evidence.lines import wrapped
from headstart.evidence.verdict import Verdict, figure, signed, spread, verdict
from headstart.tasks.goal import in_words
from headstart.tasks.kind import Kind

__all__ = ["Judged", "judged", "together"]

_WORDS: dict[str, str] = {"helps": "federating helps", "hurts": "federating hurts", "cannot tell": "cannot tell"}
_AGAINST = {
    TUNED: "the same training on its own rows",
    ALONE: "the probe on its own rows",
    NO_TRANSFER: "its own data without transfer",
}
_OWN: dict[str, str] = {
    "helps": "a head of its own helps",
    "hurts": "a head of its own hurts",
    "cannot tell": "cannot tell",
}


class Judged(NamedTuple):
    """What federating is to one client.

    score    of the federated head on its held-out rows
    alone    the score of its own data without transfer, of the probe on its own rows, and where weights of the backbone
             learn of the same training on its own rows
    gains    of the federated head over each
    personal       the score of its own head about the federated one, see `personal.py`
    personal_gains of that over the federated head and over each
    """

    name: str
    rows: int
    metric: str
    score: Interval
    alone: Mapping[str, Interval]
    gains: Mapping[str, Gain]
    personal: Interval
    personal_gains: Mapping[str, Gain]

    @property
    def verdicts(self) -> dict[str, Verdict]:
        """Against each of `alone`."""
        return {name: verdict(gain.interval) for name, gain in self.gains.items()}

    @property
    def personal_verdicts(self) -> dict[str, Verdict]:
        """Of its own head, against the federated one as well."""
        return {name: verdict(gain.interval) for name, gain in self.personal_gains.items()}

    def __str__(self) -> str:
        head = (
            f"{self.name} ({self.rows} rows): {in_words(self.metric)} {figure(self.score.value)} {spread(self.score)}"
        )
        parts = [head]
        for name, gain in self.gains.items():
            parts.append(
                f"  against {_AGAINST[name]} ({figure(self.alone[name].value)}): "
                f"{signed(gain.value)} {spread(gain.interval)}: {_WORDS[self.verdicts[name]]}"
            )
        gain = self.personal_gains[SHARED]
        parts.append(
            f"  its own head about the federated one: {figure(self.personal.value)} {spread(self.personal)}, "
            f"{signed(gain.value)} {spread(gain.interval)}: {_OWN[self.personal_verdicts[SHARED]]}"
        )
        return "\n".join(line for part in parts for line in wrapped(part, indent="    "))

    def to_json(self) -> dict[str, Any]:
        """As JSON; a figure that is not known is null."""
        return {
            "rows": self.rows,
            "metric": self.metric,
            "score": _plain(self.score),
            "alone": {name: _plain(score) for name, score in self.alone.items()},
            "gains": {name: _plain(gain.interval) for name, gain in self.gains.items()},
            "verdicts": dict(self.verdicts),
            "personal": {
                "score": _plain(self.personal),
                "gains": {name: _plain(gain.interval) for name, gain in self.personal_gains.items()},
                "verdicts": dict(self.personal_verdicts),
            },
        }


def judged(evidence: Mapping[str, Evidence], personal: Mapping[str, Evidence]) -> dict[str, Judged]:
    """For each client that answered: of the federated head, and of its own about that one."""
    return {
        name: Judged(
            name,
            each.n_test,
            each.headline,
            each.metrics[each.headline],
            {other: each.baselines[other][each.headline] for other in _AGAINST if other in each.baselines},
            {other: each.assessment.gains[other] for other in _AGAINST if other in each.assessment.gains},
            personal[name].metrics[each.headline],
            {
                other: gain
                for other in (SHARED, *_AGAINST)
                if (gain := personal[name].assessment.gains.get(other)) is not None
            },
        )
        for name, each in evidence.items()
    }


def together(evidence: Mapping[str, Evidence], kind: Kind) -> Evidence:
    """Of the model as a whole. DataError where no client tested it."""
    parts = list(evidence.values())
    if not parts:
        raise DataError("no client tested the model on its own rows: there is no evidence, and so no model")
    weights = [part.n_test / sum(each.n_test for each in parts) for part in parts]
    first = parts[0].assessment
    gains = {}
    for name, gain in first.gains.items():
        whole = _mean([part.assessment.gains[name].interval for part in parts], weights)
        gains[name] = Gain(gain.metric, name, *whole)
    gain = gains[NO_TRANSFER]
    assessment = Assessment(
        metrics={name: _mean([part.metrics[name] for part in parts], weights) for name in first.metrics},
        baselines={
            other: {name: _mean([part.baselines[other][name] for part in parts], weights) for name in scores}
            for other, scores in first.baselines.items()
        },
        gains=gains,
        gain=gain,
        verdict=verdict(gain.interval),
    )
    return Evidence(
        kind=kind,
        n_train=sum(part.n_train for part in parts),
        n_test=sum(part.n_test for part in parts),
        seed=parts[0].seed,
        protocol=f"{parts[0].protocol} ({len(parts)} clients)",
        assessment=assessment,
        seconds={},
        notes=("Scores are means over clients, each on its own held-out rows, weighed by their number.",),
    )


def _mean(intervals: Sequence[Interval], weights: Sequence[float]) -> Interval:
    """Known where it is known at every client with weight."""
    value = math.fsum(w * each.value for w, each in zip(weights, intervals, strict=True))
    below = math.hypot(*(w * (each.value - each.low) for w, each in zip(weights, intervals, strict=True)))
    above = math.hypot(*(w * (each.high - each.value) for w, each in zip(weights, intervals, strict=True)))
    return Interval(value, value - below, value + above)


def _plain(interval: Interval) -> list[float | None]:
    return [None if math.isnan(figure_of) else figure_of for figure_of in interval]
