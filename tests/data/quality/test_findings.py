"""Findings and reports: words within 80 columns, JSON, and the error they raise."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.data.quality.findings import Drop, Finding, Report, examples_of, short
from headstart.errors import DataError

COPIES = Finding("rows that exactly repeat another", 1200, ("a.png = b.png", "c.png = d.png"), "kept together", "note")


def report(*findings: Finding) -> Report:
    return Report(
        rows=3,
        findings=findings,
        drop=(Drop(1, "the text is empty"),),
        near_pairs=np.array([[0, 2]]),
        blocks=np.array([0, 1, 0]),
    )


def test_a_finding_in_words() -> None:
    assert str(COPIES).splitlines() == [
        "note    rows that exactly repeat another: 1,200",
        "        a.png = b.png; c.png = d.png",
        "     -> kept together",
    ]
    many = Finding("empty texts", 6, ("1", "2", "3", "4", "5"), "set aside", "warning")
    assert "1; 2; 3; 4; 5; ..." in str(many)


def test_a_report_in_words_and_as_json() -> None:
    found = report(COPIES)
    assert str(found).startswith("3 rows, 2 of them usable\nnote    rows")
    assert str(report()).endswith("nothing to report")
    assert found.keep.tolist() == [0, 2]
    assert json.loads(json.dumps(found.to_json())) == {
        "rows": 3,
        "used": 2,
        "findings": [
            {
                "what": "rows that exactly repeat another",
                "count": 1200,
                "examples": ["a.png = b.png", "c.png = d.png"],
                "action": "kept together",
                "severity": "note",
            }
        ],
        "set_aside": [{"row": 1, "why": "the text is empty"}],
    }


def test_only_errors_are_raised() -> None:
    report(COPIES).raise_if_error()
    error = Finding("usable rows", 1, (), "add rows", "error")
    assert report(COPIES, error).errors == (error,)
    with pytest.raises(DataError, match="usable rows: 1\n     -> add rows"):
        report(COPIES, error).raise_if_error()


def test_names_are_short_and_printable() -> None:
    assert short("a" * 20) == "a" * 20
    assert short("photos/" + "x" * 90 + "/flower.jpg") == "photos/xxxxx...xxxxxxxxxx/flower.jpg"
    assert short("red\x1b[31m\nline\udcff") == "red [31m line\\xff"
    assert len(examples_of(str(i) for i in range(9))) == 5


@given(st.lists(st.text(max_size=200), max_size=8), st.text(max_size=300))
def test_every_line_fits_and_can_be_written(names: list[str], action: str) -> None:
    finding = Finding("near duplicates", len(names), examples_of(names), short(action, 300), "warning")
    assert all(len(line) < 80 for line in str(finding).splitlines())
    str(finding).encode("utf-8")
