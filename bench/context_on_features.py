"""Do answers in context beat other heads on frozen features? Real pictures and sentences, few labels, several draws.

    python bench/context_on_features.py --seeds 5

Prints for each task and number of labels the mean accuracy and log loss over the draws of the default `probe`, of
answers in context alone, and of `probe` with `incontext=yes`, which takes them only where they are better than all
other heads by more than a standard error; and in how many draws it took them.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import log_loss
from tuning import drawn, pictures, sentences

from headstart import Transfer

METHODS: dict[str, tuple[str, dict[str, Any]]] = {
    "probe": ("probe", {}),
    "incontext": ("incontext", {}),
    "probe, incontext=yes": ("probe", {"incontext": True}),
}


def tasks(folder: Path) -> Iterator[tuple[str, str, Any, int, bool]]:
    """Name, backbone, inputs with labels and groups, how many rows are learnt from, and whether so many of each."""
    for count in (5, 10, 20):
        emoji = pictures(folder / str(count), 34)
        for backbone in ("bundled:efficientnet-lite0", "bundled:mobilenetv2"):
            yield f"twelve kinds of Twemoji, {backbone}, {count} a kind", backbone, emoji, count, True
    for domain in ("amazon", "movie"):
        for count in (50, 100, 200):
            yield f"sentences, {domain}, minilm, {count}", "bundled:minilm", sentences(domain), count, False


def main() -> None:
    """See above."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    seeds = parser.parse_args().seeds
    sys.stdout.write("| task | head | accuracy | log loss | taken |\n|---|---|--:|--:|--:|\n")
    with tempfile.TemporaryDirectory() as folder:
        for name, backbone, (inputs, labels, groups), count, each in tasks(Path(folder)):
            for title, (method, options) in METHODS.items():
                scores = []
                for seed in range(seeds):
                    train, test = drawn(labels, groups, count, seed, each)
                    model = Transfer(backbone, method, options=options, engine="torch")
                    model.fit([inputs[i] for i in train], [labels[i] for i in train])
                    probabilities = model.predict_proba([inputs[i] for i in test])
                    truth = [labels[i] for i in test]
                    right = np.mean(model.classes_[probabilities.argmax(axis=1)] == np.array(truth))
                    loss = log_loss(truth, probabilities, labels=model.classes_)
                    scores.append((right, loss, model.model_.head.name == "incontext"))
                accuracy, loss, taken = np.mean(scores, axis=0)
                line = f"| {name} | {title} | {accuracy:.3f} | {loss:.3f} | {taken * seeds:.0f} of {seeds} |"
                sys.stdout.write(f"{line}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
