"""Rows that draw on a source without moving weights: one strategy, or a guard that chooses among several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self, cast

from headstart.adaptation.choice import ChosenStrategy
from headstart.adaptation.domain_pair import DomainPair
from headstart.adaptation.guard import choose
from headstart.adaptation.learn import Learnt, learn
from headstart.adaptation.strategy import Strategy
from headstart.backbones.backbone import Backbone
from headstart.heads.decision import utility_of
from headstart.methods.method import AdaptationFacts, Data, Fitted, Option, Source, options_of, refuse_unknown, typed
from headstart.methods.plan import Plan
from headstart.tasks.goal import Aim

__all__ = ["Adaptation", "Guard", "apply"]


@dataclass(frozen=True)
class Adaptation:
    """One way in which rows of a source and of a target come into one fit."""

    about: str
    strategy: Strategy
    needs_source: ClassVar[bool] = True
    needs_teacher: ClassVar[bool] = False
    needs_tasks: ClassVar[bool] = False
    moves_weights: ClassVar[bool] = False
    reuses: ClassVar[bool] = True

    def options(self) -> dict[str, Option]:
        """The fields of the step between the tasks."""
        align = self.strategy.align
        return {} if align is None else options_of(align)

    def configured(self, name: str, options: Mapping[str, Any], seed: int) -> Self:
        """The row with these options of its step. Raises ValueError for an option that the step does not have."""
        declared = self.options()
        for option in options:
            refuse_unknown(name, option, declared)
        if not options:
            return self
        values = {option: typed(declared[option], value) for option, value in options.items()}
        align = replace(cast(Any, self.strategy.align), **values)
        return replace(self, strategy=self.strategy._replace(align=align))

    def fit(self, plan: Plan, data: Data, source: Source | None = None) -> Fitted:
        """A head for target features, learnt from the rows that the strategy takes."""
        if source is None:
            raise ValueError(f"method {plan.method!r} draws on a source task: give one to headstart.fit")
        chosen, pair = ChosenStrategy(plan.method, self.strategy), source.pair
        task = source.rows.task
        aim = plan.aim(task.kind, task.classes)
        return _adapted(chosen, learn(pair, chosen.strategy, chosen.base), data.backbone, pair, aim)


@dataclass(frozen=True)
class Guard:
    """Several strategies are compared on labelled target rows, and the best that does not adapt is kept unless another
    is better, see `adaptation.guard`."""

    about: str
    needs_source: ClassVar[bool] = True
    needs_teacher: ClassVar[bool] = False
    needs_tasks: ClassVar[bool] = False
    moves_weights: ClassVar[bool] = False
    reuses: ClassVar[bool] = True

    def options(self) -> dict[str, Option]:
        """None."""
        return {}

    def configured(self, name: str, options: Mapping[str, Any], seed: int) -> Self:
        """Itself. Raises ValueError for any option."""
        for option in options:
            refuse_unknown(name, option, ())
        return self

    def fit(self, plan: Plan, data: Data, source: Source | None = None) -> Fitted:
        """What the strategy learns that is chosen."""
        if source is None:
            raise ValueError(f"method {plan.method!r} draws on a source task: give one to headstart.fit")
        chosen, pair = choose(source.pair), source.pair
        task = source.rows.task
        aim = plan.aim(task.kind, task.classes)
        return _adapted(chosen, learn(pair, chosen.strategy, chosen.base), data.backbone, pair, aim)


def apply(chosen: ChosenStrategy, backbone: Backbone | None, pair: DomainPair, aim: Aim) -> Fitted:
    """What a chosen strategy learns from two tasks, deciding for an aim."""
    return _adapted(chosen, learn(pair, chosen.strategy, chosen.base), backbone, pair, aim)


def _adapted(chosen: ChosenStrategy, learnt: Learnt, backbone: Backbone | None, pair: DomainPair, aim: Aim) -> Fitted:
    """The shares of the classes are those that the model itself expects of the target rows: no others are known."""
    head = learnt.head
    if pair.kind.exclusive:
        expected = head.predict(pair.domains.target)
        head = head.decided_by(utility_of(aim, expected, expected.mean(axis=0)))
    return Fitted(replace(head, form=pair.form), backbone, pair.encoder, (), AdaptationFacts(chosen, pair, learnt))
