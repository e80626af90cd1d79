"""From a source and a target to moved weights: which target rows say when to stop, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from headstart.backbones.load import load
from headstart.data.arrays import as_task
from headstart.features.extract import Extraction
from headstart.features.feature_set import look
from headstart.listener import Logged
from headstart.methods.finetune import tune
from headstart.methods.table import configured
from headstart.tasks import CLASSIFICATION, REGRESSION
from headstart.training.holdout import answered, divided_target
from headstart.training.options import Training

NAME = "timm:test_resnet?weights=random"
EXTRACTION = Extraction(engine="torch", thumbs=False)
OPTIONS = {"epochs": 2, "batch": 8, "lr": 1e-3, "augment": False}


def pictures(count, seed, tint):
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 150, (count, 32, 32, 3), np.uint8)
    return [Image.fromarray(one + tint * np.eye(3, dtype=np.uint8)[i % 3]) for i, one in enumerate(noise)]


@pytest.fixture(scope="module")
def tasks():
    """15 rows of a source and 60 of a target, whose answers are all known."""
    backbone = load(NAME)
    seen = [
        look(as_task(pictures(count, seed, tint), list("abc" * (count // 3))), backbone, EXTRACTION, Logged())
        for count, seed, tint in ((15, 0, 100), (60, 1, 60))
    ]
    return backbone, *seen


def with_targets(seen, targets, kind=CLASSIFICATION):
    return replace(seen, task=replace(seen.task, targets=targets, kind=kind))


def some_known(target, count, unknown=-1):
    targets = np.asarray(target.task.targets).copy()
    targets[count:] = unknown
    return with_targets(target, targets)


def run(tasks, name="dann", target=None, **options):
    backbone, source, all_known = tasks
    tuning = configured(name, OPTIONS | options, 0).tuning
    return tune(source, backbone, name, tuning, target=target or all_known, extraction=EXTRACTION)


@pytest.mark.parametrize(("known", "held"), [(0, False), (49, False), (50, True), (60, True)])
def test_only_enough_labelled_target_rows_say_when_to_stop(tasks, known, held):
    _, source, target = tasks
    found = divided_target(source, some_known(target, known), Training())
    np.testing.assert_array_equal(found.rows, np.arange(15))
    assert bool(len(found.held)) == held
    assert (found.held >= 15).all()
    assert (found.held < 15 + known).all()
    np.testing.assert_array_equal(np.sort([*found.target, *found.held]), 15 + np.arange(60))
    assert not len(divided_target(source, target, Training(validation=0)).held)


def test_answers_are_codes_numbers_or_none(tasks):
    _, _, target = tasks
    assert answered(some_known(target, 7)).sum() == 7
    assert not answered(with_targets(target, None)).any()
    values = np.full(60, np.nan)
    values[:4] = -1.0
    assert answered(with_targets(target, values, REGRESSION)).sum() == 4


@pytest.mark.slow
def test_what_happened_is_told_and_no_answers_are_those_that_are_not_known(tasks):
    _, _, target = tasks
    options = {"epochs": 1, "batch": 32}
    all_known = run(tasks, **options).head.facts
    assert all_known.rows == (15, 12)
    assert all_known.target_rows == 48
    assert all_known.rule.startswith("each stage is trained on all rows for as many epochs as labelled target rows")
    some = run(tasks, refit=0, **options).head.facts
    assert "unless labelled target rows show earlier ones to be better" in some.rule
    none, unknown, few = (
        run(tasks, target=one, **options)
        for one in (with_targets(target, None), some_known(target, 0), some_known(target, 20))
    )
    assert none.backbone.fingerprint == unknown.backbone.fingerprint != few.backbone.fingerprint
    assert none.head.facts.rows == (15, 0)
    assert "fewer than 50 labelled target rows cannot say" in none.head.facts.rule
    assert none.head.temperature == 1.0


@pytest.mark.parametrize("name", ["lora+cdan", "top+mcc", "gradual+graph", "scratch+dan"])
def test_a_loss_goes_with_any_tune(tasks, name):
    made = run(tasks, name, target=some_known(tasks[2].take(np.arange(21)), 0), epochs=1)
    assert made.backbone.name.endswith(f"+{name}")
    assert made.backbone.fingerprint != tasks[0].fingerprint
    assert np.isfinite(made.head.facts.curves).all()


def test_numbers_are_in_the_units_of_the_source(tasks):
    backbone, source, target = tasks
    values = 1000.0 + 10 * np.asarray(source.task.targets)
    ours = with_targets(source, values, REGRESSION)
    ours = replace(ours, task=replace(ours.task, classes=()))
    theirs = replace(target, task=replace(target.task, targets=None, kind=REGRESSION, classes=()))
    tuning = configured("dan", OPTIONS, 0).tuning
    made = tune(ours, backbone, "dan", tuning, target=theirs, extraction=EXTRACTION)
    look_again = look(theirs.task, made.backbone, EXTRACTION, Logged())
    said = made.head.predict(np.asarray(look_again.values))
    assert 950 < said.mean() < 1070
    with pytest.raises(ValueError, match="method 'mcc' is for classification, and this task is a regression"):
        tune(ours, backbone, "mcc", configured("mcc", OPTIONS, 0).tuning, target=theirs)


def test_what_does_not_go_together_is_refused(tasks):
    backbone, source, target = tasks
    with pytest.raises(ValueError, match="method 'dann' adapts to a target task: give rows of one, without labels if"):
        tune(source, backbone, "dann", configured("dann", {}, 0).tuning)
    with pytest.raises(ValueError, match="method 'dann' adapts to a target task"):
        tune(source, backbone, "dann", configured("dann", {}, 0).tuning, target=target.take(np.arange(0)))
    with pytest.raises(ValueError, match=r"method 'top' has no use for a target task: leave it out, or use top\+dann"):
        tune(source, backbone, "top", configured("top", {}, 0).tuning, target=target)
