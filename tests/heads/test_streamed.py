"""Heads on rows that pass by in blocks against the heads that hold all rows: the same strength, the same answers."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from headstart.heads.arrays import UTILITY
from headstart.heads.discriminant import Discriminant
from headstart.heads.fitter import pose
from headstart.heads.logistic import Logistic
from headstart.heads.prototypes import Prototypes
from headstart.heads.ridge import Ridge
from headstart.heads.select import fit_probe
from headstart.heads.streamed import ArrayRows, fit_streamed
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION
from headstart.tasks.goal import Goal

HEADS = {"prototypes": Prototypes, "lda": Discriminant, "ridge": Ridge, "logistic": Logistic}
CLASSES = {CLASSIFICATION: 4, MULTILABEL: 3, REGRESSION: 1}
PAIRS = [
    (name, kind) for name, head in HEADS.items() for kind in (CLASSIFICATION, MULTILABEL, REGRESSION)
    if kind in head.kinds
]  # fmt: skip


def draw(kind, classes, seed=0, rows=300, width=8):
    random = np.random.default_rng(seed)
    features = random.normal(size=(rows, width)) * np.linspace(0.2, 3, width) + 5
    scores = (features - 5) @ random.normal(size=(width, classes)) + 2 * random.normal(size=(rows, classes))
    if kind is REGRESSION:
        return features, scores[:, 0] + 100
    return features, (scores > 0).astype(np.uint8) if kind is MULTILABEL else scores.argmax(axis=1)


def both(name, kind, classes, features, targets, folds, *, scale="each", weights=None, size=70):
    problem = pose(features, targets, kind=kind, classes=classes, folds=folds, scale=scale, weights=weights)
    held = HEADS[name]().propose(problem)
    streamed = fit_streamed(
        ArrayRows(features, size), targets, name, kind=kind, classes=classes, folds=folds, scale=scale, weights=weights
    )
    return held.finish(), problem.score(held.out_of_fold), streamed


@pytest.mark.parametrize("scale", ["each", "shared"])
@pytest.mark.parametrize(("name", "kind"), PAIRS)
def test_a_head_in_blocks_is_the_head_in_memory(name, kind, scale):
    classes = CLASSES[kind]
    features, targets = draw(kind, classes)
    head, score, streamed = both(name, kind, classes, features, targets, np.arange(300) % 5, scale=scale)
    np.testing.assert_allclose(streamed.logits(features), head.logits(features), rtol=1e-6, atol=1e-6)
    assert streamed.temperature == pytest.approx(score.temperature, rel=1e-6)
    assert streamed.facts.account.get("relative_strength") == head.facts.account.get("relative_strength")
    assert streamed.name == name


@pytest.mark.parametrize("metric", ["log_loss", "balanced_accuracy"])
@pytest.mark.parametrize("name", HEADS)
def test_answers_are_settled_and_decided_for_an_aim_as_in_memory(name, metric):
    features, targets = draw(CLASSIFICATION, 3)
    rows = np.flatnonzero((targets > 0) | (np.arange(300) % 4 == 0))  # uneven classes
    features, targets, folds = features[rows], targets[rows], np.arange(len(rows)) % 5
    how = {"kind": CLASSIFICATION, "classes": 3, "folds": folds, "scale": "shared", "aim": Goal(metric).aim((0, 1, 2))}
    head = fit_probe(features, targets, heads=(name,), **how).head
    streamed = fit_streamed(ArrayRows(features, 70), targets, name, **how)
    np.testing.assert_allclose(streamed.predict(features), head.predict(features), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(streamed.arrays.get(UTILITY), head.arrays.get(UTILITY))
    assert head.facts.share_exponent != 0


def test_two_classes_are_one_sigmoid():
    features, targets = draw(CLASSIFICATION, 2)
    head, _, streamed = both("logistic", CLASSIFICATION, 2, features, targets, np.arange(300) % 3)
    np.testing.assert_allclose(streamed.logits(features), head.logits(features), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["ridge", "logistic"])
def test_weights_count_as_in_memory(name):
    features, targets = draw(CLASSIFICATION, 3)
    weights = np.random.default_rng(1).integers(1, 4, 300).astype(float)
    head, _, streamed = both(name, CLASSIFICATION, 3, features, targets, np.arange(300) % 4, weights=weights)
    np.testing.assert_allclose(streamed.logits(features), head.logits(features), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["lda", "logistic"])
def test_the_size_of_the_blocks_changes_nothing(name):
    features, targets = draw(CLASSIFICATION, 3)
    folds = np.arange(300) % 4
    logits = [
        fit_streamed(ArrayRows(features, size), targets, name, kind=CLASSIFICATION, classes=3, folds=folds).logits(
            features
        )
        for size in (7, 300)
    ]
    np.testing.assert_allclose(*logits, rtol=1e-8, atol=1e-8)


def test_a_class_that_one_fold_alone_has_is_answered_for_as_in_memory():
    features, targets = draw(CLASSIFICATION, 3)
    folds = np.where(targets == 2, 0, 1 + np.arange(300) % 3)
    for name in ("ridge", "lda", "logistic"):
        head, score, streamed = both(name, CLASSIFICATION, 3, features, targets, folds)
        assert streamed.facts.account["relative_strength"] == head.facts.account["relative_strength"]
        assert streamed.temperature == pytest.approx(score.temperature, rel=1e-5)


def test_what_has_no_head_in_blocks_is_refused():
    features, targets = draw(CLASSIFICATION, 3)
    folds = np.arange(300) % 4
    how = {"kind": CLASSIFICATION, "classes": 3, "folds": folds}
    with pytest.raises(ValueError, match="one of logistic, prototypes, lda, ridge, got 'kernel'"):
        fit_streamed(ArrayRows(features), targets, "kernel", **how)
    with pytest.raises(ValueError, match="answers classification and multilabel tasks, not regression"):
        fit_streamed(ArrayRows(features), features[:, 0], "logistic", kind=REGRESSION, classes=1, folds=folds)


SCRIPT = """
import json, resource, sys
from pathlib import Path
import numpy as np
from blake3 import blake3
from headstart.features.cache.cache import Cache
from headstart.features.cache.session import Session
from headstart.features.cache.stored_rows import StoredRows
from headstart.heads.select import fit_probe
from headstart.heads.streamed import fit_streamed

