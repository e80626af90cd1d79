"""What the services themselves read back: MLflow by its client, TensorBoard by its event reader."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small import RESNET, bright

import headstart as hs
from headstart.tracking.mlflow_run import named


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Pictures of three classes, split."""
    folder = tmp_path_factory.mktemp("pictures")
    for row in range(36):
        place = folder / ("test" if row % 4 == 3 else "train") / "abc"[row % 3]
        place.mkdir(parents=True, exist_ok=True)
        bright(row).save(place / f"{row}.png")
    return folder


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(rng.normal(size=(120, 2)), columns=["a", "b"])
    return rows.assign(label=np.where(rows["a"] > 0, "yes", "no"))


@pytest.fixture
def no_network(monkeypatch):
    """Addresses that a socket was connected to, none of which is reached."""
    asked = []

    def connect(self, address):
        if self.family != socket.AF_UNIX:
            asked.append(address)
            raise OSError("the network is not to be used")
        return socket_connect(self, address)

    socket_connect = socket.socket.connect
    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *words, **options: asked.append(words) or [])
    return asked


of_mlflow = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")
"""What SQLAlchemy says of MLflow's own tables."""


def read_events(folder: Path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    events = accumulator.EventAccumulator(str(folder), size_guidance={"tensors": 0, "scalars": 0})
    return events.Reload()


def text_of(events, name: str) -> str:
    return events.Tensors(f"{name}/text_summary")[0].tensor_proto.string_val[0].decode()


@pytest.mark.slow
def test_tensorboard_reads_curves_scores_and_the_card(run, pictures, tmp_path, no_network):
    words = ("--backbone", RESNET, "--method", "fine-tune", "--option", "epochs=2", "--no-control")
    output = run(
        "fit", pictures, "--out", tmp_path / "m", *words, "--json", "--track", f"tensorboard:{tmp_path / 'tb'}"
    )
    assert output.code == 0, output.err
    events = read_events(tmp_path / "tb" / "fit-1")
    curve = events.Scalars("fine-tune/train")
    assert [point.step for point in curve] == list(range(len(curve)))
    assert 0 < len(curve) <= 2
    score = output.json["metrics"]["accuracy"]
    for name, end in (("accuracy", "value"), ("accuracy.low", "low"), ("accuracy.high", "high")):
        assert events.Scalars(name)[0].value == pytest.approx(score[end], rel=1e-6)
    assert text_of(events, "parameters/options.epochs") == "2"
    assert text_of(events, "parameters/model") == str(tmp_path / "m")
    assert text_of(events, "README.md") == (tmp_path / "m" / "README.md").read_text("utf-8")
    assert text_of(events, "outcome") == "FINISHED"
    assert no_network == []


def test_each_fit_has_a_folder_of_its_own_and_its_scores_are_read_back(table, tmp_path):
    pytest.importorskip("torch.utils.tensorboard")
    (tmp_path / "fit-1").mkdir()
    model = hs.fit(table, method="ridge", track=f"tensorboard:{tmp_path}")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fit-1", "fit-2"]
    events = read_events(tmp_path / "fit-2")
    assert "yes" in text_of(events, "evidence.txt")
    assert text_of(events, "parameters/method") == "ridge"
    assert text_of(events, "parameters/data") == "DataFrame"
    score = model.evidence_.metrics["accuracy"]
    ends = [events.Scalars(name)[0].value for name in ("accuracy", "accuracy.low", "accuracy.high")]
    assert ends == pytest.approx(tuple(score), rel=1e-6)


@pytest.mark.slow
@of_mlflow
@pytest.mark.parametrize("kind", ["sqlite", "folder"])
def test_mlflow_reads_parameters_curves_scores_and_files(kind, run, pictures, tmp_path, no_network, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.chdir(tmp_path)
    uri = f"sqlite:///{tmp_path / 'runs.db'}" if kind == "sqlite" else (tmp_path / "runs").as_uri()
    words = ("--backbone", RESNET, "--method", "fine-tune", "--option", "epochs=2", "--no-control")
    output = run("fit", pictures, "--out", tmp_path / "m", *words, "--json", "--track", f"mlflow:{uri}")
    assert output.code == 0, output.err
    client = mlflow.MlflowClient(tracking_uri=uri)
    (written,) = client.search_runs([client.get_experiment_by_name("headstart").experiment_id])
    assert written.info.status == "FINISHED"
    assert written.data.params["method"] == "fine-tune"
    assert written.data.params["options.epochs"] == "2"
    assert written.data.params["model"] == str(tmp_path / "m")
    for name, scores in (("", output.json["metrics"]), ("majority/", output.json["baselines"]["majority"])):
        score = scores["accuracy"]
        figures = [written.data.metrics[f"{name}accuracy{end}"] for end in ("", ".low", ".high")]
        assert figures == pytest.approx([score["value"], score["low"], score["high"]])
    curve = client.get_metric_history(written.info.run_id, "fine-tune/train")
    assert [point.step for point in curve] == list(range(len(curve)))
    assert 0 < len(curve) <= 2
    files = {file.path for file in client.list_artifacts(written.info.run_id)}
    assert files >= {"README.md", "evidence.json", "evidence.txt"}
    kept = Path(client.download_artifacts(written.info.run_id, "evidence.json", str(tmp_path)))
    assert json.loads(kept.read_text("utf-8")) == json.loads((tmp_path / "m" / "evidence.json").read_text("utf-8"))
    assert no_network == []
    assert not (tmp_path / "mlruns").exists()


@pytest.mark.slow
@of_mlflow
def test_several_targets_and_failures_are_written_down(table, tmp_path, run):
    mlflow = pytest.importorskip("mlflow")
    uri = f"sqlite:///{tmp_path / 'runs.db'}"
    data = table.assign(other=table["b"] * 2)
    data.to_csv(tmp_path / "t.csv", index=False)
    words = ("--target", "label,other", "--track", f"mlflow:{uri}")
    assert run("fit", tmp_path / "t.csv", "--out", tmp_path / "m", *words).code == 0
    with pytest.raises(ValueError, match="is of a race"):
        hs.fit(data, roles=hs.Roles(target="label"), memory="1GB", track=f"mlflow:{uri}")
    client = mlflow.MlflowClient(tracking_uri=uri)
    failed, written = client.search_runs([client.get_experiment_by_name("headstart").experiment_id])
    assert failed.info.status == "FAILED"
    assert written.data.params["targets"] == "label,other"
    assert {"label/accuracy", "other/r2.low"} <= written.data.metrics.keys()


@pytest.mark.slow
def test_a_server_that_does_not_answer_is_told_of_and_the_fit_is_saved(run, table, tmp_path, monkeypatch):
    pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    table.to_csv(tmp_path / "t.csv", index=False)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    words = ("--method", "ridge", "--json", "--track", f"mlflow:http://127.0.0.1:{port}")
    output = run("fit", tmp_path / "t.csv", "--out", tmp_path / "m", *words)
    assert output.code == 0
    assert output.json["saved"] == str(tmp_path / "m")
    assert f"tracking to mlflow:http://127.0.0.1:{port} ended: " in output.err
    assert output.err.count("tracking to") == 1


def test_names_that_mlflow_does_not_take_are_written_otherwise_and_stay_apart():
    assert named({"gradual+l2-sp/train": 1, "gradual_l2-sp/train": 2, "Größe/r2": 3, "a#b": 4}) == {
        "gradual_l2-sp/train": 1, "gradual_l2-sp/train 2": 2, "Größe/r2": 3, "a_b": 4,
    }  # fmt: skip
