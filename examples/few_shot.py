"""Learning to learn: meta-train on some kinds of emoji, then tell kinds apart that nothing was learnt from.

python examples/few_shot.py [FOLDER]
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from demo_data import emoji_folder

import headstart as hs

SHOTS = 5


def main(out: Path) -> None:
    shutil.rmtree(out, ignore_errors=True)
    pictures = emoji_folder(out / "emoji", at_least=12, at_most=25)
    learner = hs.few_shot(pictures, way=5, shot=(1, SHOTS), learner="protonet", options={"epochs": 5})
    learner.save(out / "learner")
    sys.stdout.write(f"{learner.evidence}\n\n")

    # Kinds that meta-training and validation did not see, five labelled pictures of each and the others to be told.
    for name in learner.evidence.units[2][:6]:
        for number, path in enumerate(sorted((pictures / name).iterdir())):
            side = out / "new" / ("train" if number < SHOTS else "test") / name
            side.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, side / path.name)
    model = hs.fit(out / "new", backbone=f"file:{out / 'learner'}")
    sys.stdout.write(f"method {model.method}: {model.evidence_}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo-out/few-shot"))
