"""The main job on real data: pictures (Twemoji by subcategory) and text (review sentences), with bundled backbones."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from demo_data import emoji_folder, sentiment_csv

OUT = Path("demo-out")


def show(*words: str) -> None:
    """Run one command of headstart as a user would type it."""
    sys.stdout.write(f"\n$ headstart {' '.join(words)}\n")
    sys.stdout.flush()
    subprocess.run([sys.executable, "-m", "headstart", *words], check=True)


def main() -> None:
    data = OUT / "data"
    shutil.rmtree(data, ignore_errors=True)
    pictures, sentences = emoji_folder(data / "twemoji", train=5), sentiment_csv(data / "amazon.csv")
    show("fit", str(pictures), "--out", str(OUT / "emoji"), "--overwrite")
    some = sorted(str(path) for path in pictures.glob("test/*/*.png"))[::97]
    show("predict", str(OUT / "emoji"), *some)
    show("fit", str(sentences), "--group", "review", "--out", str(OUT / "reviews"), "--overwrite")
    sys.stdout.write(f"\nThe fitted models are in {OUT / 'emoji'} and {OUT / 'reviews'}.\n")


if __name__ == "__main__":
    main()
