"""Content keys: equal content, equal key; anything else, another."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from headstart.data.content import array_key, content_key, content_keys, file_key, picture_key, row_keys, text_key

values = st.one_of(st.integers(-(10**25), 10**25), st.floats(), st.text(max_size=4), st.none(), st.booleans())


def test_a_file_has_the_key_of_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "ünï code.bin"
    path.write_bytes(b"x" * 3_000_000)
    assert file_key(path) == content_key(str(path)) == content_key(path) == blake3(b"x" * 3_000_000).digest()
    with pytest.raises(OSError, match="missing"):
        content_key(str(tmp_path / "missing.png"))


def test_a_text_has_the_key_of_a_file_that_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("grüße", encoding="utf-8")
    assert text_key("grüße") == file_key(path) == content_key("grüße", modality="text")
    assert len(text_key("\ud800")) == 32


def test_arrays_differ_by_dtype_shape_and_values() -> None:
    one = np.arange(6, dtype=np.float32)
    others = [one.astype(np.float64), one.reshape(2, 3), one + 1]
    assert len({array_key(x) for x in [one, *others]}) == 4
    assert array_key(one) == array_key(one.astype(">f4")) == array_key(np.arange(12, dtype=np.float32)[:6])
    assert array_key(np.asfortranarray(one.reshape(2, 3))) == array_key(one.reshape(2, 3))
    with pytest.raises(TypeError, match="array of object: expected numbers"):
        array_key(np.array([1, "a"], dtype=object))


def test_pictures_differ_by_mode_size_pixels_palette_and_rotation() -> None:
    grey = Image.new("L", (4, 2), 7)
    turned = grey.copy()
    turned.getexif()[0x0112] = 6
    palette, other = Image.new("P", (4, 2), 0), Image.new("P", (4, 2), 0)
    palette.putpalette([255, 0, 0])
    other.putpalette([0, 0, 255])
    pictures = [grey, turned, grey.convert("RGB"), Image.new("L", (2, 4), 7), Image.new("L", (4, 2), 8), palette, other]
    assert len({picture_key(x) for x in pictures}) == len(pictures)
    assert content_key(grey.copy()) == picture_key(grey)


def test_an_item_of_another_type_is_refused() -> None:
    with pytest.raises(TypeError, match="no content key for a dict: expected a path"):
        content_key({})


def test_content_keys_follow_the_modality(tmp_path: Path) -> None:
    pictures = np.zeros((2, 4, 4, 3), np.uint8)
    assert content_keys(pictures, "image") == [array_key(pictures[0])] * 2
    assert content_keys(["a"], "text") == [text_key("a")]
    assert content_keys(np.eye(2), "array") == row_keys(np.eye(2))
    assert content_keys(pd.DataFrame({"x": [1]}), "table") == row_keys(np.array([[1]]))


@given(st.lists(st.tuples(values, values), min_size=1, max_size=8), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_a_row_has_its_key_whatever_stands_around_it(rows: list[tuple[object, object]], random: object) -> None:
    frame = pd.DataFrame(rows, columns=["a", "b"])
    together = row_keys(frame)
    order = np.random.default_rng(len(rows)).permutation(len(rows))
    assert row_keys(frame.iloc[order]) == [together[i] for i in order]
    assert row_keys(frame.astype(object)) == together
    assert [row_keys(frame.iloc[[i]].astype(object))[0] for i in range(len(rows))] == together


def test_the_same_values_have_the_same_key_in_any_dtype() -> None:
    forms = [
        np.array([1, 0], np.int8),
        np.array([1.0, -0.0], np.float32),
        np.array([True, False]),
        pd.array([1, 0], dtype="Int64"),
        pd.array([1, None], dtype="Int64").fillna(0),
        np.array([1, 0.0], dtype=object),
        np.array([np.bool_(True), False], dtype=object),
    ]
    assert len({tuple(row_keys(pd.DataFrame({"x": form}))) for form in forms}) == 1
    texts = pd.Series(["a", None, "b", "a"])
    as_category = row_keys(pd.DataFrame({"x": texts.astype("category")}))
    assert as_category == row_keys(pd.DataFrame({"x": texts.astype(object)})) == row_keys(pd.DataFrame({"x": texts}))
    assert as_category[0] == as_category[3] != as_category[2]


def test_missing_values_are_equal_and_everything_else_differs() -> None:
    missing = [np.nan, None, pd.NA, pd.NaT, float("nan")]
    frame = pd.DataFrame({"x": pd.Series(missing, dtype=object)})
    assert len(set(row_keys(frame))) == 1
    assert row_keys(frame)[:1] == row_keys(np.array([[np.nan]]))
    different = [2**53, 2**53 + 1, 10**30, 10**30 + 1, "1", 1, 1.5, "", (1,), [1], datetime(2020, 1, 1), Decimal(1), 1j]
    column = pd.Series(different, dtype=object)
    assert len(set(row_keys(pd.DataFrame({"x": column})))) == len(different)


@pytest.mark.parametrize("dtype", ["int64", "uint64", "Int64"])
def test_large_integers_do_not_run_together(dtype: str) -> None:
    large = pd.DataFrame({"id": pd.array([2**60, 2**60 + 1, 2**60], dtype=dtype)})
    keys = row_keys(large)
    assert keys[0] == keys[2] != keys[1]
    assert keys == row_keys(large.astype(object))
    assert keys[0] == row_keys(np.array([[2.0**60]]))[0]
    extremes = np.array([-(2**63), 2**63 - 1, -(2**63) + 1])[:, None]
    assert len(set(row_keys(extremes))) == 3
    assert row_keys(extremes)[0] == row_keys(np.array([[-(2.0**63)]]))[0]


def test_a_missing_value_elsewhere_does_not_round_a_nullable_integer() -> None:
    whole, holed = (pd.DataFrame({"id": pd.array(ids, dtype="Int64")}) for ids in ([2**60 + 1], [2**60 + 1, None]))
    assert row_keys(holed)[0] == row_keys(whole)[0]


def test_column_order_and_number_matter() -> None:
    assert row_keys(np.array([[1, 2]])) != row_keys(np.array([[2, 1]]))
    assert row_keys(np.array([[1, 0]])) != row_keys(np.array([[1]]))
    assert row_keys(pd.DataFrame(index=range(2))) == [blake3(b"").digest()] * 2


def test_row_keys_want_two_dimensions() -> None:
    with pytest.raises(ValueError, match=r"got shape \(4,\): try x.reshape"):
        row_keys(np.zeros(4))
