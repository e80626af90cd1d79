"""The main job on real data: pictures (Twemoji by subcategory), text (review sentences) and sound (spoken words: one
recording of each by a man to learn from, a woman's to test on), with bundled backbones."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from demo_data import emoji_folder, sentiment_csv
from italian_words import missing, word_folders

OUT = Path("demo-out")
WORDS = 150


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
    made = [OUT / "emoji", OUT / "reviews"]
    if lacking := missing():
        sys.stdout.write(f"\nThe part on spoken words is left out: {lacking}\n")
    else:
        man, woman = word_folders(data / "words", WORDS)
        model = str(OUT / "words")
        show("fit", str(man), "--test", str(woman), "--method", "prototypes", "--out", model, "--overwrite")
        show("predict", model, *(str(path) for path in sorted(woman.glob("*/*.wav"))[::37]))
        made.append(OUT / "words")
    sys.stdout.write(f"\nThe fitted models are in {', '.join(map(str, made))}.\n")


if __name__ == "__main__":
    main()
