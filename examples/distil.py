"""A small student learns from a large teacher, on real pictures: 12 kinds of Twemoji, most of them without a label.

    python examples/distil.py

The teacher is EfficientNet-Lite0, its last stage tuned on 10 labelled pictures a kind; the student, MobileNetV2, sees
the same ones and all others without their labels. Prints the accuracy of both, and of the student without a teacher.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
from demo_data import emoji_folder

import headstart as hs

KINDS, LABELLED, TESTED = 12, 10, 15
TEACHER, STUDENT = "bundled:efficientnet-lite0", "bundled:mobilenetv2"


def divided(folder: Path) -> tuple[list[str], list[str], list[str], list[str], list[str]]:
    """Pictures to learn from and their kinds, pictures to test on and theirs, and pictures without a label."""
    emoji = emoji_folder(folder, at_least=LABELLED + TESTED, at_most=40)
    kinds = sorted(emoji.iterdir())
    train, test, rest = [], [], []
    for number, kind in enumerate(kinds):
        paths = sorted(str(path) for path in kind.iterdir())
        paths = [paths[place] for place in np.random.default_rng(number).permutation(len(paths))]
        labelled, tested = (LABELLED, TESTED) if number < KINDS else (0, 0)
        train += [(path, kind.name) for path in paths[:labelled]]
        test += [(path, kind.name) for path in paths[labelled : labelled + tested]]
        rest += paths[labelled + tested :]
    return *map(list, zip(*train, strict=True)), *map(list, zip(*test, strict=True)), rest


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        pictures, kinds, new, truth, rest = divided(Path(folder) / "twemoji")
        teacher = hs.Transfer(TEACHER, "top").fit(pictures, kinds)
        alone = hs.Transfer(STUDENT, "top").fit(pictures, kinds)
        student = hs.Transfer(STUDENT, "top+distil").fit(pictures, kinds, teacher=teacher, unlabelled=rest)
        sys.stdout.write(f"{len(pictures)} labelled pictures, {len(rest)} without a label, {len(new)} to test on\n")
        theirs = teacher.predict(new)
        for name, model in (("teacher", teacher), ("student alone", alone), ("student", student)):
            agreed = np.mean(model.predict(new) == theirs)
            sys.stdout.write(f"{name:<14} accuracy {model.score(new, truth):.3f}, as the teacher {agreed:.3f}\n")


if __name__ == "__main__":
    main()
