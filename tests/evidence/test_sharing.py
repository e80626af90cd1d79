"""What sharing gained: each task and the mean of all, on rows that are drawn once."""

from __future__ import annotations

import json

import numpy as np
import pytest

from headstart.errors import DataError
from headstart.evidence.assess import Gain
from headstart.evidence.evidence import of_answers
from headstart.evidence.held_out import HeldOut
from headstart.evidence.multi_task import MultiTaskEvidence
from headstart.evidence.sharing import Sharing, TaskAnswers, mean_gain
from headstart.tasks import CLASSIFICATION, REGRESSION

ROWS = 40
EVERY = np.arange(ROWS)
rng = np.random.default_rng(0)
VALUES, CODES = rng.normal(size=ROWS), np.arange(ROWS) % 2
NOISY, NEAR = VALUES + rng.normal(size=ROWS), VALUES + rng.normal(size=ROWS) / 3
SURE = np.where(CODES[:, None] == np.arange(2), 0.8, 0.2)
UNSURE = np.where((CODES ^ (np.arange(ROWS) % 5 == 0))[:, None] == np.arange(2), 0.7, 0.3)


def value(rows=EVERY, together=NEAR, alone=NOISY):
    return TaskAnswers(HeldOut(VALUES[rows], REGRESSION), rows, together[rows], alone[rows])


def label(together=SURE, alone=UNSURE):
    return TaskAnswers(HeldOut(CODES, CLASSIFICATION, ("a", "b")), np.arange(ROWS), together, alone)


def gain_of(task):
    return of_answers(task.held, task.together, {"alone": task.alone}).assessment.gains["alone"]


def test_the_mean_gain_is_the_mean_of_the_gains():
    both = mean_gain([value(), label()])
    assert both.value == pytest.approx((gain_of(value()).value + gain_of(label()).value) / 2)
    assert both.low < both.value < both.high
    assert (both.metric, both.over) == ("mean over tasks", "alone")


def test_of_one_task_it_is_the_gain_of_that_task():
    alone, own = mean_gain([value()]), gain_of(value())
    assert tuple(alone[2:]) == pytest.approx(tuple(own[2:]))


def test_tasks_that_are_learnt_alike_have_gained_nothing():
    same = mean_gain([value(together=NOISY), label(together=UNSURE)])
    assert same[2:] == (0.0, 0.0, 0.0)
    assert Sharing.of(same).verdict == "cannot tell"


def test_rows_are_drawn_once_for_all_tasks():
    """Two copies of a task are as sure as one, where rows drawn apart would make their mean surer."""
    once, twice = mean_gain([value()]), mean_gain([value(), value()])
    assert tuple(once[2:]) == pytest.approx(tuple(twice[2:]))


def test_a_task_that_some_rows_do_not_answer():
    some = np.arange(0, ROWS, 2)
    mixed = mean_gain([value(some), label()])
    assert np.isfinite(mixed[2:]).all()
    assert mixed.value == pytest.approx((gain_of(value(some)).value + gain_of(label()).value) / 2)
    with pytest.raises(ValueError, match="there is no task to compare: give one or more"):
        mean_gain([])


def test_units_are_those_that_were_tested():
    """Numbers of rows among all, of which most were learnt from, say nothing of how many were tested."""
    shifted = value()._replace(units=1000 + 3 * EVERY)
    assert tuple(mean_gain([shifted])[2:]) == pytest.approx(tuple(mean_gain([value()])[2:]))


def several(verdict="hurts"):
    evidence = of_answers(HeldOut(VALUES, REGRESSION), NEAR, {"alone": NOISY})
    down = Gain("r2", "alone", -0.2, -0.3, -0.1)
    said = {"helps": Gain("r2", "alone", 0.2, 0.1, 0.3), "hurts": down, "cannot tell": down._replace(high=0.1)}[verdict]
    return MultiTaskEvidence(
        method="joint",
        tasks={"a number with a rather long name": evidence},
        sharing={"a number with a rather long name": Sharing.of(said, "together")},
        overall=Sharing.of(said),
        notes=("A note.",),
        seconds={"total": 1.0},
    )


def test_the_page_names_who_is_hurt_and_fits_a_terminal():
    page = str(several())
    assert (
        "1 targets by joint: gain over each alone, in the mean -.20 [-.30, -.10]:\nsharing hurts; hurt by it: a" in page
    )
    assert "a number with a…  R2 .8" in page
    assert "-.20 [-.30, -.10]  hurts    together" in page
    assert max(map(len, page.splitlines())) < 80
    assert several("helps").hurt == ()
    assert "tell whether sharing helps" in str(several("cannot tell"))


def test_json_and_back():
    one = several()
    record = json.loads(json.dumps(one.to_json()))
    assert record["hurt"] == list(one.hurt) == ["a number with a rather long name"]
    again = MultiTaskEvidence.from_json(record)
    assert again.to_json() == one.to_json()
    assert again.sharing == one.sharing
    unknown = Sharing.of(Gain("r2", "alone", 0.1, float("nan"), float("nan")))
    assert (
        MultiTaskEvidence.from_json({**record, "sharing": {"x": unknown_record(unknown)}}).sharing["x"].gain.value
        == 0.1
    )
    with pytest.raises(DataError, match="this is no evidence of several tasks: give what"):
        MultiTaskEvidence.from_json({"format": 9})
    with pytest.raises(DataError, match=r"this evidence of several tasks is damaged .'overall'"):
        MultiTaskEvidence.from_json({key: value for key, value in record.items() if key != "overall"})


def unknown_record(sharing):
    gain = {"metric": "r2", "over": "alone", "value": 0.1, "low": None, "high": None}
    return {"gain": gain, "verdict": sharing.verdict, "learnt": sharing.learnt}


def test_where_nothing_is_shared_the_page_says_so():
    evidence = of_answers(HeldOut(VALUES, REGRESSION), NEAR, {})
    page = str(MultiTaskEvidence(method="probe", tasks={"n": evidence}, sharing={"n": Sharing(None, None, "probe")}))
    assert page.startswith("1 targets by probe: nothing but the features is shared")
    new = str(MultiTaskEvidence(method="joint", tasks={"n": evidence}))
    assert new.startswith("target  score\n")
