"""OpenVINO's representation: read by OpenVINO alone, with the names of the classes in it."""

import json

import numpy as np
import pytest
from exported import labels, soft_pictures
from sklearn.datasets import load_iris

from headstart.deployment.formats.export import export
from headstart.preprocessing.decode import decode_picture
from headstart.transfer import Transfer

openvino = pytest.importorskip("openvino")
pytest.importorskip("onnxscript")
PICTURES = soft_pictures(12)


def compiled(folder):
    model = openvino.Core().read_model(folder / "model.xml")
    return model, openvino.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})


def told(model, name):
    return json.loads(model.get_rt_info(["headstart", name]).astype(str))


def test_arrays(tmp_path):
    X, y = load_iris().data, load_iris().target_names[load_iris().target]
    fitted = Transfer(None, "kernel").fit(X, y)
    exported = export(fitted, tmp_path / "out", format="openvino", check_on=X)
    assert exported.parity.rows == 150
    model, run = compiled(exported.path)
    answers = run({"columns": X[:7]})
    np.testing.assert_allclose(answers["probabilities"], fitted.predict_proba(X[:7]), atol=1e-4)
    assert told(model, "classes") == fitted.classes_.tolist()
    assert [told(model, "classes")[code] for code in answers["decision"]] == fitted.predict(X[:7]).tolist()


def test_tables_are_refused(tmp_path):
    fitted = Transfer(None, "ridge").fit(load_iris(as_frame=True).data, load_iris().target)
    with pytest.raises(ValueError, match=r"no operators for the words in a table.*--skops"):
        export(fitted, tmp_path / "out", format="openvino")
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_pictures_go_in_resized_and_cropped(tmp_path):
    fitted = Transfer("timm:test_resnet?weights=random", "ridge", engine="torch", cache=False)
    fitted.fit(PICTURES, labels(12))
    exported = export(fitted, tmp_path / "out", format="openvino", check_on=PICTURES)
    assert exported.parity.largest <= 1e-5
    model, run = compiled(exported.path)
    form = fitted.model_.backbone.preprocess
    pixels = np.stack([form.prepare(decode_picture(picture))[0] for picture in PICTURES[:5]])
    np.testing.assert_allclose(run([pixels])["probabilities"], fitted.predict_proba(PICTURES[:5]), atol=1e-5)
    [stated] = json.loads((exported.path / "preprocess.json").read_text())
    assert (stated["size"], stated["resize"], stated["prepared"]) == (list(form.size), form.resize, True)
    assert stated == told(model, "inputs")[0]
