"""What a backbone has seen: some of its rows are as if the others had not been there."""

from __future__ import annotations

import numpy as np

from headstart.backbones.load import load
from headstart.data.read import read
from headstart.data.roles import Roles
from headstart.features.extract import Extraction
from headstart.features.feature_set import look
from headstart.listener import Logged

TEXTS = [f"sentence {number} of a few words, " + "very " * (400 * (number == 3)) + "long" for number in range(6)]


def test_some_rows_keep_what_belongs_to_them():
    task = read(TEXTS, roles=Roles(modality="text"), need_target=False)
    seen = look(task, load("bundled:minilm"), Extraction(), Logged())
    lost = seen.features.truncated.tolist()
    assert lost == [0, 0, 0, lost[3], 0, 0]
    assert lost[3] > 0
    some = seen.take(np.array([4, 3]))
    assert some.features.truncated.tolist() == [0, lost[3]]
    assert some.task.names == [seen.task.names[4], seen.task.names[3]]
    np.testing.assert_array_equal(some.values, seen.values[[4, 3]])
