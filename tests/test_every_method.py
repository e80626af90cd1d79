"""Each row of the table of methods, held to the same demands."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris

from headstart import Transfer
from headstart.methods import METHODS, method

X, Y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])[Y]


@pytest.mark.parametrize("name", METHODS)
def test_learns_survives_saving_and_can_be_cloned(name, tmp_path):
    fitted = Transfer(method=name).fit(X, NAMES)  # on iris, ridge masks the class in the middle: .84
    assert fitted.score(X, NAMES) > 0.8
    loaded = Transfer.load(fitted.save(tmp_path / "model"))
    np.testing.assert_array_equal(loaded.predict_proba(X), fitted.predict_proba(X))
    again = clone(fitted).fit(X, NAMES)
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))


def test_each_row_says_what_it_is_for():
    assert all(row.about for row in METHODS.values())
    with pytest.raises(ValueError, match="method 'prob' is unknown; expected one of: probe, ridge"):
        method("prob")
