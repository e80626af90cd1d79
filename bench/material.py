"""Material for the benches: labelled JPEG photographs of any size, made from real pictures; and peak memory."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_images

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "examples"))

import demo_data
from demo_data import DOMAINS, emoji_folder, rated_sentences

__all__ = ["DOMAINS", "demo_data", "jpegs", "peak_mb", "rated_sentences", "show"]


def jpegs(folder: Path, count: int, size: tuple[int, int] = (500, 375), classes: int = 10) -> Path:
    """Write `count` JPEGs of `size` into one sub-folder a class: emoji of a subcategory pasted on a photograph."""
    emoji = emoji_folder(folder.parent / "emoji")
    names = sorted(path.name for path in emoji.iterdir())[:classes]
    grounds = [Image.fromarray(image).resize(size, Image.Resampling.BICUBIC) for image in load_sample_images().images]
    rng = np.random.default_rng(0)
    for i in range(count):
        name = names[i % classes]
        members = sorted((emoji / name).iterdir())
        with Image.open(members[(i // classes) % len(members)]) as opened:
            figure = opened.convert("RGBA")
        side = int(size[1] * rng.uniform(0.5, 0.9))
        figure = figure.rotate(rng.uniform(-20, 20), expand=True).resize((side, side), Image.Resampling.BICUBIC)
        at = (int(rng.integers(0, size[0] - side)), int(rng.integers(0, size[1] - side)))
        picture = grounds[int(rng.integers(len(grounds)))].copy()
        picture.paste(figure, at, figure)
        (folder / name).mkdir(parents=True, exist_ok=True)
        picture.save(folder / name / f"{i:05}.jpg", quality=88)
    return folder


def peak_mb() -> float:
    """The peak resident size of this process so far, in MB.

    On Linux from /proc: what getrusage tells begins with the size of the process that started this one.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def show(what: str, ours: float, other: float, goal: str) -> None:
    """Print one ratio ours / other beside its goal."""
    sys.stdout.write(f"{what:<58} {ours:8.2f} s / {other:8.2f} s = {ours / other:6.3f}   goal {goal}\n")
    sys.stdout.flush()
