"""What moves weights is trained a second time at the end of a race, on all rows; where the time for that is over, the
first training is kept."""

from __future__ import annotations

import io

import numpy as np
import pytest
from small import bright

from headstart import Roles
from headstart.automl.race.budget import Budget, Deadline
from headstart.automl.race.fit import Settings, _ready
from headstart.automl.race.limits import Limits
from headstart.automl.race.space import Arm
from headstart.backbones.load import load
from headstart.features.extraction import Extraction
from headstart.listener import SILENT
from headstart.study.protocol import read_with_test

NAME = "timm:test_resnet?weights=random"
TUNED = Arm(NAME, "lp-ft", 2)
OPTIONS = {"epochs": 2, "lr": 1e-3}


def file_of(row: int) -> bytes:
    file = io.BytesIO()
    bright(row, 32).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    """Sixty pictures of three classes, with a network of random weights as the only candidate."""
    folder = tmp_path_factory.mktemp("pictures")
    for row in range(60):
        (folder / "rgb"[row % 3]).mkdir(exist_ok=True)
        (folder / "rgb"[row % 3] / f"{row}.png").write_bytes(file_of(row))
    task, _ = read_with_test(folder, None, Roles(), None, False, SILENT)
    settings = Settings(None, None, 0, None, False, Limits(None, None))
    return _ready(
        task, (load(NAME),), settings, Extraction(engine="torch", cache=None), Budget(600.0), None, [], SILENT
    )


class Clock:
    """Counts how often it is looked at, and stands at `late` from the given look on."""

    def __init__(self, last: float = np.inf):
        self.looks, self.last = 0, last

    def __call__(self):
        self.looks += 1
        return 1e9 if self.looks > self.last else 0.0


def fitted(ready, clock, *, again):
    deadline = Deadline(SILENT, 60.0, clock)
    return ready.candidate(TUNED, OPTIONS, deadline, again=again).fit(ready.train)


def weights_of(fit):
    return np.concatenate([weights.detach().numpy().ravel() for weights in fit.backbone.module.parameters()])


def test_all_rows_are_learnt_from(ready):
    once, twice = (fitted(ready, Clock(), again=again) for again in (False, True))
    assert ["trained on all rows" in fit.head.facts.rule for fit in (once, twice)] == [False, True]
    assert once.held_out.rows.tolist() == twice.held_out.rows.tolist()
    assert not np.allclose(weights_of(once), weights_of(twice))


def test_the_first_training_is_kept_where_the_time_for_the_second_is_over(ready):
    counting = Clock()
    once = fitted(ready, counting, again=False)
    cut = fitted(ready, Clock(last=counting.looks), again=True)
    assert any("not trained again on all rows: more than the 60 s" in note for note in cut.notes)
    assert np.allclose(weights_of(once), weights_of(cut))


def test_it_is_foretold_to_take_as_long_again(ready):
    once, twice = (ready.closing(TUNED, 30.0, again=again) for again in (False, True))
    assert twice - once == pytest.approx(30.0 * len(ready.train) / (len(ready.train) - len(ready.rows[0])))
    assert once - ready.after_fit(TUNED) == pytest.approx(twice - once)
