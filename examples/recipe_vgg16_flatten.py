"""The tutorial: VGG16 without its top, frozen; Flatten, Dense 256 with ReLU, Dropout, softmax; varied pictures.

python examples/recipe_vgg16_flatten.py [WEIGHTS.h5]    (Keras's own file, or random weights)
"""

import sys
from pathlib import Path

from demo_data import emoji_folder

import headstart as hs


def main(weights: str, out: Path) -> None:
    pictures = emoji_folder(out / "emoji", at_least=40)
    vgg = f"keras:VGG16?pooling=flatten&size=64&weights={weights}"
    model = hs.fit(pictures, backbone=vgg, method="head", options={"hidden": 256, "dropout": 0.5, "epochs": 5})
    model.save(out / "model", overwrite=True)
    sys.stdout.write(f"{model.evidence_}\n")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "random", Path("demo-out/vgg16-flatten"))
