import json

import numpy as np
import pytest

from headstart.errors import BackboneError
from headstart.features.engines.engine import Agreement, Choice, EngineUsed, checked


def test_a_shape_that_is_not_promised_is_refused():
    rows = np.zeros((4, 6), np.float32)
    assert checked(rows, 4, 6) is rows
    with pytest.raises(BackboneError, match=r"gives features of shape \(4, 7\); expected \(4, 6\), a row an input"):
        checked(np.zeros((4, 7), np.float32), 4, 6)


def test_the_record_is_json():
    used = EngineUsed(name="torch", precision="bfloat16", device="cpu", batch=8, why="measured")
    assert json.loads(json.dumps(used.to_json())) == {
        "name": "torch",
        "precision": "bfloat16",
        "device": "cpu",
        "batch": 8,
        "why": "measured",
        "agreement": None,
    }
    agreement = Agreement(cosine=1.0, centred=0.99, error=0.01)
    other = EngineUsed(name="torch", precision="bfloat16", device="cpu", batch=8, why="", agreement=agreement)
    assert other.to_json()["agreement"] == {"cosine": 1.0, "centred": 0.99, "error": 0.01}


def test_a_choice_in_words():
    assert str(Choice("openvino", "float32", "cpu", "asked for")) == "openvino float32 on cpu"
