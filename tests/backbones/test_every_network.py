"""Each network of the table in docs/backbones.md, through everything that the table says of it."""

import pytest
from hub_rows import ROWS, STEPS, checked

QUICK = {("hf", "T5 encoder")}


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(
            row, id=f"{row.hub}-{row.network}", marks=() if (row.hub, row.network) in QUICK else pytest.mark.slow
        )
        for row in ROWS
    ],
)
def test_a_network_does_what_the_table_says(row, tmp_path, monkeypatch):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "cache"))
    done = checked(row, tmp_path)
    assert {step: done[step] for step in STEPS} == dict.fromkeys(STEPS, "yes")
