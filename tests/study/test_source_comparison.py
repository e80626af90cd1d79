"""A study with a source: real tables both ways, sentences, what may be looked at, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from headstart import DataError, Roles, Transfer, fit
from headstart.backbones.load import load


def cars(origin):
    from importlib.metadata import distribution

    files = distribution("bokeh-sampledata").files or []
    (path,) = [file.locate() for file in files if file.name == "auto-mpg.csv"]
    frame = pd.read_csv(path)
    return frame[frame["origin"] == origin].drop(columns=["origin", "name"]).reset_index(drop=True)


def halved(table):
    """One split in place of cross-validation, which chooses the way anew in each of its folds."""
    return table.assign(split=np.where(np.arange(len(table)) % 2, "train", "test"))


MPG = Roles(target="mpg")
US, EUROPE = cars(1), cars(2)
BARE = "{} target rows have no label: the encoding, the diagnosis and steps look at their features."


@pytest.mark.parametrize(
    ("source", "target"),
    [(US, EUROPE), pytest.param(EUROPE, US, marks=pytest.mark.slow)],
    ids=["to Europe", "to the US"],
)
def test_the_guard_keeps_what_is_about_as_good_as_the_best_that_is_not_adapted(source, target):
    evidence = fit(halved(target), source=source, roles=MPG, cache=False).evidence_
    assert set(evidence.baselines) == {"majority", "no-transfer", "source-only", "target-only", "pooled"}
    assert evidence.verdict is not None
    assert evidence.gain == evidence.assessment.gains["no-transfer"]
    best = max(evidence.baselines[name]["r2"].value for name in ("source-only", "target-only"))
    assert evidence.metrics["r2"].value > best - 0.05
    assert any(note.startswith("Over source-only: r2 +") for note in evidence.notes)


def test_a_step_that_hurts_is_told_to_hurt():
    evidence = fit(EUROPE, source=US, roles=MPG, method="coral", cache=False).evidence_
    assert evidence.metrics["r2"].value < evidence.baselines["source-only"]["r2"].value
    assert any("adaptation hurts" in note for note in evidence.notes)


@pytest.mark.parametrize("method", [pytest.param("auto", marks=pytest.mark.slow), "coral", "rulsif"])
def test_answers_of_the_target_that_may_not_be_looked_at_change_nothing(method):
    found = []
    for seed in (0, 1):
        target = EUROPE.assign(mpg=np.random.default_rng(seed).permutation(EUROPE["mpg"]))
        made = fit(target, source=US, roles=MPG, method=method, target_labels="none", cache=False)
        assert set(made.evidence_.baselines) == {"majority", "source-only"} - {method}
        found.append(made.predict(EUROPE.drop(columns="mpg")))
    np.testing.assert_array_equal(*found)


def test_source_rows_that_are_in_the_target_are_left_out_and_counted():
    target = halved(EUROPE)
    made = fit(target, source=pd.concat([US, EUROPE[:9]]), roles=MPG, method="source-only", cache=False)
    assert "9 source rows are in the target too, and were left out of the source." in made.evidence_.notes
    alone = fit(target, source=US, roles=MPG, method="source-only", cache=False)
    np.testing.assert_array_equal(made.predict(US), alone.predict(US))
    with pytest.raises(DataError, match="68 of 68 source rows are in the target too"):
        fit(EUROPE, source=EUROPE, roles=MPG, cache=False)


def test_columns_of_one_side_alone_are_left_out_and_not_needed_again(tmp_path):
    target = halved(EUROPE.drop(columns="yr"))
    made = fit(target, source=US.drop(columns="accel"), roles=MPG, method="augment", cache=False)
    loaded = Transfer.load(made.save(tmp_path / "model"))
    rows = EUROPE[["weight", "cyl", "displ", "hp"]]
    np.testing.assert_array_equal(loaded.predict(rows), made.predict(rows))


@pytest.mark.parametrize("method", [pytest.param("auto", marks=pytest.mark.slow), "coral"])
def test_a_target_without_labels_is_fitted_and_it_is_said_that_nothing_was_tested_on_it(method, tmp_path):
    bare = EUROPE.drop(columns="mpg")
    made = fit(bare, source=US, roles=MPG, method=method, cache=False)
    evidence = made.evidence_
    assert evidence.notes[0].startswith("No target row has a label, so that nothing could be tested on the target")
    assert evidence.protocol == "cross-validation on source rows; no target row was tested"
    assert evidence.n_test == len(US)
    assert evidence.metrics["r2"].value > 0.7
    loaded = Transfer.load(made.save(tmp_path / "model"))
    np.testing.assert_array_equal(loaded.predict(bare), made.predict(bare))
    looked = fit(EUROPE, source=US, roles=MPG, method=method, target_labels="none", cache=False)
    np.testing.assert_allclose(looked.predict(bare), made.predict(bare))
    with pytest.raises(ValueError, match="no labelled target rows may be used"):
        fit(bare, source=US, roles=MPG, method="pooled", cache=False)


def test_one_labelled_row_can_teach_and_not_test():
    made = fit(EUROPE[:1], source=US, roles=MPG, method="source-only", cache=False)
    assert made.evidence_.notes[0].startswith("Only one target row has a label, so that nothing could be tested")
    with pytest.raises(DataError, match="method 'pooled' cannot be tested on source rows: label some target rows"):
        fit(EUROPE[:1], source=US, roles=MPG, method="pooled", cache=False)


def test_test_data_of_ones_own_for_a_target_without_labels():
    bare, tested = EUROPE[:40].drop(columns="mpg"), EUROPE[40:]
    made = fit(bare, source=US, test=tested, roles=MPG, method="coral", cache=False)
    evidence = made.evidence_
    assert (evidence.n_train, evidence.n_test) == (245, 28)
    assert BARE.format(40) in evidence.notes
    assert evidence.facts.model.source.bare == 40
    other = fit(bare, source=US, test=tested.assign(mpg=tested["mpg"][::-1].to_numpy()), roles=MPG, method="coral",
                cache=False)  # fmt: skip
    np.testing.assert_array_equal(made.predict(EUROPE), other.predict(EUROPE))


def test_a_target_with_some_labels_is_tested_on_those_and_steps_look_at_all():
    some = EUROPE.assign(mpg=EUROPE["mpg"].where(np.arange(68) % 3 == 0))
    made = fit(halved(some), source=US, roles=MPG, method="coral", cache=False)
    assert made.evidence_.n_test == 12
    assert BARE.format(23) in made.evidence_.notes
    whole = fit(halved(EUROPE), source=US, roles=MPG, method="coral", target_labels="none", cache=False)
    np.testing.assert_allclose(made.predict(EUROPE), whole.predict(EUROPE))  # coral needs no answer
    labelled = EUROPE.assign(mpg=EUROPE["mpg"].where(np.arange(68) % 3 > 0))
    auto = fit(halved(labelled), source=US, roles=MPG, cache=False).evidence_
    assert (auto.n_train, auto.n_test) == (23, 22)
    assert auto.metrics["r2"].value > 0.2


def test_a_target_that_lacks_classes_of_the_source_keeps_them_all():
    rng = np.random.default_rng(0)

    def table(letters, count):
        kind = rng.choice(list(letters), count)
        place = np.array([["a", "b", "c"].index(letter) for letter in kind])
        return pd.DataFrame({"x": place + rng.normal(size=count) / 4, "y": rng.normal(size=count), "kind": kind})

    source, target = table("abc", 120), table("ab", 60)
    made = fit(halved(target), source=source, roles=Roles(target="kind"), method="pooled", cache=False)
    assert made.classes_.tolist() == ["a", "b", "c"]
    assert made.evidence_.metrics["accuracy"].value > 0.9
    assert "labels that only the source has: 'c'" in made.evidence_.notes
    assert made.predict(pd.DataFrame({"x": [2.1], "y": [0.0]})).tolist() == ["c"]
    auto = fit(halved(target), source=source, roles=Roles(target="kind"), cache=False)
    assert auto.evidence_.metrics["accuracy"].value > 0.9
    assert auto.predict_proba(target.drop(columns="kind")).shape == (60, 3)
    one = fit(halved(table("b", 60)), source=source, roles=Roles(target="kind"), method="source-only", cache=False)
    assert one.evidence_.metrics["accuracy"].value > 0.9


def test_class_weights_count_with_a_source():
    rng = np.random.default_rng(0)

    def table(count):
        rare = rng.random(count) < 0.1
        return pd.DataFrame({"x": rare + rng.normal(size=count), "kind": np.where(rare, "rare", "often")})

    source, target = table(300), halved(table(150))
    asked = {"source": source, "roles": Roles(target="kind"), "method": "source-only", "cache": False}
    called = [
        (fit(target, class_weight=w, goal=goal, **asked).predict(target) == "rare").mean()
        for w, goal in ((None, "accuracy"), ("balanced", "accuracy"), (None, None))
    ]
    assert called[0] < 0.1 < 0.25 < called[1]
    assert called[2] == pytest.approx(called[1], abs=0.15)  # uneven classes: decided for balanced accuracy


def test_what_does_not_go_together_is_refused():
    with pytest.raises(ValueError, match="method 'coral' draws on a source task: give one as source"):
        fit(EUROPE, roles=MPG, method="coral", cache=False)
    with pytest.raises(ValueError, match="method 'probe' draws on no source task: with a source expected one of auto,"):
        fit(EUROPE, source=US, roles=MPG, method="probe", cache=False)
    with pytest.raises(ValueError, match="method 'coral' has no option 'penalti'; nearest: penalty; it has center, pe"):
        fit(EUROPE, source=US, roles=MPG, method="coral", options={"penalti": "1"}, cache=False)
    with pytest.raises(ValueError, match="target_labels = 'some': expected all or none"):
        fit(EUROPE, source=US, roles=MPG, target_labels="some", cache=False)
    with pytest.raises(ValueError, match="keep_tuned is for methods that move weights, and 'auto' moves none"):
        fit(EUROPE, source=US, roles=MPG, keep_tuned=True, cache=False)
    many = pd.DataFrame({"x": np.arange(8.0), "mpg": [["a"], ["a", "b"]] * 4})
    with pytest.raises(DataError, match="the source asks for several labels a row, and knowledge of that is not"):
        fit(many, source=many, roles=MPG, cache=False)
    with pytest.raises(ValueError, match=r"method 'kmm' draws on a source task: give one to headstart\.fit"):
        Transfer(method="kmm", kind="regression").fit(EUROPE.drop(columns="mpg"), EUROPE["mpg"])


def test_options_of_a_step_are_set_and_typed():
    options = {"gamma": "0.01", "most": "150"}
    made = fit(halved(EUROPE), source=US, roles=MPG, method="kmm", options=options, cache=False)
    assert made.evidence_.facts.model.method == "kmm"
    with pytest.raises(ValueError, match="most = 'many': expected int"):
        fit(EUROPE, source=US, roles=MPG, method="kmm", options={"most": "many"}, cache=False)


def test_sentences_of_another_place_help():
    """A dozen labelled sentences; the source has forty more, of other things."""
    rng = np.random.default_rng(0)
    words = {"good": ["lovely", "great", "fine", "superb"], "bad": ["awful", "broken", "dull", "poor"]}

    def said(nouns, count):
        labels = np.array(["good", "bad"] * (count // 2))
        texts = [
            f"the {rng.choice(nouns)} was {rng.choice(words[label])} {number}" for number, label in enumerate(labels)
        ]
        return pd.DataFrame({"text": texts, "label": labels})

    shop, cinema = said(["phone", "cable", "lamp"], 40), said(["film", "actor", "plot"], 30)
    cinema["split"] = ["train", "train", "test", "test", "train", "train"] * 5
    made = fit(cinema, source=shop, backbone="bundled:wordllama", engine="torch", cache=False)
    assert made.evidence_.metrics["accuracy"].value > 0.8
    assert made.backbone_.fingerprint == load("bundled:wordllama").fingerprint
    assert made.predict(["the actor was superb", "the plot was awful"]).tolist() == ["good", "bad"]
