"""Is what a model is asked still like what it learnt from? Emoji that it did not see, worse ones, and digits.

python examples/drift.py [FOLDER]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from demo_data import emoji_folder
from PIL import Image, ImageFilter
from sklearn.datasets import load_digits

import headstart as hs


def blurred(pictures: Path, out: Path) -> Path:
    """As a camera that lost its focus sees them."""
    out.mkdir(parents=True, exist_ok=True)
    for number, path in enumerate(sorted(pictures.rglob("*.png"))):
        Image.open(path).convert("RGBA").filter(ImageFilter.GaussianBlur(2)).save(out / f"{number:03}.png")
    return out


def digits(out: Path) -> Path:
    """Handwritten digits of 8 x 8 pixels."""
    out.mkdir(parents=True, exist_ok=True)
    for number, image in enumerate(load_digits().images[:100]):
        Image.fromarray((15.9 * image).astype(np.uint8)).resize((72, 72)).save(out / f"{number:03}.png")
    return out


def main(out: Path) -> None:
    pictures = emoji_folder(out / "emoji", train=12)
    train = sorted((pictures / "train").rglob("*.png"))
    model = hs.Transfer("bundled:mobilenetv2").fit([str(path) for path in train], [path.parent.name for path in train])

    served = {
        "emoji that it did not see": pictures / "test",
        "the same, blurred": blurred(pictures / "test", out / "blurred"),
        "digits": digits(out / "digits"),
    }
    for name, folder in served.items():
        sys.stdout.write(f"{name}\n{hs.drift(model, folder)}\n\n")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo-out/drift"))
