"""Models that the first tree wrote (commit 658348a) load and predict what they predicted then."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from headstart import Transfer

FOLDER = Path(__file__).parent / "earlier"
EXPECTED = json.loads((FOLDER / "expected.json").read_text("utf-8"))


@pytest.mark.parametrize("name", ["table", "text", "picture"])
def test_it_loads_and_predicts_the_same(name):
    expected = EXPECTED[name]
    if name == "picture":
        inputs = [np.full((40, 40, 3), value, np.uint8) for value in expected["values"]]
    else:
        inputs = pd.DataFrame(expected["rows"]) if name == "table" else expected["rows"]
    model = Transfer.load(FOLDER / name).set_params(cache=False)
    np.testing.assert_allclose(model.predict_proba(inputs), expected["probabilities"], atol=1e-4)


def test_its_evidence_is_read():
    evidence = Transfer.load(FOLDER / "table").evidence_
    assert (evidence.verdict, evidence.adaptation) in (("helps", None), ("cannot tell", None), ("hurts", None))
    assert evidence.gain.over == "no-transfer"
