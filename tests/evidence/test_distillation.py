"""What a student kept of its teacher: figures, table, JSON and back."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from headstart.errors import DataError
from headstart.evidence.assess import assess
from headstart.evidence.distillation import Distillation, distillation_of, table
from headstart.evidence.evidence import Evidence, of_answers
from headstart.evidence.page import headline
from tests.evidence.conftest import a_held, guesses, labels_held, values_held

COSTS = {"this model": (9.1, 2_300_000, 12.3), "no-teacher": (9.1, 2_300_000, 12.3), "teacher": (13.7, 3_400_000, 20.0)}
ROWS: dict[str, Any] = {"teacher": "lp-ft on big", "rows": (300, 800)}


def of_classes() -> tuple[Evidence, dict[str, Any]]:
    held = a_held(80, 3)
    skills = {"this model": 2.0, "no-teacher": 0.2, "teacher": 3.0}
    answers = {name: guesses(held.targets, 3, skill, seed) for seed, (name, skill) in enumerate(skills.items())}
    rivals = {name: given for name, given in answers.items() if name != "this model"}
    evidence = of_answers(held, answers["this model"], rivals)
    kept = distillation_of(held, evidence.assessment, answers, COSTS, **ROWS)
    return replace(evidence, n_train=300, distillation=kept), answers


def test_the_gain_is_paired_and_agreement_is_with_the_teacher() -> None:
    evidence, answers = of_classes()
    kept = evidence.distillation
    assert kept is not None
    assert (kept.verdict, kept.gain) == ("helps", evidence.assessment.gains["no-teacher"])
    assert (kept.metric, kept.labelled, kept.unlabelled) == ("balanced_accuracy", 300, 800)
    for row in kept.compared:
        agreed = np.mean(answers[row.name].argmax(1) == answers["teacher"].argmax(1))
        assert row.agreement.value == pytest.approx(agreed)
    student, alone, teacher = kept.compared
    assert student.score == evidence.metrics["balanced_accuracy"]
    assert alone.calibration == evidence.baselines["no-teacher"]["calibration_error"]
    assert (teacher.megabytes, teacher.parameters, teacher.milliseconds) == (13.7, 3_400_000, 20.0)
    assert "gain over the same student without a teacher +." in headline(evidence)
    assert headline(evidence).endswith(": the teacher helps")


def test_the_table_fits_a_terminal_and_sets_accuracy_against_cost() -> None:
    evidence, _ = of_classes()
    assert evidence.distillation is not None
    lines = list(table(evidence.distillation))
    assert max(map(len, lines)) <= 79
    assert lines[0].split() == ["balanced", "accuracy", "as", "teacher", "calibr.", "MB", "figures", "ms"]
    assert lines[3].split()[-3:] == ["13.7", "3.4M", "20.0"]
    page = str(evidence)
    assert "what the student kept of its teacher (lp-ft on big), and what either costs" in page
    assert lines[1] in page


def test_it_comes_back_from_json_and_is_not_there_without_a_teacher() -> None:
    evidence, _ = of_classes()
    again = Evidence.from_json(json.loads(json.dumps(evidence.to_json())))
    assert again.distillation == evidence.distillation
    assert "distillation" not in replace(evidence, distillation=None).to_json()


def test_values_and_labels_are_compared_too() -> None:
    held = values_held(40)
    answers = {"this model": held.targets + 0.1, "teacher": held.targets}
    kept = distillation_of(held, assess(held, answers["this model"], {}), answers, COSTS, why="no label", **ROWS)
    assert kept.gain is None
    assert kept.compared[0].calibration is None
    assert 0.9 < kept.compared[0].agreement.value < 1
    assert list(table(kept))[1].split()[-4:] == ["-", "9.1", "2.3M", "12.3"]
    labels = labels_held(40, 3)
    both = {name: np.where(labels.targets > 0, 0.9, 0.2) for name in ("this model", "teacher")}
    kept = distillation_of(labels, None, both, COSTS, why="no label", **ROWS)
    assert [row.score for row in kept.compared] == [None, None]
    assert [row.agreement.value for row in kept.compared] == [1, 1]
    assert "?" in list(table(kept))[1]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"verdict": "perhaps"}, "the verdict of distillation is 'perhaps'"),
        ({"compared": [{"name": "x"}]}, "damaged"),
        ({"compared": 3}, "damaged"),
        ({"gain": {"metric": "m", "over": "o", "value": "high", "low": 0, "high": 1}}, "'high' is not a number"),
    ],
)
def test_a_damaged_record_is_refused(change: dict[str, Any], why: str) -> None:
    record = of_classes()[0].to_json()
    with pytest.raises(DataError, match=why):
        Evidence.from_json(record | {"distillation": record["distillation"] | change})
    with pytest.raises(DataError, match=r"distillation is \{\}, expected compared, gain"):
        Evidence.from_json(record | {"distillation": {}})


def test_a_figure_that_is_not_known_is_null() -> None:
    evidence, _ = of_classes()
    kept = evidence.distillation
    assert kept is not None
    unknown = kept._replace(compared=tuple(row._replace(milliseconds=math.nan) for row in kept.compared))
    record = replace(evidence, distillation=unknown).to_json()
    assert record["distillation"]["compared"][0]["milliseconds"] is None
    again = Evidence.from_json(record).distillation
    assert isinstance(again, Distillation)
    assert math.isnan(again.compared[0].milliseconds)
