"""Which rows a fit keeps for its report, against what other libraries find."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.neighbors import NearestNeighbors

import headstart
from headstart.evidence.examples import examples_from
from headstart.study.groups import group_scores
from headstart.study.row_map import _label_sets, _scaled
from headstart.tasks.task import Task

ROWS, TESTED = 150, 50


def task_of(seed=0):
    """Three classes that eight columns tell apart, one row in ten under another label; every third row is tested."""
    rng = np.random.default_rng(seed)
    code = np.arange(ROWS) % 3
    values = rng.normal(size=(ROWS, 8)) + 2.5 * np.eye(3, 8)[code]
    given = np.where(rng.random(ROWS) < 0.1, (code + 1) % 3, code)
    split = np.where(np.arange(ROWS) // 3 % 3 == 0, "test", "train").astype(object)
    names = [f"row {row}" for row in range(ROWS)]
    return Task(
        inputs=values,
        targets=given,
        kind="classification",
        modality="array",
        classes=("a", "b", "c"),
        names=names,
        split=split,
        domain=np.array(["x", "y"], dtype=object)[np.arange(ROWS) % 2],
    )


@pytest.fixture(scope="module")
def fitted():
    return headstart.fit(task_of(), method="ridge", cache=False)


@pytest.fixture(scope="module")
def answered(fitted):
    """The rows that were tested, their probabilities, and their labels."""
    task = task_of()
    rows = np.flatnonzero(task.split == "test")
    return rows, fitted.predict_proba(task.inputs[rows]), task.targets[rows]


def test_mistakes_are_the_wrong_answers_from_the_surest_on(fitted, answered):
    examples = fitted.evidence_.examples
    rows, p, given = answered
    wrong = np.flatnonzero(p.argmax(axis=1) != given)
    expected = rows[wrong[np.argsort(-p[wrong].max(axis=1), kind="stable")]][:12]
    assert [examples.rows[at].row.place for at in examples.mistakes] == expected.tolist()
    assert len(expected) >= 3
    sure = [examples.rows[at].sure for at in examples.mistakes]
    assert sure == pytest.approx(np.sort(p[wrong].max(axis=1))[::-1][:12].tolist(), abs=1e-4)


def test_doubtful_labels_are_the_wrong_answers_from_the_least_probable_label_on(fitted, answered):
    examples = fitted.evidence_.examples
    rows, p, given = answered
    wrong = np.flatnonzero(p.argmax(axis=1) != given)
    chance = p[wrong, given[wrong]]
    expected = rows[wrong[np.argsort(chance, kind="stable")]][:12]
    assert [examples.rows[at].row.place for at in examples.doubtful] == expected.tolist()


def test_neighbours_are_those_of_scikit_learn_among_the_rows_to_learn_from(fitted):
    examples, task = fitted.evidence_.examples, task_of()
    learnt = np.flatnonzero(task.split == "train")
    centre = task.inputs[learnt].mean(axis=0)
    search = NearestNeighbors(n_neighbors=3, metric="cosine").fit(task.inputs[learnt] - centre)
    for example in examples.rows:
        distance, near = search.kneighbors(task.inputs[[example.row.place]] - centre)
        assert [neighbour.row.place for neighbour in example.nearest] == learnt[near[0]].tolist()
        alike = [neighbour.similarity for neighbour in example.nearest]
        assert alike == pytest.approx((1 - distance[0]).tolist(), abs=1e-3)
        assert [neighbour.truth for neighbour in example.nearest] == [
            "abc"[task.targets[row]] for row in learnt[near[0]]
        ]


def test_the_map_has_every_row_with_its_label_and_whether_it_was_answered_rightly(fitted, answered):
    drawn, task = fitted.evidence_.examples.map, task_of()
    rows, p, given = answered
    state = np.zeros(ROWS, int)
    state[rows] = np.where(p.argmax(axis=1) == given, 1, 2)
    assert drawn.code == tuple(task.targets.tolist())
    assert drawn.state == tuple(state.tolist())
    assert (min(drawn.x), max(drawn.x), min(drawn.y), max(drawn.y)) == (0, 1000, 0, 1000)


def test_a_row_far_out_does_not_press_the_others_together():
    near = np.random.default_rng(0).normal(size=200)
    alone, beside = _scaled(near), _scaled(np.append(near, 1e6))
    assert max(beside) == beside[-1] == 1000
    assert np.corrcoef(alone, beside[:-1])[0, 1] > 0.98
    assert np.ptp(beside[:-1]) > 600
    assert _scaled(np.zeros(3)) == (0, 0, 0)


def test_a_map_of_several_labels_is_coloured_by_what_a_row_has_together():
    given = np.array([[1, 0, 1], [1, 0, 1], [0, 0, 0], [0, 1, 0], [1, 0, 1], [0, 1, 0]], bool)
    rows = SimpleNamespace(task=SimpleNamespace(classes=("a", "b", "c")))
    assert _label_sets(rows, given) == (("a, c", "b", "-"), (0, 0, 2, 1, 0, 1))
    many = np.array([[int(bit) for bit in f"{number:06b}"] for number in range(64)], bool)
    rows = SimpleNamespace(task=SimpleNamespace(classes=tuple("abcdef")))
    names, codes = _label_sets(rows, many)
    assert (len(names), codes.count(-1)) == (30, 34)


def test_domains_are_scored(fitted, answered):
    rows, p, given = answered
    right = p.argmax(axis=1) == given
    exact = {name: right[(rows % 2) == at].mean() for at, name in enumerate("xy")}
    scores = {score.name: score.value for score in fitted.evidence_.examples.domains}
    assert scores == pytest.approx(exact, abs=1e-4)
    assert fitted.evidence_.examples.groups == ()


def test_it_is_the_same_after_json(fitted):
    examples = fitted.evidence_.examples
    assert examples_from(examples.to_json()) == examples
    assert examples_from(examples.to_json() | {"format": 2}) is None
    assert examples_from(None) is None
    with pytest.raises(ValueError, match="is not among the rows"):
        examples_from(examples.to_json() | {"mistakes": [99]})


def test_shares_of_groups_have_the_interval_of_wilson():
    labels = np.repeat(["a", "b", "c"], [20, 5, 1])
    values = np.concatenate([np.arange(20) < 17, np.ones(5, bool), [False]])
    scores = group_scores(labels, values, shares=True)
    assert [score.name for score in scores] == ["c", "a", "b"]
    for score, right in zip(scores, (0, 17, 5), strict=True):
        exact = binomtest(right, score.rows).proportion_ci(method="wilson")
        assert (score.low, score.high) == pytest.approx((exact.low, exact.high), abs=1e-4)


def test_errors_of_groups_are_means_with_their_standard_error():
    values = np.array([1.0, 2.0, 3.0, 10.0])
    worst, other = group_scores(np.array(["a", "a", "a", "b"]), values, shares=False)
    assert (worst.name, worst.value, worst.low, worst.high) == ("b", 10.0, None, None)
    half = 1.96 * np.std([1, 2, 3], ddof=1) / np.sqrt(3)
    assert (other.low, other.high) == pytest.approx((2 - half, 2 + half), abs=1e-3)
