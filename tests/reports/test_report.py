"""From a folder to a file: what is refused, what is left out and said, and the verb."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from html_pages import faults, tree_of
from sklearn.exceptions import NotFittedError

import headstart
from headstart.artefact.files import seal
from headstart.reports.words import LANGUAGES

EARLIER = Path(__file__).parents[1] / "artefact" / "earlier"


def rewritten(model, evidence):
    """The same model with other evidence, its hashes made to fit."""
    from blake3 import blake3

    data = json.dumps(evidence).encode()
    (model / "evidence.json").write_bytes(data)
    config = json.loads((model / "config.json").read_text("utf-8"))
    config["files"]["evidence.json"] = {"size": len(data), "blake3": blake3(data).hexdigest()}
    (model / "config.json").write_text(json.dumps(seal(config)), "utf-8")


def evidence_of(model):
    return json.loads((model / "evidence.json").read_text("utf-8"))


def test_it_is_written_beside_the_model_and_not_over_a_file(hostile):
    path = headstart.report(hostile.model)
    assert path == hostile.model.with_name("model.html")
    assert faults(path.read_text("utf-8")) == {}
    path.write_text("mine")
    with pytest.raises(ValueError, match=r"is there already: name another file, or ask to overwrite it"):
        headstart.report(hostile.model)
    assert path.read_text() == "mine"
    assert headstart.report(hostile.model, overwrite=True).stat().st_size > 20_000


@pytest.mark.parametrize("name", ["page.txt", "model/page.html", "nowhere/page.html"])
def test_a_place_that_cannot_be_is_refused(hostile, tmp_path, name):
    with pytest.raises(ValueError, match=r"names no format|in the folder of a saved model|there is no folder"):
        headstart.report(hostile.model, tmp_path / name)


def test_a_fitted_model_needs_a_file(hostile, tmp_path):
    fitted = headstart.Transfer.load(hostile.model)
    with pytest.raises(ValueError, match=r"a model in memory has no folder"):
        headstart.report(fitted)
    page = headstart.report(fitted, tmp_path / "r.html").read_text("utf-8")
    assert faults(page) == {}
    with pytest.raises(NotFittedError):
        headstart.report(headstart.Transfer(), tmp_path / "r2.html")
    assert not (tmp_path / "r2.html").exists()


def test_data_that_moved_are_said_to_have(hostile, tmp_path):
    evidence = evidence_of(hostile.model)
    evidence["origin"]["data"] = str(tmp_path / "gone.csv")
    rewritten(hostile.model, evidence)
    text = tree_of(headstart.report(hostile.model).read_text("utf-8")).text
    assert "The rows themselves are left out: the data are not at" in text
    assert "gone.csv" in text


def test_rows_that_changed_are_left_out_and_counted(hostile, tmp_path):
    import pandas as pd

    evidence = evidence_of(hostile.model)
    frame = pd.read_csv(hostile.data)
    first = evidence["examples"]["rows"][evidence["examples"]["mistakes"][0]]
    frame.iloc[first[0][1], 0] += 1
    frame.to_csv(tmp_path / "changed.csv", index=False)
    evidence["origin"]["data"] = str(tmp_path / "changed.csv")
    rewritten(hostile.model, evidence)
    tree = tree_of(headstart.report(hostile.model).read_text("utf-8"))
    assert "1 rows are left out: the data changed since the fit." in tree.text
    assert "not shown: changed, moved or left out for size" in tree.select(".cards > li")[0].text


def test_data_in_memory_are_named_by_that(hostile):
    evidence = evidence_of(hostile.model)
    evidence["origin"] |= {"data": None, "command": None}
    rewritten(hostile.model, evidence)
    text = tree_of(headstart.report(hostile.model).read_text("utf-8")).text
    assert "fitted on data in memory" in text
    assert "Fitted from Python; there is no command to repeat." in text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": 9}, "this evidence has format 9"),
        ({"examples": {"format": 2}}, "did not keep which rows were tested"),
        ({"examples": {"format": 1}}, "this evidence is damaged"),
    ],
)
def test_evidence_of_another_version_still_gives_a_page(hostile, change, said):
    rewritten(hostile.model, evidence_of(hostile.model) | change)
    page = headstart.report(hostile.model).read_text("utf-8")
    assert faults(page) == {}
    assert said in tree_of(page).text


@pytest.mark.parametrize("name", ["table", "text", "picture"])
def test_a_model_of_the_first_tree_has_a_page(name, tmp_path):
    page = headstart.report(EARLIER / name, tmp_path / "page.html").read_text("utf-8")
    assert faults(page) == {}
    gap = "did not keep which rows were tested" if name == "table" else "nothing was held out when it was fitted"
    assert gap in tree_of(page).text


def test_no_model_is_an_error_of_the_model(tmp_path):
    with pytest.raises(headstart.ArtefactError):
        headstart.report(tmp_path / "nothing")


def test_the_verb_says_the_verdict_in_the_language(run, hostile):
    output = run("report", hostile.model, "--lang", "zh")
    assert output.code == 0, output.err
    assert any(LANGUAGES["zh"][f"verdict.model.{word}"] in output.out for word in ("helps", "hurts", "cannot tell"))
    assert "model.html" in output.out
    refused = run("report", hostile.model)
    assert (refused.code, "--overwrite" in refused.err) == (2, True)
    written = run("report", hostile.model, "--overwrite", "--json").json
    assert sorted(written) == ["report", "verdict"]
    assert run("report", hostile.model, "--overwrite", "--lang", "de").code == 2


def test_a_curve_stands_in_the_page_as_a_picture_that_runs_nothing(hostile, tmp_path):
    drawing = tmp_path / "curve.svg"
    drawing.write_text('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "utf-8")
    page = headstart.report(hostile.model, curve=drawing).read_text("utf-8")
    assert faults(page) == {}
    assert tree_of(page).find("img")["src"].startswith("data:image/svg+xml;base64,")
    drawing.write_text("<html>", "utf-8")
    with pytest.raises(ValueError, match=r"is no \.svg"):
        headstart.report(hostile.model, curve=drawing, overwrite=True)


def test_notebooks_show_the_head_of_it(hostile):
    fitted = headstart.Transfer.load(hostile.model)
    shown = fitted._repr_mimebundle_()["text/html"]
    assert shown == fitted.evidence_._repr_html_()
    tree = tree_of(shown)
    assert tree.find("script") is None
    assert len(tree.find_all("tr")) == 2 + len(fitted.evidence_.baselines)
    assert "rows to learn from" in tree.text
    assert "rows to learn from" not in headstart.Transfer()._repr_mimebundle_()["text/html"]


def test_numbers_have_errors_in_the_place_of_mistakes(tmp_path):
    import pandas as pd

    rng = np.random.default_rng(0)
    x = rng.normal(size=90)
    frame = pd.DataFrame({"x": x, "label": 3 * x + rng.normal(size=90), "split": ["train", "train", "test"] * 30})
    frame.to_csv(tmp_path / "numbers.csv", index=False)
    roles = headstart.Roles(target="label")
    fitted = headstart.fit(tmp_path / "numbers.csv", method="ridge", kind="regression", roles=roles, cache=False)
    page = headstart.report(fitted, tmp_path / "r.html").read_text("utf-8")
    assert faults(page) == {}
    tree = tree_of(page)
    assert "Largest errors" in tree.text
    assert tree.find(id="confusion-h") is None
    examples = fitted.evidence_.examples
    errors = [abs(examples.rows[at].truth - examples.rows[at].answer) for at in examples.mistakes]
    assert errors == sorted(errors, reverse=True)
    assert examples.doubtful == ()
    shutil.rmtree(tmp_path)


@pytest.mark.slow
def test_a_locale_without_utf8_writes_the_same_page(hostile):
    words = [sys.executable, "-m", "headstart", "report", str(hostile.model), "--lang", "zh", "--overwrite"]
    headstart.report(hostile.model, lang="zh")
    page = hostile.model.with_name("model.html").read_bytes()
    plain = os.environ | {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(words, env=plain, capture_output=True, check=True)
    assert hostile.model.with_name("model.html").read_bytes() == page
    assert done.stdout.isascii()
