"""Why transfer helped: the same rows as by asking both models one by one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from explained import fitted, head
from scipy.stats import binomtest

import headstart as hs
from headstart.explanations.transfer_gain import transfer_gain
from headstart.listener import SILENT
from headstart.tasks import REGRESSION
from headstart.tasks.goal import Goal
from headstart.tasks.task import Task

CLASSES = ("bad", "good")


@pytest.fixture
def task():
    rng = np.random.default_rng(0)
    inputs = [" ".join(rng.choice(list("abcdefghijklmn"), 4)) for _ in range(60)]
    return Task(
        inputs=inputs,
        targets=np.array([int("a" in text or "b" in text) for text in inputs]),
        kind="classification",
        modality="text",
        classes=CLASSES,
        names=[f"row {row}" for row in range(60)],
        split=np.array(["train"] * 40 + ["test"] * 20),
    )


def test_rows_won_and_lost_are_those_of_both_models_alone(texts, task):
    options = texts.model_.options | {"goal": Goal("accuracy").to_json()}
    texts.hold(replace(texts.model_, options=options))
    gain = transfer_gain(texts, texts.look(task, listener=SILENT), SILENT)
    train, test = task.take(range(40)), task.take(range(40, 60))
    labels = [CLASSES[code] for code in train.targets]
    plain = hs.Transfer(method="no-transfer", goal="accuracy", cache=False).fit(train.inputs, labels)
    truth = np.array(CLASSES)[test.targets]
    own, other = texts.predict(test.inputs) == truth, plain.predict(test.inputs) == truth
    assert [name for name, _, _ in gain.won] == [test.names[row] for row in np.flatnonzero(own & ~other)]
    assert [name for name, _, _ in gain.lost] == [test.names[row] for row in np.flatnonzero(other & ~own)]
    assert (gain.both, gain.neither) == (int((own & other).sum()), int((~own & ~other).sum()))
    apart = len(gain.won) + len(gain.lost)
    assert gain.p == pytest.approx(binomtest(len(gain.won), apart).pvalue if apart else 1.0)
    assert gain.words == "the test split that came with the data"
    assert gain.to_json()["both_right"] == gain.both


def test_values_are_not_right_or_wrong(words, task):
    model = fitted(words, "text", head(5, 1, kind=REGRESSION), classes=())
    with pytest.raises(ValueError, match="is not simply right or wrong"):
        transfer_gain(model, model.look(task, listener=SILENT), SILENT)
