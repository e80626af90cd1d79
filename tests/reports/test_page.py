"""The page of a model of hostile data: whole, readable, and nothing of the data in its markup."""

from __future__ import annotations

from dataclasses import replace

import pytest
from html_pages import faults, tree_of

from headstart.evidence.confusion import ClassScore, Mistake
from headstart.evidence.intervals import Interval
from headstart.evidence.uncertainty import AlarmFacts, SelectiveFacts, SetFacts, UncertaintyFacts
from headstart.reports.page import make_page
from headstart.reports.subject import Subject, subject_of
from headstart.reports.uncertainty import uncertainty_lines
from headstart.reports.words import words_of

SECTIONS = [
    "scores", "cost", "classes", "confusion", "reliability", "uncertainty", "curve", "mistakes", "doubtful", "check",
    "groups", "map", "choice", "environment",
]  # fmt: skip


@pytest.fixture(scope="module")
def subject(first):
    return subject_of(first.model)


@pytest.fixture(scope="module", params=["en", "zh"])
def page(subject, request):
    return make_page(subject, words_of(request.param))


def test_nothing_of_the_data_is_markup_and_nothing_leads_outside(page):
    assert faults(page) == {}


def test_what_is_hostile_is_there_as_text(page):
    tree = tree_of(page)
    assert "<script>alert(1)</script>" in tree.main.text
    assert '"onload="alert(1)' in tree.main.text
    assert "\\u202etxt.exe\\u202c" in tree.main.text
    assert max(map(len, tree.main.text.split())) < 500


def test_the_sections_stand_in_their_order(page):
    headings = [tag["id"].removesuffix("-h") for tag in tree_of(page).find_all("h2")]
    assert headings == SECTIONS


def test_the_rows_that_were_answered_wrongly_are_shown_as_the_table_has_them(first, subject):
    import pandas as pd

    frame, tree = pd.read_csv(first.data), tree_of(make_page(subject, words_of("en")))
    cards = tree.select(".cards > li")
    assert len(cards) == len(subject.evidence.examples.mistakes) > 2
    for card in cards:
        line = int(card.select_one(".name").text.split()[1])
        shown = card.select_one(".beside tbody td").text
        assert float(shown) == pytest.approx(frame.iloc[line - 2, 0])
        assert len(card.select(".beside thead th")) == 4


def test_mistakes_are_the_surest_first_and_doubtful_labels_the_least_probable(subject):
    examples = subject.evidence.examples
    sure = [examples.rows[at].sure for at in examples.mistakes]
    given = [examples.rows[at].given for at in examples.doubtful]
    assert sure == sorted(sure, reverse=True)
    assert given == sorted(given)
    assert all(examples.rows[at].truth != examples.rows[at].answer for at in (*examples.mistakes, *examples.doubtful))


def test_scores_of_groups_and_domains_are_of_the_rows_that_were_tested(subject):
    evidence = subject.evidence
    for scores in (evidence.examples.groups, evidence.examples.domains):
        rows = sum(score.rows for score in scores)
        right = sum(score.rows * score.value for score in scores)
        assert rows == evidence.n_test
        assert right / rows == pytest.approx(evidence.metrics["accuracy"].value, abs=1e-3)


def test_of_500_classes_the_worst_pairs_are_listed_and_no_matrix_is_drawn(subject):
    classes = tuple(ClassScore(f"class {at}", 0.5, 0.5, 0.5, 2) for at in range(500))
    pairs = tuple(Mistake(f"class {at}", f"class {at + 1}", 2.0) for at in range(10))
    evidence = replace(subject.evidence, classes=classes, confusion=(), mistakes=pairs)
    html = make_page(subject._replace(evidence=evidence), words_of("en"))
    assert faults(html) == {}
    section = tree_of(html).find("section", attrs={"aria-labelledby": "confusion-h"})
    assert section.svg is None
    assert section.select_one("tbody tr").th.text == "class 0 taken for class 1"
    assert "Of 500 classes there is no room for a matrix" in section.text
    assert len(html) < 300_000


def test_40_classes_are_drawn_and_of_100_those_with_most_confusions(subject):
    for size, drawn in ((40, 40), (100, 40)):
        classes = tuple(ClassScore(f"c{at}", 0.5, 0.5, 0.5, 2) for at in range(size))
        counts = tuple(tuple(3.0 if a == b else float((a + 1) % size == b) for b in range(size)) for a in range(size))
        evidence = replace(subject.evidence, classes=classes, confusion=counts, mistakes=())
        html = make_page(subject._replace(evidence=evidence), words_of("en"))
        section = tree_of(html).find("section", attrs={"aria-labelledby": "confusion-h"})
        assert len(section.svg.find_all("text", attrs={"text-anchor": "end"})) == drawn
        assert ("Of 100 classes, the 40" in section.text) == (size == 100)


def test_a_class_that_is_never_answered_is_named(subject):
    classes = (ClassScore("never", 0.0, 0.0, 0.0, 4), ClassScore("often", 0.5, 1.0, 0.67, 4))
    html = make_page(subject._replace(evidence=replace(subject.evidence, classes=classes)), words_of("en"))
    assert "Never answered: never." in tree_of(html).text


@pytest.mark.parametrize("why", ["", "this evidence has format 9, and this headstart reads 1"])
def test_without_evidence_the_page_says_so_and_shows_the_environment(subject, why):
    html = make_page(Subject("m", subject.config, subject.modality, None, why), words_of("en"))
    assert faults(html) == {}
    text = tree_of(html).text
    assert (why or "nothing was held out when it was fitted") in text
    assert "scikit-learn" in text
    assert [tag["id"] for tag in tree_of(html).find_all("h2")] == ["environment-h"]


def test_evidence_of_an_earlier_version_has_every_section_but_for_the_rows(subject):
    evidence = replace(subject.evidence, examples=None, origin=None)
    html = make_page(subject._replace(evidence=evidence), words_of("en"))
    assert faults(html) == {}
    tree = tree_of(html)
    assert [tag["id"].removesuffix("-h") for tag in tree.find_all("h2")] == [
        name for name in SECTIONS if name != "groups"
    ]
    assert tree.text.count("did not keep which rows were tested") == 3
    assert "Not kept by the version that fitted this model." in tree.text


def test_the_command_can_be_typed_again(subject):
    import shlex

    command = tree_of(make_page(subject, words_of("en"))).pre.text
    assert shlex.split(command)[:2] == ["headstart", "fit"]
    assert shlex.split(command)[-1] == 'a "onload="alert(1)'


def test_a_password_of_the_command_is_not_kept(first):
    kept = (first.model / "evidence.json").read_text("utf-8")
    assert "mlflow:https://host" in kept
    assert "s3cret" not in kept


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_is_known_of_uncertainty_is_said_and_no_more(language):
    words, half = words_of(language), Interval(0.5, 0.4, 0.6)
    sets = SetFacts(0.9, Interval(0.91, 0.88, 0.94), 2.1, 0.56, 1)
    facts = UncertaintyFacts(sets, SelectiveFacts(0.95, half, half), AlarmFacts(0.01, half))
    for figure, line in zip((".91 [.88, .94]", "50 %", ".50 [.40, .60]"), uncertainty_lines(words, facts), strict=True):
        assert figure in line
    unanswered = SelectiveFacts(0.95, Interval(0.0), Interval(float("nan")))
    told = list(uncertainty_lines(words, UncertaintyFacts(sets._replace(single=None, size=12.34), unanswered)))
    assert len(told) == 2
    assert "12.3" in told[0]
    assert ".95" in told[1]
    assert list(uncertainty_lines(words, None)) == []
