"""Files of skops: a plain pipeline where there is one, else the fitted Transfer."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import load_iris

from headstart.deployment.formats.export import export
from headstart.transfer import Transfer

skops_io = pytest.importorskip("skops.io")
ALONE = """
import sys, json
import skops.io as io, pandas as pd
file, table = sys.argv[1:]
model = io.load(file, trusted=["numpy.dtype"])
p = model.predict_proba(pd.read_csv(table))
assert "headstart" not in sys.modules
print(json.dumps(p.tolist()))
"""


@pytest.fixture(scope="module")
def frame():
    return load_iris(as_frame=True).data.assign(word=np.where(np.arange(150) % 3, "p", "q"))


@pytest.fixture(scope="module")
def fitted(frame):
    return Transfer(None, "ridge").fit(frame, load_iris().target_names[load_iris().target])


def test_a_plain_pipeline_needs_no_headstart(tmp_path, frame, fitted):
    told = export(fitted, tmp_path / "iris.skops", format="skops", check_on=frame)
    assert told.parity.largest <= 1e-6
    assert "a pipeline of scikit-learn alone" in told.notes[0]
    frame.to_csv(tmp_path / "iris.csv", index=False)
    done = subprocess.run(
        [sys.executable, "-c", ALONE, tmp_path / "iris.skops", tmp_path / "iris.csv"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    np.testing.assert_allclose(json.loads(done.stdout), fitted.predict_proba(frame), atol=1e-6)


def test_other_heads_travel_as_the_transfer_itself(tmp_path, frame):
    kernel = Transfer(None, "kernel").fit(frame, load_iris().target)
    told = export(kernel, tmp_path / "kernel.skops", format="skops", check_on=frame)
    assert told.facts["trusted"] == ["headstart.transfer.Transfer"]
    assert "since its head 'kernel' is more than one linear layer" in told.notes[0]
    again = skops_io.load(tmp_path / "kernel.skops", trusted=told.facts["trusted"])
    np.testing.assert_array_equal(again.predict_proba(frame), kernel.predict_proba(frame))
    with pytest.raises(TypeError, match=r"headstart\.transfer\.Transfer"):
        skops_io.load(tmp_path / "kernel.skops")


def test_places_that_are_taken_or_named_otherwise_are_refused(tmp_path, fitted, frame):
    (tmp_path / "there.skops").write_bytes(b"mine")
    with pytest.raises(ValueError, match=r"is there already.*--overwrite"):
        export(fitted, tmp_path / "there.skops", format="skops", check_on=frame)
    with pytest.raises(ValueError, match=r"expected \.skops"):
        export(fitted, tmp_path / "iris.pkl", format="skops", check_on=frame)
    assert (tmp_path / "there.skops").read_bytes() == b"mine"
    export(fitted, tmp_path / "there.skops", format="skops", check_on=frame, overwrite=True)
    assert (tmp_path / "there.skops").stat().st_size > 1000


def test_the_extra_is_named_where_skops_is_missing(tmp_path, fitted, monkeypatch):
    monkeypatch.setitem(sys.modules, "skops.io", None)
    with pytest.raises(ImportError, match=r"headstart\[skops\]"):
        export(fitted, tmp_path / "iris.skops", format="skops")
