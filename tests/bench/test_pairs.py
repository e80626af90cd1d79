"""The bench of real pairs: what a seed draws, what the pictures show, every column, and the promise of the guard."""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from headstart.data.arrays import as_task
from headstart.features.extract import Extraction
from headstart.features.feature_set import look
from headstart.listener import LOGGED

BENCH = str(Path(__file__).resolve().parents[2] / "bench")


@pytest.fixture(autouse=True, scope="module")
def benches():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCH)
        yield
    for name in ("pairs", "pairs_data", "pairs_pictures", "pairs_table", "material", "tuning"):
        sys.modules.pop(name, None)


def seen(count, classes=3, seed=0, shift=0.0, group=None):
    """Blobs of so many classes; the last row is a copy of the first."""
    rng = np.random.default_rng(seed)
    y = np.arange(count) % classes
    x = rng.normal(size=(count, 4)) + 2 * np.eye(4)[y % 4] + shift
    x[-1], y[-1] = x[0], y[0]
    names = [f"class {code}" for code in y]
    return look(as_task(x, names, kind="classification", group=group), None, Extraction(), LOGGED)


@cache
def cars(source, target):
    from pairs_data import PAIRS

    return PAIRS[f"cars {source} -> {target}"]()


def labels_of(seen, rows):
    groups = seen.keys if seen.task.group is None else seen.task.group.tolist()
    return {groups[row] for row in rows} | {seen.keys[row] for row in rows}


def assert_apart(source, target, drawn):
    ours, train, test = (
        labels_of(of, rows) for of, rows in ((source, drawn.source), (target, drawn.train), (target, drawn.test))
    )
    assert not ours & train
    assert not ours & test
    assert not train & test
    assert set(drawn.known) <= set(drawn.train)
    for rows in drawn:
        assert len(rows)
        assert len(np.unique(rows)) == len(rows)


@pytest.mark.parametrize("seed", range(3))
def test_what_is_drawn_shares_no_group_and_no_content(seed):
    from pairs_data import draw

    source = seen(700, group=[f"a{i // 3}" for i in range(700)])
    target = seen(900, seed=1, shift=1.0, group=[f"b{i // 5}" for i in range(900)])
    drawn = draw(source, target, seed)
    assert [len(rows) for rows in drawn] == [500, 400, 20, pytest.approx(500, abs=10)]
    assert_apart(source, target, drawn)
    answers = np.asarray(target.task.targets)[drawn.known]
    assert sorted(np.bincount(answers)) == [6, 7, 7]


def test_other_things_are_shown_than_the_source_shows():
    from pairs_data import draw

    things = [f"thing {i // 2}" for i in range(300)]
    source, target = seen(300, group=things), seen(300, shift=3.0, group=things)
    for seed in range(3):
        drawn = draw(source, target, seed)
        assert_apart(source, target, drawn)
        assert [len(rows) for rows in drawn] == [120, 90, 20, pytest.approx(90, abs=4)]


def test_a_seed_draws_the_same_again_and_another_seed_other_rows():
    from pairs_data import draw

    source, target = seen(100), seen(80, seed=1)
    first, again, other = (draw(source, target, seed) for seed in (0, 0, 1))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert set(first.train) != set(other.train)


@pytest.mark.parametrize(("classes", "count", "fewest"), [(2, 20, 10), (10, 20, 2), (12, 20, 1), (25, 50, 2)])
def test_labels_are_dealt_to_the_classes(classes, count, fewest):
    from pairs_data import labelled

    targets = np.random.default_rng(0).permutation(np.arange(200) % classes)
    rows = labelled(targets, classes, np.random.default_rng(1))
    counts = np.bincount(targets[rows], minlength=classes)
    assert (len(rows), counts.min()) == (count, fewest)
    assert counts.max() - counts.min() <= 1


def test_a_rare_class_gives_what_it_has():
    from pairs_data import labelled

    targets = np.append(np.zeros(99, int), 1)
    assert np.bincount(targets[labelled(targets, 2, np.random.default_rng(0))]).tolist() == [19, 1]


def test_pictures_of_a_thing_are_one_group_and_every_rendering_differs():
    from pairs_pictures import RENDERED, subcategories

    shown = subcategories()
    assert 400 < len(shown) <= 600
    assert len({one.subcategory for one in shown}) == 10
    runners = [one for one in shown if one.thing == "1f3c3"]
    assert len(runners) == 3  # a person, a man and a woman
    tones = {f"1f3f{last}" for last in "bcdef"}
    assert not any(tones & set(one.thing.split("-")) for one in shown)
    picture = shown[0].picture
    made = {name: np.asarray(render(picture)) for name, render in RENDERED.items()}
    assert {array.shape for array in made.values()} == {(72, 72, 3)}
    assert len({array.tobytes() for array in made.values()}) == len(RENDERED)
    assert (np.ptp(made["grey"], axis=2) == 0).all()


