"""Transfer against scikit-learn's own checks, and on real pictures, sentences and tables."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from demo_data import emoji_folder, sentiment_csv
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

import headstart
from headstart import Transfer
from headstart.errors import DataError

TEXT = "bundled:wordllama"
PICTURE = "bundled:mobilenetv2"

CHECK_ALL = """
import warnings
warnings.simplefilter("ignore")
from sklearn.utils.estimator_checks import check_estimator
from headstart import Transfer
for kind in ("classification", "regression"):
    found = check_estimator(Transfer(kind=kind), on_fail="raise", on_skip=None)
    assert {check["status"] for check in found} == {"passed"}, found
    assert any(check["check_name"] == "check_array_api_input" for check in found)
"""

ANSWER_ALL = """
import sys
import numpy as np
import pandas as pd
from headstart import Transfer
for what in ("array", "text", "picture"):
    at = f"{sys.argv[1]}/{what}"
    X = np.load(f"{at}.npy") if what == "array" else pd.read_json(f"{at}.json", typ="series").tolist()
    np.save(f"{at} answers.npy", Transfer.load(f"{at} model").predict_proba(X))
"""


@pytest.fixture(scope="module")
def sentences(tmp_path_factory):
    """200 review sentences and their labels."""
    table = pd.read_csv(sentiment_csv(tmp_path_factory.mktemp("text") / "amazon.csv", train=200, test=10))
    train = table[table["split"] == "train"]
    return train["text"].tolist(), train["label"].to_numpy(object)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Paths of emoji pictures and their subcategories."""
    folder = emoji_folder(tmp_path_factory.mktemp("pictures"), at_least=60, at_most=10)
    paths = sorted(folder.glob("*/*.png"))
    return [str(path) for path in paths], [path.parent.name for path in paths]


@pytest.fixture(scope="module")
def of_text(sentences):
    return Transfer(TEXT, "ridge", class_weight={"positive": 1.0, "negative": 2.5}, engine="torch").fit(*sentences)


@pytest.fixture(scope="module")
def of_pictures(pictures):
    return Transfer(PICTURE, "ridge", engine="torch").fit(*pictures)


@pytest.mark.parametrize("kind", ["classification", pytest.param("regression", marks=pytest.mark.slow)])
@pytest.mark.filterwarnings("ignore")
def test_passes_every_check_of_scikit_learn(kind):
    """One check needs SCIPY_ARRAY_API set before scipy is imported; it runs in the next test."""
    found = check_estimator(Transfer(kind=kind), on_fail="raise", on_skip=None)
    skipped = {check["check_name"]: str(check["exception"]) for check in found if check["status"] != "passed"}
    assert len(found) > 40
    assert set(skipped) <= {"check_array_api_input"}
    assert all("SCIPY_ARRAY_API is not set" in reason for reason in skipped.values())


@pytest.mark.slow
def test_skips_no_check_with_the_array_api_on():
    subprocess.run([sys.executable, "-c", CHECK_ALL], check=True, env=os.environ | {"SCIPY_ARRAY_API": "1"})


def test_the_constructor_stores_what_it_is_given_and_clone_copies_it():
    given = {"backbone": TEXT, "method": "ridge", "class_weight": {"a": 2.0}, "seed": 3, "engine": "torch"}
    first = Transfer(**given)
    copy = clone(first.set_params(cache=False))
    assert copy.get_params() == first.get_params()
    assert given.items() <= copy.get_params().items()


def test_cross_val_score_on_sentences(sentences):
    scores = cross_val_score(Transfer(TEXT, "ridge"), *sentences, cv=3)
    assert scores.mean() > 0.6


def test_grid_search_over_method_and_class_weight(sentences):
    texts, labels = sentences
    grid = {"class_weight": [None, "balanced"], "method": ["ridge", "prototypes"]}
    search = GridSearchCV(Transfer(TEXT), grid, cv=2).fit(texts, labels)
    assert search.best_params_.keys() == grid.keys()
    assert search.best_estimator_.predict(texts[:3]).shape == (3,)
    assert not np.isnan(search.cv_results_["mean_test_score"]).any()


def test_stands_at_the_end_of_a_pipeline():
    X, y = load_iris(return_X_y=True)
    line = make_pipeline(StandardScaler(), Transfer(method="logistic")).fit(X, y)
    assert line.score(X, y) > 0.9
    assert line.predict_proba(X[:4]).shape == (4, 3)


def test_probabilities_follow_classes_and_predictions(of_text, sentences):
    texts, _ = sentences
    chances = of_text.predict_proba(texts)
    assert of_text.classes_.tolist() == ["negative", "positive"]
    assert np.allclose(chances.sum(axis=1), 1)
    assert (of_text.classes_[chances.argmax(axis=1)] == of_text.predict(texts)).all()


def test_a_regression_predicts_values_and_has_no_probabilities():
    X, y = load_diabetes(return_X_y=True)
    fitted = Transfer(kind="regression").fit(X, y)
    assert fitted.predict(X).shape == y.shape
    assert fitted.score(X, y) > 0.3
    assert not hasattr(fitted, "predict_proba")


def test_multilabel_predicts_zeros_and_ones():
    X, y = load_iris(return_X_y=True)
    targets = np.stack([y == 0, y == 2, y > 0], axis=1).astype(int)
    fitted = Transfer(kind="multilabel").fit(X, targets)
    assert set(np.unique(fitted.predict(X))) == {0, 1}
    assert (fitted.predict(X) == targets).mean() > 0.8


