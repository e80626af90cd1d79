import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from headstart.errors import ArtefactError, DataError
from headstart.preprocessing.table_columns import MOST
from headstart.preprocessing.table_encoder import Met, TableEncoder

RNG = np.random.default_rng(0)
ROWS = 60
PEOPLE = pd.DataFrame(
    {
        "age": np.where(RNG.random(ROWS) < 0.1, np.nan, RNG.normal(40, 12, ROWS)),
        "income": RNG.lognormal(10, 1, ROWS),
        "city": RNG.choice(["Rome", "Oslo", "Lima", None], ROWS, p=[0.5, 0.3, 0.1, 0.1]),
        "member": RNG.random(ROWS) < 0.5,
        "joined": pd.Timestamp("2024-01-01") + pd.to_timedelta(RNG.integers(0, 700, ROWS), unit="D"),
    }
)


def column(encoder, frame, name):
    return encoder.transform(frame)[:, encoder.names.index(name)]


def test_numbers_and_categories_are_as_scikit_learn_makes_them():
    encoder = TableEncoder.fit(PEOPLE[["age", "income", "city", "member"]])
    numeric = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    reference = make_column_transformer(
        (numeric, ["age", "income"]),
        (OneHotEncoder(sparse_output=False), ["city", "member"]),
        verbose_feature_names_out=False,
    ).fit(PEOPLE)
    expected = pd.DataFrame(reference.transform(PEOPLE), columns=reference.get_feature_names_out())
    expected = expected.rename(columns=lambda name: name.replace("_", "=").replace("=nan", " missing"))
    expected = expected.rename(columns={"member=True": "member=true", "member=False": "member=false"})
    found = pd.DataFrame(encoder.transform(PEOPLE), columns=list(encoder.names))
    missing = found.pop("age missing")
    np.testing.assert_allclose(found[expected.columns], expected, atol=1e-5)
    np.testing.assert_array_equal(missing, PEOPLE.age.isna())
    assert found.shape == expected.shape


def test_moments_become_the_time_and_its_place_in_cycles():
    times = pd.to_datetime(["2026-01-05 06:00", "2026-01-05 18:00", "2026-01-12 06:00", None, "2026-07-06 06:00"])
    frame = pd.DataFrame({"at": times})
    encoder = TableEncoder.fit(frame)
    wanted = [
        "at",
        *(f"at {cycle} {wave}" for cycle in ("year", "week", "day") for wave in ("sin", "cos")),
        "at missing",
    ]
    assert list(encoder.names) == wanted
    values = pd.DataFrame(encoder.transform(frame), columns=wanted)
    np.testing.assert_allclose(values["at day sin"][:3], [1, -1, 1], atol=1e-6)
    np.testing.assert_allclose(values["at week sin"][0], values["at week sin"][2], atol=1e-5)
    assert values["at missing"].tolist() == [0, 0, 0, 1, 0]
    assert values["at"][0] < values["at"][1] < values["at"][2] < values["at"][4]
    assert TableEncoder.fit(frame.dropna().iloc[[0, 2]]).names == ("at", "at year sin", "at year cos")


def test_a_file_read_again_with_other_types_gives_the_same_numbers():
    encoder = TableEncoder.fit(PEOPLE)
    texts = pd.DataFrame({name: [None if pd.isna(x) else str(x) for x in PEOPLE[name]] for name in PEOPLE})
    texts["member"] = PEOPLE.member.astype(object)
    np.testing.assert_array_equal(encoder.transform(texts), encoder.transform(PEOPLE))
    codes = TableEncoder.fit(pd.DataFrame({"code": ["1", "2", "x", "1", "2", "x"]}))
    np.testing.assert_array_equal(
        codes.transform(pd.DataFrame({"code": [1.0, 2.0, np.nan]})),
        codes.transform(pd.DataFrame({"code": ["1", "2", None]})),
    )


