"""The backbone of tables by name: with weights, without any, and where it has no use."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest
import torch

from headstart import BackboneError, MissingWeights, Transfer, fit
from headstart.backbones.load import load
from headstart.backbones.tables import is_table_prior
from headstart.table_prior.network import Design, TablePrior
from headstart.table_prior.weights import RECORD, SHIPPED, write_weights

NAME = "bundled:table-prior"


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    folder, design = tmp_path_factory.mktemp("weights"), Design(width=8, heads=2, layers=1, depth=0, wide=1)
    torch.manual_seed(0)
    write_weights(TablePrior(design), folder)
    (folder / "training.json").write_text(json.dumps({"design": design._asdict()}), "utf-8")
    return folder


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    size, colour = rng.normal(10, 3, 90), rng.choice(["red", "green", "blue"], 90)
    kind = np.where(size + 4 * (colour == "red") + rng.normal(size=90) > 11, "big", "small")
    size[::9] = np.nan
    split = np.where(np.arange(90) % 3 == 2, "test", "train")  # one trial in place of fifteen
    noise = rng.normal(size=90)
    return pd.DataFrame({"size": size, "colour": colour, "noise": noise, "kind": kind, "split": split})


def test_a_model_of_it_answers_the_same_in_a_fresh_process(preloaded, weights, table, tmp_path):
    model = fit(table, backbone=f"{NAME}?weights={weights}", method="incontext", cache=False)
    assert model.evidence_.metrics["accuracy"].value > 0.7
    folder = model.save(tmp_path / "model")
    inputs = table.drop(columns=["kind", "split"])
    inputs.to_csv(tmp_path / "new.csv", index=False)
    code = (
        "import sys, pandas, numpy, headstart as hs\n"
        "model = hs.Transfer.load(sys.argv[1])\n"
        "numpy.save(sys.argv[3], model.predict_proba(pandas.read_csv(sys.argv[2])))\n"
    )
    answers = tmp_path / "answers.npy"
    preloaded.checked(code, folder, tmp_path / "new.csv", answers)
    np.testing.assert_allclose(np.load(answers), model.predict_proba(inputs), atol=1e-6)
    again = Transfer.load(folder)
    assert again.backbone == f"{NAME}?weights={weights}"
    assert again.model_.backbone.fingerprint == load(again.backbone).fingerprint


def test_the_default_method_tries_it_beside_the_others(weights, table):
    inputs, kind = table.drop(columns=["kind", "split"]), table["kind"]
    model = Transfer(f"{NAME}?weights={weights}").fit(inputs, kind)
    assert {"ridge", "incontext"} <= model.model_.head.facts.candidates.keys()
    assert "incontext" not in Transfer().fit(inputs, kind).model_.head.facts.candidates


def test_a_linear_head_that_is_named_stands_on_row_embeddings(weights, table, tmp_path):
    name = f"{NAME}?weights={weights}"
    model = fit(table, backbone=name, method="logistic", cache=False)
    assert model.model_.head.name == "row-logistic"
    assert model.evidence_.metrics["accuracy"].value > 0.7
    inputs = table.drop(columns=["kind", "split"])
    again = Transfer.load(model.save(tmp_path / "model"))
    np.testing.assert_allclose(again.predict_proba(inputs), model.predict_proba(inputs), atol=1e-6)
    with pytest.raises(
        ValueError, match="kernel head does not stand on what the table network makes of rows: use probe"
    ):
        fit(table, backbone=name, method="kernel", cache=False)


def test_weights_come_with_it_and_say_where_they_are_from(table):
    model = fit(table, backbone=NAME, method="incontext", cache=False)
    assert model.evidence_.metrics["accuracy"].value > 0.7
    assert re.match(r"\d+ steps in \d+ minutes on ", model.model_.head.facts.account["weights"])
    record = json.loads((SHIPPED / RECORD).read_text("utf-8"))
    assert record["licence"] == "Apache-2.0"
    assert record["curve"][-1][0] == record["step"]
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 20e6


def test_what_has_no_use_is_refused(weights, table, tmp_path):
    name = f"{NAME}?weights={weights}"
    with pytest.raises(BackboneError, match=r"expected nothing after '\?' but weights=FOLDER"):
        load(f"{NAME}?weights=random&seed=3")
    with pytest.raises(MissingWeights, match=r"no training.json"):
        load(f"{NAME}?weights={tmp_path}")
    with pytest.raises(ValueError, match="moves weights, and a table has none: use 'probe'"):
        fit(table, backbone=name, method="fine-tune")
    with pytest.raises(ValueError, match="has no use with a source: leave it out"):
        fit(table, source=table, backbone=name)
    assert not is_table_prior("bundled:minilm")
