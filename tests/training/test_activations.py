"""The cut cache against the plain loop, on real batches of pictures and texts, and where the disk does not take it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from short_minilm import short_minilm
from small import network_of

from headstart.backbones.load import load
from headstart.finetuning.gradual import Gradual
from headstart.finetuning.head import HeadOnly
from headstart.finetuning.lora import LoRA
from headstart.finetuning.top import Top
from headstart.losses.delta import Delta
from headstart.losses.supervised import Supervised
from headstart.tasks import CLASSIFICATION
from headstart.training.activations import Activations, Form, cost
from headstart.training.augmentation import Views
from headstart.training.batches import PLAIN, batches
from headstart.training.checkpoint import Journal
from headstart.training.cut import Below, find_cut
from headstart.training.feed import Data, open_feed
from headstart.training.loop import train
from headstart.training.options import Training
from headstart.training.step import Step
from headstart.training.telling import Telling

CPU = torch.device("cpu")
# Steps are as long as the gradient: Adam takes a whole one where a gradient is nothing but rounding.
TINY = Training(margin=0, epochs=3, batch=5, lr=1e-2, optimizer="sgd", views=2, patience=9, precision="float32")
WORDS = ["the", "film", "was", "not", "good", "but", "unwatchable", "dull", "and", "told", "bright", "story", "sea"]


@pytest.fixture(scope="module")
def minilm(tmp_path_factory):
    """A part of it."""
    return load(str(short_minilm(tmp_path_factory.mktemp("backbone") / "short")))


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """A temporary folder of the test's own, that must be empty in the end."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert not list(folder.iterdir())


def pictures(count=14):
    rng = np.random.default_rng(0)
    made = rng.integers(0, 120, (count, 40, 48, 3), np.uint8)
    for row in range(count):
        made[row, :, :, row % 3] += 100
    return list(made)


def texts(count=14):
    rng = np.random.default_rng(0)
    return [" ".join(rng.choice(WORDS, size)) for size in rng.integers(1, 12, count)]


def data_of(inputs, backbone, extraction=PLAIN):
    count = len(inputs)
    targets, weights = torch.arange(count) % 3, torch.linspace(0.5, 2, count)
    rows = np.arange(count)
    return Data(batches(inputs, backbone, CPU, extraction), targets, weights, CLASSIFICATION, rows[:-4], rows[-4:])


def run(backbone, data, tune, training, loss=Supervised()):  # noqa: B008 - it is frozen
    said = []
    network = network_of(backbone)
    return network, train(network, data, tune, loss, training, Journal(None), Telling(say=said.append)), said


def same_as_plain(backbone, data, tune, training, tolerance=1e-5):
    """The curves of the cut cache and of the plain loop, which draws the same; both networks."""
    network, found, said = run(backbone, data, tune, training)
    other, plain, silent = run(backbone, data, tune, replace(training, disk=0))
    assert [line for line in said if "on the disk while the stage learns" in line]
    assert not silent
    np.testing.assert_allclose(found.curves, plain.curves, rtol=tolerance)
    assert len({curve.train for curve in found.curves}) == len(found.curves)
    return network.state_dict(), other.state_dict()


@pytest.mark.parametrize("augment", [True, False])
@pytest.mark.parametrize("tune", [Top(stages=0), Top(stages=1), Gradual(stages=2), HeadOnly()], ids=repr)
def test_pictures_learn_as_in_the_plain_loop(backbone, tune, augment):
    one, other = same_as_plain(backbone, data_of(pictures(), backbone), tune, replace(TINY, augment=augment))
    for name, value in other.items():
        torch.testing.assert_close(one[name], value, atol=2e-4, rtol=1e-3, msg=name)


@pytest.mark.parametrize("augment", [True, False])
@pytest.mark.parametrize("tune", [Top(stages=0), Top(stages=1), LoRA(stages=1)], ids=repr)
def test_texts_of_all_lengths_learn_as_in_the_plain_loop(minilm, tune, augment):
    same_as_plain(minilm, data_of(texts(), minilm), tune, replace(TINY, augment=augment, lr=1e-4))


@pytest.mark.parametrize("options", [{"mixup": 0.4}, {"ema": 0.5}, {"micro": 2}, {"mixup": 0.4, "micro": 2}], ids=repr)
def test_texts_with_other_options_learn_as_in_the_plain_loop(minilm, options):
    for tune in (Top(stages=0), Top(stages=1)):
        same_as_plain(minilm, data_of(texts(10), minilm), tune, replace(TINY, lr=1e-4, **options))


