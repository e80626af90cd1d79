"""Folders in MLflow's pyfunc flavour: loaded anew, by a frame of any modality, and served by MLflow's own server."""

import io
import json
import os
import subprocess
import sys
from urllib.error import URLError
from urllib.request import Request, urlopen

import numpy as np
import pandas as pd
import pytest
from exported import TEXTS, labels, soft_pictures
from sklearn.datasets import load_iris

pytest.importorskip("mlflow.pyfunc")

from headstart.deployment.formats.export import export
from headstart.transfer import Transfer

PICTURES = soft_pictures(12)


@pytest.fixture(scope="module")
def frame():
    frame = load_iris(as_frame=True).data.assign(truth=np.arange(150) % 3 == 0, word="p")
    frame.loc[::5, "word"] = "q"
    frame.loc[::7, "sepal length (cm)"] = np.nan
    return frame


@pytest.fixture(scope="module")
def fitted(frame):
    return Transfer(None, "logistic").fit(frame, load_iris().target_names[load_iris().target])


@pytest.fixture(scope="module")
def table(tmp_path_factory, fitted, frame):
    return export(fitted, tmp_path_factory.mktemp("mlflow") / "table", format="mlflow", check_on=frame)


def load(folder):
    import mlflow.pyfunc

    return mlflow.pyfunc.load_model(str(folder))


def png(picture):
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def test_a_table(table, fitted, frame):
    answers = load(table.path).predict(frame)
    p = answers[[f"p({label})" for label in fitted.classes_]].to_numpy()
    np.testing.assert_allclose(p, fitted.predict_proba(frame), atol=1e-6)
    np.testing.assert_array_equal(answers["prediction"], fitted.predict(frame))


def test_nothing_in_it_is_pickled(table, frame):
    names = {file.name for file in table.files}
    assert {"MLmodel", "requirements.txt", "config.json", "model.safetensors"} <= names
    assert not [name for name in names if name.endswith((".pkl", ".pickle", ".joblib", ".cloudpickle"))]
    described = (table.path / "MLmodel").read_text()
    assert "loader_module: headstart.deployment.formats.mlflow_flavour" in described
    assert load(table.path).metadata.signature.inputs.input_names() == list(frame.columns)
    assert "headstart==" in (table.path / "requirements.txt").read_text()


def test_a_column_that_is_missing_is_named(table, frame):
    with pytest.raises(Exception, match=r"petal width \(cm\)"):
        load(table.path).predict(frame.drop(columns="petal width (cm)"))


def test_arrays_pictures_and_texts(tmp_path):
    X = load_iris().data
    array = Transfer(None, "ridge").fit(X, load_iris().target)
    told = export(array, tmp_path / "array", format="mlflow", check_on=X)
    assert load(told.path).predict(X)["prediction"].tolist() == array.predict(X).tolist()
    pictures = Transfer("timm:test_resnet?weights=random", "ridge", engine="torch", cache=False)
    pictures.fit(PICTURES, labels(12))
    told = export(pictures, tmp_path / "pictures", format="mlflow", check_on=PICTURES)
    files = pd.DataFrame({"image": [png(picture) for picture in PICTURES[:3]]})
    p = load(told.path).predict(files)[["p(bright)", "p(dull)"]].to_numpy()
    np.testing.assert_allclose(p, pictures.predict_proba(PICTURES[:3]), atol=1e-6)
    texts = Transfer("bundled:wordllama", "ridge", engine="torch", cache=False).fit(TEXTS, labels())
    told = export(texts, tmp_path / "texts", format="mlflow", check_on=TEXTS)
    answers = load(told.path).predict(pd.DataFrame({"text": TEXTS}))
    np.testing.assert_array_equal(answers["prediction"], texts.predict(TEXTS))


def test_values(tmp_path, frame):
    target = frame["petal length (cm)"] * 3 - 7
    frame = frame.drop(columns="petal length (cm)")
    values = Transfer(None, "ridge", kind="regression").fit(frame, target)
    told = export(values, tmp_path / "values", format="mlflow", check_on=frame)
    np.testing.assert_allclose(load(told.path).predict(frame)["prediction"], values.predict(frame), rtol=1e-6)


def test_the_extra_is_named_where_mlflow_is_missing(tmp_path, fitted, monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow.pyfunc", None)
    with pytest.raises(ImportError, match=r"headstart\[track\]"):
        export(fitted, tmp_path / "model", format="mlflow")
    assert not (tmp_path / "model").exists()


@pytest.mark.slow
def test_mlflow_models_serve_answers(table, fitted, frame, tmp_path):
    """The command of the documentation, in processes of its own."""
    pytest.importorskip("uvicorn")
    port = free_port()
    words = ["models", "serve", "-m", table.path, "--env-manager", "local", "--port", str(port), "-w", "1"]
    beside = os.path.dirname(sys.executable)  # the command runs `uvicorn` by its name
    environment = {
        **os.environ,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PATH": f"{beside}{os.pathsep}{os.environ['PATH']}",
    }
    command = [sys.executable, "-m", "mlflow", *words]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            answers = asked(server, port, {"dataframe_split": json.loads(frame[:5].to_json(orient="split"))})
        finally:
            server.terminate()
    assert [row["prediction"] for row in answers["predictions"]] == fitted.predict(frame[:5]).tolist()


def free_port():
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def asked(server, port, body):
    """What a server answers, once it is up; a failure where it ends before."""
    request = Request(
        f"http://127.0.0.1:{port}/invocations", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    while server.poll() is None:
        try:
            with urlopen(request, timeout=120) as answer:  # noqa: S310 - this machine's own server
                return json.loads(answer.read())
        except (URLError, ConnectionError):
            try:
                server.wait(0.5)
            except subprocess.TimeoutExpired:
                continue
    raise AssertionError(f"the server ended with {server.returncode}")
