"""The V2 inference protocol: the answers of `predict`, and words for what it cannot be asked."""

from __future__ import annotations

import base64
import re

import httpx
import numpy as np
import pytest
from serving import ask, get, loaded, png, probabilities


def v2(model, body, **options):
    name = model.resolve().name
    return ask(model, {"url": f"/v2/models/{name}/infer", "json": body}, **options)[0]


def test_v2_in_json_gives_the_same_answers(saved):
    files = [base64.b64encode(png(row)).decode() for row in range(2)]
    tensor = {"name": "input", "datatype": "BYTES", "shape": [2], "data": files}
    (plain,) = ask(saved["image"], {"files": [("file", png(row)) for row in range(2)]})
    reply = v2(saved["image"], {"id": "7", "inputs": [tensor]}).json()
    outputs = {output["name"]: output for output in reply["outputs"]}
    assert (reply["id"], reply["model_name"], outputs["label"]["data"]) == ("7", "image", ["r", "g"])
    assert outputs["probabilities"]["shape"] == [2, 3]
    given = np.reshape(outputs["probabilities"]["data"], (2, 3))
    np.testing.assert_allclose(given, probabilities(plain), rtol=1e-12)


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({}, 400, '"inputs" is to be a list'),
        ({"inputs": [{"name": "input"}]}, 400, "a name, a datatype and a shape"),
        ({"inputs": [{"name": "input", "datatype": "FP99", "shape": [1], "data": [1]}]}, 400, "no tensor"),
        ({"inputs": [{"name": "input", "datatype": "FP32", "shape": [2, 3], "data": [1]}]}, 400, "its data are not"),
        ({"inputs": [{"name": "input", "datatype": "FP32", "shape": [3], "data": [1, 2, 3]}]}, 422, "shape \\(N, D\\)"),
        (
            {
                "inputs": [{"name": "input", "datatype": "FP32", "shape": [1, 3], "data": [1, 2, 3]}],
                "outputs": [{"name": "logits"}],
            },
            400,
            "there is no output 'logits': expected value",
        ),
    ],
)
def test_v2_refuses_in_words(saved, body, status, words):
    reply = v2(saved["array"], body)
    assert reply.status_code == status
    assert re.search(words, reply.json()["error"])


def test_v2_knows_one_model_of_one_version(saved):
    version = loaded(saved["array"]).fingerprint
    paths = ["/v2/models/array", f"/v2/models/array/versions/{version}", "/v2/models/array/ready"]
    assert [reply.status_code for reply in get(saved["array"], *paths)] == [200] * 3
    other, old = get(saved["array"], "/v2/models/other", "/v2/models/array/versions/1/ready")
    assert other.json() == {"error": "there is no model of this name: it is 'array'"}
    assert old.json() == {"error": f"there is no such version: it is {version!r}"}
    assert isinstance(other, httpx.Response)