def test_digits_are_averaged_by_area_in_the_box_that_they_fill():
    from pairs_data import averaged

    pictures = np.random.default_rng(0).random((3, 28, 28))
    found = averaged(pictures)
    assert found.shape == (3, 64)
    np.testing.assert_allclose(found.mean(axis=1), pictures[:, 4:24, 4:24].mean(axis=(1, 2)))
    first = pictures[:, 4:6, 4:6].sum(axis=(1, 2)) + pictures[:, 6, 4:6].sum(axis=1) / 2
    first += pictures[:, 4:6, 6].sum(axis=1) / 2 + pictures[:, 6, 6] / 4
    np.testing.assert_allclose(found[:, 0], first / 2.5**2)


def test_cars_have_the_same_columns_and_no_name():
    source, target = cars("US", "Europe")
    assert list(source.task.inputs.columns) == list(target.task.inputs.columns)
    assert not {"name", "origin", "mpg"} & set(source.task.inputs.columns)
    assert (len(source), len(target)) == (245, 68)


def test_every_column_of_a_tiny_pair():
    from pairs import COLUMNS, Trial

    trial = Trial(seen(90), seen(100, seed=1, shift=0.5), 0)
    results = {name: trial.result("tiny", name) for name in COLUMNS}
    assert not [one for one in results.values() if one.score is None]
    assert all(0 <= one.score <= 1 for one in results.values())
    assert results["oracle"].score > 0.6
    assert {"augment", "balanced"} == {one.method for one in results.values() if one.how == "with 20 labels"}
    assert results["auto"].how.split()[0] in COLUMNS


def test_no_column_but_the_oracle_knows_more_than_its_labels():
    from pairs import Trial

    trial = Trial(seen(90), seen(100, seed=1), 0)
    assert trial.bare.domains.known is None
    known = trial.labelled(trial.rows.known).domains.known
    assert (known >= 0).sum() == 20
    assert set(trial.rows.train[known >= 0]) == set(trial.rows.known)
    assert len(trial.bare.domains.target) == len(trial.rows.train)


def test_what_refuses_says_why_and_what_breaks_is_a_bug(monkeypatch):
    from pairs import Trial

    trial = Trial(*cars("US", "Europe"), 0)
    refused = trial.result("cars", "bbse")
    assert refused.score is None
    assert refused.how.startswith("label shift is about classes")

    def broken(name):
        raise np.linalg.LinAlgError("singular")

    monkeypatch.setattr(trial, "fitted", broken)
    assert trial.result("cars", "coral").how.startswith("BUG: LinAlgError")


def result(pair, method, score, seed=0, how=""):
    from pairs_table import Result

    return Result(pair, seed, method, score, how, 0.1, "accuracy")


def test_the_promise_is_judged_on_means_over_the_seeds():
    from pairs_table import lines, markdown

    made = [result("a -> b", name, score) for name, score in (("source-only", 0.7), ("target-only", 0.6))]
    made += [result("a -> b", "auto", 0.7, how="source-only"), result("a -> b", "auto-20", 0.8, how="augment")]
    made += [result("a -> b", name, score, 1) for name, score in (("source-only", 0.5), ("target-only", 0.7))]
    made += [result("a -> b", "auto", 0.4, 1, "mlls"), result("a -> b", "auto-20", 0.7, 1, "pooled")]
    text = "\n".join(lines(made))
    assert "at most 0.02 on 1 pairs: broken on a -> b +0.050" in text
    assert "at most 0.02 on 1 pairs: kept" in text  # .65 against .75
    assert "mean of auto-20 less the better over all pairs (1), over 0: +0.1000 kept" in text
    assert "| a -> b | .600 | .650 | .550 | .750 |" in markdown(made)


def test_a_column_that_refused_once_is_a_dash():
    from pairs_table import lines

    text = lines([result("a -> b", "coral", 0.5), result("a -> b", "coral", None, 1, "one row")])
    assert text[1].split() == ["a", "->", "b", "-"]
    assert any(line == "coral refuses a -> b (1 draws): one row" for line in text)


def test_an_interrupted_run_goes_on(tmp_path, monkeypatch, capsys):
    import pairs

    file = tmp_path / "some.jsonl"
    monkeypatch.setattr(pairs, "FILE", file)
    asked = ["pairs.py", "--pairs", "cars US -> Europe", "--methods", "source-only", "coral", "--seeds"]
    monkeypatch.setattr("sys.argv", [*asked, "1"])
    pairs.main()
    before = file.read_text()
    monkeypatch.setattr("sys.argv", [*asked, "2", "--resume", str(file)])
    pairs.main()
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert file.read_text().startswith(before)
    assert [(row["seed"], row["method"]) for row in rows] == [
        (seed, name) for seed in (0, 1) for name in ("source-only", "coral")
    ]
    assert "cars US -> Europe" in capsys.readouterr().out
