"""The tutorial: ResNet50V2, all of it fine-tuned at a small rate, stopped early by validation rows.

python examples/recipe_resnetv2.py [WEIGHTS.h5]    (Keras's own file, or random weights)
"""

import sys
from pathlib import Path

from demo_data import emoji_folder

import headstart as hs


def main(weights: str, out: Path) -> None:
    pictures = emoji_folder(out / "emoji", at_least=40)
    resnet = f"keras:ResNet50V2?size=64&weights={weights}"
    model = hs.fit(pictures, backbone=resnet, method="fine-tune", options={"epochs": 5, "patience": 2, "lr": 1e-4})
    model.save(out / "model", overwrite=True)
    sys.stdout.write(f"{model.evidence_}\n")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "random", Path("demo-out/resnetv2"))
