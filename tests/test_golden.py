"""Tuning against results of the literature: closed forms, and what theory says of small linear networks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from PIL import Image
from small import Rows
from torch import nn

from headstart import Transfer
from headstart.backbones.backbone import Backbone
from headstart.backbones.load import load
from headstart.finetuning.full import Full
from headstart.finetuning.head import HeadOnly
from headstart.finetuning.lp_ft import LPFT
from headstart.finetuning.stage import Stage
from headstart.heads.module import HeadModule
from headstart.losses.l2_sp import L2SP
from headstart.losses.supervised import Supervised
from headstart.network import Network
from headstart.tasks import REGRESSION
from headstart.training.checkpoint import Journal
from headstart.training.feed import Data
from headstart.training.loop import train
from headstart.training.options import Training

DESCENT = Training(
    margin=0,
    epochs=40,
    lr=0.08,
    batch=10_000,
    optimizer="sgd",
    schedule="constant",
    weight_decay=0.0,
    patience=10_000,
    clip=0.0,
    augment=False,
    disk=0.0,
)
NAME = "timm:test_vit?weights=random"


def linear(weight: np.ndarray, bias: np.ndarray | None = None) -> Backbone:
    """The backbone x -> weight x + bias."""
    module = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None)
    with torch.no_grad():
        module.weight.copy_(torch.from_numpy(weight))
        if bias is not None:
            module.bias.copy_(torch.from_numpy(bias))
    stages = (("body", ("",)),)
    return Backbone(
        name="linear", modality="array", module=module, dim=len(weight), preprocess=None, fingerprint="", spec={},
        stages=stages,
    )  # fmt: skip


def regression(x: np.ndarray, y: np.ndarray) -> Data:
    """All rows are trained on, and all say when to stop."""
    rows = np.arange(len(x))
    return Data(Rows(torch.from_numpy(x).float()), torch.from_numpy(y), torch.ones(len(x)), REGRESSION, rows, rows)


def network(backbone: Backbone) -> Network:
    return Network(backbone, HeadModule.fresh(np.zeros(backbone.dim), np.ones(backbone.dim), 1))


def far_error(tuned: Network, truth: np.ndarray) -> float:
    """E (f(x) - f*(x))^2 over x ~ N(0, I) in the whole space."""
    found = tuned.head.linear.weight @ tuned.backbone.weight
    return float((found.detach().double().numpy()[0] - truth) @ (found.detach().double().numpy()[0] - truth))


def toy(seed: int, d: int = 40, k: int = 5, inside: int = 20) -> tuple[float, float, float]:
    """Errors out of distribution of the probe, of fine-tuning and of LP-FT in the setting of Kumar et al. (2022),
    section 3: y = v* B* x, rows from `inside` of d dimensions, and a pretrained B_0 near B*."""
    rng = np.random.default_rng(seed)
    true = np.linalg.qr(rng.normal(size=(d, k)))[0].T
    start = np.linalg.qr((true + 0.02 * rng.normal(size=(k, d))).T)[0].T
    start *= np.sign((start * true).sum(1, keepdims=True))
    head = rng.normal(size=k)
    head /= np.linalg.norm(head)
    x = rng.normal(size=(100, inside)) @ np.linalg.qr(rng.normal(size=(d, inside)))[0].T
    data = regression(x, x @ true.T @ head)
    tuned, other = network(linear(start)), network(linear(start))
    errors = []
    for one, tune in ((tuned, HeadOnly(head_lr=1.0)), (other, Full(decay=1.0, head_lr=1.0)), (tuned, LPFT(decay=1.0))):
        train(one, data, tune, Supervised(), DESCENT, Journal(None))
        errors.append(far_error(one, head @ true))
    return errors[0], errors[1], errors[2]


def test_fine_tuning_distorts_features_and_lp_ft_does_not():
    errors = np.array([toy(seed) for seed in range(20)])
    probe, full, lp_ft = errors.T
    assert (lp_ft < full).all()
    assert lp_ft.mean() < probe.mean() < full.mean() / 3


@dataclass(frozen=True)
class Body:
    """A tune that leaves the head alone, so that a network of one layer is a linear model."""

    start = "zero"
    scratch = False
    moves = "weights"

    def __call__(self, network: Network, progress: object) -> Iterator[Stage]:
        yield Stage(train=("body",))


@pytest.mark.parametrize("weight", [0.1, 1.0, 1e6])
def test_l2_sp_of_a_linear_model_is_its_closed_form(weight):
    rng = np.random.default_rng(0)
    n, d = 60, 6
    x = np.linalg.qr(rng.normal(size=(n, d)))[0] * np.sqrt(n) * rng.uniform(0.95, 1.05, d)
    source, bias = rng.normal(size=(1, d)), rng.normal(size=1)
    y = x @ rng.normal(size=d) + rng.normal(size=n) + 0.7
    model = network(linear(source, bias))
    nn.init.ones_(model.head.linear.weight)
    # slower than oscillation: validation takes the lowest loss of the rows, and momentum would shoot past the end
    training = replace(DESCENT, epochs=700, lr=0.0026 / (2.7 + weight))
    train(model, regression(x, y), Body(), L2SP(weight=weight, head=0.0), training, Journal(None))
    # (2/n X'X + weight I) (b - b_0) = 2/n X' (y - X b_0), the bias a column of ones, drawn to its source too
    ones, before = np.c_[x, np.ones(n)], np.append(source[0], bias)
    left = 2 / n * ones.T @ ones + weight * np.eye(d + 1)
    expected = before + np.linalg.solve(left, 2 / n * ones.T @ (y - ones @ before))
    found = np.append(model.backbone.weight.detach().numpy()[0], model.backbone.bias.detach().numpy())
    np.testing.assert_allclose(found, expected, atol=1e-4)
    if weight == 1e6:
        np.testing.assert_allclose(found, before, atol=1e-4)


@pytest.fixture(scope="module")
def pictures():
    """Noise with a tint that tells the class."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 190, (16, 48, 48, 3), np.uint8)
    for row, picture in enumerate(pixels):
        picture[..., row % 2] += 8
    return [Image.fromarray(picture) for picture in pixels], ["red", "green"] * 8


