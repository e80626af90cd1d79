"""The race: again and again, of all trials that still fit the budget, the one that is expected to bring most a second.

    until nothing fits, everything was tried, the budget is over, or Ctrl-C
        steps = a new setting of each arm; one more fold for each setting that moves weights
        take the step of the highest expected gain a second (`expected`) that leaves enough time to fit the leader, or
        itself, on all training rows, and to test that
        its answers to the rows that it did not learn from are kept (`storage`) and compared with the leader's

The first step is the probe on the fastest backbone, so that there is something to keep as soon as possible.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from headstart.automl.race.budget import Budget, Deadline, OutOfTime
from headstart.automl.race.evaluating import Evaluating, answered
from headstart.automl.race.expected import Costs, above, gain_of_new, improvement, value_of_knowing
from headstart.automl.race.scoring import Judge, RowLosses
from headstart.automl.race.space import Arm
from headstart.automl.race.standing import Tried, leader
from headstart.automl.race.storage import TrialStore
from headstart.errors import BackboneError, DataError, TrainingError
from headstart.listener import Listener
from headstart.messages import lasting

__all__ = ["Evaluating", "Failure", "Race", "Step"]

_SAFE = 1.25
"""How much longer than expected a trial may take and still be begun."""
_FAILURES = 2
"""Failed settings after which an arm is given up."""
_WORTHWHILE = 1e-4
"""The least expected gain, as a share of the loss, for which a trial is begun."""


class Step(NamedTuple):
    """A trial to come: of a new setting, or of one on a further fold; its gain as a share of the loss."""

    arm: Arm
    setting: Tried | None
    folds: tuple[int, ...]
    seconds: float
    gain: float
    probability: float


class Failure(NamedTuple):
    """A setting that could not be tried, and why."""

    name: str
    why: str


class Race:
    """One, over arms. After `run`: tried, failures, ended (why), interrupted, and `best`."""

    def __init__(
        self,
        arms: Sequence[Arm],
        evaluating: Evaluating,
        judge: Judge,
        store: TrialStore,
        budget: Budget,
        listener: Listener,
        costs: Costs,
    ) -> None:
        self.arms, self.evaluating, self.judge, self.store = arms, evaluating, judge, store
        self.budget, self.listener, self.costs = budget, listener, costs
        self.tried: list[Tried] = []
        self.failures: list[Failure] = []
        self.skipped: set[str] = set()
        self.ended = ""
        self.interrupted = False
        self.resumed = 0

    @property
    def folds(self) -> int:
        """How many there are."""
        return len(self.evaluating.rows)

    @property
    def best(self) -> Tried | None:
        """What would be kept if the race ended now."""
        return leader(self.tried, self.judge, self.folds)

    def run(self) -> None:
        """Race until the end. KeyboardInterrupt ends it as the budget does."""
        try:
            self._resume()
            while (step := self.next_step()) is not None:
                self._take(step)
        except KeyboardInterrupt:
            self.ended, self.interrupted = "it was interrupted", True
            self.listener.say("interrupted: the best so far is fitted and tested; Ctrl-C again ends without a model")
        if not self.ended:
            self.ended = "every setting was tried" if not self.steps(fitting=False) else "no other trial would fit"

    def next_step(self) -> Step | None:
        """That of the highest expected gain a second; None where none fits or is worth its time."""
        return max(self.steps(), key=lambda step: step.gain / max(step.seconds, 1e-3), default=None)

    def steps(self, *, fitting: bool = True) -> list[Step]:
        """All trials that could come next and are worth it; with `fitting` those for which there is time, and as long
        as something that moves no weights is left, that first."""
        best = self.best
        steps = [step for arm in self.arms if (step := self._new(arm, best)) is not None]
        steps += [step for setting in self.tried if (step := self._further(setting, best)) is not None]
        if best is not None:
            steps = [step for step in steps if step.gain > _WORTHWHILE]
        if not fitting:
            return steps
        steps = [step for step in steps if self._fits(step, best)]
        return [step for step in steps if not step.arm.tuned] or steps

    def _fits(self, step: Step, best: Tried | None) -> bool:
        if best is None:  # there must be something to keep
            return not step.arm.tuned and step.arm.eligible
        each = step.seconds / max(1, len(step.folds))
        after = max(self.reserve(best), self.evaluating.closing(step.arm, each) if step.arm.eligible else 0.0)
        return _SAFE * step.seconds + after <= self.budget.left

    def reserve(self, best: Tried | None) -> float:
        """Seconds that the end will take: of what moves weights, with a second training on all rows
        (docs/decisions/0019-the-race.md)."""
        if best is None:
            return 0.0
        return self.evaluating.closing(best.arm, best.fold_seconds, again=best.arm.tuned)

    def _new(self, arm: Arm, best: Tried | None) -> Step | None:
        """A new setting of an arm; None where there is none left, or its turn has not come."""
        own = [setting for setting in self.tried if setting.arm.key == arm.key]
        given_up = sum(failure.name == arm.key for failure in self.failures) >= (_FAILURES if arm.searched else 1)
        if arm.key in self.skipped or given_up or (arm.settings is not None and len(own) >= arm.settings):
            return None
        probe = self._probe_gain(arm, best)
        if arm.tuned and probe is None:
            return None
        options = arm.begin[min(len(own), len(arm.begin) - 1)]
        if why := self.evaluating.obstacle(arm, options):
            self._refused(arm, why)
            return None
        folds = (0,) if arm.tuned else tuple(range(self.folds))
        learnt = self._learnt()
        seconds = len(folds) * self.costs.seconds(arm, options, learnt) + self.evaluating.preparation(arm)
        if best is None:
            return Step(arm, None, folds, seconds, 1.0, 1.0)
        if not arm.eligible:
            return Step(arm, None, folds, seconds, 1e-2, 0.0)
        mean, spread = gain_of_new(arm, probe or 0.0, *self._gains(arm, best))
        return Step(arm, None, folds, seconds, improvement(mean, spread), above(mean, spread))

    def _further(self, setting: Tried, best: Tried | None) -> Step | None:
        """One more fold of a setting that moves weights."""
        left = [fold for fold in range(self.folds) if fold not in setting.answers]
        if best is None or not setting.arm.tuned or not left or not setting.answers:
            return None
        over = best
        if setting is best:  # against what would be kept without it
            over = leader([other for other in self.tried if other is not setting], self.judge, self.folds) or best
        apart, loss = self.judge.apart(setting.losses, over.losses), self.judge.mean(over.losses)
        gain, error = apart.gain / loss, apart.error / loss
        value = value_of_knowing(gain, error, leads=setting is best)
        return Step(setting.arm, setting, (left[0],), setting.fold_seconds, value, above(gain, error))

    def _probe_gain(self, arm: Arm, best: Tried | None) -> float | None:
        """By how much the probe on the arm's backbone loses less than the leader, as a share; None: not tried yet."""
        probe = self._probe(arm)
        return None if best is None or probe is None else self._gain(probe, best)

    def _probe(self, arm: Arm) -> Tried | None:
        """The probe on the arm's backbone."""
        alike = (
            setting for setting in self.tried if setting.arm.backbone == arm.backbone and setting.arm.method == "probe"
        )
        return next(alike, None)

    def _gains(self, arm: Arm, best: Tried) -> tuple[list[float], list[float]]:
        """Of the settings of an arm, and of those of others that move weights of the same backbone, as shares."""
        own: list[float] = []
        others: list[float] = []
        for setting in self.tried:
            if setting.arm.backbone == arm.backbone and arm.tuned == setting.arm.tuned and setting.arm.eligible:
                (own if setting.arm.key == arm.key else others).append(self._gain(setting, best))
        return own, others if arm.tuned else []

    def _gain(self, setting: Tried, best: Tried) -> float:
        """By how much a setting loses less than the leader, as a share. Where it answered some folds alone, by how much
        less than the probe on its backbone on these, and that by how much less than the leader on all."""
        probe = self._probe(setting.arm) if setting.arm.tuned and len(setting.answers) < self.folds else None
        if probe is not None:
            over = self.judge.apart(setting.losses, probe.losses).gain / max(self.judge.mean(best.losses), 1e-9)
            return self._gain(probe, best) + over
        return self.judge.apart(setting.losses, best.losses).gain / max(self.judge.mean(best.losses), 1e-9)

    def _learnt(self) -> int:
        return int(sum(map(len, self.evaluating.rows)) - len(self.evaluating.rows[0]))

    def _take(self, step: Step) -> None:
        """Try a setting; what goes wrong with it ends that alone."""
        arm, before = step.arm, self.best
        most = max(self.budget.left - self.reserve(before), 0.0) if before is not None else np.inf
        deadline = Deadline(self.listener, most, self.budget.clock)
        number = -1
        try:
            self.evaluating.prepare(arm, deadline)
            setting = step.setting
            if setting is None:
                number, options = self.store.ask(arm)
                setting = Tried(arm, number, options, self._nothing())
            self._answer(setting, step.folds, deadline, new=step.setting is None)
        except OutOfTime as error:
            self._failed(step, number, str(error), arm_too=True)
        except (DataError, BackboneError, ValueError, TypeError, ImportError) as error:
            self._failed(step, number, str(error), arm_too=True)
        except (TrainingError, MemoryError, RuntimeError) as error:
            self._failed(step, number, str(error) or type(error).__name__)
        except KeyboardInterrupt:
            if number >= 0:
                self.store.fail(arm, number, "interrupted")
            raise

    def _answer(self, setting: Tried, folds: Sequence[int], deadline: Deadline, *, new: bool) -> None:
        done = answered(self.evaluating, setting.arm, setting.options, folds, deadline, self.budget.clock)
        for fold, (answers, seconds) in zip(folds, done, strict=True):
            self.evaluating.took(setting.arm, seconds)
            setting.add(self.judge, fold, self.evaluating.rows[fold], answers, seconds)
            self.store.keep(setting.arm, setting.number, fold, answers, seconds)
            self.costs.add(setting.arm, setting.options, self._learnt(), seconds)
        loss = self.judge.mean(setting.losses)
        if new:
            self.store.tell(setting.arm, setting.number, loss)
            self.tried.append(setting)
        lead = " leads" if self.best is setting else ""
        self.listener.say(
            f"  {lasting(self.budget.spent):>6}  {setting.name}: loss {loss:.3f} on {len(setting.answers)} of "
            f"{self.folds} folds, {setting.fold_seconds:.1f} s a fold{lead}"
        )

    def _failed(self, step: Step, number: int, why: str, *, arm_too: bool = False) -> None:
        if number >= 0:
            self.store.fail(step.arm, number, why)
        self.failures.append(Failure(step.arm.key, why))
        if arm_too:
            self.skipped.add(step.arm.key)
        if step.setting is not None and step.setting in self.tried:
            self.skipped.add(step.arm.key)
        self.listener.say(f"  {lasting(self.budget.spent):>6}  {step.arm.key} could not be tried: {why}")

    def _refused(self, arm: Arm, why: str) -> None:
        self.failures.append(Failure(arm.key, why))
        self.skipped.add(arm.key)
        self.listener.say(f"  {lasting(self.budget.spent):>6}  {arm.key} is not begun: {why}")

    def _nothing(self) -> RowLosses:
        rows = len(self.judge.targets)
        empty = self.judge.losses(self.judge.kind.constant(self.judge.targets, self.judge.classes, 0), np.arange(0))
        return RowLosses(np.full(rows, np.nan), None if empty.aimed is None else np.full(rows, np.nan))

    def _resume(self) -> None:
        """Take what earlier runs have tried; an arm that failed then is tried anew."""
        for arm in self.arms:
            for stored in self.store.earlier(arm):
                setting = Tried(arm, stored.number, stored.options, self._nothing())
                for fold, (answers, seconds) in sorted(stored.folds.items()):
                    setting.add(self.judge, fold, self.evaluating.rows[fold], answers, seconds)
                    self.costs.add(arm, stored.options, self._learnt(), seconds)
                if setting.answers and not stored.why:
                    self.tried.append(setting)
                    self.resumed += 1
        if self.resumed:
            self.listener.say(f"resumed: {self.resumed} settings of an earlier run count")