def test_rare_and_unseen_categories_go_together():
    frame = pd.DataFrame({"pet": ["cat"] * 5 + ["dog"] * 3 + ["emu", "gnu"]})
    encoder = TableEncoder.fit(frame)
    assert encoder.names == ("pet=cat", "pet=dog", "pet other")
    new = pd.DataFrame({"pet": ["emu", "yak", "cat", None]})
    assert encoder.transform(new).tolist() == [[0, 0, 1], [0, 0, 1], [1, 0, 0], [0, 0, 0]]
    assert encoder.report(new) == (Met("pet", missing=1, unseen=1, example="yak"),)


def test_an_unseen_category_is_all_zeros_where_none_was_rare():
    encoder = TableEncoder.fit(pd.DataFrame({"pet": ["cat", "dog"] * 3}))
    new = pd.DataFrame({"pet": ["yak", "dog"]})
    assert encoder.transform(new).tolist() == [[0, 0], [0, 1]]
    assert encoder.report(new) == (Met("pet", missing=0, unseen=1, example="yak"),)
    assert encoder.report(new[1:]) == ()


def test_only_the_most_frequent_categories_have_a_column():
    counts = {f"c{index:03}": 2 + index for index in range(MOST + 20)}
    frame = pd.DataFrame({"code": [name for name, count in counts.items() for _ in range(count)]})
    encoder = TableEncoder.fit(frame)
    assert len(encoder.names) == MOST + 1
    assert encoder.names[0] == f"code=c{MOST + 19:03}"
    assert column(encoder, frame, "code other").sum() == sum(2 + index for index in range(20))


def test_a_cell_that_is_not_a_number_counts_as_missing_and_is_told():
    encoder = TableEncoder.fit(pd.DataFrame({"age": [10.0, 20.0, 60.0]}))
    new = pd.DataFrame({"age": ["20", "about 20", None, np.inf, "60"]})
    assert len(set(encoder.transform(new)[:4, 0].tolist())) == 1
    assert encoder.report(new) == (Met("age", missing=1, unseen=2, example="about 20"),)
    assert encoder.names == ("age",)


def test_columns_that_tell_nothing_are_left_out_and_named():
    frame = pd.DataFrame({"x": [1.0, 2.0, 3.0], "one": 7, "id": ["a", "b", "c"], "empty": None, "word": "yes"})
    encoder = TableEncoder.fit(frame)
    assert encoder.names == ("x",)
    assert dict(encoder.left_out) == {
        "one": "has the same value in every row",
        "id": "never has a value twice",
        "empty": "is empty",
        "word": "has the same value in every row",
    }
    assert encoder.transform(frame[["x"]]).shape == (3, 1)


def test_a_table_that_tells_no_rows_apart_is_refused():
    with pytest.raises(DataError, match="no column of the table tells its 3 rows apart: 'one' has the same value"):
        TableEncoder.fit(pd.DataFrame({"one": [1, 1, 1]}))
    with pytest.raises(DataError, match="tells its 2 rows apart: it has no columns"):
        TableEncoder.fit(pd.DataFrame(index=[0, 1]))
    with pytest.raises(DataError, match="no rows to learn from"):
        TableEncoder.fit(pd.DataFrame({"x": []}))


def test_the_schema_is_checked():
    encoder = TableEncoder.fit(PEOPLE)
    with pytest.raises(
        DataError, match=r"no column 'income'; nearest: 'incomes'; expected the columns 'age', 'income'"
    ):
        encoder.transform(PEOPLE.rename(columns={"income": "incomes"}))
    with pytest.raises(DataError, match=r"no column 'city'; expected"):
        encoder.report(PEOPLE[["age", "income"]])
    with pytest.raises(DataError, match="has the column 'age' more than once"):
        encoder.transform(PEOPLE[["age", "age"]])
    shuffled = PEOPLE[list(PEOPLE.columns[::-1])].assign(more=1)
    np.testing.assert_array_equal(encoder.transform(shuffled), encoder.transform(PEOPLE))
    assert encoder.transform(PEOPLE[:0]).shape == (0, len(encoder.names))


def test_column_labels_need_not_be_texts():
    frame = pd.DataFrame({0: [1, 2, 3], ("a", 1): ["x", "y", "y"]})
    encoder = TableEncoder.fit(frame)
    assert encoder.names[0] == "0"
    assert encoder.transform(frame).shape == (3, 3)


