"""Features as a file: the numbers that a head stands on, in the order of the inputs, whatever cannot be read."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from headstart import DataError, Transfer
from headstart.study.feature_table import feature_table

TEXTS = [f"a {word} thing number {number}" for number in range(6) for word in ("good", "bad")]
WORDS = ("--backbone", "bundled:wordllama", "--engine", "torch", "--no-cache")


@pytest.fixture
def reviews(tmp_path):
    frame = pd.DataFrame({"text": TEXTS, "label": ["pos", "neg"] * 6})
    frame.to_csv(tmp_path / "reviews.csv", index=False)
    return tmp_path / "reviews.csv"


def test_they_are_those_of_transform(run, reviews, tmp_path):
    fitted = Transfer("bundled:wordllama", "ridge", engine="torch", cache=False).fit(TEXTS, ["pos", "neg"] * 6)
    expected = fitted.transform(TEXTS)
    for name in ("f.npy", "f.parquet", "f.csv", "f.jsonl"):
        written = run("features", reviews, "--out", tmp_path / name, "--target", "label", *WORDS)
        assert written.code == 0, written.err
        assert "12 rows of 256 features" in " ".join(written.err.split())
    np.testing.assert_array_equal(np.load(tmp_path / "f.npy"), expected)
    for table in (pd.read_parquet(tmp_path / "f.parquet"), pd.read_csv(tmp_path / "f.csv")):
        assert table.columns.tolist() == ["name", *(f"f{i}" for i in range(256)), "target", "reason"]
        np.testing.assert_allclose(table.filter(regex=r"^f\d").to_numpy(float), expected, rtol=1e-6)
        assert table["target"].tolist() == ["pos", "neg"] * 6
    records = [json.loads(line) for line in (tmp_path / "f.jsonl").read_text().splitlines()]
    np.testing.assert_allclose([record["features"] for record in records], expected, rtol=1e-6)


def test_a_row_for_each_input_in_order_also_where_one_cannot_be_read(run, tmp_path):
    for number in range(4):
        Image.new("RGB", (40, 40), (40 * number, 0, 0)).save(tmp_path / f"{number}.png")
    (tmp_path / "1.png").write_bytes(b"no picture")
    out = tmp_path / "out" / "f.npy"
    out.parent.mkdir()
    words = ("--backbone", "timm:test_resnet?weights=random", "--engine", "torch", "--no-cache")
    written = run("features", tmp_path, "--out", out, *words)
    assert written.code == 0, written.err
    assert "4 rows of 96 features, 1 of them without" in " ".join(written.err.split())
    assert np.isnan(np.load(out)).all(axis=1).tolist() == [False, True, False, False]
    table = feature_table(tmp_path, backbone=words[1], engine="torch", cache=False)
    assert [reason is None for reason in table.reasons] == [True, False, True, True]
    assert table.targets is None
    assert [record["features"] is None for record in table.rows()] == [False, True, False, False]


def test_columns_become_numbers():
    table = feature_table(pd.DataFrame({"size": [1.5, 2.5, None, 4.5], "colour": ["red", "blue", "red", "blue"]}))
    assert table.values.shape[0] == 4
    assert np.isfinite(table.values).all()
    assert (table.backbone, table.targets) == (None, None)


def test_what_cannot_be_written_or_read_is_refused(run, reviews, tmp_path):
    refused = run("features", reviews, "--out", tmp_path / "f.xlsx")
    assert (refused.code, "expected .npy, .csv, .tsv, .jsonl, .json or .parquet" in refused.err) == (2, True)
    assert run("features", reviews, "--out", reviews).code == 2
    predicted = run("predict", tmp_path / "model", reviews, "--out", tmp_path / "p.npy")
    assert (predicted.code, "expected .csv, .tsv" in predicted.err) == (2, True)
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.png").write_bytes(b"no picture")
    with pytest.raises(DataError):
        feature_table(tmp_path / "pictures", backbone="timm:test_resnet?weights=random", cache=False)
