"""What `headstart drift` says of windows of real pictures: held-out emoji, worse emoji, digits and photographs.

Twemoji of 23 subcategories, features of MobileNetV2. In each of 60 random splits a model is fitted to 15 pictures of
each class, and one window of each length is drawn from pictures that it did not see (10 emoji a class). Printed is the
share of windows that are said to have drifted at rate .01, with Wilson's 95 % interval over the splits, below it that
of each question alone, and what the running comparison costs.

python bench/drift.py [FOLDER [--costs]]
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter
from sklearn.datasets import load_digits, load_sample_images

import headstart as hs
from headstart.data.read import read
from headstart.data.roles import Roles
from headstart.deployment.monitoring.drift import RATE, Reference, WindowDrift
from headstart.deployment.monitoring.drift_observer import DriftObserver
from headstart.linalg.blas import one_thread
from headstart.listener import SILENT
from headstart.methods.answers import features
from headstart.uncertainty.kernel_mean import KernelMean
from headstart.uncertainty.out_of_distribution import OutOfDistribution, Placed

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "examples"))
from demo_data import emoji_folder

SIZES, SPLITS, TRAIN, TEST = (20, 50, 100, 200), 60, 15, 10


def on_white(path: Path) -> Image.Image:
    """As the reader composites it."""
    picture = Image.open(path).convert("RGBA")
    paper = Image.new("RGBA", picture.size, "white")
    paper.alpha_composite(picture)
    return paper.convert("RGB")


def digits() -> list[Image.Image]:
    """Handwritten digits of 8 x 8."""
    images = (15.9 * load_digits().images[:300]).astype(np.uint8)
    return [Image.fromarray(image).resize((72, 72)).convert("RGB") for image in images]


def photographs() -> list[Image.Image]:
    """Squares of two photographs."""
    rng, squares = np.random.default_rng(0), []
    for image in load_sample_images().images:
        for _ in range(150):
            y, x = rng.integers(0, image.shape[0] - 160), rng.integers(0, image.shape[1] - 160)
            squares.append(Image.fromarray(image[y : y + 160, x : x + 160]).resize((72, 72)))
    return squares


def features_of(model: hs.Transfer, inputs: list[Image.Image]) -> np.ndarray:
    """(N, D) what the head stands on."""
    task = read(inputs, roles=Roles(modality="image"), need_target=False, to_answer=True)
    return np.asarray(features(model.model_, model.look(task, listener=SILENT)))


def wilson(count: int, total: int) -> str:
    """A share with its 95 % interval."""
    z, p = 1.96, count / total
    middle = (p + z * z / (2 * total)) / (1 + z * z / total)
    half = z * np.sqrt(p * (1 - p) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    return f"{p:.2f} [{max(0.0, middle - half):.2f}, {min(1.0, middle + half):.2f}]"


def split(labels: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Rows to learn from and to serve, as many of each class."""
    train, test = [], []
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        train += rows[:TRAIN].tolist()
        test += rows[TRAIN : TRAIN + TEST].tolist()
    return np.array(train), np.array(test)


def window(model: hs.Transfer, rows: np.ndarray, size: int, rng: np.random.Generator) -> WindowDrift:
    """Of so many of these rows, drawn without replacement."""
    x = rows[rng.choice(len(rows), size, replace=False)]
    reference = Reference(model.model_)
    return reference.compare(reference.sums(x, model.model_.head.predict(x)))


def show(name: str, windows: dict[int, list[WindowDrift]]) -> None:
    """Two lines of the table."""
    cells = [wilson(sum(each.p < RATE for each in windows[size]), len(windows[size])) for size in SIZES]
    print(f"{name:<26}" + "".join(f"{cell:>22}" for cell in cells))
    alone = [
        "  ".join(f"{np.mean([part[at].p < RATE for part in windows[size]]):.2f}" for at in (1, 2, 3)) for size in SIZES
    ]
    print(f"{'  mmd, strange, shares':<26}" + "".join(f"{cell:>22}" for cell in alone), flush=True)


def rates(paths: list[Path]) -> hs.Transfer:
    """The table; the model of the last split."""
    labels, rng = np.array([path.parent.name for path in paths]), np.random.default_rng(0)
    emoji = [on_white(path) for path in paths]
    start = time.perf_counter()
    model = hs.Transfer("bundled:mobilenetv2", method="ridge").fit([str(path) for path in paths], labels)
    print(f"first fit of {len(paths)} pictures: {time.perf_counter() - start:.1f} s", flush=True)
    served = {
        "held-out emoji": features_of(model, emoji),
        "emoji, a little blurred": features_of(model, [each.filter(ImageFilter.GaussianBlur(0.7)) for each in emoji]),
        "emoji, half the colour": features_of(model, [ImageEnhance.Color(each).enhance(0.5) for each in emoji]),
        "digits": features_of(model, digits()),
        "photographs": features_of(model, photographs()),
    }
    windows: dict[str, dict[int, list[WindowDrift]]] = {name: {size: [] for size in SIZES} for name in served}
    for _ in range(SPLITS):
        train, test = split(labels, rng)
        model = hs.Transfer("bundled:mobilenetv2", method="ridge")
        model.fit([str(paths[row]) for row in train], labels[train])
        for name, rows in served.items():
            for size in SIZES:
                windows[name][size].append(window(model, rows[test] if "emoji" in name else rows, size, rng))
    print(f"{'served':<26}" + "".join(f"{f'{size} rows':>22}" for size in SIZES))
    for name in served:
        show(name, windows[name])
    return model


def costs(model: hs.Transfer, x: np.ndarray) -> None:
    """Of a batch of 16, of a comparison, and of what a fit does more."""
    observer, values = DriftObserver(model.model_), model.model_.head.predict(x)
    with one_thread():
        start = time.process_time()
        for _ in range(50):
            observer(x, values)
        print(f"a batch of {len(x)}: {(time.process_time() - start) / 50 * 1e3:.2f} ms of a core")
        start = time.process_time()
        for _ in range(20):
            observer.latest()
        print(f"a comparison: {(time.process_time() - start) / 20 * 1e3:.2f} ms")
        for count in (345, 2_000, 10_000):
            noise = np.random.default_rng(0).normal(size=(count, x.shape[1])).astype(np.float32)
            rows = Placed(noise, np.arange(count), True)
            distribution = OutOfDistribution.of(rows)
            assert distribution is not None
            start = time.process_time()
            KernelMean.of(rows, distribution)
            print(f"sums of {count:,} training rows in a fit: {time.process_time() - start:.3f} s")


def main(out: Path) -> None:
    if not (out / "emoji").exists():
        emoji_folder(out / "emoji", at_least=TRAIN + TEST)
    paths = sorted((out / "emoji").rglob("*.png"))
    model = (
        rates(paths)
        if "--costs" not in sys.argv
        else hs.Transfer("bundled:mobilenetv2", method="ridge").fit(
            [str(path) for path in paths], [path.parent.name for path in paths]
        )
    )
    costs(model, features_of(model, [on_white(path) for path in paths[:16]]))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo-out/drift"))
