"""What headstart makes of a GPU: its pictures, steps and texts a second over those of plain torch, from one run.

    python bench/gpu.py [--quick] [--device cuda|cpu]

Plain torch is written as one would who knows it: bfloat16 weights (in training autocast, and AdamW in one kernel),
channels last, page-locked memory, batches of 256, and no wait for the device before the end. Ours is what a fit does:
engine, lanes and steps as they are. Weights of pictures' networks are random. Without a CUDA device it says so and
ends; `--device cpu --quick` runs every line with tiny networks, whose figures mean nothing.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from headstart.backbones.backbone import Backbone
from headstart.backbones.load import load
from headstart.errors import HeadstartError
from headstart.features.engines import processor
from headstart.features.engines.engine import Choice
from headstart.features.engines.rescue import RescuedEngine
from headstart.features.engines.torch_engine import TorchEngine
from headstart.features.extract import Extraction, extract
from headstart.features.lanes import run_lanes
from headstart.features.texts import plan
from headstart.features.under_way import UnderWay
from headstart.finetuning.stage import Stage
from headstart.heads.module import HeadModule
from headstart.losses.penalty import Context
from headstart.losses.supervised import Supervised
from headstart.network import Network
from headstart.preprocessing.decode import decode
from headstart.preprocessing.prepare import prepare
from headstart.tasks import CLASSIFICATION
from headstart.training.deterministic import deterministic
from headstart.training.optimizers import learning
from headstart.training.options import Training
from headstart.training.step import Batch, Step

CLASSES = 10
BATCH = 256
NETWORKS = ("resnet50", "vit_base_patch16_224", "tf_efficientnet_lite0")
WORDS = ("the", "film", "was", "better", "than", "we", "had", "expected", "and", "its", "end", "slow", "at", "times")


@dataclass(frozen=True)
class Size:
    """How much of everything is measured."""

    networks: tuple[str, ...] = NETWORKS
    batch: int = BATCH
    pictures: int = 40 * BATCH
    held: int = 8 * BATCH
    steps: int = 30
    texts: int = 20_000
    files: int = 4_000


QUICK = Size(("test_resnet", "test_vit"), batch=8, pictures=32, held=16, steps=2, texts=60, files=24)


class Bench:
    """On a device, of a size; `rows` is what was printed."""

    def __init__(self, device: str, size: Size) -> None:
        self.device, self.size, self.rows = torch.device(device), size, 0
        self.cuda = self.device.type == "cuda"

    def wait(self) -> None:
        if self.cuda:
            torch.cuda.synchronize()

    def seconds(self, work: Callable[[], Any]) -> float:
        """Of the faster of two, after one to warm up."""
        times = []
        for _ in range(3):
            self.wait()
            began = time.perf_counter()
            work()
            self.wait()
            times.append(time.perf_counter() - began)
        return min(times[1:])

    def print(self, what: str, ours: float, plain: float, unit: str, goal: str) -> None:
        """ours, plain   so many units a second"""
        self.rows += 1
        ratio = f"{ours / plain:6.3f}"
        sys.stdout.write(f"{what:<58} {ours:9,.0f} / {plain:9,.0f} {unit} a second = {ratio}   goal {goal}\n")
        sys.stdout.flush()

    def there(self, array: Tensor) -> Tensor:
        return array.to(self.device, non_blocking=True)

    def pinned(self, tensor: Tensor) -> Tensor:
        return tensor.pin_memory() if self.cuda else tensor

    def engine(self, backbone: Backbone) -> RescuedEngine:
        inner = TorchEngine(backbone, "bfloat16", str(self.device))
        return RescuedEngine(inner, Choice("torch", "bfloat16", str(self.device), ""), backbone)

    def plain_module(self, backbone: Backbone) -> nn.Module:
        module = deepcopy(backbone.module).eval().requires_grad_(False).to(self.device, torch.bfloat16)
        return module.to(memory_format=torch.channels_last)


def through(engine: RescuedEngine, batches: list[tuple[Any, ...]]) -> None:
    """All batches through the engine by some lanes, as `features` does."""
    shared = UnderWay(engine) if engine.flight else None

    def lane(numbers: Iterator[int], stopped: Event) -> None:
        under_way = shared or UnderWay(engine)
        for number in numbers:
            for _ in under_way.give([number], *batches[number]):
                pass
        for _ in under_way.rest():
            pass

    run_lanes(lane, len(batches), min(4, processor.cores()), lambda: None)


def frozen(bench: Bench, name: str, backbone: Backbone) -> float:
    """uint8 in memory to features in memory; pictures a second of ours."""
    size = bench.size
    pixels = np.random.default_rng(0).integers(0, 256, (size.held, *backbone.preprocess.size, 3), np.uint8)
    engine = bench.engine(backbone)
    parts = [(pixels[at : at + engine.batch],) for at in range(0, size.held, engine.batch)]
    batches = parts * (size.pictures // size.held)
    ours = size.pictures / bench.seconds(lambda: through(engine, batches))
    module, held = bench.plain_module(backbone), bench.pinned(torch.from_numpy(pixels))
    mean, std = (
        bench.there(torch.tensor(v)).view(1, 3, 1, 1) for v in (backbone.preprocess.mean, backbone.preprocess.std)
    )

    def plain() -> Tensor:
        features = []
        with torch.inference_mode():
            for at in [at for _ in range(size.pictures // size.held) for at in range(0, size.held, size.batch)]:
                x = bench.there(held[at : at + size.batch]).permute(0, 3, 1, 2).float()
                features.append(module(((x / 255 - mean) / std).bfloat16()).float())
        return torch.cat(features).cpu()

    bench.print(f"frozen {name}, uint8 to features", ours, size.pictures / bench.seconds(plain), "pictures", ">= .95")
    return ours


def training(bench: Bench, name: str, backbone: Backbone, goal: str) -> None:
    """Whole steps on pictures that are on the device."""
    size = bench.size
    shape = (size.batch, 3, *backbone.preprocess.size)
    pictures = torch.randn(shape, device=bench.device).contiguous(memory_format=torch.channels_last)
    targets = torch.arange(size.batch, device=bench.device) % CLASSES
    ours = our_steps(bench, backbone, pictures, targets)
    took = bench.seconds(ours)
    with deterministic(bench.device, lambda note: None):
        repeatable = bench.seconds(ours)
    network = nn.Sequential(deepcopy(backbone.module), nn.Linear(backbone.dim, CLASSES)).train().requires_grad_(True)
    network.to(bench.device).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4, fused=bench.cuda)

    def plain() -> None:
        for _ in range(size.steps):
            optimizer.zero_grad()
            with torch.autocast(bench.device.type, torch.bfloat16):
                cost = functional.cross_entropy(network(pictures), targets)
            cost.backward()
            optimizer.step()

    rows = size.steps * size.batch
    slower = rows / bench.seconds(plain)
    bench.print(f"training step {name}", rows / took, slower, "pictures", goal)
    bench.print("  the same by deterministic algorithms, as a fit does", rows / repeatable, slower, "pictures", "none")


def our_steps(bench: Bench, backbone: Backbone, pictures: Tensor, targets: Tensor) -> Callable[[], None]:
    network = Network(backbone, HeadModule.fresh(np.zeros(backbone.dim), np.ones(backbone.dim), CLASSES))
    network.to(bench.device).to(memory_format=torch.channels_last)
    options = replace(Training(), batch=len(pictures), precision="bfloat16")
    optimise = learning(network, Stage(train=network.stages), options)
    loss = Supervised()
    step = Step(network, CLASSIFICATION, loss, loss.start(Context(network)), options)
    rows = Batch((pictures,), targets, torch.ones(len(pictures), device=bench.device))
    rng = np.random.default_rng(0)

    def steps() -> None:
        before: Any = 0.0
        for _ in range(bench.size.steps):
            before, cost = step(optimise, network.backbone, rows, rng), float(before)
            assert np.isfinite(cost)
        assert np.isfinite(float(before))

    return steps


def texts(bench: Bench) -> None:
    """Short texts through MiniLM: tokens in memory to features in memory, and from the texts themselves."""
    backbone, rng, count = load("bundled:minilm"), np.random.default_rng(0), bench.size.texts
    lengths = np.clip(rng.lognormal(2.6, 0.6, count), 2, 200).astype(int)
    inputs = [" ".join(rng.choice(WORDS, length)) + f" {number}" for number, length in enumerate(lengths)]
    preprocess = backbone.preprocess
    tokens = [preprocess.prepare(text)[0] for text in inputs]
    engine, module = bench.engine(backbone), bench.plain_module(backbone)

    def ours() -> None:
        parts = plan([len(some) for some in tokens], engine.batch)
        through(engine, [preprocess.collate([tokens[row] for row in part]) for part in reversed(parts)])

    def plain(tokens: list[Any] = tokens) -> Tensor:
        features = []
        with torch.inference_mode():
            for at in range(0, count, bench.size.batch):
                some = [
                    bench.pinned(torch.from_numpy(a)) for a in preprocess.collate(tokens[at : at + bench.size.batch])
                ]
                features.append(module(*map(bench.there, some)).float())
        return torch.cat(features).cpu()

    what = f"MiniLM, {count:,} short texts"
    bench.print(
        f"{what}, tokens to features", count / bench.seconds(ours), count / bench.seconds(plain), "texts", ">= 3"
    )
    how = Extraction(engine="torch", precision="bfloat16", device=str(bench.device))
    whole = bench.seconds(lambda: extract(inputs, backbone, how))
    other = bench.seconds(lambda: plain([preprocess.prepare(text)[0] for text in inputs]))
    bench.print("  the same from the texts, tokenized one by one", count / whole, count / other, "texts", "none")


def photographs(folder: Path, count: int) -> list[str]:
    """JPEG files of 500 x 375, no two of one content: soft shapes with some grain."""
    rng = np.random.default_rng(0)
    contents = []
    for _ in range(min(count, 64)):
        coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8))
        smooth = np.asarray(coarse.resize((500, 375), Image.Resampling.BICUBIC), np.int16)
        noisy = np.clip(smooth + rng.integers(-12, 13, smooth.shape), 0, 255).astype(np.uint8)
        buffer = BytesIO()
        Image.fromarray(noisy).save(buffer, "JPEG", quality=88)
        contents.append(buffer.getvalue())
    paths = [folder / f"{number:05d}.jpg" for number in range(count)]
    for number, path in enumerate(paths):
        path.write_bytes(contents[number % len(contents)] + number.to_bytes(4, "big"))
    return [str(path) for path in paths]


def end_to_end(bench: Bench, name: str, backbone: Backbone, paths: list[str], speed: float) -> None:
    """Files to features, over the slower of decoding alone and the forward pass alone."""

    def decoded(path: str) -> None:
        prepare(decode(bytearray(Path(path).read_bytes()), draft=True), backbone.preprocess)

    with ThreadPoolExecutor(processor.cores()) as pool:
        decoding = bench.seconds(lambda: list(pool.map(decoded, paths)))
    how = Extraction(engine="torch", precision="bfloat16", device=str(bench.device), thumbs=False)
    took = bench.seconds(lambda: extract(paths, backbone, how))
    forward = len(paths) / speed
    limit = 1.25 * max(decoding, forward) + 1
    bench.rows += 1
    sys.stdout.write(
        f"{name}, {len(paths):,} JPEGs of 500 x 375 to features: {took:.2f} s; decoding {decoding:.2f} s, forward "
        f"alone {forward:.2f} s: {took / max(decoding, forward):.2f} x the slower   goal <= {limit:.2f} s\n"
    )
    sys.stdout.flush()


def run(bench: Bench) -> None:
    with tempfile.TemporaryDirectory() as folder:
        paths = photographs(Path(folder), bench.size.files)
        for name in bench.size.networks:
            backbone = load(f"timm:{name}?weights=random")
            speed = frozen(bench, name, backbone)
            if "lite0" not in name:
                training(bench, name, backbone, ">= 1.0")
            end_to_end(bench, name, backbone, paths, speed)
    try:
        texts(bench)
    except HeadstartError as error:
        sys.stdout.write(f"MiniLM: not run ({error})\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    parser.add_argument("--quick", action="store_true", help="tiny networks and few rows: every line runs, no more")
    args = parser.parse_args()
    if args.device == "cuda" and not torch.cuda.is_available():
        sys.stdout.write("no CUDA device: nothing to measure here\n")
        return
    name = torch.cuda.get_device_name() if args.device == "cuda" else "the CPU"
    sys.stdout.write(f"{name}, torch {torch.__version__}, {processor.cores()} cores: ours / plain torch = ratio\n")
    began = time.perf_counter()
    bench = Bench(args.device, QUICK if args.quick else Size())
    run(bench)
    sys.stdout.write(f"{bench.rows} rows in {time.perf_counter() - began:.0f} s\n")


if __name__ == "__main__":
    main()
