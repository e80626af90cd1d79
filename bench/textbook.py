"""The textbook's way of transfer learning, written plainly, against a cold fit: the same rows, the same split.

    python bench/textbook.py [--quick] [--rows N] [--epochs N]      N: how many of lite0's ten epochs are timed

The textbook: Pillow, torchvision transforms, a DataLoader with two workers, eager float32 torch, the frozen backbone
run again in each of ten epochs, a linear head trained by Adam. Ours: one pass, the head chosen by cross-validation.
Both clocks run from the files to the predictions for the test split. Outside them: imports, building the torch
module, and the choice of the engine, which is remembered from an earlier run.

resnet50 has random weights here: it is good for speed, its accuracy means nothing. Two of its ten epochs are timed,
and the time of ten is extrapolated from them.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from material import jpegs
from PIL import Image
from timing import QUICK, Took, clock, cold_fit, load_average, option, settled
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from headstart.backbones.backbone import Backbone
from headstart.backbones.load import load
from headstart.data.arrays import as_task
from headstart.features.cache.cache import Cache
from headstart.features.engines.select import Wish
from headstart.features.extract import Extraction
from headstart.features.feature_set import look
from headstart.listener import Logged
from headstart.methods.model import answer
from headstart.preprocessing.spec import PicturePreprocess

EPOCHS = 10
MODES = {"bilinear": transforms.InterpolationMode.BILINEAR, "bicubic": transforms.InterpolationMode.BICUBIC}


class Pictures(Dataset[Any]):
    """What a textbook writes: open, convert, transform."""

    def __init__(self, paths: Sequence[str], labels: Sequence[int], preprocess: PicturePreprocess) -> None:
        self.paths, self.labels = paths, labels
        self.transform = transforms.Compose(
            [
                transforms.Resize(preprocess.resize, MODES[preprocess.interpolation]),
                transforms.CenterCrop(preprocess.size),
                transforms.ToTensor(),
                transforms.Normalize(preprocess.mean, preprocess.std),
            ]
        )

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, row: int) -> tuple[Any, int]:
        return self.transform(Image.open(self.paths[row]).convert("RGB")), self.labels[row]


def textbook(backbone: Backbone, train: Pictures, test: Pictures, classes: int, epochs: int) -> tuple[float, float]:
    """Seconds for `EPOCHS` epochs and the test split, extrapolated where `epochs` are fewer; and the accuracy."""
    torch.manual_seed(0)
    body: Any = backbone.module
    head = nn.Linear(backbone.dim, classes)
    adam = torch.optim.Adam(head.parameters(), lr=1e-3)
    start = time.perf_counter()
    for _ in range(epochs):
        for x, y in DataLoader(train, batch_size=32, shuffle=True, num_workers=2):
            with torch.no_grad():
                features = body(x)
            loss = nn.functional.cross_entropy(head(features), y)
            adam.zero_grad()
            loss.backward()
            adam.step()
    learning = time.perf_counter() - start
    start = time.perf_counter()
    right = 0
    with torch.no_grad():
        for x, y in DataLoader(test, batch_size=32, num_workers=2):
            right += int((head(body(x)).argmax(1) == y).sum())
    asking = time.perf_counter() - start
    return learning * EPOCHS / epochs + asking, right / len(test)


def ours(backbone: Backbone, train: Pictures, test: Pictures, wish: Wish, work: Path) -> tuple[Took, float]:
    """Seconds and accuracy of a cold fit on the training rows and the predictions for the test rows."""
    names = [str(label) for label in train.labels]

    def whole() -> Any:
        fit = cold_fit((list(train.paths), names), backbone, machine=work / "machine", into=work / "cold", wish=wish)
        extraction = Extraction(engine=wish.engine, precision=wish.precision, cache=Cache(work / "cold"))
        seen = look(as_task(list(test.paths)), backbone, extraction, Logged())
        return np.array(fit.model.classes)[answer(fit.model, seen).argmax(1)]

    took, predicted = clock(whole)
    return took, float(np.mean(predicted == np.array([str(label) for label in test.labels])))


def versus(folder: Path, work: Path, name: str, *, epochs: int, goals: tuple[int, int]) -> None:
    """Print both times and both accuracies."""
    backbone = load(name)
    if not isinstance(backbone.preprocess, PicturePreprocess):
        raise TypeError(f"{name} takes no pictures")
    paths = sorted(folder.rglob("*.jpg"), key=lambda path: path.name)
    classes = sorted({path.parent.name for path in paths})
    is_test = [int(path.stem) // len(classes) % 4 == 0 for path in paths]
    train, test = (
        Pictures(
            [str(p) for p, held in zip(paths, is_test, strict=True) if held == wanted],
            [classes.index(p.parent.name) for p, held in zip(paths, is_test, strict=True) if held == wanted],
            backbone.preprocess,
        )
        for wanted in (False, True)
    )
    for engine in ("torch", "openvino"):
        settled(backbone, Wish(engine), work / "machine")
    sys.stdout.write(f"\n{name}: {len(train)} training and {len(test)} test pictures\n")
    load_average()
    theirs, accuracy = textbook(backbone, train, test, len(classes), epochs)
    how = "measured in full" if epochs == EPOCHS else f"extrapolated from {epochs} epochs"
    sys.stdout.write(f"    textbook           {theirs:7.1f} s ({how}), accuracy {accuracy:.3f}\n")
    for engine, goal in zip(("torch", "openvino"), goals, strict=True):
        took, reached = ours(backbone, train, test, Wish(engine), work)
        sys.stdout.write(
            f"    ours, {engine:<10} {took.wall:8.1f} s, accuracy {reached:.3f}: "
            f"{theirs / took.wall:5.1f} x faster   goal >= {goal} x\n"
        )
        sys.stdout.flush()


def main() -> None:
    with TemporaryDirectory() as folder:
        work = Path(folder)
        few, more = (int(option("--rows", "60" if QUICK else n)) for n in ("300", "600"))
        full = int(option("--epochs", "2" if QUICK else str(EPOCHS)))
        lite0 = jpegs(work / "more", more)
        versus(lite0, work, "bundled:efficientnet-lite0", epochs=full, goals=(25, 50))
        resnet = jpegs(work / "few", few)
        versus(resnet, work, "timm:resnet50?weights=random", epochs=min(2, full), goals=(12, 20))


if __name__ == "__main__":
    main()
