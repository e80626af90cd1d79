"""A fit for a goal, from the words of a person to the answers: what is chosen, decided, said, kept and compared."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd
import pytest
from demo_data import rated_sentences
from PIL import Image
from sklearn.metrics import balanced_accuracy_score, f1_score

import headstart as hs
from headstart import DataError, Roles
from headstart.backbones.load import load
from headstart.data.arrays import as_task
from headstart.features.cache.cache import Cache
from headstart.features.extract import Extraction
from headstart.features.feature_set import look
from headstart.listener import Logged
from headstart.methods.plan import Plan
from headstart.study.contenders import contenders_of
from headstart.study.resampling import Trial, Trials
from headstart.tasks.goal import Costs, Decided, Goal

TEXT = {"backbone": "bundled:wordllama", "method": "ridge", "engine": "torch", "control": False}
ANGRY = Roles(input=("text",), target="label")


@pytest.fixture(scope="module")
def tweets():
    """1,000 tweets, of which one in ten is angry: half to learn from, half to be tested on."""
    rated = rated_sentences("tweets")
    frame = pd.DataFrame({"text": [text for _, _, text in rated], "rating": [rating for _, rating, _ in rated]})
    frame["label"] = np.where(frame.pop("rating") < -1.8, "angry", "other")
    frame = frame.drop_duplicates("text")
    few = pd.concat([frame[frame["label"] == "angry"][:100], frame[frame["label"] == "other"][:900]])
    return few.assign(split=["train", "test"] * 500).reset_index(drop=True)


@pytest.fixture(scope="module")
def tested(tweets):
    return tweets[tweets["split"] == "test"].drop(columns="split").reset_index(drop=True)


@pytest.fixture(scope="module")
def models(tweets, tmp_path_factory):
    """One of each goal."""
    path = tmp_path_factory.mktemp("costs") / "costs.csv"
    path.write_text("true,other,angry\nangry,20,0\nother,0,1\n")
    goals = ("accuracy", "balanced-accuracy", "macro-f1", "log-loss", "auc", "f1:angry", f"cost:{path}")
    made = {goal.partition(":")[0]: hs.fit(tweets, roles=ANGRY, goal=goal, **TEXT) for goal in goals}
    return made | {None: hs.fit(tweets, roles=ANGRY, **TEXT)}


def answers_of(model, rows):
    p = model.predict_proba(rows["text"].tolist())
    return p, model.predict(rows["text"].tolist()), model.classes_[p.argmax(axis=1)]


def test_uneven_classes_are_answered_for_balanced_accuracy(models, tested):
    for goal in (None, "balanced-accuracy"):
        _, answers, likeliest = answers_of(models[goal], tested)
        scores = [balanced_accuracy_score(tested["label"], each) for each in (answers, likeliest)]
        assert scores[0] > scores[1] + 0.05
        evidence = models[goal].evidence_
        assert evidence.metrics["balanced_accuracy"].value == pytest.approx(scores[0])
        assert evidence.gain.metric == "balanced_accuracy"
        assert str(evidence).startswith("balanced accuracy .")


def test_each_goal_is_the_headline_and_the_score_of_every_gain(models):
    names = {
        "accuracy": "accuracy", "macro-f1": "macro F1", "log-loss": "log loss", "auc": "AUROC", "f1": "F1 of 'angry'",
        "cost": "cost",
    }  # fmt: skip
    for goal, words in names.items():
        evidence = models[goal].evidence_
        assert str(evidence).startswith(f"{words} ")
        assert f"goal: {words};" in str(evidence)
        assert {gain.metric for gain in evidence.assessment.gains.values()} == {evidence.headline}
        assert evidence.headline in evidence.baselines["no-transfer"]


def test_probabilities_do_not_hang_on_how_answers_are_decided(models, tested):
    p = {goal: answers_of(model, tested)[0] for goal, model in models.items()}
    for goal, other in p.items():
        np.testing.assert_allclose(other, p["accuracy"], atol=1e-6, err_msg=str(goal))
        assert other[:, 0].mean() == pytest.approx(0.1, abs=0.04)  # of the rows, whatever is aimed at


def test_each_goal_decides_better_for_itself_than_the_likeliest_class(models, tested):
    y = tested["label"].to_numpy()
    _, answers, likeliest = answers_of(models["f1"], tested)
    of_angry = [f1_score(y, each, pos_label="angry") for each in (answers, likeliest)]
    assert of_angry[0] > of_angry[1]
    _, answers, likeliest = answers_of(models["macro-f1"], tested)
    assert f1_score(y, answers, average="macro") >= f1_score(y, likeliest, average="macro")
    p, answers, likeliest = answers_of(models["cost"], tested)
    costs = np.array([[0.0, 20.0], [1.0, 0.0]])  # angry, other
    codes = [(each == "other").astype(int) for each in (y, answers, likeliest)]
    paid = [costs[codes[0], codes[k]].mean() for k in (1, 2)]
    assert paid[0] < 0.6 * paid[1]
    assert models["cost"].evidence_.metrics["cost"].value == pytest.approx(paid[0])
    assert (codes[1] == (p @ costs).argmin(axis=1)).all()
    for goal in ("accuracy", "log-loss", "auc"):
        _, answers, likeliest = answers_of(models[goal], tested)
        assert (answers == likeliest).all()


def test_all_say_the_same_answers(models, tested):
    for goal in ("f1", "cost", None, "accuracy"):
        model = models[goal]
        _, answers, _ = answers_of(model, tested)
        said = hs.predict(model, tested.drop(columns="label"))
        assert [row["prediction"] for row in said.rows()] == answers.tolist()
        evidence = hs.evaluate(model, tested, roles=ANGRY)
        assert evidence.goal == model.evidence_.goal
        assert evidence.headline == model.evidence_.headline
        assert evidence.metrics["accuracy"].value == pytest.approx(np.mean(answers == tested["label"]))
        assert evidence.metrics[evidence.headline].value == pytest.approx(
            model.evidence_.metrics[evidence.headline].value, abs=1e-9
        )
        assert model.score(tested["text"].tolist(), tested["label"].tolist()) == pytest.approx(
            np.mean(answers == tested["label"])
        )


def test_majority_answers_what_costs_least(models):
    assert models["cost"].evidence_.baselines["majority"]["cost"].value == pytest.approx(0.9)  # all are called angry
    assert models["accuracy"].evidence_.baselines["majority"]["accuracy"].value == pytest.approx(0.9)


@pytest.mark.parametrize("class_weight", ["balanced", None])
def test_who_is_compared_decides_for_the_goal_too(tweets, class_weight):
    goal = Goal("cost", costs=Costs(("angry", "other"), ((0.0, 30.0), (1.0, 0.0))))
    evidence = hs.fit(tweets, roles=ANGRY, goal=goal, class_weight=class_weight, **TEXT).evidence_
    assert evidence.baselines["no-transfer"]["cost"].value < 1.5  # the likeliest class: 30 for nearly each angry one


def said_by(caplog, *arguments, **options):
    with caplog.at_level(logging.INFO, logger="headstart"):
        hs.fit(*arguments, **options)
    return [record.getMessage() for record in caplog.records if record.getMessage().startswith("goal:")]


def table(rows, share, seed=0):
    draw = np.random.default_rng(seed)
    kind = draw.permutation(np.arange(rows) < share * rows)
    split = np.where(np.arange(rows) % 2, "train", "test")
    return pd.DataFrame({"x": draw.normal(size=rows) + 2 * kind, "kind": np.where(kind, "b", "a"), "split": split})


@pytest.mark.parametrize(
    ("share", "options", "words"),
    [
        (0.5, {}, "goal: accuracy, since the largest class has at most 3 times the rows of the smallest (--for names"),
        (0.1, {}, "goal: balanced accuracy, since the largest class has over 3 times the rows of the smallest (--for"),
        (0.1, {"goal": "f1:b"}, "goal: F1 of 'b'"),
    ],
)
def test_the_goal_is_said_aloud(caplog, share, options, words):
    (said,) = said_by(caplog, table(120, share), roles=Roles(target="kind"), method="ridge", **options)
    assert said.startswith(words)


def test_of_values_the_goal_is_said_where_it_is_named(caplog):
    frame = table(120, 0.5).assign(kind=lambda each: each["x"] + 1)
    assert said_by(caplog, frame, roles=Roles(target="kind"), method="ridge") == []
    assert said_by(caplog, frame, roles=Roles(target="kind"), method="ridge", goal="mae") == ["goal: MAE"]


def test_a_goal_that_does_not_go_with_the_data_is_refused_before_any_work(tmp_path):
    for goal, words in (("f1:c", "f1:c names no class of the data"), ("rmse", "rmse is no score of a classification")):
        with pytest.raises(ValueError, match=words):
            hs.fit(table(60, 0.5), roles=Roles(target="kind"), method="ridge", goal=goal)
    with pytest.raises(ValueError, match="goal 'acuracy' is unknown; nearest: accuracy"):
        hs.fit(tmp_path / "nothing.csv", goal="acuracy")
    with pytest.raises(DataError, match=r"the costs .* cannot be read"):
        hs.fit(tmp_path / "nothing.csv", goal=f"cost:{tmp_path / 'none.csv'}")


def test_test_rows_of_a_class_that_was_not_learnt_cost_as_the_dearest():
    frame = table(120, 0.5)
    other = pd.DataFrame({"x": [9.0, 9.1], "kind": ["c", "c"], "split": ["test", "test"]})
    goal = Goal("cost", costs=Costs(("a", "b"), ((0.0, 4.0), (1.0, 0.0))))
    model = hs.fit(pd.concat([frame, other]), roles=Roles(target="kind"), method="ridge", goal=goal)
    evidence = model.evidence_
    assert evidence.facts.unlearnt.rows == 2
    without = evidence.facts.unlearnt.scores_without["cost"]
    assert evidence.metrics["cost"].value == pytest.approx((60 * without + 2 * 4.0) / 62)


def test_with_a_source_the_target_is_decided_by_the_shares_that_are_expected_there(tweets):
    target = tweets[tweets["split"] == "test"]
    target = target.assign(split=np.where(np.arange(len(target)) % 2, "train", "test"))
    source = tweets[tweets["split"] == "train"].drop(columns="split")
    options = {**TEXT, "method": "pooled", "source": source, "roles": ANGRY}
    for goal, metric in (("balanced-accuracy", "balanced_accuracy"), ("f1:angry", "f1")):
        model = hs.fit(target, goal=goal, **options)
        assert (model.evidence_.headline, model.evidence_.adaptation.gain) == (metric, None)
        p, answers, likeliest = answers_of(model, target)
        recalls = [np.mean(each[target["label"] == "angry"] == "angry") for each in (answers, likeliest)]
        assert recalls[0] > recalls[1] + 0.1
    model = hs.fit(target, goal="balanced-accuracy", **options)
    np.testing.assert_allclose(1 / model.model_.head.arrays["utility"], p.mean(axis=0), atol=0.02)


def test_where_answers_of_the_target_may_not_be_used_they_do_not_choose_the_goal():
    even, uneven = table(120, 0.5), table(120, 0.1, seed=1).drop(columns="split")
    options = {"roles": Roles(target="kind"), "method": "source-only", "target_labels": "none"}
    assert hs.fit(even, source=uneven, **options).evidence_.headline == "balanced_accuracy"
    even, uneven = table(120, 0.5).drop(columns="split"), table(120, 0.1, seed=1)
    assert hs.fit(uneven, source=even, **options).evidence_.headline == "accuracy"


PICTURES = [
    Image.fromarray(np.random.default_rng(i).integers(0, 150, (32, 32, 3), np.uint8) + np.uint8(60 * (i % 5 == 0)))
    for i in range(40)
]


@pytest.mark.parametrize("method", ["top", *(pytest.param(n, marks=pytest.mark.slow) for n in ("lp-ft", "fine-tune"))])
def test_moved_weights_are_decided_for_the_goal(method):
    labels = ["rare" if i % 5 == 0 else "common" for i in range(40)]
    options = {"epochs": 2, "batch": 8}
    made = {
        goal: hs.Transfer(
            "timm:test_resnet?weights=random", method, options=options, engine="torch", cache=False, goal=goal
        ).fit(PICTURES, labels)
        for goal in ("accuracy", "balanced-accuracy", "f1:rare")
    }
    arrays = {goal: model.model_.head.arrays for goal, model in made.items()}
    assert "utility" not in arrays["accuracy"]
    np.testing.assert_allclose(arrays["balanced-accuracy"]["utility"], [1 / 0.8, 1 / 0.2])
    assert arrays["f1:rare"]["utility"].shape == (2, 2)
    for model in made.values():
        p = model.predict_proba(PICTURES)
        assert (model.predict(PICTURES) == model.classes_[model.model_.head.decide(p)]).all()


def test_joint_heads_are_decided_by_the_shares():
    frame = table(200, 0.1)
    model = hs.fit(frame, roles=Roles(target="kind"), method="joint")
    known = frame[frame["split"] == "train"]["kind"]
    expected = [1 / np.mean(known == label) for label in ("a", "b")]
    np.testing.assert_allclose(model.model_.head.arrays["utility"], expected)
    assert model.evidence_.headline == "balanced_accuracy"


def test_joint_heads_with_class_weights_are_decided_by_even_shares():
    model = hs.fit(table(200, 0.1), roles=Roles(target="kind"), method="joint", class_weight="balanced")
    np.testing.assert_allclose(model.model_.head.arrays["utility"], [2.0, 2.0])


@pytest.mark.parametrize("method", ["joint", "ridge"])
def test_several_targets_are_compared_by_their_headlines_and_decided_for_them(method):
    frame = table(200, 0.1).assign(y=lambda each: each["x"] * 2)
    made = hs.fit_tasks(frame, ["kind", "y"], method=method)
    evidence = made.evidence_.tasks
    assert (evidence["kind"].headline, evidence["y"].headline) == ("balanced_accuracy", "r2")
    answers = made.predict(frame[["x"]])["kind"].to_numpy()
    assert np.mean(answers[frame["kind"] == "b"] == "b") > 0.6


def test_another_goal_does_not_read_what_was_decided_for_the_first(tmp_path):
    rng = np.random.default_rng(0)
    y = np.arange(120) % 8 == 0
    rows = look(
        as_task(rng.normal(size=(120, 3)).astype(np.float32) + y[:, None], y.astype(int)), None, Extraction(), Logged()
    )
    train, test = np.arange(0, 120, 2) + np.arange(60) % 2, np.arange(1, 121, 2) - np.arange(60) % 2

    def answered(goal, cache):
        plan = Plan("ridge", goal=goal)
        contenders = dict(contenders_of(rows, None, plan, Extraction(cache=cache), Logged()))
        return contenders["no-transfer"](None, train, test)

    cache, goals = Cache(tmp_path), [Goal("accuracy"), Goal("balanced_accuracy"), Goal("f1", "1"), Goal("f1", "0")]
    costs = ((0.0, 1.0), (50.0, 0.0)), ((0.0, 50.0), (1.0, 0.0))
    goals += [Goal("cost", costs=Costs(("0", "1"), matrix)) for matrix in costs]
    plain = {goal: answered(goal, None) for goal in goals}
    for _ in range(2):
        for goal, expected in plain.items():
            kept = answered(goal, cache)
            assert isinstance(kept, Decided) == isinstance(expected, Decided) == (goal.metric != "accuracy")
            np.testing.assert_array_equal(
                np.concatenate([np.ravel(part) for part in kept]), np.concatenate([np.ravel(part) for part in expected])
            )
    assert len({each.decisions.tobytes() for each in plain.values() if isinstance(each, Decided)}) > 2


def test_answers_of_trials_are_joined_with_their_decisions_even_if_some_have_none():
    trials = Trials(
        (Trial(0, np.array([1]), np.array([0, 2])), Trial(0, np.array([0]), np.array([1]))), np.arange(3), ""
    )
    p = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    joined = trials.joined([Decided(p[[0, 2]], np.array([1, 1])), p[[1]]])
    assert isinstance(joined, Decided)
    np.testing.assert_array_equal(joined.predictions, p[None])
    assert joined.decisions.tolist() == [[1, 1, 1]]
    np.testing.assert_array_equal(trials.joined([p[[0, 2]], p[[1]]]), p[None])


def test_a_backbone_may_stand_on_a_model_that_decides(tmp_path):
    labels = ["rare" if i % 5 == 0 else "common" for i in range(40)]
    first = hs.Transfer("timm:test_resnet?weights=random", "ridge", engine="torch", cache=False).fit(PICTURES, labels)
    assert "utility" in first.model_.head.arrays
    folder = first.save(tmp_path / "first")
    assert load(f"file:{folder}").dim > 0
    again = hs.Transfer(f"file:{folder}", "ridge", engine="torch", cache=False).fit(PICTURES, labels)
    assert (again.predict(PICTURES) == first.predict(PICTURES)).mean() > 0.8
