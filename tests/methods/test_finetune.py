"""From a task to moved weights: which rows say when to stop, and what is refused, survived or told on the way."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_iris

from headstart import Transfer
from headstart.backbones.load import load
from headstart.data.arrays import as_task
from headstart.features.cache.cache import Cache
from headstart.features.extract import Extraction
from headstart.features.feature_set import look
from headstart.heads.head import Head
from headstart.heads.module import HeadModule
from headstart.listener import Logged
from headstart.methods.finetune import tune
from headstart.methods.table import configured
from headstart.network import Network
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION
from headstart.training.batches import batches
from headstart.training.holdout import _most_alike

NAME = "timm:test_resnet?weights=random"
RNG = np.random.default_rng(0)
PICTURES = [
    Image.fromarray(RNG.integers(0, 150, (40, 40, 3), np.uint8) + 100 * np.eye(3, dtype=np.uint8)[i % 3])
    for i in range(15)
]
LABELS = list("abc" * 5)


def fitted(method="top", cache=False, **options):
    made = Transfer(NAME, method, options={"epochs": 2, "batch": 4} | options, engine="torch", cache=cache)
    return made.fit(PICTURES, LABELS)


def test_the_fold_most_like_the_whole_is_held_out():
    targets = np.array([0, 0, 0, 1, 0, 1, 0, 1, 1, 1, 0, 1])
    fold = np.array([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2])
    assert _most_alike(targets, fold, CLASSIFICATION) == 1
    assert _most_alike(targets * 3.0, fold, REGRESSION) == 1
    assert _most_alike(np.stack([targets, 1 - targets], axis=1), fold, MULTILABEL) == 1


def test_a_head_that_is_not_linear_in_the_features_is_no_beginning():
    neural = Transfer(method="neural").fit(*load_iris(return_X_y=True)).model_.head
    with pytest.raises(ValueError, match="the neural head has more than one layer: use ridge or logistic"):
        HeadModule.like(neural)
    arrays = {"mean": np.zeros(2), "scale": np.ones(2), "weight.0": np.ones((2, 3)), "bias.0": np.zeros(3)}
    plain = Head(name="ridge", kind="classification", arrays=arrays, temperature=2.0)
    x = np.random.default_rng(0).normal(size=(4, 2)).astype(np.float32)
    found = HeadModule.like(plain)(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(found, plain.logits(x) / 2, rtol=1e-5, atol=1e-6)
    rooted = replace(plain, form="root")
    found = HeadModule.like(rooted)(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(found, rooted.logits(x) / 2, rtol=1e-5, atol=1e-6)


def test_scratch_needs_weights_that_could_be_random():
    backbone = replace(load(NAME), random=None)
    seen = look(as_task(PICTURES, LABELS), backbone, Extraction(engine="torch"), Logged())
    with pytest.raises(ValueError, match=r"timm:test_resnet.* has no weights that could be random"):
        tune(seen, backbone, "scratch", configured("scratch", {}, 0).tuning)


def test_what_has_no_network_has_nothing_to_move():
    identity = load("identity")
    with pytest.raises(ValueError, match="identity has no network to train: its features are the columns themselves"):
        batches(["x"], identity)
    with pytest.raises(ValueError, match=r"identity has no weights that could move.*use method 'probe'"):
        Network(identity, HeadModule.fresh(np.zeros(2), np.ones(2), 2))


def test_slim_goes_not_with_weights_that_move(run, tmp_path):
    refused = run("fit", tmp_path, "--out", "x", "--method", "top", "--slim")
    assert refused.code == 2
    assert "--slim stores the backbone by its hash, and method 'top' moves it: leave --slim out" in refused.err


@pytest.mark.parametrize(
    ("method", "options", "why"),
    [
        ("top", {"optimizer": "adamm"}, "optimizer 'adamm' is unknown; nearest: adamw?; expected one of sgd, adam"),
        ("top", {"schedule": "cosin"}, "schedule 'cosin' is unknown; nearest: cosine; expected one of cosine, one-c"),
        ("top", {"stages": 99}, "99 stages were asked for; this backbone has 5: conv1, layer1, "),
        ("top", {"stages": -1}, "-1 stages were asked for; this backbone has 5"),
        ("gradual", {"stages": 0}, "stages = 0: expected 1 or more; method 'head' opens none"),
        ("lp-ft", {"hidden": 8}, "hidden = 8: method 'lp-ft' starts from the probe's head, which has no layers"),
        ("lora", {"rank": 0}, "rank = 0: expected 1 or more"),
        ("soup", {"runs": 1}, "runs = 1: expected 2 or more; method 'lp-ft' is a single one"),
        ("soup", {"spread": 0.5}, "spread = 0.5: expected 1 or more"),
        ("wise-ft", {"alpha": 1.5}, "alpha = 1.5: expected 0 to 1, or -1 for the best by validation"),
        ("wise-ft", {"points": 1}, "points = 1: expected 2 or more, for alpha 0 and 1"),
        ("top", {"label_smoothing": 1.0}, "label_smoothing = 1.0: expected 0 or more, and less than 1"),
        ("top", {"l2": -1.0}, "l2 = -1.0: expected 0 or more"),
        ("l2-sp", {"weight": -1.0}, "weight = -1.0: expected 0 or more"),
        ("delta", {"shrink": -1.0}, "shrink = -1.0: expected 0 or more"),
        ("delta", {"smallest": 0}, "smallest = 0: expected 1 or more"),
        ("top", {"decay": 0.0}, "decay = 0.0: expected more than 0"),
        ("fine-tune", {"head_lr": -1.0}, "head_lr = -1.0: expected more than 0"),
        ("bitfit", {"speed": 0.0}, "speed = 0.0: expected more than 0"),
        ("ia3", {"speed": -2.0}, "speed = -2.0: expected more than 0"),
        ("top", {"batch": 0}, "batch = 0: expected 1 or more"),
        ("top", {"lr": "fast"}, "lr = 'fast': expected float"),
        ("top", {"lr": float("nan")}, "lr = nan: expected a positive number, such as 1e-4"),
        ("top", {"ema": 1.0}, "ema = 1.0: expected 0 or more, and less than 1"),
        ("top", {"precision": "half"}, "precision = 'half': expected auto, float32 or bfloat16"),
        ("top", {"journal": -1.0}, "journal = -1.0: expected 0 or more"),
        ("top", {"validation": 0.6}, "validation = 0.6: expected 0 to 0.5"),
        ("top", {"validation": -0.1}, "validation = -0.1: expected 0 to 0.5"),
        ("top", {"validation": float("nan")}, "validation = nan: expected 0 to 0.5"),
    ],
)
def test_an_option_that_cannot_be_is_refused(method, options, why):
    with pytest.raises(ValueError, match=why):
        fitted(method, **options)


@pytest.mark.parametrize(("method", "stages"), [("gradual", 4), ("lp-ft", 1)])
def test_without_validation_every_row_learns_for_every_epoch(method, stages):
    facts = fitted(method, validation=0).model_.head.facts
    assert facts.rows == (15, 0)
    assert [(stage, epoch) for stage, epoch, _ in facts.curves] == [(s, e) for s in range(stages) for e in (0, 1)]
    assert facts.rule == "each stage lasts all its epochs"


def test_without_validation_the_whole_soup_is_cooked_and_alpha_is_a_half():
    assert fitted("soup", validation=0, runs=4).model_.head.facts.account["soup"] == [0, 1, 2, 3]
    half, given = fitted("wise-ft", validation=0), fitted("wise-ft", validation=0, alpha=0.5)
    assert half.model_.head.facts.account["alpha"] == 0.5
    assert half.backbone_.fingerprint == given.backbone_.fingerprint != load(NAME).fingerprint


@pytest.mark.parametrize(("share", "held"), [(0.2, 3), (0.5, 7)])
def test_about_so_many_rows_are_held_out(share, held):
    rows = fitted(validation=share, epochs=1).model_.head.facts.rows
    assert sum(rows) == 15
    assert abs(rows[1] - held) <= 2


def test_one_row_at_a_time_spares_batch_norm_and_says_so():
    found = fitted("fine-tune", batch=1, lr=1e-3, statistics="batch")
    assert "batches of one row: the statistics of BatchNorm stay those of the source" in found.model_.notes
    before = load(NAME).module.state_dict()
    after = found.backbone_.module.state_dict()
    assert all(torch.equal(value, after[key]) for key, value in before.items() if "running" in key)
    assert not all(torch.equal(value, after[key]) for key, value in before.items())


def test_a_class_may_be_absent_from_a_batch():
    found = fitted("fine-tune", batch=2)
    assert np.isfinite(found.predict_proba(PICTURES)).all()
    assert list(found.classes_) == ["a", "b", "c"]


class _Stop(logging.Filter):
    """Ctrl-C after so many epochs."""

    left = 1

    def filter(self, record):
        self.left -= "epochs" in record.getMessage()
        if self.left < 0:
            raise KeyboardInterrupt
        return True


def test_an_interrupted_run_goes_on_and_clearing_the_cache_forgets_it(run, monkeypatch, tmp_path, caplog):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path))
    log = logging.getLogger("headstart")

    def journals_after(stop):
        log.addFilter(stop)
        try:
            with pytest.raises(KeyboardInterrupt), caplog.at_level(logging.DEBUG, "headstart"):
                fitted(cache=True, epochs=3, journal=0.0, refit=0)
        finally:
            log.removeFilter(stop)
        return list((tmp_path / "runs").glob("*/now.safetensors"))

    def epochs():
        return [r.getMessage() for r in caplog.records if r.getMessage().startswith("top: epochs")]

    assert journals_after(_Stop())
    caplog.clear()
    with caplog.at_level(logging.DEBUG, "headstart"):
        fitted(cache=True, epochs=3, journal=0.0, refit=0)
    assert epochs() == ["top: epochs: 3 of 3"]
    assert journals_after(_Stop())
    assert "freed" in run("cache", "--clear").out
    assert not list(tmp_path.rglob("*.safetensors"))
    assert Cache(tmp_path).describe() == []


def test_a_run_goes_on_where_no_journal_can_be_kept(monkeypatch, tmp_path):
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path))
    (tmp_path / "runs").write_text("no folder")
    found = fitted(cache=True, journal=0.0)
    notes = [note for note in found.model_.notes if note.startswith("where training stands could not be kept")]
    assert len(notes) == 1
    assert notes[0].endswith("a killed run would begin earlier")
    assert found.backbone_.fingerprint == fitted(journal=0.0).backbone_.fingerprint


APART = '''
import json, os, sys
from headstart import Transfer
from headstart.backbones.load import load
from PIL import Image
import numpy as np, resource
import timm  # once, here: each of the forked processes would import it for itself

rng = np.random.default_rng(0)
pictures = [Image.fromarray(rng.integers(0, 256, (40, 40, 3), np.uint8)) for _ in range(15)]
options = {"epochs": 4, "batch": 4, "journal": 0.0, "stages": 2, "views": 2}


def fit():
    made = Transfer("timm:test_resnet?weights=random", "gradual", options=options, engine="torch")
    return made.fit(pictures, list("abc" * 5))


def said(found):
    return json.dumps([found.backbone_.fingerprint, found.predict_proba(pictures).tolist(), list(found.model_.notes)])


def apart(name, limit=resource.RLIM_INFINITY):
    """In a process of its own; this one never calculates, so that it can be forked."""
    process = os.fork()
    if not process:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        with open(f"{os.environ['HEADSTART_CACHE']}/{name}.json", "w") as file:
            file.write(said(fit()))
        os._exit(0)
    return process


def wait(*processes):
    codes = [os.waitpid(process, 0)[1] for process in processes]
    assert not any(codes), codes


wait(apart("whole"))
wait(apart("one"), apart("two"), apart("three"))
wait(apart("full", 60_000))
'''


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_twins_and_a_full_disk_change_nothing_that_is_learnt(preloaded, tmp_path):
    environment = os.environ | {"HEADSTART_CACHE": str(tmp_path)}
    preloaded.checked(APART, env=environment)
    names = ("whole", "one", "two", "three", "full")
    whole, *twins, full = (json.loads((tmp_path / f"{name}.json").read_text()) for name in names)
    assert [one[:2] for one in twins] == [whole[:2]] * 3
    assert full[:2] == whole[:2]
    assert any("where training stands could not be kept ([Errno 27] File too large" in note for note in full[2])
    assert any("the disk did not take it ([Errno 27] File too large" in note for note in full[2])
    assert not any("could not" in note for note in whole[2])
    assert not list((tmp_path / "runs").iterdir())
