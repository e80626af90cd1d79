"""Training in bfloat16 on this CPU: what a step takes beside float32, whether it agrees, and what comes of a training.

    python bench/cpu_precision.py [--quick] [--train]

For each network a forward and a backward pass of 16 rows through all its weights, by the rule that `auto` goes by
(`headstart/training/precision.py`). With --train MiniLM is fine-tuned on 200 Amazon sentences (4 epochs, two draws) in
both precisions and tested on 800 others: some ten minutes.
"""

from __future__ import annotations

import sys
import time

import numpy as np
from material import rated_sentences
from timing import QUICK

import headstart as hs
from headstart.backbones.load import load
from headstart.features.cache.memory import Memory
from headstart.features.engines import processor
from headstart.features.engines.support import obstacle
from headstart.training import precision

NETWORKS = (
    "bundled:minilm",
    "bundled:efficientnet-lite0",
    "bundled:mobilenetv2",
    "timm:resnet50?weights=random",
    "timm:vit_small_patch16_224?weights=random",
)
ROWS, EPOCHS, CLEAR = 200, 4, 1.0


def steps() -> None:
    """What would be chosen for a long training of each network."""
    precision.WORTH = 0.0
    for name in NETWORKS[:1] if QUICK else NETWORKS:
        choice = precision.cpu_precision(load(name), 10**6, 16, Memory(None))
        sys.stdout.write(f"{name:<42} {choice.precision:<9} {choice.why}\n")
        sys.stdout.flush()


def training(seed: int) -> None:
    """The same training in both precisions."""
    rows = [(text, rating > 0) for _, rating, text in rated_sentences("amazon") if abs(rating) >= CLEAR]
    order = np.random.default_rng(seed).permutation(len(rows))
    learnt, tested = ([rows[row] for row in some] for some in (order[:ROWS], order[ROWS : 5 * ROWS]))
    truth = np.array([label for _, label in tested]).astype(int)
    for name in ("float32", "bfloat16"):
        model = hs.Transfer(
            "bundled:minilm",
            "fine-tune",
            options={"precision": name, "epochs": EPOCHS},
            seed=seed,
            cache=False,
            device="cpu",
        )
        began = time.perf_counter()
        model.fit([text for text, _ in learnt], [str(label) for _, label in learnt])
        seconds = time.perf_counter() - began
        p = model.predict_proba([text for text, _ in tested])
        accuracy, loss = (p.argmax(1) == truth).mean(), -np.log(p[np.arange(len(p)), truth]).mean()
        sys.stdout.write(f"draw {seed}, {name:<9} {seconds:6.1f} s  accuracy {accuracy:.4f}  log loss {loss:.4f}\n")
        sys.stdout.flush()


def main() -> None:
    """See above."""
    why: str | None = "this processor has no bfloat16 arithmetic"
    if not processor.has_bfloat16() or (why := obstacle("torch", "bfloat16", Memory(None))):
        sys.stdout.write(f"float32 is all there is: {why}\n")
        return
    steps()
    if "--train" in sys.argv:
        for seed in range(2):
            training(seed)


if __name__ == "__main__":
    main()
