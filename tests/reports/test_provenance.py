"""A model that is handed on need not tell where its data lay, nor what was typed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hostile import hostile_table
from html_pages import faults, tree_of

import headstart
from headstart.data.roles import Roles
from headstart.study.origin import without_origin


def contents(folder):
    return b"\n".join(path.read_bytes() for path in sorted(folder.iterdir()))


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("private") / "patients.csv"
    hostile_table().drop(columns="group").to_csv(path, index=False)
    return path


def test_no_file_of_the_model_tells_the_path_and_the_report_says_what_is_left_out(run, table, tmp_path):
    output = run("fit", table, "--out", tmp_path / "m", "--method", "ridge", "--no-provenance", "--no-control")
    assert output.code == 0, output.err
    for word in (str(table.parent), table.name, "--no-control", str(tmp_path)):
        assert word.encode() not in contents(tmp_path / "m")
    html = headstart.report(tmp_path / "m").read_text("utf-8")
    assert faults(html) == {}
    text = tree_of(html).text
    assert "The command and the paths of the data were left out, as was asked (--no-provenance)." in text
    assert "The rows themselves are left out: the model was fitted with --no-provenance" in text
    assert len(tree_of(html).select(".cards > li")) > 2
    assert "patients" not in html


def test_in_python_it_is_kept_unless_it_is_not_wanted(table, tmp_path):
    fitted = headstart.fit(table, method="ridge", roles=Roles(domain="domain"), control=False)
    assert fitted.evidence_.origin.data == str(table)
    fitted.save(tmp_path / "m")
    assert str(table).encode() in contents(tmp_path / "m")
    noted = {"notes": [f"read from {table}"], "findings": [{"what": "x", "examples": [f"{table.parent}/1.png"]}]}
    model = fitted.model_
    fitted.hold(replace(model, evidence=model.evidence | noted, notes=(f"encoding of {table}",)))
    private = without_origin(fitted, (table, None, None))
    assert private.evidence_.origin.withheld
    assert private.evidence_.notes == ("read from patients.csv",)
    assert private.evidence_.findings[0]["examples"] == ["1.png"]
    assert private.model_.notes == ("encoding of patients.csv",)
    private.save(tmp_path / "private")
    assert str(table.parent).encode() not in contents(tmp_path / "private")
    assert headstart.Transfer.load(tmp_path / "private").evidence_.origin.to_json()["withheld"]
