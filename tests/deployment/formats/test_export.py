"""A table of every kind of column as an ONNX file: compared, read elsewhere without headstart, and refused in words."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from disks import mounted
from pages import PROJECT

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

import headstart as hs
from headstart.cli.app import main
from headstart.data.roles import Roles
from headstart.deployment.formats import onnx_file, parity
from headstart.deployment.formats.export import export
from headstart.errors import ArtefactError, DataError
from headstart.methods.answers import encoder_of
from headstart.study.origin import origin_of, with_origin

ROWS = 60


def mixed_table(rows=ROWS):
    """Numbers with gaps, words of which some are rare and some cells empty, moments, and a label that they tell."""
    rng = np.random.default_rng(3)
    label = np.arange(rows) % 3
    size = rng.normal(size=rows) + 2 * label
    size[::7] = np.nan
    colour = np.array(["red", "green", "blue"], dtype=object)[(label + (rng.random(rows) < 0.3)) % 3]
    colour[5], colour[11] = "mauve", "ochre"
    colour[::9] = None
    days = pd.Timestamp("2024-02-29 12:00") + pd.to_timedelta(rng.integers(0, 900, rows), unit="h")
    return pd.DataFrame(
        {
            "size": size,
            "colour": colour,
            "values": rng.uniform(-1e6, 1e6, rows).round(2),
            "seen": days.strftime("%Y-%m-%dT%H:%M:%S"),
            "label": np.array(["a", "b", "c"])[label],
        }
    )


class Saved:
    def __init__(self, folder):
        self.data = folder / "data.csv"
        frame = mixed_table()
        frame.to_csv(self.data, index=False)
        roles = Roles(target="label")
        fitted = hs.fit(self.data, method="ridge", roles=roles, cache=False)
        self.fitted = with_origin(fitted, origin_of(self.data, roles=roles))
        self.model = self.fitted.save(folder / "model")
        self.onnx = folder / "model.onnx"
        self.exported = hs.export(self.model, self.onnx)
        self.session = parity.session_of(self.onnx.read_bytes())


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    return Saved(tmp_path_factory.mktemp("export"))


def cells(frame):
    """A column of each, as docs/export.md says: seconds since 1970 in UTC, and "" for an empty cell."""
    moments = pd.to_datetime(frame["seen"], errors="coerce").astype("datetime64[s]").astype(np.int64).astype(float)
    return {
        "size": frame["size"].to_numpy(float),
        "colour": frame["colour"].fillna("").to_numpy(object),
        "column.values": frame["values"].to_numpy(float),
        "seen": moments.to_numpy(),
    }


def test_export_says_how_near_it_is_on_rows_of_the_training_data(saved):
    told = str(saved.exported)
    assert saved.exported.parity.rows == ROWS
    assert saved.exported.parity.largest <= 1e-6
    assert f"60 rows of {saved.data}" in told
    assert str(saved.onnx) in told


def test_any_cells_are_answered_as_predict_answers_them(saved):
    frame = mixed_table().drop(columns="label")
    frame.loc[0, "size"] = np.inf
    frame.loc[1, "size"] = 1e300
    frame.loc[2, "colour"] = "never seen"
    frame.loc[3, "values"] = np.nan
    probabilities, decision = saved.session.run(["probabilities", "decision"], cells(frame))
    np.testing.assert_allclose(probabilities, saved.fitted.predict_proba(frame), atol=1e-6)
    np.testing.assert_array_equal(saved.fitted.classes_[decision], saved.fitted.predict(frame))


@pytest.mark.parametrize("rows", [0, 1, 7])
def test_a_batch_may_have_any_number_of_rows(saved, rows):
    frame = mixed_table().drop(columns="label")[:rows]
    probabilities, decision = saved.session.run(["probabilities", "decision"], cells(frame))
    assert (probabilities.shape, decision.shape) == ((rows, 3), (rows,))
    if rows:
        np.testing.assert_allclose(probabilities, saved.fitted.predict_proba(frame), atol=1e-6)


def test_the_metadata_tell_what_the_numbers_are(saved):
    entries = saved.session.get_modelmeta().custom_metadata_map
    known = {name: json.loads(text) for name, text in entries.items() if name.startswith("headstart.")}
    assert known["headstart.classes"] == ["a", "b", "c"]
    assert known["headstart.version"] == hs.__version__
    assert known["headstart.opset"] == 18
    score = saved.fitted.evidence_.metrics[saved.fitted.evidence_.headline]
    assert f"{score.value:.4g}" in known["headstart.evidence"]
    columns = {column["column"]: column for column in known["headstart.inputs"][0]["columns"]}
    assert columns["values"]["input"] == "column.values"


READER = """
import sys
{code}
assert not {{"headstart", "torch", "pandas", "onnx"}} & set(sys.modules)
print(json.dumps([probabilities.tolist(), [known["classes"][place] for place in decision]]))
"""


def test_the_reader_of_the_documentation_answers_the_same_without_headstart(saved):
    page = (PROJECT / "docs" / "export.md").read_text("utf-8")
    code = next(block for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "import csv" in block)
    code = code.replace("birds.onnx", saved.onnx.name).replace("labelled.csv", saved.data.name)
    done = subprocess.run(
        [sys.executable, "-c", READER.format(code=code)],
        cwd=saved.onnx.parent,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": ""},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    probabilities, labels = json.loads(done.stdout.splitlines()[-1])
    frame = pd.read_csv(saved.data).drop(columns="label")
    np.testing.assert_allclose(probabilities, saved.fitted.predict_proba(frame), atol=1e-6)
    assert labels == saved.fitted.predict(frame).tolist()


@pytest.mark.parametrize(
    ("out", "options", "match"),
    [
        ("model.onnx", {}, "there already.*--overwrite"),
        (".", {}, "is a folder: name a file"),
        ("new.txt", {}, "'.txt' names no format: expected .onnx"),
        ("nowhere/new.onnx", {}, "there is no folder"),
        ("model/new.onnx", {}, "folder of a saved model"),
        ("new.onnx", {"opset": 11}, "opset = 11 is too old.*18"),
        ("new.onnx", {"opset": 99}, "opset = 99 is too new: expected 18 to 23"),
        ("new.onnx", {"format": "tflite"}, "'tflite': expected 'onnx'"),
        ("new.onnx", {"check_on": "nowhere.csv"}, "no such file"),
    ],
)
def test_what_cannot_be_written_is_refused_before_any_work(saved, out, options, match):
    with pytest.raises(ValueError, match=match):
        export(saved.model, saved.onnx.parent / out, **options)
    assert not (saved.onnx.parent / "new.onnx").exists()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_to_is_refused(saved, tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(ValueError, match="cannot be written"):
        export(saved.model, tmp_path / "new.onnx")


def test_a_disk_that_is_read_only_is_refused(saved, tmp_path):
    with (
        mounted(tmp_path / "disk", "ro") as disk,
        pytest.raises(ValueError, match=r"cannot be written \(Read-only file system\)"),
    ):
        export(saved.model, disk / "new.onnx")


def test_a_model_that_is_not_there_or_damaged_is_refused(saved, tmp_path):
    with pytest.raises(ArtefactError, match="nowhere"):
        export(tmp_path / "nowhere", tmp_path / "new.onnx")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "config.json").write_text("{")
    with pytest.raises(ArtefactError):
        export(tmp_path / "broken", tmp_path / "new.onnx")
    assert not (tmp_path / "new.onnx").exists()


def test_without_onnx_the_extra_is_named(saved, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(ImportError, match=re.escape("pip install 'headstart[onnx]'")):
        export(saved.model, tmp_path / "new.onnx")


@pytest.fixture
def written(saved, monkeypatch):
    """The conversion, which takes seconds, is that of the file that is there."""
    import onnx

    from headstart.deployment.formats import onnx_graph

    proto = onnx.load(saved.onnx)
    monkeypatch.setattr(onnx_graph, "onnx_of", lambda *given: proto)
    return proto


def test_a_file_that_answers_otherwise_is_not_written(saved, written, tmp_path):
    from onnx import numpy_helper

    weight = next(array for array in written.graph.initializer if "weight_0" in array.name)
    weight.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weight) * 1.01, weight.name))
    with pytest.raises(ArtefactError, match=r"does not answer as the model does: the largest difference on 60 rows"):
        export(saved.model, tmp_path / "new.onnx")
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_file_stays_where_the_disk_is_full(saved, written, tmp_path, monkeypatch):
    place = tmp_path / "new.onnx"
    place.write_bytes(b"earlier")

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        export(saved.model, place, overwrite=True)
    assert [file.name for file in tmp_path.iterdir()] == ["new.onnx"]
    assert place.read_bytes() == b"earlier"


def test_a_full_disk_holds_nothing_of_the_file(saved, written, tmp_path):
    with mounted(tmp_path / "disk", "size=4k") as disk:
        with pytest.raises(OSError, match=r"No space left on device.*nothing was changed"):
            export(saved.model, disk / "new.onnx")
        assert os.listdir(disk) == []


def test_8_bits_want_rows_with_labels_and_a_layer(saved, written, tmp_path):
    unlabelled = tmp_path / "unlabelled.csv"
    mixed_table().drop(columns="label").to_csv(unlabelled, index=False)
    with pytest.raises(DataError):
        export(saved.model, tmp_path / "new.onnx", int8=True, check_on=unlabelled)
    with pytest.raises(ArtefactError, match="no layer of this model that 8 bits would make smaller"):
        export(saved.model, tmp_path / "new.onnx", int8=True)
    assert not (tmp_path / "new.onnx").exists()


def test_the_verb_prints_what_was_compared(saved, written, tmp_path, monkeypatch, capsys):
    place = tmp_path / "new.onnx"
    monkeypatch.setattr(sys, "argv", ["headstart", "export", str(saved.model), "--onnx", str(place), "--json"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code in (0, None)
    record = json.loads(capsys.readouterr().out)
    assert record["parity"]["rows"] == ROWS
    assert record["files"] == [str(place)]
    for words, match in (([], "expected one of --onnx"), (["--onnx", str(place), "--opset", "11"], "11 is too old")):
        monkeypatch.setattr(sys, "argv", ["headstart", "export", str(saved.model), *words])
        with pytest.raises(SystemExit) as end:
            main()
        assert end.value.code == 2
        assert match in capsys.readouterr().err


def test_made_up_rows_serve_where_the_data_are_gone(saved, written, tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(onnx_file, "_notes", lambda fitted, rows: made.append(rows) or ())
    evidence = saved.fitted.model_.evidence
    gone = evidence | {"origin": {**evidence["origin"], "data": str(tmp_path / "gone.csv")}}
    from dataclasses import replace

    fitted = hs.Transfer.load(saved.model)
    fitted.hold(replace(fitted.model_, evidence=gone))
    exported = export(fitted, Path(tmp_path / "new.onnx"))
    assert "200 made-up rows" in str(exported)
    frame = made[0].task.inputs
    assert frame.isna().any().all()
    assert (frame["colour"] == "a word that no row had").any()


def test_the_encoded_columns_that_its_head_is_given_are_those_of_predict(saved):
    import onnx

    proto = onnx.load(saved.onnx)
    names = [value.name for value in proto.graph.input]
    part = onnx.utils.Extractor(proto).extract_model(names, ["encoded"])
    frame = mixed_table().drop(columns="label")
    frame.loc[0, "size"] = np.inf
    frame.loc[2, "colour"] = "never seen"
    (encoded,) = parity.session_of(part.SerializeToString()).run(None, cells(frame))
    expected = encoder_of(saved.fitted.model_).transform(frame)
    np.testing.assert_allclose(encoded, expected, rtol=0, atol=1e-6 * max(1, np.abs(expected).max()))
