"""An average as what a race keeps: where it is better beyond chance, of several heads on the same columns."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from headstart import Roles, Transfer
from headstart.automl.race.fit import fit_within


@pytest.fixture(scope="module")
def curved():
    """Values of which one part is linear and another is not, so that heads of two sorts each explain some."""
    rng = np.random.default_rng(0)
    columns = rng.normal(size=(400, 6))
    values = (
        columns[:, 0] + columns[:, 1] + 1.5 * (columns[:, 2] > 0) * (columns[:, 3] > 0) + 0.5 * rng.normal(size=400)
    )
    frame = pd.DataFrame(columns, columns=list("abcdef"))
    return frame.assign(value=values)


def test_it_is_kept_in_one_folder_and_answers_as_it_was_tested(curved, tmp_path):
    fitted = fit_within(curved, budget="1h", methods=["trees", "kernel"], roles=Roles(target="value"))
    race = fitted.evidence_.facts.race
    assert race.winner.startswith("an average of")
    assert sum(race.weights.values()) == pytest.approx(1.0)
    single = [trial for trial in race.trials if trial.name in ("probe", "trees", "kernel")]
    assert all(trial.gain > 0 for trial in single)
    loaded = Transfer.load(fitted.save(tmp_path / "model"))
    inputs = curved.drop(columns="value")
    np.testing.assert_allclose(loaded.predict(inputs), fitted.predict(inputs), rtol=1e-12)
    assert len(loaded.model_.members) == len(race.weights)
    assert [member.weight for member in loaded.model_.members] == pytest.approx(list(race.weights.values()))
    truth = curved["value"]
    assert np.corrcoef(loaded.predict(inputs), truth)[0, 1] > 0.8
