"""A fitted Transfer in other processes: pickled, copied, and after a fork."""

import copy
import io
import multiprocessing
import os
import pickle
import subprocess
import sys

import cloudpickle
import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import VotingClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score

from headstart import Transfer

TEXT = "bundled:wordllama"
TEXTS = [f"a {'good' if i % 2 else 'bad'} thing number {i}" for i in range(24)]
LABELS = ["pos" if i % 2 else "neg" for i in range(24)]

FORKED = """
import faulthandler, multiprocessing, os, sys
import numpy as np, torch
from headstart import Transfer
torch.set_num_threads(2)
torch.ones(3000, 3000).clone() @ torch.ones(3000, 8)  # the parent's pool of threads has started
folder, cases = sys.argv[1], [case.split(", ") for case in sys.argv[2:]]
texts = [f"new text number {row}" for row in range(40)]
for how, verb in cases:
    model = Transfer.load(folder) if how != "load in the child" else None
    if how == "asked before":
        model.predict(texts[:2])
    def child(_):
        faulthandler.dump_traceback_later(100, exit=True)
        here = model or Transfer.load(folder)
        if verb == "fit":
            return Transfer(here.backbone, "ridge", cache=False).fit(texts, ["a", "b"] * 20).predict_proba(texts)
        return here.set_params(cache=False).predict_proba(texts)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        answers = pool.map(child, range(2))
    np.save(f"{folder} {how}, {verb}.npy", np.stack(answers))
"""

OPENVINO = """
import faulthandler, os, sys
import numpy as np
from headstart import Transfer
rng = np.random.default_rng(0)
pictures = [rng.integers(0, 128 if i % 2 else 255, (32, 32, 3), dtype=np.uint8) for i in range(12)]
model = Transfer("timm:test_resnet?weights=random", "ridge", engine="openvino", cache=False)
model.fit(pictures, ["a", "b"] * 6)
before = model.predict_proba(pictures)
if os.fork() == 0:
    faulthandler.dump_traceback_later(100, exit=True)
    os._exit(0 if np.allclose(model.predict_proba(pictures), before, atol=1e-3) else 3)
sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
"""

PICKLES = {
    "pickle": lambda fitted: pickle.loads(pickle.dumps(fitted)),  # noqa: S301 (made in this test)
    "pickle, the oldest protocol": lambda fitted: pickle.loads(pickle.dumps(fitted, protocol=0)),  # noqa: S301
    "cloudpickle": lambda fitted: cloudpickle.loads(cloudpickle.dumps(fitted)),
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
}


@pytest.fixture(scope="module")
def of_texts():
    return Transfer(TEXT, "ridge", class_weight="balanced", engine="torch").fit(TEXTS, LABELS)


@pytest.fixture(scope="module")
def of_columns():
    X, y = load_iris(return_X_y=True, as_frame=True)
    return Transfer(method="ridge").fit(X, y)


@pytest.mark.parametrize("way", PICKLES)
def test_a_fitted_transfer_comes_back_and_answers_the_same(way, of_texts, of_columns):
    X, _ = load_iris(return_X_y=True, as_frame=True)
    for fitted, inputs in ((of_texts, TEXTS), (of_columns, X)):
        again = PICKLES[way](fitted)
        assert again.get_params() == fitted.get_params()
        assert again.classes_.tolist() == fitted.classes_.tolist()
        np.testing.assert_array_equal(again.predict_proba(inputs), fitted.predict_proba(inputs))
    assert again.feature_names_in_.tolist() == X.columns.tolist()


def test_joblib_writes_it_and_a_regression(of_texts, tmp_path):
    joblib.dump(of_texts, file := io.BytesIO())
    np.testing.assert_array_equal(joblib.load(file).predict_proba(TEXTS), of_texts.predict_proba(TEXTS))
    X, y = load_diabetes(return_X_y=True)
    fitted = Transfer(kind="regression", method="ridge").fit(X, y)
    joblib.dump(fitted, tmp_path / "model.joblib")
    np.testing.assert_array_equal(joblib.load(tmp_path / "model.joblib").predict(X), fitted.predict(X))


def test_one_that_is_not_fitted_is_pickled_too():
    again = pickle.loads(pickle.dumps(Transfer(TEXT, "ridge")))  # noqa: S301
    assert again.get_params() == Transfer(TEXT, "ridge").get_params()
    assert not hasattr(again, "model_")


def test_a_pickle_holds_no_code_of_a_network(of_texts):
    state = of_texts.__getstate__()
    assert {type(data) for data in state["model_"].values()} == {bytes}
    assert "backbone_" not in state
    assert clone(of_texts).get_params() == of_texts.get_params()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:A worker stopped while some jobs were given:UserWarning")
def test_workers_of_joblib_fit_and_answer(of_texts):
    scores = cross_val_score(of_texts, TEXTS, LABELS, cv=2, n_jobs=2)
    search = GridSearchCV(of_texts, {"method": ["ridge", "prototypes"]}, cv=2, n_jobs=2).fit(TEXTS, LABELS)
    answers = joblib.Parallel(n_jobs=2)(joblib.delayed(of_texts.predict_proba)(TEXTS[i::2]) for i in range(2))
    assert len(scores) == 2
    assert search.best_estimator_.predict(TEXTS[:3]).shape == (3,)
    np.testing.assert_allclose(answers[1], of_texts.predict_proba(TEXTS)[1::2], atol=1e-6)


def test_a_vote_of_fitted_ones_in_workers():
    X, y = load_iris(return_X_y=True)
    vote = VotingClassifier([("a", Transfer(method="ridge")), ("b", Transfer(method="logistic"))], n_jobs=2).fit(X, y)
    assert vote.score(X, y) > 0.9


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_forked_processes_answer_as_their_parent(of_texts, tmp_path):
    folder = of_texts.save(tmp_path / "model")
    cases = ["load in the child, predict", "load, predict", "load, fit", "asked before, predict"]
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKED, folder, *cases],
        check=True,
        timeout=500,
        env=os.environ | {"OMP_NUM_THREADS": "2"},
    )
    expected = of_texts.predict_proba([f"new text number {row}" for row in range(40)])
    for case in cases:
        first, second = np.load(f"{folder} {case}.npy")
        np.testing.assert_array_equal(first, second, err_msg=case)
        if case.endswith("predict"):
            np.testing.assert_allclose(first, expected, atol=1e-5, err_msg=case)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_after_openvino_ran_answers_with_torch(preloaded):
    pytest.importorskip("openvino")
    preloaded.checked(OPENVINO)


def test_a_spawned_process_answers(of_columns):
    X, _ = load_iris(return_X_y=True, as_frame=True)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        answers = pool.apply(of_columns.predict_proba, (X,))
    np.testing.assert_array_equal(answers, of_columns.predict_proba(X))
    assert isinstance(X, pd.DataFrame)