ROWS, WIDTH, AT_ONCE = 200_000, 256, 2000
most = lambda: 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
store = Session(Cache(sys.argv[1])).store("features", {"of": "test"}, width=WIDTH, dtype="float32")
way, keys, targets = np.random.default_rng(0).normal(size=WIDTH), [], []
for start in range(0, ROWS, AT_ONCE):
    some = np.random.default_rng(start).normal(size=(AT_ONCE, WIDTH)).astype(np.float32)
    targets.append((some @ way > 0).astype(np.int64))
    own = [blake3(str(row).encode()).digest() for row in range(start, start + AT_ONCE)]
    store.put(own, some)
    keys += own
rows, targets = StoredRows(store, keys), np.concatenate(targets)
before = most()
head = fit_streamed(rows, targets, sys.argv[2], kind="classification", classes=2, folds=np.arange(ROWS) % 2)
numbers, block = next(iter(rows))
right = float((head.predict(block).argmax(axis=1) == targets[numbers]).mean())
print(json.dumps({"features": 4 * ROWS * WIDTH, "more": most() - before, "right": right}))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is counted in other units elsewhere")
@pytest.mark.parametrize("name", ["ridge", "logistic"])
def test_memory_stays_far_below_the_features(tmp_path, name):
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, tmp_path, name], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert told["features"] > 200e6
    assert told["more"] < told["features"] / 3
    assert told["right"] > 0.95
