"""The weight tier on a CPU, each line a ratio from this run: `top` from cached activations, and full fine-tuning.

    python bench/cut.py [--pictures 500] [--epochs 10]

ResNet-50 with random weights (they do for speed). The plain loop is what a script does: eager float32, NCHW, batches of
32, the frozen part run again in every step, no gradient kept in it. Both begin with decoded pixels, train the same last
stage and head on the same rows with AdamW, and use all cores. Ours pays for finding the cut and filling the cache.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace

import numpy as np
import torch
from material import show
from torch import nn

from headstart.backbones.backbone import Backbone
from headstart.backbones.load import load
from headstart.features.cache.memory import Memory
from headstart.features.engines.processor import cores
from headstart.features.engines.support import obstacle
from headstart.finetuning.full import Full
from headstart.finetuning.stage import Tune
from headstart.finetuning.top import Top
from headstart.heads.module import HeadModule
from headstart.losses.supervised import Supervised
from headstart.network import Network
from headstart.tasks import CLASSIFICATION
from headstart.training.batches import PLAIN, PictureBatches
from headstart.training.checkpoint import Journal
from headstart.training.feed import Data
from headstart.training.loop import train
from headstart.training.options import Training

CLASSES = 10
HELD = 20


def made(backbone: Backbone) -> Network:
    return Network(backbone, HeadModule.fresh(np.zeros(backbone.dim), np.ones(backbone.dim), CLASSES))


def data(backbone: Backbone, count: int, engine: str) -> Data:
    rng = np.random.default_rng(0)
    pixels = list(rng.integers(0, 256, (count + HELD, 224, 224, 3), np.uint8))
    backbone = replace(backbone, preprocess=replace(backbone.preprocess, squash=True))
    inputs = PictureBatches(pixels, backbone, extraction=replace(PLAIN, engine=engine))
    targets = torch.arange(count + HELD) % CLASSES
    rows = np.arange(count + HELD)
    return Data(inputs, targets, torch.ones(count + HELD), CLASSIFICATION, rows[:count], rows[count:])


def plain(backbone: Backbone, rows: Data, tune: Tune, epochs: int, batch: int, lr: float) -> tuple[float, float]:
    """Seconds of the loop, and its last mean loss."""
    network = made(backbone)
    stage = next(iter(tune(network, None)))
    moving = [weights for group in network.open(stage.train).values() for weights in group]
    optimise = torch.optim.AdamW(moving, lr=lr, weight_decay=0.01)
    began = time.perf_counter()
    mean = 0.0
    for epoch in range(epochs):
        order, losses = np.random.default_rng(epoch).permutation(rows.train), []
        for some in np.array_split(order, -(-len(order) // batch)):
            optimise.zero_grad()
            pictures = rows.inputs.batch(some, None)[0].contiguous()
            loss = nn.functional.cross_entropy(network(pictures), rows.targets[some])
            loss.backward()
            optimise.step()
            losses.append(float(loss.detach()))
        mean = float(np.mean(losses))
    return time.perf_counter() - began, mean


def ours(backbone: Backbone, rows: Data, tune: Tune, training: Training) -> tuple[float, float, float]:
    """Seconds of the training, those of its median epoch, and its last mean loss."""
    ends: list[float] = []
    network = made(backbone).to(memory_format=torch.channels_last)
    from headstart.training.loop import Telling

    began = time.perf_counter()
    telling = Telling(epoch=lambda done, total: ends.append(time.perf_counter()))
    done = train(network, rows, tune, Supervised(), training, Journal(None), telling)
    return (
        time.perf_counter() - began,
        float(np.median(np.diff(ends))) if len(ends) > 1 else np.nan,
        done.curves[-1].train,
    )


def forward(backbone: Backbone, rows: Data) -> float:
    """Seconds of one eager float32 pass over the training rows."""
    began = time.perf_counter()
    with torch.no_grad():
        for some in np.array_split(rows.train, -(-len(rows.train) // 32)):
            backbone.module(rows.inputs.batch(some, None)[0].contiguous())
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=500)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--engine", default="openvino")
    args = parser.parse_args()
    backbone = load("timm:resnet50?weights=random")
    rows = data(backbone, args.pictures, args.engine)
    half = not obstacle("torch", "bfloat16", Memory(None))
    sys.stdout.write(f"{cores()} cores; bfloat16: {'runs' if half else 'does not run'} here\n")
    common = Training(epochs=args.epochs, patience=args.epochs, augment=False, schedule="constant", clip=0.0)
    once = forward(backbone, rows)
    other, _ = plain(backbone, rows, Top(), args.epochs, 32, 1e-4)
    for precision in ("float32", "bfloat16")[: 1 + half]:
        took, epoch, _ = ours(backbone, rows, Top(), replace(common, batch=32, precision=precision))
        show(f"top, {args.epochs} epochs, {precision} / plain loop", took, other, "<= .2")
        show(f"  one epoch above the cut, {precision} / a forward pass", epoch, once, "<= .4")
    few = data(backbone, 64, "torch")
    other, last = plain(backbone, few, Full(), 3, 16, 1e-4)
    for precision in ("float32", "bfloat16")[: 1 + half]:
        training = replace(common, epochs=3, batch=16, precision=precision)
        took, _, found = ours(backbone, few, Full(decay=1.0, head_lr=1.0), training)
        show(f"fine-tune, channels last, {precision} / eager NCHW", took, other, "<= .56")
        sys.stdout.write(f"  last loss {found:.4f} against {last:.4f}: {found / last - 1:+.1%}\n")


if __name__ == "__main__":
    main()
