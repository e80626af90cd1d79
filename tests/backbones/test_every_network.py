"""Each network of the table in docs/backbones.md, through everything that the table says of it."""

import pytest
from hub_rows import ROWS, STEPS, checked


@pytest.mark.slow
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.hub}-{row.network}")
def test_a_network_does_what_the_table_says(row, tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    done = checked(row, tmp_path)
    expected = dict.fromkeys(STEPS, "yes") | ({"input": "-"} if row.expected is None else {})
    assert {step: done[step] for step in STEPS} == expected
