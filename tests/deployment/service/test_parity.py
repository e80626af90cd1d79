"""One model, four ways to ask it: predict in this process and in a fresh one, the service, and the ONNX file."""

from __future__ import annotations

import json
import subprocess
import sys

import httpx
import numpy as np
import pandas as pd
import pytest
from serving import LIMIT, jpeg, pictures, running, sounds, table, texts, wav

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

import headstart as hs
from headstart.deployment.formats.feeds import feeds
from headstart.deployment.formats.parity import session_of
from headstart.deployment.formats.reading import reading_of
from headstart.deployment.service.served import load_served
from headstart.transfer import Transfer

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(sys.platform == "win32", reason="the service forks its workers"),
]

TEXTS = ["it was great", "awful and poor", "lovely, I say: a nice film"]
FRAME = pd.DataFrame({"age": [30.5, 51.0, 44.0], "height": [0.5, -1.0, 2.0], "city": ["Oslo", "Bern", "Rome"]})
CODE = """
import json, sys
import pandas as pd
from headstart.transfer import Transfer
inputs = json.load(sys.stdin)
model = Transfer.load(sys.argv[1]).set_params(cache=False)
print(json.dumps(model.predict_proba(pd.DataFrame(inputs) if isinstance(inputs[0], dict) else inputs).tolist()))
"""


def image_case(folder):
    files = [folder / f"{row}.jpg" for row in range(3)]
    for row, file in enumerate(files):
        file.write_bytes(jpeg(row, 90))
    request = {"files": [("file", file.read_bytes()) for file in files]}
    return pictures(folder / "model"), [str(file) for file in files], request, [file.read_bytes() for file in files]


def text_case(folder):
    return texts(folder / "model"), TEXTS, {"json": {"texts": TEXTS}}, TEXTS


def sound_case(folder):
    """One recording, sent as the body."""
    file = folder / "tone.wav"
    file.write_bytes(wav(300.0, 99))
    request = {"content": file.read_bytes(), "headers": {"content-type": "audio/wav"}}
    return sounds(folder / "model"), [str(file)], request


def table_case(folder):
    rows = FRAME.to_dict("records")
    return table(folder / "model"), FRAME, {"json": {"rows": rows}}, rows


def elsewhere(model, inputs):
    """The probabilities in a fresh process."""
    given = inputs.to_dict("records") if isinstance(inputs, pd.DataFrame) else inputs
    done = subprocess.run(
        [sys.executable, "-c", CODE, model], input=json.dumps(given), capture_output=True, text=True, check=True
    )
    return np.array(json.loads(done.stdout.splitlines()[-1]))


def by_onnx(model, items, file):
    """The probabilities of the exported file, of tensors made one row at a time of what a request holds."""
    hs.export(model, file)
    session, served = session_of(file.read_bytes()), load_served(model, device="cpu")
    reading = reading_of(served.model)
    parts = [feeds(served.task([item]), [reading]) for item in items]
    return np.concatenate([session.run(["probabilities"], part)[0] for part in parts])


def agreed(model, inputs, request):
    """The probabilities that predict, the service and a fresh process agree on."""
    expected = Transfer.load(model).set_params(cache=False).predict_proba(inputs)
    with running(model, "--workers", 1) as service:
        reply = httpx.post(f"{service.address}/predict", timeout=LIMIT, **request).json()
    served = [list(row["probabilities"].values()) for row in reply["predictions"]]
    np.testing.assert_allclose(served, expected, atol=1e-6)
    np.testing.assert_allclose(elsewhere(model, inputs), expected, atol=1e-6)
    return expected


@pytest.mark.parametrize("case", [image_case, text_case, table_case], ids=["image", "text", "table"])
def test_all_ways_to_ask_give_the_same_answers(case, tmp_path):
    model, inputs, request, items = case(tmp_path)
    expected = agreed(model, inputs, request)
    np.testing.assert_allclose(by_onnx(model, items, tmp_path / "m.onnx"), expected, atol=1e-4)


def test_a_recording_gets_the_same_answers_from_predict_the_service_and_a_fresh_process(tmp_path):
    model, inputs, request = sound_case(tmp_path)
    assert agreed(model, inputs, request).shape == (1, 2)
