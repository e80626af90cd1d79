"""The user's own test data behind the training data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from headstart.data.join import join
from headstart.data.read import read
from headstart.data.roles import Roles
from headstart.errors import DataError

ROLES = Roles(target="kind")


def table(kinds, size=1.0):
    return pd.DataFrame({"size": np.arange(len(kinds)) * size, "kind": kinds})


def test_test_rows_follow_and_say_so():
    joined = join(read(table(list("abab")), roles=ROLES), read(table(list("ba"), 2.0), roles=ROLES))
    assert joined.split.tolist() == ["train"] * 4 + ["test"] * 2
    assert joined.targets.tolist() == [0, 1, 0, 1, 1, 0]
    assert joined.inputs["size"].tolist() == [0, 1, 2, 3, 0, 2]
    assert len(joined.names) == len(joined) == 6


def test_classes_that_training_lacks_stand_behind_its_own():
    joined = join(read(table(list("abab")), roles=ROLES), read(table(list("bac")), roles=ROLES))
    assert joined.classes == ("a", "b", "c")
    assert (joined.targets.tolist(), joined.set_aside) == ([0, 1, 0, 1, 1, 0, 2], ())
    assert joined.places.tolist() == [0, 1, 2, 3, 4, 5, 6]
    with pytest.raises(DataError, match="the model knows none of the labels 'x', 'y': it learnt 'a', 'b'"):
        join(read(table(list("abab")), roles=ROLES), read(table(list("xy")), roles=ROLES))


def test_positions_of_the_test_rows_count_on():
    train = read(table(["a", None, "b", "a", "b", None]), roles=ROLES)
    joined = join(train, read(table([None, "b", "a", None]), roles=ROLES))
    assert joined.places.tolist() == [0, 2, 3, 4, 7, 8]
    assert [item.place for item in joined.set_aside] == [1, 5, 6, 9]


def test_two_forms_or_two_questions_are_refused():
    train = read(table(list("abab")), roles=ROLES)
    texts = pd.DataFrame({"text": ["a good day to be out", "what a bad book it was"], "kind": ["a", "b"]})
    with pytest.raises(DataError, match="the test data hold text inputs, the training data table"):
        join(train, read(texts, roles=Roles(target="kind", input="text", modality="text")))
    with pytest.raises(DataError, match="the test data ask for regression, the training data for classification"):
        join(train, read(table([0.5, 1.5, 2.25]), roles=ROLES, kind="regression"))
