"""A cold fit on JPEGs, from the folder to the cross-validated head, against forward passes of the network alone.

    python bench/pictures.py [--quick] [--once] [--rows N] [--backbone NAME]

(a) against a bare forward pass of the same engine, precision, layout and batch over pictures decoded and prepared
    beforehand, in the same number of lanes. Setting up the engine counts on both sides.
(b) against eager torch, float32, NCHW, batches of 32, torch's own threads, over normalised tensors.

Outside the clock on both sides: imports, building the torch module, and choosing the engine, which is measured once
for a network and a machine and then remembered (its cost is printed).
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from material import jpegs
from timing import (
    ONCE,
    QUICK,
    Fit,
    Took,
    bare,
    built,
    clock,
    cold_fit,
    eager,
    load_average,
    median,
    option,
    pixels,
    settled,
    two_ratios,
)

from headstart.backbones.backbone import Backbone
from headstart.backbones.load import load
from headstart.features.engines.select import Wish
from headstart.preprocessing.spec import PicturePreprocess

SMALL, LARGE = (500, 375), (1632, 1224)
EAGER = 320


def versus(data: Path, backbone: Backbone, work: Path, *, goal: float, repeats: int) -> None:
    """Print both ratios of one backbone over one folder."""
    if not isinstance(backbone.preprocess, PicturePreprocess):
        raise TypeError(f"{backbone.name} takes no pictures")
    took, choice = clock(lambda: settled(backbone, Wish(), work / "machine"))
    paths = sorted(str(path) for path in data.rglob("*.jpg"))
    sys.stdout.write(f"\n{backbone.name}, {len(paths)} JPEGs, {choice}; choosing it took {took.wall:.1f} s\n")
    load_average()
    prepared = pixels(paths, backbone.preprocess)
    fits: list[Fit] = []
    whole: list[Took] = []
    alone: list[Took] = []
    for _ in range(repeats):
        fits.append(cold_fit(data, backbone, machine=work / "machine", into=work / "cold"))
        setting_up, engine = clock(lambda: built(choice, backbone))
        forward, _ = clock(partial(bare, engine, prepared))
        alone.append(forward)
        whole.append(Took(setting_up.wall + forward.wall, setting_up.cpu + forward.cpu))
    ours = median([fit.whole for fit in fits])
    for name in ("features", "check", "head"):
        part = median([getattr(fit, name) for fit in fits])
        sys.stdout.write(f"    {name:<10} {part.wall:6.2f} s wall {part.cpu:6.2f} s processor\n")
    size = "2 megapixels" if goal > 1.2 else "500 x 375"
    two_ratios(f"cold fit / bare forward with set-up, {size}", ours, median(whole), f"<= {goal}")
    two_ratios("the same, set-up counted against us only", ours, median(alone), "(none)")
    if goal < 1.2:
        some = prepared[:EAGER]
        plain = eager(backbone, some)
        share = len(prepared) / len(some)
        plain = Took(plain.wall * share, plain.cpu * share)
        two_ratios(f"cold fit / eager float32 (timed on {len(some)} rows)", ours, plain, "<= 0.6")


def main() -> None:
    with TemporaryDirectory() as folder:
        work = Path(folder)
        small = jpegs(work / "small", int(option("--rows", "60" if QUICK else "1000")), SMALL)
        large = jpegs(work / "large", 20 if ONCE else 200, LARGE)
        only = option("--backbone", "")
        for name, repeats in (("bundled:efficientnet-lite0", 3), ("timm:resnet50?weights=random", 1)):
            if only not in name:
                continue
            backbone = load(name)
            versus(small, backbone, work, goal=1.15, repeats=1 if ONCE else repeats)
            versus(large, backbone, work, goal=1.25, repeats=1 if ONCE else 3)


if __name__ == "__main__":
    main()