def test_only_training_rows_teach():
    train, test = PEOPLE[:40], PEOPLE[40:].assign(income=1e9, city="Paris")
    encoder = TableEncoder.fit(train)
    before = encoder.transform(train)
    encoder.transform(test)
    encoder.report(test)
    np.testing.assert_array_equal(encoder.transform(train), before)
    np.testing.assert_array_equal(encoder.transform(PEOPLE.assign(city=test.city))[:40][:, :3], before[:, :3])


def test_the_order_of_rows_does_not_matter():
    shuffled = PEOPLE.sample(frac=1, random_state=1)
    one, two = TableEncoder.fit(PEOPLE), TableEncoder.fit(shuffled)
    assert one.names == two.names
    np.testing.assert_allclose(one.transform(PEOPLE), two.transform(PEOPLE), atol=1e-5)


def test_the_state_is_json_and_plain_arrays():
    encoder = TableEncoder.fit(PEOPLE.assign(pet=["emu", "gnu"] + ["cat"] * (ROWS - 2)))
    config, arrays = encoder.state()
    again = TableEncoder.from_state(json.loads(json.dumps(config, allow_nan=False)), arrays)
    new = PEOPLE.assign(pet="gnu", city="Paris")
    np.testing.assert_array_equal(again.transform(new), encoder.transform(new))
    assert (again.names, again.left_out, again.report(new)) == (encoder.names, encoder.left_out, encoder.report(new))
    assert all(array.dtype == np.int64 for array in arrays.values())
    assert "gnu" not in json.dumps(config)


def damaged(config, column, **changes):
    columns = [item | changes if item["column"] == column else item for item in config["columns"]]
    return config | {"columns": columns}


@pytest.mark.parametrize(
    "change",
    [
        lambda config: damaged(config, "age", kind="colour"),
        lambda config: damaged(config, "age", scale=0.0),
        lambda config: damaged(config, "age", mean="far"),
        lambda config: damaged(config, "joined", cycles=["moon"]),
        lambda config: damaged(config, "age", kind="category"),
        lambda config: config | {"columns": 3},
        lambda config: {"version": 1},
    ],
)
def test_a_damaged_state_is_refused(change):
    config, arrays = TableEncoder.fit(PEOPLE).state()
    with pytest.raises(ArtefactError, match=r"the table encoder is damaged .*take a fresh copy of the model"):
        TableEncoder.from_state(change(config), arrays)


def test_a_state_of_another_version_is_refused():
    with pytest.raises(ArtefactError, match="table encoder of version 2; expected 1"):
        TableEncoder.from_state({"version": 2}, {})


CELLS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3), st.datetimes(), st.dates(),
    st.timedeltas(), st.decimals(allow_nan=False), st.sampled_from(["a", "b", "1", "1.0", "true", "inf", "2026-01-01"]),
)  # fmt: skip
COLUMNS = st.one_of(
    st.lists(CELLS, min_size=6, max_size=6),
    st.lists(st.floats(), min_size=6, max_size=6),
    st.lists(st.one_of(st.none(), st.datetimes()), min_size=6, max_size=6),
)


@settings(max_examples=30, deadline=None)
@given(COLUMNS, COLUMNS, COLUMNS)
def test_any_cells_become_finite_numbers_or_are_refused_in_words(first, second, later):
    frame = pd.DataFrame({"x": range(6), "first": pd.Series(first), "second": pd.Series(second)})
    encoder = TableEncoder.fit(frame)
    for rows in (frame, frame.assign(first=pd.Series(later), second=pd.Series(first))):
        values = encoder.transform(rows)
        assert values.shape == (6, len(encoder.names))
        assert values.dtype == np.float32
        assert np.isfinite(values).all()
        encoder.report(rows)
    again = TableEncoder.from_state(json.loads(json.dumps(encoder.state()[0], allow_nan=False)), encoder.state()[1])
    np.testing.assert_array_equal(again.transform(frame), encoder.transform(frame))
