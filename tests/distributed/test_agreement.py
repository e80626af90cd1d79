"""What clients agree upon, and who cannot be included."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from headstart.distributed.agreement import Agreement, Description, agree, encoder_json, encoder_of
from headstart.errors import DataError
from headstart.preprocessing.table_encoder import TableEncoder


def described(frame, classes=("no", "yes"), **changed):
    description = Description(
        rows=len(frame),
        kind="classification",
        modality="table",
        classes=classes,
        columns=tuple(frame.columns),
        encoder=encoder_json(TableEncoder.fit(frame)),
        width=0,
        weights="",
    )
    return Description.from_json(replace(description, **changed).to_json())


def frame(town, rows=20, seed=0):
    rng = np.random.default_rng(seed)
    towns = [town, *rng.choice([town, "Rome"], rows - 1)]
    return pd.DataFrame({"age": rng.normal(40, 9, rows), "town": towns})


def made(descriptions):
    return agree(descriptions, head="ridge", folds=5, seed=0)


def test_columns_and_classes_of_all_are_known_to_all():
    one, other = frame("Bari"), frame("Pisa", 40, seed=1)
    other.loc[3, "age"] = np.nan
    agreement, left_out = made({"a": described(one), "b": described(other, ("maybe", "no", "yes"))})
    assert left_out == {}
    assert agreement.classes == ("maybe", "no", "yes")
    assert Agreement.from_json(agreement.to_json()) == agreement
    encoder = agreement.table_encoder
    assert encoder.names == ("age", "age missing", "town=Bari", "town=Pisa", "town=Rome")
    assert agreement.width == encoder.width == 5
    mine = encoder_of(described(one).encoder).columns[0].scale, encoder_of(described(other).encoder).columns[0].scale
    assert encoder.columns[0].scale.mean == pytest.approx((20 * mine[0].mean + 40 * mine[1].mean) / 60)


def test_a_column_that_is_constant_at_one_client_is_kept_for_the_others():
    constant = frame("Bari").assign(town="Bari")
    agreement, _ = made({"a": described(constant), "b": described(frame("Pisa"))})
    assert "town=Pisa" in agreement.table_encoder.names


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rows": 0}, "no rows that can be learnt from"),
        ({"kind": "regression"}, "its kind is 'regression', that of the others 'classification'"),
        ({"modality": "text"}, "its modality is 'text', that of the others 'table'"),
        ({"weights": "9f"}, "its backbone is '9f', that of the others 'none'"),
        ({"columns": ("Age", "town", "x")}, r"it lacks 'age'; nearest: Age and has 'Age', 'x' besides"),
        ({"classes": ("cat", "dog")}, "shares no class with the others: it has 'cat', 'dog', they have 'no', 'yes'"),
    ],
)
def test_who_differs_from_most_is_left_out_by_name(change, words):
    same = described(frame("Bari"))
    _, left_out = made({"a": same, "strange": replace(same, **change), "c": same})
    assert list(left_out) == ["strange"]
    assert words in left_out["strange"].replace("; nearest: Age and", "; nearest: Age and")


def test_too_few_are_refused():
    same = described(frame("Bari"))
    with pytest.raises(DataError, match=r"fewer than 2 clients can learn together \(b: it has no rows"):
        made({"a": same, "b": replace(same, rows=0)})
    with pytest.raises(DataError, match="nobody answered"):
        made({})
    one = replace(same, classes=("yes",))
    with pytest.raises(DataError, match="all clients together have one class only, 'yes'"):
        made({"a": one, "b": one})


def test_a_column_of_numbers_here_and_words_there_is_refused():
    words = frame("Bari").assign(age=["old", "young"] * 10)
    with pytest.raises(DataError, match=r"column 'age' is not the same at all clients \(number at a, category at b\)"):
        made({"a": described(frame("Bari")), "b": described(words)})


def test_what_is_no_description_is_told():
    with pytest.raises(DataError, match="does not describe its data as expected"):
        Description.from_json('{"rows": 3}')
