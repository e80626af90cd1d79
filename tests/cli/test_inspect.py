"""What the command line tells of the methods: from the table, and from nowhere else."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from headstart.cli.arguments import METHOD
from headstart.cli.pretrain import METHOD as PRETRAIN
from headstart.methods.table import METHODS, configured
from headstart.pretraining.table import PRETRAINING

DOCS = Path(__file__).parents[2] / "docs"


def test_methods_lists_every_row(run):
    shown = run("methods")
    assert shown.code == 0
    assert [name for name in METHODS if f"  {name} " not in shown.out] == []
    assert max(map(len, shown.out.splitlines())) < 80
    documents = run("methods", "--json").json
    assert [document["name"] for document in documents] == list(METHODS)
    assert {document["name"] for document in documents if document["needs_source"]} >= {"coral", "dann"}


def test_a_row_is_shown_with_the_options_that_it_takes(run):
    shown = run("methods", "gradual+l2-sp", "--json").json
    options = {option["name"]: option["default"] for option in shown["options"]}
    assert (options["stages"], options["weight"], options["epochs"]) == (4, 0.01, 6)
    assert "scratch" not in options
    assert configured("gradual+l2-sp", options) == configured("gradual+l2-sp", {})
    assert "no options" in run("methods", "no-transfer").out
    assert "root  bool          True" in run("methods", "ridge").out
    assert re.search(r"gamma +float \| None +None", run("methods", "kmm").out)
    refused = run("methods", "gradul")
    assert (refused.code, "nearest: gradual" in refused.err) == (2, True)


def test_methods_of_other_verbs_are_listed_under_their_verb(run):
    listed = run("methods").out.partition("of headstart pretrain:")[2]
    assert [name for name in PRETRAINING if f"  {name} " not in listed] == []
    shown = run("methods", "simclr")
    assert shown.out.startswith("simclr: pictures: two views of one")
    assert re.search(r"temperature +float +0.2", shown.out)
    assert set(PRETRAINING) - set(re.findall(r"[\w-]+", PRETRAIN)) == set()


def test_help_names_every_method():
    assert set(METHODS) - set(re.findall(r"[\w-]+", METHOD)) == set()


@pytest.mark.parametrize(
    ("script", "page"), [("methods.py", "methods.md"), ("architecture.py", "images/architecture.svg")]
)
def test_pages_that_are_made_from_the_code_are_of_this_code(script, page, capsys):
    runpy.run_path(str(DOCS / script), run_name="__main__")
    assert capsys.readouterr().out == (DOCS / page).read_text("utf-8"), "run `make docs`"
