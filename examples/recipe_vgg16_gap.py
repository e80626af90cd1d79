"""The tutorial: VGG16 without its top, frozen; the mean over the last map; a classifier on these 512 features.

python examples/recipe_vgg16_gap.py [WEIGHTS.h5]    (Keras's own file, or random weights)
"""

import sys
from pathlib import Path

from demo_data import emoji_folder

import headstart as hs


def main(weights: str, out: Path) -> None:
    pictures = emoji_folder(out / "emoji", at_least=40)
    model = hs.fit(pictures, backbone=f"keras:VGG16?size=64&weights={weights}")
    model.save(out / "model", overwrite=True)
    sys.stdout.write(f"{model.evidence_}\n")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "random", Path("demo-out/vgg16-gap"))
