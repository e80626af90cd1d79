"""The race itself, on arms whose answers and seconds a test knows: what is tried, in which order, and when it ends."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.automl.race.account import outlook
from headstart.automl.race.budget import Budget
from headstart.automl.race.expected import Costs
from headstart.automl.race.race import Failure, Race
from headstart.automl.race.scoring import Judge
from headstart.automl.race.space import NO_TRANSFER_ARM, Arm, Choice, Range
from headstart.automl.race.storage import TrialStore
from headstart.errors import TrainingError
from headstart.listener import SILENT
from headstart.tasks import CLASSIFICATION
from headstart.tasks.goal import Aim

ROWS, FOLDS, CLOSING = 120, 4, 10.0
SLOW, FAST = "slow net", "fast net"


def tuned(backbone, name="lp-ft", **more):
    return Arm(backbone, name, 2, {"lr": Range(1e-5, 1e-3, log=True)}, ({"lr": 1e-4},), gain=0.1, spread=0.15, **more)


class Known:
    """Answers that are right with a certainty of their own for each arm, and take the seconds that a test says.

    raising   by arm, what its fit raises; at most so often
    obstacles by arm, why it may not be begun
    """

    def __init__(self, sure, seconds, raising=(), obstacles=()):
        self.sure, self.seconds, self.raising = sure, seconds, dict(raising)
        self.obstacles = dict(obstacles)
        self.targets = np.arange(ROWS) % 3
        self.rows = [np.arange(ROWS)[fold::FOLDS] for fold in range(FOLDS)]
        self.now, self.done, self.spent = 0.0, [], []

    def answers(self, arm, options, fold, listener):
        self.now += self.seconds[arm.key]
        listener.progress("steps", 1, 1)
        if arm.key in self.raising:
            raise self.raising[arm.key]
        self.done.append((arm.key, fold))
        noise = np.random.default_rng(fold).uniform(0.9, 1.1, ROWS // FOLDS)
        sure = self.sure[arm.key] * noise
        p = np.full((ROWS // FOLDS, 3), (1 - sure[:, None]) / 2)
        p[np.arange(len(p)), self.targets[self.rows[fold]]] = sure
        return p

    def took(self, arm, seconds):
        self.spent.append((arm.key, seconds))

    def preparation(self, arm):
        return 0.0

    def prepare(self, arm, listener):
        return None

    def obstacle(self, arm, options):
        return self.obstacles.get(arm.key, "")

    def closing(self, arm, fold_seconds, *, again=False):
        return CLOSING + again * fold_seconds


def race_of(known, arms, seconds, folder, pace=0.01):
    store = TrialStore(folder, "content", 0)
    judge = Judge(known.targets, CLASSIFICATION, 3, Aim("accuracy"), np.arange(ROWS))
    budget = Budget(seconds, clock=lambda: known.now)
    return Race(arms, known, judge, store, budget, SILENT, Costs({SLOW: pace, FAST: 0.001}, {}))


ARMS = (NO_TRANSFER_ARM, Arm(SLOW, "probe"), Arm(FAST, "probe"), tuned(SLOW))
SURE = {"no-transfer": 0.4, f"probe on {SLOW}": 0.6, f"probe on {FAST}": 0.5, f"lp-ft on {SLOW}": 0.8}
SECONDS = {"no-transfer": 1.0, f"probe on {SLOW}": 1.0, f"probe on {FAST}": 1.0, f"lp-ft on {SLOW}": 20.0}


def test_what_moves_nothing_comes_first_and_the_dearer_takes_the_lead_where_it_is_better(tmp_path):
    known = Known(SURE, SECONDS)
    race = race_of(known, ARMS, 300.0, tmp_path)
    race.run()
    order = list(dict.fromkeys(key for key, _ in known.done))
    assert set(order[:3]) == {"no-transfer", f"probe on {SLOW}", f"probe on {FAST}"}
    assert race.best.arm.key == f"lp-ft on {SLOW}"
    assert race.ended == "no other trial would fit"
    assert known.now <= 300.0 - CLOSING
    race.store.close()


def test_what_does_not_fit_is_not_begun(tmp_path):
    known = Known(SURE, SECONDS | {f"lp-ft on {SLOW}": 500.0})
    race = race_of(known, ARMS, 150.0, tmp_path, pace=1.0)
    race.run()
    assert f"lp-ft on {SLOW}" not in {key for key, _ in known.done}
    assert race.best.arm.key == f"probe on {SLOW}"
    assert known.now == 12.0
    assert "next would be lp-ft" in outlook(race)
    race.store.close()


def test_a_trial_that_takes_longer_than_was_expected_is_ended_at_its_deadline(tmp_path):
    known = Known(SURE, SECONDS | {f"lp-ft on {SLOW}": 100.0})
    race = race_of(known, ARMS, 90.0, tmp_path)  # a first guess takes it to need some 22 s
    race.run()
    assert race.best.arm.key == f"probe on {SLOW}"
    assert [failure.name for failure in race.failures] == [f"lp-ft on {SLOW}"]
    assert "that were left for it" in race.failures[0].why
    race.store.close()


@pytest.mark.parametrize(("eligible", "best"), [(True, "no-transfer"), (False, f"probe on {SLOW}")])
def test_no_transfer_is_kept_where_it_wins_and_may_be(tmp_path, eligible, best):
    known = Known(SURE | {"no-transfer": 0.9}, SECONDS)
    race = race_of(known, (NO_TRANSFER_ARM._replace(eligible=eligible), *ARMS[1:3]), 300.0, tmp_path)
    race.run()
    assert race.best.arm.key == best
    assert {setting.arm.key for setting in race.tried} >= {"no-transfer"}
    assert race.ended == "every setting was tried"
    assert "nothing" in outlook(race)
    race.store.close()


def test_a_tie_goes_to_transfer(tmp_path):
    known = Known(SURE | {"no-transfer": 0.6}, SECONDS | {"no-transfer": 0.1})
    race = race_of(known, ARMS[:3], 300.0, tmp_path)
    race.run()
    assert race.best.arm.key == f"probe on {SLOW}"
    race.store.close()


@pytest.mark.parametrize("error", [ValueError("does not suit"), TrainingError("ran away"), RuntimeError("device")])
def test_what_fails_is_named_and_ends_nothing_else(tmp_path, error):
    known = Known(SURE, SECONDS, {f"lp-ft on {SLOW}": error})
    race = race_of(known, ARMS, 300.0, tmp_path)
    race.run()
    assert race.best.arm.key == f"probe on {SLOW}"
    assert {str(error)} == {failure.why for failure in race.failures}
    assert 1 <= len(race.failures) <= 2
    race.store.close()


def test_what_may_not_be_begun_is_named_once(tmp_path):
    known = Known(SURE, SECONDS, obstacles={f"lp-ft on {SLOW}": "it would take about 9.0 GB of memory"})
    race = race_of(known, ARMS, 300.0, tmp_path)
    race.run()
    assert race.failures == [Failure(f"lp-ft on {SLOW}", "it would take about 9.0 GB of memory")]
    assert not [key for key, _ in known.done if key.startswith("lp-ft")]
    assert race.best.arm.key == f"probe on {SLOW}"
    race.store.close()


def test_all_fail(tmp_path):
    known = Known(SURE, SECONDS, {key: ValueError("does not suit") for key in SURE})
    race = race_of(known, ARMS, 300.0, tmp_path)
    race.run()
    assert race.best is None
    assert len(race.failures) == 3  # what moves weights waits for its probe
    race.store.close()


def test_an_interrupt_leaves_the_best_so_far(tmp_path):
    known = Known(SURE, SECONDS, {f"lp-ft on {SLOW}": KeyboardInterrupt()})
    race = race_of(known, ARMS, 300.0, tmp_path)
    race.run()
    assert race.ended == "it was interrupted"
    assert race.interrupted
    assert race.best.arm.key == f"probe on {SLOW}"
    race.store.close()


def test_a_second_run_goes_on_from_the_first(tmp_path):
    first = Known(SURE, SECONDS)
    race = race_of(first, ARMS, 130.0, tmp_path)
    race.run()
    race.store.close()
    tried = {setting.name: race.judge.mean(setting.losses) for setting in race.tried}
    assert any("lp-ft" in name for name in tried)

    second = Known(SURE, SECONDS)
    again = race_of(second, ARMS, 130.0, tmp_path)
    again.run()
    assert again.resumed == len(tried)
    frozen = {key for key, _ in second.done if "probe" in key or key == "no-transfer"}
    assert not frozen
    for setting in again.tried[: again.resumed]:
        if len(setting.answers) == FOLDS or setting.name not in tried:
            continue
        assert again.judge.mean(setting.losses) <= tried[setting.name] + 0.1
    assert len(again.tried) >= len(race.tried)
    again.store.close()


def test_the_same_seconds_give_the_same_race(tmp_path):
    orders = []
    for name in ("one", "two"):
        known = Known(SURE, SECONDS)
        race = race_of(known, ARMS, 300.0, tmp_path / name)
        race.run()
        orders.append([(setting.name, setting.options, sorted(setting.answers)) for setting in race.tried])
        race.store.close()
    assert orders[0] == orders[1]


def test_a_choice_among_names_is_searched_too(tmp_path):
    arm = Arm(SLOW, "lp-ft", 2, {"augment": Choice((True, False))}, ({"augment": True},), gain=0.1, spread=0.15)
    known = Known(SURE, SECONDS)
    race = race_of(known, (*ARMS[:3], arm), 300.0, tmp_path)
    race.run()
    values = [setting.options["augment"] for setting in race.tried if setting.arm.tuned]
    assert values[0] is True
    assert set(values) <= {True, False}
    race.store.close()