def fitted(pictures, method, **options):
    """Without validation: the last weights are kept, whatever they are worth."""
    options = {"epochs": 2, "batch": 8, "optimizer": "sgd", "lr": 1e-2, "validation": 0} | options
    return Transfer(NAME, method, options=options, engine="torch", cache=False).fit(*pictures)


def learnt(model):
    return {
        **model.backbone_.module.state_dict(),
        **{k: torch.from_numpy(v) for k, v in model.model_.head.arrays.items()},
    }


def test_wise_ft_at_the_ends_is_the_source_and_the_tuned_network(pictures):
    tuned = fitted(pictures, "lp-ft")
    still = fitted(pictures, "lp-ft", lr=1e-30)
    source, whole = fitted(pictures, "wise-ft", alpha=0.0), fitted(pictures, "wise-ft", alpha=1.0)
    assert source.backbone_.fingerprint == load(NAME).fingerprint
    assert whole.backbone_.fingerprint == tuned.backbone_.fingerprint != load(NAME).fingerprint
    for one, other in ((source, still), (whole, tuned)):
        for key, value in learnt(one).items():
            torch.testing.assert_close(value, learnt(other)[key], rtol=0, atol=1e-25, msg=key)


def test_gradients_of_parts_add_up_to_those_of_the_batch(pictures):
    whole, parts = fitted(pictures, "lp-ft"), fitted(pictures, "lp-ft", micro=3)
    assert whole.backbone_.fingerprint != load(NAME).fingerprint
    for key, value in learnt(whole).items():
        torch.testing.assert_close(value, learnt(parts)[key], rtol=1e-4, atol=1e-5, msg=key)
