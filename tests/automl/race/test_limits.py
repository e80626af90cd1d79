"""Limits of memory and disk: sizes as people write them, what trials take, a race that leaves out what is beyond."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from short_minilm import short_minilm
from small import bright

from headstart.automl.race.fit import fit_within
from headstart.automl.race.limits import Limits, Needs, bytes_of, held_bytes, needs_of, sizes_of
from headstart.automl.race.space import arms_for
from headstart.backbones.load import load
from headstart.data.arrays import as_task
from headstart.errors import DataError, RaceError
from headstart.tasks import CLASSIFICATION
from headstart.training.activations import Form, cost
from headstart.training.batches import batches
from headstart.training.cut import find_cut

RESNET = "timm:test_resnet?weights=random"


@pytest.mark.parametrize(
    ("words", "bytes_"),
    [
        ("4GB", 4e9),
        ("500 MB", 5e8),
        ("2GiB", 2**31),
        ("1.5gb", 1.5e9),
        ("12kB", 12e3),
        ("7", 7),
        (10, 10),
        (2.5e6, 2.5e6),
    ],
)
def test_sizes_are_read(words, bytes_):
    assert bytes_of(words) == bytes_


@pytest.mark.parametrize("words", ["4 bananas", "", "-1GB", "GB", "0", 0, -5, math.nan, math.inf, True, None, "1GB2MB"])
def test_what_is_no_size_is_refused(words):
    with pytest.raises(ValueError, match=r"memory=.*: expected a size such as 4GB"):
        bytes_of(words)


def test_what_is_beyond_a_limit_is_said():
    assert Limits().obstacle(Needs(1e15, 1e15)) == ""
    assert Limits(2e9, 1e9).obstacle(Needs(2e9, 1e9)) == ""
    words = Limits(2e9, None).obstacle(Needs(3.14e9, 1e15))
    assert words == "it would take about 3.1 GB of memory, above the limit of 2.0 GB"
    assert Limits(None, 5e6).obstacle(Needs(1e15, 9e6)) == "it would take about 9 MB of disk, above the limit of 5 MB"


def pictures(rows):
    rng = np.random.default_rng(0)
    return [Image.fromarray(rng.integers(0, 255, (40, 50, 3), dtype=np.uint8)) for _ in range(rows)]


def test_sizes_are_those_of_the_network():
    backbone, task = load(RESNET), as_task(pictures(3))
    sizes = sizes_of(backbone, task)
    assert sizes.weights == sum(weight.numel() for weight in backbone.module.parameters())
    assert sum(stage.weights for stage in sizes.stages) == sizes.weights
    inputs = batches(list(task.inputs), backbone).batch(np.arange(1), None)
    assert sizes.prepared == inputs[0].numel()
    put_out = []
    for part in backbone.module.modules():
        if not list(part.children()):
            part.register_forward_hook(lambda module, given, out: put_out.append(4 * out.numel()))
    with torch.inference_mode():
        backbone.module(*inputs)
    assert 0 < sum(stage.put_out for stage in sizes.stages) <= sum(put_out)


def test_what_crosses_the_cut_is_known_before_it_is_written(tmp_path):
    """As the training itself counts it, once the lower stages are frozen."""
    backbone = load(f"file:{short_minilm(tmp_path / 'net')}")
    texts = ["good " * 30, "bad " * 30, "indeed " * 30]
    task = as_task(texts)
    sizes = sizes_of(backbone, task)
    inputs = batches(texts, backbone)
    for name, weight in backbone.module.named_parameters():
        weight.requires_grad_(name.startswith(backbone.stages[-1][1]))
    cut = find_cut(backbone.module, inputs.batch(np.arange(1), None), backbone.preprocess)
    written = cost(inputs, cut, [Form(row, -1) for row in range(3)], torch.float32)
    assert 3 * sizes.stages[-2].crossing == written
    (top,) = [arm for arm in arms_for(task.modality, CLASSIFICATION, [backbone]) if arm.method == "top"]
    last, every = (
        needs_of(top, {"stages": stages}, sizes, backbone.dim, 3, cached=False) for stages in (1, len(sizes.stages))
    )
    assert last.disk == written + 4 * sizes.weights
    assert every.disk == 4 * sizes.weights
    assert last.memory < every.memory


def test_what_cannot_be_read_is_passed_over(tmp_path):
    backbone, task = load(RESNET), as_task(pictures(2))
    missing = str(tmp_path / ("a long name of a picture that is not there" + ".png"))
    assert sizes_of(backbone, replace(task, inputs=[missing, task.inputs[0]])) == sizes_of(backbone, task)
    with pytest.raises(DataError, match="none of 2 pictures can be read"):
        sizes_of(backbone, replace(task, inputs=[missing, missing]))


def test_the_process_holds_what_it_is_given():
    before = held_bytes()
    block = np.ones(40_000_000)
    assert held_bytes() - before > 0.5 * block.nbytes


@pytest.fixture(scope="module")
def photos():
    shown = [bright(row) for row in range(60)]
    return pd.DataFrame({"picture": shown, "label": ["abc"[row % 3] for row in range(60)]})


def raced(photos, **limits):
    return fit_within(photos, budget="1h", candidates=[RESNET], methods=["top"], cache=False, **limits)


def test_arms_beyond_a_limit_are_not_begun_and_named(photos):
    """Of memory as much as what moves nothing takes, and a little."""
    backbone = load(RESNET)
    (probe,) = [arm for arm in arms_for(backbone.modality, CLASSIFICATION, [backbone]) if arm.method == "probe"]
    sizes = sizes_of(backbone, as_task(photos["picture"].tolist()))
    least = needs_of(probe, {}, sizes, backbone.dim, 60, cached=False)
    race = raced(photos, disk=least.disk * 1.01).evidence_.facts.race
    assert {trial.name for trial in race.trials} == {f"probe on {RESNET}", "no-transfer"}
    assert race.ended == "every setting was tried"
    why = dict(race.failures)[f"top on {RESNET}"]
    assert "of disk, above the limit of" in why


def test_where_nothing_stays_within_there_is_no_race(photos):
    with pytest.raises(RaceError, match=r"no candidate stays within the limits: Candidate left out: .* of memory"):
        raced(photos, memory="1MB")
