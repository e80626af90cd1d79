"""Whatever is left out is named with its reason, and more than a twentieth of the rows is an error unless allowed."""

import numpy as np
import pandas as pd
import pytest

import headstart
from headstart.errors import DataError

TABLE = {"method": "ridge", "cache": False}


def table(rows, seed=0, lost=0, marker="label"):
    """Rows of two numbers and a label; the last `lost` lack their label."""
    draw = np.random.default_rng(seed)
    size, noise = draw.normal(size=rows), draw.normal(size=rows)
    frame = pd.DataFrame({"size": size.round(3), "noise": noise.round(3), marker: np.where(size > 0, "big", "small")})
    frame.loc[rows - lost :, marker] = None
    return frame


def halved(frame):
    """One split in place of fifteen trials."""
    return frame.assign(split=np.where(np.arange(len(frame)) % 4, "train", "test"))


@pytest.fixture(scope="module")
def fitted():
    return headstart.fit(halved(table(100)), **TABLE)


def test_fit_names_the_rows_and_the_way_out():
    with pytest.raises(
        DataError, match=r"6 of 100 rows of the data.*the target is missing \(6 rows\).*'row 94', 'row 95'"
    ):
        headstart.fit(table(100, lost=6), **TABLE)
    model = headstart.fit(halved(table(100, lost=6)), allow_losses=True, **TABLE)
    assert model.evidence_.facts.model.n_set_aside == 6
    assert headstart.fit(halved(table(100, lost=5)), **TABLE).evidence_.facts.model.n_set_aside == 5


def test_test_data_and_source_count_by_themselves():
    with pytest.raises(DataError, match="3 of 30 rows of the test data"):
        headstart.fit(table(200), test=table(30, seed=1, lost=3), **TABLE)
    with pytest.raises(DataError, match="4 of 60 rows of the source"):
        headstart.fit(table(60), source=table(60, seed=2, lost=4), cache=False)


def test_a_target_with_few_labels_loses_nothing():
    model = headstart.fit(table(60, lost=30), source=table(100, seed=3), method="pooled", cache=False)
    assert model.evidence_.facts.model.n_set_aside == 0


def test_evaluate_and_check(fitted):
    with pytest.raises(DataError, match="3 of 40 rows of the data cannot be used"):
        headstart.evaluate(fitted, table(40, seed=4, lost=3))
    assert headstart.evaluate(fitted, table(40, seed=4, lost=3), allow_losses=True).n_test == 37
    report = headstart.check(table(40, seed=4, lost=3), cache=False)
    (finding,) = [finding for finding in report.errors if finding.what == "rows that cannot be used as they are"]
    assert (finding.count, "--allow-losses" in finding.action) == (3, True)
    assert not headstart.check(table(40, seed=4, lost=2), cache=False).errors


def test_duplicates_are_no_losses():
    frame = halved(table(60))
    headstart.fit(pd.concat([frame, frame[:20]]), **TABLE)


def test_the_option_of_the_command_line(run, tmp_path):
    path, out = tmp_path / "a.csv", tmp_path / "model"
    path.write_text(halved(table(60)).to_csv(index=False) + "1,2\n" * 4)
    printed = run("fit", path, "--out", out, "--method", "ridge")
    assert printed.code == 3
    assert "4 of 64 rows of the data cannot be used" in printed.err
    assert "2 fields where the header has 4 (4 rows)" in printed.err
    assert run("fit", path, "--out", out, "--method", "ridge", "--allow-losses").code == 0
    assert run("evaluate", out, path).code == 3
    assert run("evaluate", out, path, "--allow-losses").code == 0
    assert run("check", path).code == 3
    assert run("predict", out, path).code == 0