def test_a_fresh_process_gives_equal_answers(preloaded, of_text, of_pictures, sentences, pictures, tmp_path):
    flowers, kinds = load_iris(return_X_y=True)
    of_array = Transfer(method="ridge").fit(flowers, kinds)
    made = {
        "array": (of_array, flowers),
        "text": (of_text, list(sentences[0][:40])),
        "picture": (of_pictures, list(pictures[0][:40])),
    }
    np.save(tmp_path / "array.npy", flowers)
    for what, (fitted, inputs) in made.items():
        fitted.save(tmp_path / f"{what} model")
        if what != "array":
            pd.Series(inputs).to_json(tmp_path / f"{what}.json")
    preloaded.checked(ANSWER_ALL, tmp_path)
    for what, (fitted, inputs) in made.items():
        answers = np.load(tmp_path / f"{what} answers.npy")
        np.testing.assert_array_equal(answers, fitted.predict_proba(inputs), err_msg=what)


def test_saving_keeps_how_it_was_fitted(of_text, tmp_path):
    loaded = Transfer.load(of_text.save(tmp_path / "model"))
    assert loaded.class_weight == {"positive": 1.0, "negative": 2.5}
    assert (loaded.method, loaded.seed, loaded.kind, loaded.backbone) == ("ridge", 0, "classification", TEXT)
    assert loaded.classes_.tolist() == of_text.classes_.tolist()


def test_a_loaded_model_can_be_fitted_again(of_text, sentences, tmp_path):
    texts, labels = sentences
    again = clone(Transfer.load(of_text.save(tmp_path / "model"))).set_params(engine="torch").fit(texts, labels)
    np.testing.assert_array_equal(again.predict_proba(texts), of_text.predict_proba(texts))


def test_class_weight_moves_the_answers_and_must_name_classes(of_text, sentences):
    texts, labels = sentences
    plain = Transfer(TEXT, "ridge").fit(texts, labels)
    assert (of_text.predict(texts) == "negative").sum() > (plain.predict(texts) == "negative").sum()
    with pytest.raises(ValueError, match=r"class_weight names \['bad'\], which are no classes of the data"):
        Transfer(TEXT, class_weight={"bad": 2.0}).fit(texts, labels)


@pytest.mark.parametrize("what", ["text", "picture"])
def test_no_backbone_tensor_moves_in_a_fit(what, request):
    from headstart.backbones.load import load

    fitted = request.getfixturevalue("of_text" if what == "text" else "of_pictures")
    pristine = load(TEXT if what == "text" else PICTURE)
    after, before = fitted.backbone_.module.state_dict(), pristine.module.state_dict()
    assert after.keys() == before.keys()
    for name, tensor in before.items():
        assert after[name].numpy().tobytes() == tensor.numpy().tobytes(), name
    assert fitted.backbone_.fingerprint == pristine.fingerprint


def test_fit_copies_what_it_is_given(sentences):
    texts, labels = list(sentences[0]), sentences[1].copy()
    weight = {"positive": 1.0, "negative": 2.0}
    Transfer(TEXT, "ridge", class_weight=weight).fit(texts, labels)
    assert texts == sentences[0]
    assert (labels == sentences[1]).all()
    assert weight == {"positive": 1.0, "negative": 2.0}


def test_an_unreadable_picture_is_named(pictures, of_pictures, tmp_path):
    paths, labels = pictures
    (bad := tmp_path / "bad.png").write_bytes(b"no picture at all")
    with pytest.raises(DataError, match=r"1 inputs cannot be read: .*bad\.png .*headstart\.fit .*set them aside"):
        Transfer(PICTURE).fit([*paths, str(bad)], [*labels, labels[0]])
    with pytest.raises(DataError, match=r"bad\.png"):
        of_pictures.predict([paths[0], str(bad)])


def test_there_is_no_evidence_without_held_out_rows(of_text):
    assert not hasattr(of_text, "evidence_")
    with pytest.raises(AttributeError, match=r"headstart\.fit holds rows out, Transfer\.fit uses all"):
        _ = of_text.evidence_
    with pytest.raises(AttributeError, match="has no evidence"):
        _ = Transfer().evidence_


def test_an_unfitted_transfer_neither_predicts_nor_saves(tmp_path):
    with pytest.raises(NotFittedError):
        Transfer().predict(np.zeros((2, 2)))
    with pytest.raises(NotFittedError):
        Transfer().save(tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_targets_are_asked_for():
    with pytest.raises(DataError, match="pass one target for each input"):
        Transfer().fit(np.zeros((4, 2)), None)


def test_an_unknown_method_is_refused_with_the_rows_there_are():
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match=r"method 'prob' is unknown; nearest: probe; expected one of: probe, ridge"):
        Transfer(method="prob").fit(X, y)


def test_a_table_must_have_the_columns_of_the_fit():
    X, y = load_iris(return_X_y=True, as_frame=True)
    fitted = Transfer(method="ridge").fit(X, y)
    assert fitted.n_features_in_ == 4
    assert fitted.feature_names_in_.tolist() == X.columns.tolist()
    assert (fitted.predict(X) == fitted.predict(X)).all()
    with pytest.raises(ValueError, match="feature names"):
        fitted.predict(X.rename(columns={X.columns[0]: "other"}))


def test_groups_share_a_fold(sentences):
    texts, labels = sentences
    groups = np.arange(len(texts)) // 10
    fitted = Transfer(TEXT, "logistic").fit(texts, labels, groups=groups)
    assert fitted.score(texts, labels) > 0.7
    with pytest.raises(DataError, match="one for each input"):
        Transfer(TEXT).fit(texts, labels, groups=groups[:5])


def test_it_is_found_under_its_public_name():
    assert headstart.Transfer is Transfer
    assert Path(headstart.__file__).name == "__init__.py"
