"""The page of a model of several targets, of a table whose names, labels and words attack a page."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pandas as pd
import pytest
from hostile import SCRIPT, TURNED, hostile_table
from html_pages import faults, tree_of

import headstart
from headstart.data.roles import Roles
from headstart.evidence.assess import Gain
from headstart.evidence.multi_task import MultiTaskEvidence
from headstart.evidence.sharing import ALONE, Sharing
from headstart.reports.page import make_page
from headstart.reports.several import sharing_in
from headstart.reports.subject import subject_of
from headstart.reports.words import words_of
from headstart.study.origin import origin_of

VALUE = f"value {SCRIPT}{TURNED}"


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The folder of the table and of its model."""
    folder = tmp_path_factory.mktemp("several")
    frame = hostile_table().drop(columns="group")
    frame[VALUE] = frame.iloc[:, 0] * 2 + (frame.index % 5) / 10
    frame.loc[frame.index[::7], VALUE] = float("nan")
    path = folder / "data.csv"
    frame.to_csv(path, index=False)
    roles, targets = Roles(domain="domain"), ("label", VALUE)
    fitted = headstart.fit_tasks(path, targets, method="ridge", roles=roles, cache=False)
    command = ("headstart", "fit", str(path), "--target", ",".join(targets))
    fitted.with_origin(origin_of(str(path), roles=roles, command=command)).save(folder / "model")
    return folder


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_head_says_whether_sharing_helps_and_nothing_of_the_data_is_markup(saved, language):
    html, words = make_page(subject_of(saved / "model"), words_of(language)), words_of(language)
    assert faults(html) == {}
    assert tree_of(html).h1.text == words("sharing.nothing") + words("stop").strip()
    assert max(map(len, tree_of(html).main.text.split())) < 500


def test_each_target_has_its_sections_and_anchors_of_its_own(saved):
    html = make_page(subject_of(saved / "model"), words_of("en"))
    assert faults(html) == {}
    tree = tree_of(html)
    assert [tag["id"] for tag in tree.find_all("h2")] == [
        "sharing-h", "check-h", "cost-h", "t1-target-h", "t2-target-h", "environment-h",
    ]  # fmt: skip
    first, second = tree.select("section.target")
    common = ["scores", "mistakes", "groups", "map", "choice"]
    assert {f"t1-{key}-h" for key in (*common, "confusion", "classes", "doubtful")} <= {
        tag["id"] for tag in first.find_all("h3")
    }
    assert {f"t2-{key}-h" for key in common} <= {tag["id"] for tag in second.find_all("h3")}
    assert "R2" in second.text
    assert "Largest errors" in second.text
    assert "alert(1)" in second.h2.text


def test_the_rows_are_read_again_as_the_table_has_them(saved):
    frame, tree = pd.read_csv(saved / "data.csv"), tree_of(make_page(subject_of(saved / "model"), words_of("en")))
    targets = tree.select("section.target")
    for target, column in zip(targets, ("label", VALUE), strict=True):
        cards = target.select(".cards > li")
        assert len(cards) > 2
        for card in cards:
            line = int(card.select_one(".name").text.split()[1])
            assert float(card.select_one(".beside tbody td").text) == pytest.approx(frame.iloc[line - 2, 0])
            assert not pd.isna(frame.loc[line - 2, column])


def test_the_command_and_the_check_of_the_inputs_stand_once(saved):
    tree = tree_of(make_page(subject_of(saved / "model"), words_of("en")))
    assert "--target" in tree.pre.text
    assert str(saved / "data.csv") in tree.find("section", attrs={"aria-labelledby": "environment-h"}).text


def test_what_sharing_gained_is_drawn_for_each_and_for_all(saved):
    subject = subject_of(saved / "model")
    evidence, words = subject.evidence, words_of("en")
    gains = {name: Sharing.of(Gain("r2", ALONE, 0.1, 0.05, 0.2), "together") for name in evidence.tasks}
    worst = next(iter(gains))
    gains[worst] = Sharing.of(Gain("r2", ALONE, -0.1, -0.2, -0.05), "probe")
    overall = Sharing.of(Gain("mean over tasks", ALONE, 0.0, -0.1, 0.1))
    judged = replace(evidence, sharing=gains, overall=overall)
    answer, figures = sharing_in(words, judged)
    assert answer == "It cannot be told whether learning the targets together helps"
    assert f"worse together: {worst}" in figures
    html = make_page(subject._replace(evidence=judged), words)
    assert faults(html) == {}
    table = tree_of(html).select_one("#gains-h ~ table")
    assert [tag.text for tag in table.select("tbody .tag")] == ["hurts", "helps", "cannot tell"]
    assert [tag.text for tag in table.select("tbody td.i")] == ["[-.20, -.05]", "[.05, .20]", "[-.10, .10]"]


def test_a_model_in_memory_has_a_page_and_one_without_evidence_says_so(saved, tmp_path):
    fitted = headstart.MultiTask.load(saved / "model")
    html = headstart.report(fitted, tmp_path / "r.html").read_text("utf-8")
    assert faults(html) == {}
    assert len(tree_of(html).select("section.target")) == 2
    fitted.hold(fitted.models_)
    html = headstart.report(fitted, tmp_path / "none.html").read_text("utf-8")
    assert faults(html) == {}
    assert "nothing was held out when it was fitted" in tree_of(html).text


def test_evidence_of_an_earlier_version_has_no_rows_and_says_so(saved):
    subject = subject_of(saved / "model")
    record = subject.evidence.to_json()
    for task in record["tasks"].values():
        del task["examples"]
    earlier = {key: value for key, value in record.items() if key not in ("findings", "origin")}
    evidence = MultiTaskEvidence.from_json(json.loads(json.dumps(earlier)))
    assert (evidence.findings, evidence.origin) == ((), None)
    html = make_page(subject._replace(evidence=evidence), words_of("en"))
    assert faults(html) == {}
    assert tree_of(html).text.count("did not keep which rows were tested") == 5
    again = MultiTaskEvidence.from_json(json.loads(json.dumps(record)))
    assert (again.findings, again.origin) == (subject.evidence.findings, subject.evidence.origin)


def test_data_that_moved_are_said_to_have_and_a_curve_is_refused(saved, tmp_path):
    subject = subject_of(saved / "model")
    evidence = replace(subject.evidence, origin=subject.evidence.origin._replace(data=str(tmp_path / "gone.csv")))
    text = tree_of(make_page(subject._replace(evidence=evidence), words_of("en"))).text
    assert text.count("the data are not at") == 2
    drawing = tmp_path / "curve.svg"
    drawing.write_text('<svg xmlns="http://www.w3.org/2000/svg"/>', "utf-8")
    with pytest.raises(ValueError, match="a learning curve is of one target, and this model has several"):
        make_page(subject, words_of("en"), curve=drawing)


def test_the_verb_writes_it_too(run, saved, tmp_path):
    shutil.copytree(saved / "model", tmp_path / "copy")
    output = run("report", tmp_path / "copy")
    assert output.code == 0, output.err
    assert "Nothing but the features is shared between the targets." in output.out
    assert (tmp_path / "copy.html").stat().st_size > 20_000
