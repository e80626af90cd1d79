"""The picture is well-formed, holds what it says, and brings nothing from outside."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

from headstart.adaptation.shift.columns import column_shifts
from headstart.adaptation.shift.diagnose import Shift
from headstart.adaptation.shift.plot import plane, shift_picture

SVG = "{http://www.w3.org/2000/svg}"


def picture(rows: int, columns: int, names: list[str] | None = None) -> ElementTree.Element:
    random = np.random.default_rng(0)
    source, target = random.normal(size=(rows, columns)), random.normal(size=(rows // 2, columns)) + 1
    shift = Shift("covariate", False, "a < b & c", "try", columns=column_shifts(source, target, names=names))
    return ElementTree.fromstring(shift_picture(source, target, shift))  # noqa: S314


def test_every_row_and_column_is_drawn() -> None:
    found = picture(100, 3, ["<i>", "b", "a name of very many characters"])
    assert len(found.findall(f"{SVG}circle")) == 100
    assert len(found.findall(f"{SVG}rect")) == 2 + 50 + 3
    words = [one.text or "" for one in found.findall(f"{SVG}text")]
    assert {"<i>", "b", "a name of very m…"} <= set(words)


def test_it_can_be_read_by_ear() -> None:
    found = picture(100, 3)
    assert found.get("role") == "img"
    assert found.findtext(f"{SVG}title") == "Source and target: covariate. a < b & c"
    described = found.findtext(f"{SVG}desc") or ""
    assert "100 source and 50 target rows" in described
    assert "column 2 ." in described


def test_many_rows_are_a_sample_and_nothing_comes_from_outside() -> None:
    found = picture(3000, 30)
    assert len(found.findall(f"{SVG}circle")) == 400
    text = ElementTree.tostring(found, encoding="unicode")
    assert "href" not in text
    assert "<script" not in text


@pytest.mark.parametrize("columns", [1, 2, 40])
def test_the_plane_is_that_of_the_principal_axes(columns: int) -> None:
    random = np.random.default_rng(0)
    source, target = random.normal(size=(20, columns)), random.normal(size=(15, columns)) + 2
    both = np.concatenate(plane(source, target))
    whole = np.concatenate([source, target])
    values = np.linalg.svd((whole - whole.mean(axis=0)) / whole.std(axis=0), compute_uv=False)
    kept = min(columns, 2)
    assert np.linalg.norm(both, axis=0)[:kept] == pytest.approx(values[:kept])
    assert both.shape == (35, 2)


def test_rows_that_are_all_alike() -> None:
    shift = Shift("none", True, "same", "nothing")
    assert "NaN" not in shift_picture(np.ones((4, 2)), np.ones((3, 2)), shift)