def test_pictures_that_are_mixed_are_never_cached(backbone):
    _, found, said = run(backbone, data_of(pictures(), backbone), Top(stages=1), replace(TINY, mixup=0.4))
    assert not said
    assert np.isfinite(found.curves).all()


def test_a_loss_of_maps_runs_the_whole_network(backbone):
    _, _, said = run(backbone, data_of(pictures(), backbone), Top(stages=1), TINY, Delta())
    assert not said


def test_openvino_learns_as_the_plain_loop_does(backbone):
    pytest.importorskip("openvino")
    extraction = replace(PLAIN, engine="openvino")
    same_as_plain(backbone, data_of(pictures(), backbone, extraction), Top(stages=1), TINY, tolerance=1e-3)


def test_no_more_epochs_than_views_are_not_worth_a_file(backbone):
    data = data_of(pictures(), backbone)
    assert not run(backbone, data, Top(stages=1), replace(TINY, views=3))[2]
    assert run(backbone, data, Top(stages=1), replace(TINY, views=3, augment=False))[2]


# What is in the file ------------------------------------------------------------------------------------------------


def kept(backbone, inputs, views, dtype):
    """The activations of one stage that is open, its cut, and the forms that were computed."""
    network = network_of(backbone)
    network.open(network.top(1))
    cut = find_cut(network.backbone, inputs.batch(np.arange(1), None), inputs.preprocess)
    forms = [Form(row, number) for number in range(-1, views) for row in range(len(inputs))]
    with network.asked():
        return network, cut, forms, Activations(inputs, network.backbone, cut, forms, seed=0, dtype=dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("modality", ["image", "text"])
def test_each_row_comes_back_in_its_form_to_the_precision_of_the_file(backbone, minilm, modality, dtype, temporary):
    backbone, some = (backbone, pictures(7)) if modality == "image" else (minilm, texts(7))
    inputs = batches(some, backbone)
    network, cut, forms, found = kept(backbone, inputs, 2, dtype)
    assert found._values.nbytes == cost(inputs, cut, forms, dtype)
    assert not list(temporary.iterdir())  # the file has no name
    rows = np.array([4, 0, 6, 6])
    for draw in (None, *(Views(0, stage, 0, 2) for stage in range(3))):
        plain = inputs.batch(rows, draw)
        with torch.no_grad(), network.asked():
            expected = Below(network.backbone, cut)(*plain)
        activation, *rest = found.batch(rows, draw)
        assert activation.dtype == torch.float32
        error = 2**-8 if dtype == torch.bfloat16 else 1e-5
        for place, row in enumerate(rows):
            size = inputs.length(row) if modality == "text" else None
            one, other = activation[place][:size], expected[place][:size]
            assert (one - other).abs().max() <= error * expected.abs().max()
            assert not activation[place][len(one) :].any()
        assert rest[0].shape == plain[0].shape
    assert len(found) == 7
    found.close()


def test_bfloat16_on_disk_learns_as_float32_does(backbone, monkeypatch):
    """The arithmetic stays float32: this test holds where the processor has no bfloat16, too."""
    data = data_of(pictures(), backbone)
    losses = []
    for dtype in (torch.float32, torch.bfloat16):
        network, cut, _, found = kept(backbone, data.inputs, 2, dtype)
        optimise = torch.optim.SGD([w for w in network.parameters() if w.requires_grad], lr=1e-2)
        with cut.above(network.backbone) as above:
            for _ in range(3):
                features = above(*found.batch(data.train, Views(0, 0, 0, 2)))
                cost_ = torch.nn.functional.cross_entropy(network.head(features), data.targets[data.train])
                optimise.zero_grad()
                cost_.backward()
                optimise.step()
                losses.append(float(cost_.detach()))
        found.close()
    np.testing.assert_allclose(losses[:3], losses[3:], rtol=2e-2)


# Disks that do not take it ------------------------------------------------------------------------------------------


def test_a_limit_that_is_too_small_is_the_plain_loop_and_says_so(backbone):
    data = data_of(pictures(), backbone)
    _, small, said = run(backbone, data, Top(stages=1), replace(TINY, disk=1e-6))
    _, plain, _ = run(backbone, data, Top(stages=1), replace(TINY, disk=0))
    assert small.curves == plain.curves
    assert len(said) == 1
    assert "what the frozen part makes of 24 inputs takes" in said[0]
    assert said[0].endswith("more than the 1 MB there are: the frozen part runs in every epoch")
    assert said[0] in small.notes


FULL = """
import json, resource, sys, tempfile
sys.path[:0] = [sys.argv[1] + "/training", sys.argv[1] + "/support"]
import test_activations as tests
from dataclasses import replace
from headstart.backbones.load import load
tempfile.tempdir = sys.argv[2]
backbone = load("timm:test_resnet?weights=random")
data = tests.data_of(tests.pictures(), backbone)
if sys.argv[3] == "limit":
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
_, found, said = tests.run(backbone, data, tests.Top(stages=1), tests.TINY)
print(json.dumps([found.curves, said]))
"""


def child(preloaded, folder, how):
    where = Path(__file__).parents[1]
    return json.loads(preloaded.checked(FULL, where, folder, how).splitlines()[-1])


def refused(curves, said, backbone):
    _, plain, _ = run(backbone, data_of(pictures(), backbone), Top(stages=1), replace(TINY, disk=0))
    np.testing.assert_allclose(curves, plain.curves, rtol=1e-6)
    assert "while the stage learns" in said[0]
    assert "the disk did not take it" in said[1]
    assert said[1].endswith("the frozen part runs in every epoch")


@pytest.mark.skipif(sys.platform == "win32", reason="no limits of files there")
def test_a_file_that_may_not_grow_is_the_plain_loop_and_says_so(preloaded, backbone, temporary):
    curves, said = child(preloaded, temporary, "limit")
    refused(curves, said, backbone)


def test_a_full_disk_is_the_plain_loop_and_says_so(backbone, tmp_path, monkeypatch):
    """A real one, where it can be mounted; what it says of its free space comes too late."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=100k", "none", str(folder)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("no file system can be mounted here")
    try:
        monkeypatch.setattr(tempfile, "tempdir", str(folder))
        monkeypatch.setattr("headstart.training.feed.free_space", lambda: 10**12)
        _, found, said = run(backbone, data_of(pictures(), backbone), Top(stages=1), TINY)
        assert not os.listdir(folder)
    finally:
        subprocess.run(["umount", str(folder)], check=True)
    refused(found.curves, said, backbone)
    assert "No space left" in said[1]


def test_no_temporary_folder_at_all_is_the_plain_loop_and_says_so(backbone, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    _, found, said = run(backbone, data_of(pictures(), backbone), Top(stages=1), TINY)
    _, plain, _ = run(backbone, data_of(pictures(), backbone), Top(stages=1), replace(TINY, disk=0))
    assert found.curves == plain.curves
    assert "the disk did not take it" in said[-1]


class Stop(Exception):
    pass


@pytest.mark.parametrize("where", ["below", "above", "batch"])
def test_nothing_is_left_after_an_exception(backbone, where, temporary, monkeypatch):
    network, data = network_of(backbone), data_of(pictures(), backbone)

    def stop(*args):
        raise Stop

    if where == "below":
        network.backbone.get_submodule("conv1").register_forward_hook(stop)
        monkeypatch.setattr("headstart.training.feed.find_cut", lambda backbone, example, form: cut)
        other = network_of(backbone)
        other.open(other.top(1))
        cut = find_cut(other.backbone, data.inputs.batch(data.train[:1], None), data.inputs.preprocess)
    elif where == "above":
        monkeypatch.setattr(Step, "__call__", stop)
    else:
        monkeypatch.setattr(Activations, "batch", stop)
    with pytest.raises(Stop):
        train(network, data, Top(stages=1), Supervised(), TINY, Journal(None))
    assert not list(temporary.iterdir())
    assert not any("forward" in vars(module) for module in network.modules())


def test_nothing_is_left_of_a_feed_that_is_closed_in_the_middle(backbone, temporary):
    network, data = network_of(backbone), data_of(pictures(), backbone)
    network.open(network.top(1))

    def stopped():
        with open_feed(network, data, TINY, TINY.epochs, print) as feed:
            assert isinstance(feed.inputs, Activations)
            raise Stop

    with pytest.raises(Stop):
        stopped()
    assert not list(temporary.iterdir())
