"""Pictures without labels, then a few with: what a backbone learns from the first, and whether that helped.

    python examples/pretrain.py [FOLDER]

Real pictures (Twemoji, CC-BY-4.0): some hundreds without labels for MobileNetV2 to go on from; of six subcategories
`headstart.fit` then learns from a few, and says what the pretraining was worth. Minutes on two cores.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from demo_data import emoji_folder

import headstart

CLASSES = 6
OPTIONS = {"size": 64, "epochs": 3, "batch": 32}


def main(folder: Path) -> None:
    """Pretrain, fit on what it made, and show the evidence."""
    unlabelled = emoji_folder(folder / "all", at_least=25, at_most=40)
    labelled = folder / "labelled"
    for subcategory in sorted(unlabelled.iterdir())[:CLASSES]:
        shutil.copytree(subcategory, labelled / subcategory.name, dirs_exist_ok=True)
    start, out = "bundled:mobilenetv2", folder / "mine"
    made = headstart.pretrain(unlabelled, backbone=start, method="simclr", out=out, options=OPTIONS, overwrite=True)
    sys.stdout.write(f"{made}\n\n")
    fitted = headstart.fit(labelled, backbone=f"file:{out}", method="logistic")
    sys.stdout.write(f"{fitted.evidence_}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo-out/pretrain"))
