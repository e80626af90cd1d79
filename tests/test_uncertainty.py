"""Sets, intervals and flags from a fit to the saved model and the command line; and models that do not have them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import headstart as hs
from headstart import artefact
from headstart.errors import ArtefactError, DataError
from headstart.evidence.evidence import Evidence


def clouds(rows: int, seed: int, *, classes: int = 3) -> tuple[pd.DataFrame, np.ndarray]:
    """Points of overlapping clouds."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, classes, rows)
    columns = 1.6 * np.eye(classes, 4)[codes] + rng.normal(size=(rows, 4))
    return pd.DataFrame(columns, columns=list("abcd")), np.array(["oak", "elm", "ash"])[codes]


def line(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    columns = rng.normal(size=(rows, 3))
    return columns, columns @ [1.0, 2.0, 0.5] + rng.normal(size=rows)


@pytest.fixture(scope="module")
def fitted() -> hs.Transfer:
    return hs.Transfer(method="ridge").fit(*clouds(300, 0))


@pytest.fixture(scope="module")
def evaluated() -> hs.Transfer:
    """Tested on a held-out split."""
    X, y = clouds(480, 1)
    return hs.fit(X.assign(target=y), method="ridge")


@pytest.fixture(scope="module")
def small() -> hs.Transfer:
    """Tested by cross-validation."""
    X, y = clouds(120, 2)
    return hs.fit(X.assign(target=y), method="ridge")


def test_sets_of_new_rows_cover_as_often_as_asked(fitted: hs.Transfer) -> None:
    X, y = clouds(4_000, 9)
    truth = y[:, None] == fitted.classes_[None]
    sizes = []
    for coverage in (0.8, 0.9, 0.95):
        sets = fitted.predict_set(X, coverage)
        assert sets.shape == (4_000, 3)
        assert abs(sets[truth].mean() - coverage) < 0.05  # thresholds of 100 rows a class
        sizes.append(sets.sum(axis=1).mean())
    assert sizes == sorted(sizes)
    assert fitted.predict_set(X.head(50), 0.9, score="aps", per_class=False).any(axis=1).all()


def test_intervals_of_new_rows_cover_as_often_as_asked() -> None:
    model = hs.Transfer(kind="regression", method="ridge").fit(*line(400, 0))
    X, y = line(3_000, 1)
    low, high = model.predict_interval(X, 0.9).T
    assert abs(((low <= y) & (y <= high)).mean() - 0.9) < 0.04
    with pytest.raises(ValueError, match="predict_interval"):
        model.predict_set(X)


def test_rows_from_elsewhere_are_out_of_distribution(fitted: hs.Transfer) -> None:
    X, _ = clouds(2_000, 8)
    assert fitted.out_of_distribution(X, 0.05).mean() < 0.1
    assert fitted.out_of_distribution(X + 30).all()


@pytest.mark.parametrize("coverage", [0, 1, 1.5, float("nan")])
def test_a_coverage_that_is_no_share_is_refused(fitted: hs.Transfer, coverage: float) -> None:
    with pytest.raises(ValueError, match="expected a number above 0 and below 1"):
        fitted.predict_set(clouds(3, 0)[0], coverage)


def test_a_saved_model_says_the_same(fitted: hs.Transfer, tmp_path: Path) -> None:
    again = hs.Transfer.load(fitted.save(tmp_path / "m"))
    X, _ = clouds(200, 7)
    assert (again.predict_set(X, 0.9) == fitted.predict_set(X, 0.9)).all()
    assert (again.out_of_distribution(X) == fitted.out_of_distribution(X)).all()
    assert (tmp_path / "m" / "model.safetensors").stat().st_size < 100_000


def test_a_model_of_an_earlier_version_says_how_to_get_them(fitted: hs.Transfer, tmp_path: Path) -> None:
    before = hs.Transfer().hold(replace(fitted.model_, uncertainty=None))
    again = hs.Transfer.load(before.save(tmp_path / "m"))
    X, y = clouds(20, 0)
    assert again.score(X, y) > 0.4
    with pytest.raises(DataError, match=r"saved by an earlier version.*fit it again"):
        again.predict_set(X)
    with pytest.raises(DataError, match=r"does not store what it learnt from.*fit it again"):
        again.out_of_distribution(X)
    rows = hs.predict(again, X)
    assert "out_of_distribution" not in rows.rows()[0]
    with pytest.raises(DataError, match="fit it again"):
        hs.predict(again, X, coverage=0.9)


def test_damaged_scores_are_refused(fitted: hs.Transfer, tmp_path: Path) -> None:
    stored = fitted.model_.uncertainty
    assert stored is not None
    assert stored.conformity is not None
    damaged = replace(stored, conformity=replace(stored.conformity, truth=stored.conformity.truth - 5))
    with pytest.raises(ArtefactError, match=r"uncertainty\.\* cannot be used.*fit again"):
        artefact.write(replace(fitted.model_, uncertainty=damaged), tmp_path / "m")


@pytest.mark.parametrize("which", ["evaluated", "small"])
def test_the_evidence_says_how_often_sets_held_the_truth(which: str, request: pytest.FixtureRequest) -> None:
    model: hs.Transfer = request.getfixturevalue(which)
    facts = model.evidence_.uncertainty
    assert facts is not None
    assert facts.sets is not None
    assert facts.selective is not None
    assert facts.alarms is not None
    assert facts.sets.covered.low < 0.9 < facts.sets.covered.high
    assert 1 <= facts.sets.size <= 3
    assert 0 < facts.selective.answered.value < 1
    assert facts.selective.right.low < 0.97
    assert facts.selective.right.value > model.evidence_.metrics["accuracy"].value
    assert facts.alarms.flagged.low <= 0.02
    page = str(model.evidence_)
    assert "sets for coverage .90" in page
    assert "flagged as strange" in page
    record = json.loads(json.dumps(model.evidence_.to_json()))
    assert Evidence.from_json(record).uncertainty == facts
    assert Evidence.from_json({key: value for key, value in record.items() if key != "uncertainty"}).uncertainty is None
    with pytest.raises(DataError, match="damaged"):
        Evidence.from_json(record | {"uncertainty": {"sets": 3}})


def test_no_tested_row_has_a_part_in_the_scores(evaluated: hs.Transfer) -> None:
    stored = evaluated.model_.uncertainty
    assert stored is not None
    assert stored.conformity is not None
    assert stored.distribution is not None
    assert len(stored.conformity) == evaluated.evidence_.n_train == len(stored.distribution.distances)


def test_where_all_rows_are_tested_each_has_a_part_in_the_scores_once(small: hs.Transfer) -> None:
    stored = small.model_.uncertainty
    assert stored is not None
    assert stored.conformity is not None
    assert len(stored.conformity) == small.evidence_.n_test == 120


def test_the_command_line_prints_sets_and_marks_what_is_strange(
    run: Any, evaluated: hs.Transfer, tmp_path: Path
) -> None:
    model, file, out = evaluated.save(tmp_path / "m"), tmp_path / "new.csv", tmp_path / "out.csv"
    X, _ = clouds(5, 6)
    X.loc[0] += 40
    X.to_csv(file, index=False)
    words = run("predict", model, file, "--coverage", ".9").out.splitlines()
    assert words[0].split("{")[0].rstrip().endswith("?")
    assert not any("?" in line for line in words[1:])
    assert all(line.endswith("}") for line in words)
    record = run("predict", model, file, "--coverage", ".9", "--json").json["predictions"]
    assert [row["out_of_distribution"] for row in record] == [True, False, False, False, False]
    assert all(row["prediction"] in row["set"] for row in record)
    assert run("predict", model, file, "--coverage", ".9", "--out", out).code == 0
    assert {"set", "out_of_distribution"} <= set(pd.read_csv(out).columns)
    refused = run("predict", model, file, "--coverage", "1.5")
    assert refused.code == 2
    assert "coverage is 1.5" in refused.err


def test_of_values_there_are_intervals_on_the_command_line(run: Any, tmp_path: Path) -> None:
    X, y = line(60, 0)
    frame = pd.DataFrame(X, columns=list("abc"))
    model = hs.fit(frame.assign(target=y), method="ridge", kind="regression").save(tmp_path / "m")
    facts = hs.Transfer.load(model).evidence_.uncertainty
    assert facts is not None
    assert facts.sets is not None
    assert facts.sets.covered.low < 0.9 < facts.sets.covered.high
    assert facts.selective is None
    frame.head(3).to_csv(tmp_path / "new.csv", index=False)
    rows = run("predict", model, tmp_path / "new.csv", "--coverage", ".9", "--json").json["predictions"]
    assert all(row["interval"][0] < row["prediction"] < row["interval"][1] for row in rows)
    assert "[" in run("predict", model, tmp_path / "new.csv", "--coverage", ".9").out
    refused = run("predict", model, tmp_path / "new.csv", "--coverage", ".999")
    assert "can promise no interval" in refused.err
