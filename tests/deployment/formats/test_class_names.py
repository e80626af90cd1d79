"""Names of classes that break lines, quotes and encodings come back from every format as they were."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.datasets import load_iris

from headstart.deployment.formats.class_names import class_names, utf8
from headstart.deployment.formats.export import export
from headstart.deployment.formats.graph import graph_of
from headstart.deployment.formats.onnx_graph import metadata_of
from headstart.listener import SILENT
from headstart.transfer import Transfer

CLASSES = sorted(['quo"te', "two\nlines", "Ünïcødé 大", "a tab\t", "a,b;c'", "<&>", "p(x)", "\udce9t\udce9"])
X = load_iris().data


@pytest.fixture(scope="module")
def fitted():
    by_length = X[:, 2].argsort(kind="stable").argsort() * len(CLASSES) // len(X)
    return Transfer(None, "ridge").fit(X, np.array(CLASSES, dtype=object)[by_length])


def test_what_is_no_utf8_is_escaped_and_all_else_stays():
    assert utf8("\udce9t\udce9") == "\\udce9t\\udce9"
    assert [utf8(name) for name in CLASSES[:-1]] == CLASSES[:-1]
    assert json.loads(utf8(json.dumps(CLASSES, ensure_ascii=False))) == CLASSES


def test_the_metadata_hold_them_in_utf8(fitted):
    told = metadata_of(graph_of(fitted.model_), fitted.model_, 18)
    assert all(text.encode("utf-8") for text in told.values())
    assert json.loads(told["headstart.classes"]) == CLASSES == list(class_names(fitted.model_))


def answers(folder, format):
    """The names of the classes, and probabilities of three rows, as the library of a format gives them."""
    if format == "skops":
        import skops.io

        model = skops.io.load(folder, trusted=[])
        return list(model.classes_), model.predict_proba(X[:3])
    if format == "mlflow":
        import mlflow.pyfunc

        frame = mlflow.pyfunc.load_model(str(folder)).predict(X[:3])
        names = [name for name in frame.columns if name.startswith("p(")]
        return [name[2:-1] for name in names], frame[names].to_numpy()
    if format == "openvino":
        import openvino

        model = openvino.Core().read_model(folder / "model.xml")
        assert len(model.get_rt_info(["model_info", "labels"]).astype(str).split()) == len(CLASSES)
        run = openvino.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        told = model.get_rt_info(["headstart", "classes"]).astype(str)
        return json.loads(told), run({"columns": X[:3]})["probabilities"]
    import onnxruntime

    session = onnxruntime.InferenceSession(folder)
    told = session.get_modelmeta().custom_metadata_map["headstart.classes"]
    return json.loads(told), session.run(["probabilities"], {"columns": X[:3]})[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("format", "module"),
    [("skops", "skops"), ("mlflow", "mlflow.pyfunc"), ("openvino", "openvino"), ("onnx", "onnxscript")],
)
def test_they_come_back(tmp_path, fitted, format, module):
    pytest.importorskip(module)
    out = tmp_path / ("out" if format in ("mlflow", "openvino") else f"out.{format}")
    assert export(fitted, out, format=format, check_on=X, listener=SILENT).parity.largest <= 1e-5
    names, probabilities = answers(out, format)
    assert names == (list(map(utf8, CLASSES)) if format == "mlflow" else CLASSES)  # a frame holds UTF-8 alone
    np.testing.assert_allclose(probabilities, fitted.predict_proba(X[:3]), atol=1e-5)
