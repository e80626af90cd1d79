"""The public names, and nothing else."""

from __future__ import annotations

import pytest

import headstart


def test_all_is_sorted_and_every_name_is_there():
    assert headstart.__all__ == sorted(headstart.__all__)
    for name in headstart.__all__:
        assert getattr(headstart, name).__name__ == name


def test_dir_shows_the_public_names_alone():
    assert set(dir(headstart)) == {*headstart.__all__, "__version__"}


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'headstart' has no attribute 'fitt'"):
        _ = headstart.fitt
