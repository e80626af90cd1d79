"""What a GPU gives: pictures a second, and the share of the measured bfloat16 peak, of passes and training steps.

    python bench/gpu.py [--batch 128] [--seconds 5]

The peak is that of the fastest of some large matrix products, measured here. FLOPs are counted by torch. Without a CUDA
device it says so and ends.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from headstart.backbones.backbone import Backbone
from headstart.backbones.load import load
from headstart.features.engines.torch_engine import TorchEngine
from headstart.finetuning.stage import Stage
from headstart.heads.module import HeadModule
from headstart.losses.penalty import Context
from headstart.losses.supervised import Supervised
from headstart.network import Network
from headstart.tasks import CLASSIFICATION
from headstart.training.optimizers import learning
from headstart.training.options import Training
from headstart.training.step import Batch, Step

CLASSES = 10
NETWORKS = ("timm:resnet50?weights=random", "timm:vit_base_patch16_224?weights=random")


def rate(work: Callable[[], Any], seconds: float) -> float:
    """Calls a second, after some to warm up."""
    for _ in range(5):
        work()
    torch.cuda.synchronize()
    calls, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        for _ in range(5):
            work()
        torch.cuda.synchronize()
        calls += 5
    return calls / (time.perf_counter() - began)


def peak(seconds: float) -> float:
    """FLOPs a second of bfloat16 products."""
    found = 0.0
    for size in (4096, 8192, 16384):
        a, b = (torch.randn(size, size, device="cuda", dtype=torch.bfloat16) for _ in range(2))
        found = max(found, 2 * size**3 * rate(lambda a=a, b=b: a @ b, seconds / 3))
    return found


def flops(backbone: Backbone) -> float:
    """Of one picture through the backbone."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        backbone.module(torch.zeros(1, 3, *backbone.preprocess.size))
    return float(counter.get_total_flops())


def frozen(backbone: Backbone, batch: int, seconds: float) -> float:
    """Pictures a second of the frozen pass, from pixels in memory to features in memory."""
    engine = TorchEngine(backbone, "bfloat16", "cuda")
    run = engine.lane()
    pixels = np.random.default_rng(0).integers(0, 256, (batch, *backbone.preprocess.size, 3), np.uint8)
    return batch * rate(lambda: run(pixels), seconds)


def training(backbone: Backbone, batch: int, seconds: float) -> float:
    """Pictures a second of whole training steps on pictures that are on the GPU."""
    network = Network(backbone, HeadModule.fresh(np.zeros(backbone.dim), np.ones(backbone.dim), CLASSES))
    network.to("cuda").to(memory_format=torch.channels_last)
    options = replace(Training(), batch=batch, precision="bfloat16")
    optimise = learning(network, Stage(train=network.stages), options)
    loss = Supervised()
    step = Step(network, CLASSIFICATION, loss, loss.start(Context(network)), options)
    pictures = torch.randn(batch, 3, *backbone.preprocess.size, device="cuda")
    pictures = pictures.contiguous(memory_format=torch.channels_last)
    rows = Batch((pictures,), torch.arange(batch, device="cuda") % CLASSES, torch.ones(batch, device="cuda"))
    rng = np.random.default_rng(0)
    return batch * rate(lambda: step(optimise, network.backbone, rows, rng), seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--seconds", type=float, default=5.0)
    args = parser.parse_args()
    if not torch.cuda.is_available():
        sys.stdout.write("no CUDA device: nothing to measure here\n")
        return
    top = peak(args.seconds)
    sys.stdout.write(f"{torch.cuda.get_device_name()}: {top / 1e12:.0f} TFLOP/s in bfloat16 products\n")
    for name in NETWORKS:
        backbone = load(name)
        each = flops(backbone)
        for what, passes, goal, measure in (("frozen pass", 1, 60, frozen), ("training step", 3, 50, training)):
            speed = measure(backbone, args.batch, args.seconds)
            share = 100 * passes * each * speed / top
            sys.stdout.write(f"{name:<42} {what:<14} {speed:9,.0f} pictures/s {share:5.1f} % of peak   goal {goal} %\n")


if __name__ == "__main__":
    main()
