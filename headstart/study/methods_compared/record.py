"""Methods beside each other as data: scores, paired gains and costs of each, and what follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from headstart.evidence.intervals import Interval
from headstart.evidence.plain import plain
from headstart.study.measured import FitCost
from headstart.study.methods_compared.judged import Judged
from headstart.study.methods_compared.measuring import LeftOut
from headstart.tasks.goal import Goal

__all__ = ["Failed", "Interrupted", "MethodsCompared", "Row"]


class Row(NamedTuple):
    """One way.

    about             what the field calls it
    moves             whether weights of a backbone move
    scores            every score with its 95 % interval
    over_probe, over_no_transfer   paired gains in the goal, each with its 95 % interval; None where the other is not
                      there, or is this one
    cost              of one fit, the mean over trials
    cached            whether an earlier run has answered: the cost is that of then
    """

    name: str
    about: str
    moves: bool
    scores: dict[str, Interval]
    over_probe: Interval | None
    over_no_transfer: Interval | None
    cost: FitCost
    cached: bool

    def to_json(self) -> dict[str, Any]:
        """All of it, the cost flat."""
        record: dict[str, Any] = plain(self)
        cost = record.pop("cost")
        return {**record, **cost}


class Failed(NamedTuple):
    """A way that could not be fitted, and why."""

    name: str
    why: str


@dataclass(frozen=True, kw_only=True)
class MethodsCompared:
    """What `headstart.compare` found.

    metric      of the goal, by which ways are compared
    protocol    how rows were held out; n_train rows to learn from, n_test to be tested on, in `trials` trials
    rule        how long those learn that move weights, in words
    unfinished  ways that were waiting when the user interrupted; None where nobody did
    seconds     of the run, by what it was spent on
    """

    goal: Goal
    metric: str
    backbone: str | None
    protocol: str
    n_train: int
    n_test: int
    trials: int
    seed: int
    rule: str
    rows: tuple[Row, ...]
    judged: Judged
    failed: tuple[Failed, ...]
    left_out: tuple[LeftOut, ...]
    unfinished: tuple[str, ...] | None
    seconds: dict[str, float]

    def __getitem__(self, name: str) -> Row:
        for row in self.rows:
            if row.name == name:
                return row
        raise KeyError(f"{name!r} is not among {', '.join(row.name for row in self.rows)}")

    def to_json(self) -> dict[str, Any]:
        """Everything, as JSON; a figure that is not known is null."""
        from headstart.study.methods_compared.page import answer

        judged = self.judged
        claims = {name: getattr(judged, name) for name in ("runner_up", "transfer", "moving", "adapted")}
        return {
            "goal": self.goal.to_json(),
            "metric": self.metric,
            "backbone": self.backbone,
            "protocol": self.protocol,
            "n_train": self.n_train,
            "n_test": self.n_test,
            "trials": self.trials,
            "seed": self.seed,
            "rule": self.rule,
            "methods": [row.to_json() for row in self.rows],
            "best": judged.best,
            **{name: None if claim is None else claim.to_json() for name, claim in claims.items()},
            "depth": judged.depth or None,
            "advised": judged.advised,
            "answer": answer(self),
            "failed": [each._asdict() for each in self.failed],
            "left_out": [{"names": list(each.names), "why": each.why} for each in self.left_out],
            "unfinished": None if self.unfinished is None else list(self.unfinished),
            "seconds": self.seconds,
        }

    def __str__(self) -> str:
        from headstart.study.methods_compared.page import page

        return page(self)


class Interrupted(KeyboardInterrupt):
    """The user interrupted a comparison of which something was finished, which `partial` holds."""

    def __init__(self, partial: MethodsCompared) -> None:
        super().__init__("interrupted; what was finished is in partial, and answers are kept for the next run")
        self.partial = partial
