import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.artefact.strict_json import canonical, dump, parse, plain, without_gaps
from headstart.errors import ArtefactError

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), values, max_size=4))
def test_what_is_dumped_is_parsed_with_its_types(value):
    again = parse(dump(value), "x.json")
    assert canonical(again) == canonical(value)
    assert repr(again) == repr(json.loads(json.dumps(value)))


@given(st.binary(max_size=200))
def test_any_bytes_are_an_object_or_an_error(data):
    try:
        assert isinstance(parse(data, "x.json"), dict)
    except ArtefactError as error:
        assert "x.json" in str(error)  # noqa: PT017 - either outcome is right


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a": 1, "a": 2}', "'a' stands twice"),
        ('{"a": NaN}', "NaN is not JSON"),
        ('{"a": -Infinity}', "-Infinity is not JSON"),
        ('{"a": 1e999}', "too large"),
        ("[1]", "holds a JSON list, expected an object"),
        ('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", "not valid JSON"),
        ('{"a": ' + "9" * 10_000 + "}", "not valid JSON"),
        ("", "not valid JSON"),
        ("\ufeff{}", "not valid JSON"),
    ],
)
def test_what_is_not_strict_json_is_refused(text, words):
    with pytest.raises(ArtefactError, match=words):
        parse(text.encode(), "x.json")


def test_utf_16_is_refused():
    with pytest.raises(ArtefactError, match="not valid JSON"):
        parse('{"a": 1}'.encode("utf-16"), "x.json")


def test_plain_makes_numpy_python():
    given_value = {"a": (np.float32(0.5), np.int64(3), np.bool_(True), np.str_("x")), "b": np.arange(2)}
    found = plain(given_value, "options")
    assert found == {"a": [0.5, 3, True, "x"], "b": [0, 1]}
    assert [type(item) for item in found["a"]] == [float, int, bool, str]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"a": [1.0, float("inf")]}, r"options.a\[1\] is inf"),
        ({"a": object()}, r"options.a is <object.* \(object\), which a saved model cannot hold"),
        ({"a": {1: 2}}, r"options.a has the key 1 \(int\)"),
        (np.array([1, np.nan]), r"options\[1\] is nan"),
    ],
)
def test_plain_refuses_what_json_cannot_hold(value, words):
    with pytest.raises(ArtefactError, match=words):
        plain(value, "options")


def test_gaps_become_null():
    assert without_gaps({"a": (1.0, np.nan), "b": np.float64("inf")}) == {"a": [1.0, None], "b": None}
