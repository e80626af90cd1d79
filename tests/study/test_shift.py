"""Two tasks side by side, read from files: tables with other columns, sentences, and what cannot be compared."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from headstart.data.roles import Roles
from headstart.errors import DataError
from headstart.listener import LOGGED
from headstart.study.shift import read_pair, shift

NO_ROLES = Roles()


def cars(folder, origin, name, drop=()):
    """Cars of one origin as a table: what they use, to be predicted."""
    from importlib.metadata import distribution

    files = distribution("bokeh-sampledata").files or []
    (path,) = [file.locate() for file in files if file.name == "auto-mpg.csv"]
    frame = pd.read_csv(path)
    frame = frame[frame["origin"] == origin].drop(columns=["origin", "name", *drop])
    frame.to_csv(folder / name, index=False)
    return folder / name


@pytest.fixture
def pair_of_cars(tmp_path):
    us, europe = cars(tmp_path, 1, "us.csv", ["yr"]), cars(tmp_path, 2, "europe.csv", ["accel"])
    return us, europe


def test_tables_are_compared_by_the_columns_that_both_have(pair_of_cars):
    found = shift(*pair_of_cars, roles=Roles(target="mpg"), cache=False)
    assert found.shifted
    assert {one.name for one in found.columns} == {"cyl", "displ", "hp", "weight"}
    assert found.columns[0].name == "displ"  # the engines of American cars of the time were twice as large
    assert any("columns that only the source has are left out: 'accel'" in note for note in found.notes)
    assert any("columns that only the target has are left out: 'yr'" in note for note in found.notes)
    assert found.conditional is not None


def test_labels_are_not_looked_at_where_that_is_asked(pair_of_cars):
    us, europe = pair_of_cars
    blind = shift(us, europe, roles=Roles(target="mpg"), target_labels="none", cache=False)
    assert blind.conditional is None
    bare = pd.read_csv(europe).drop(columns="mpg")
    found = shift(us, bare, roles=Roles(target="mpg"), cache=False)
    assert found.conditional is None
    assert found.kernel == blind.kernel
    assert any("the target is taken to have no labels: no column 'mpg'" in note for note in found.notes)


def test_the_same_rows_are_identical(pair_of_cars):
    us, _ = pair_of_cars
    found = shift(us, us, roles=Roles(target="mpg"), cache=False)
    assert (found.kind, found.shifted, found.recommendation) == ("none", False, "identical: nothing to do")


def test_nothing_in_common_is_an_error_and_so_is_an_unknown_choice(tmp_path, pair_of_cars):
    other = pd.DataFrame({"a": [1.5, 2.5, 3.25], "mpg": [1.0, 2.5, 3.5]})
    with pytest.raises(DataError, match="no column in common"):
        shift(pair_of_cars[0], other, roles=Roles(target="mpg"), cache=False)
    with pytest.raises(ValueError, match="target_labels = 'some': expected all or none"):
        read_pair(*pair_of_cars, roles=NO_ROLES, kind=None, target_labels="some", listener=LOGGED)
    many = pd.DataFrame({"x": np.arange(6.0), "tags": [["a"], ["b"], ["a", "b"]] * 2})
    with pytest.raises(DataError, match="the shift of a task with many labels a row is not diagnosed"):
        shift(many, many, roles=Roles(target="tags", input="x"), cache=False)


def test_sentences_of_two_places_from_the_command_line(run, tmp_path):
    rng = np.random.default_rng(0)
    words = {"good": ["lovely", "great", "fine"], "bad": ["awful", "broken", "dull"]}
    things = {"shop": ["phone", "cable", "lamp", "charger"], "cinema": ["film", "actor", "plot", "ending"]}
    for place, nouns in things.items():
        labels = rng.choice(["good", "bad"], 60)
        texts = [f"this {rng.choice(nouns)} is {rng.choice(words[label])}, {rng.choice(nouns)} too" for label in labels]
        pd.DataFrame({"text": texts, "label": labels}).to_csv(tmp_path / f"{place}.csv", index=False)
    command = ["shift", tmp_path / "shop.csv", tmp_path / "cinema.csv", "--backbone", "bundled:wordllama"]
    found = run(*command, "--picture", tmp_path / "map.svg", "--json").json
    assert found["shifted"] is True
    assert found["classifier"]["auc"] > 0.95
    assert (tmp_path / "map.svg").read_text().startswith("<svg")
    unlabelled = run(*command, "--target-labels", "none")
    assert unlabelled.out.startswith("shift: ")
    assert "target: 60 rows, no labels used" in unlabelled.err


def test_a_map_that_cannot_be_written_is_refused_before_any_work(tmp_path):
    with pytest.raises(ValueError, match=r"there is no folder .*no: create it first"):
        shift("nowhere", "nowhere else", picture=tmp_path / "no" / "map.svg")
