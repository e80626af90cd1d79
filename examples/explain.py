"""Why does it say so? Fit on emoji, explain some pictures, and the model as a whole.

python examples/explain.py [FOLDER]
"""

from __future__ import annotations

import sys
from pathlib import Path

from demo_data import emoji_folder

import headstart as hs
from headstart.explanations import bytes_of, explain_whole


def main(out: Path) -> None:
    pictures = emoji_folder(out / "emoji", train=10)
    model = hs.fit(pictures, control=False)
    new = [str(next(folder.iterdir())) for folder in sorted((pictures / "test").iterdir())[:3]]

    explanations = hs.explain(model, new, data=str(pictures / "train"))
    sys.stdout.write(f"{explanations}\n\n")
    (out / "explained.html").write_bytes(bytes_of(explanations, ".html"))

    for explanation in explanations.each:
        if explanation.checks is not None and not explanation.checks.deletion.better:
            sys.stdout.write(f"{explanation.name}: no better than random, so do not believe the map\n")

    sys.stdout.write(f"{explain_whole(model, pictures)}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo-out/explain"))
