"""MiniLM over 5,000 short texts against the plain ways of batching, and how exact the faster ways are.

    python bench/text.py [--quick] [--once]

The texts are review, editorial and tweet sentences rated by people, in random order. The plain ways are eager float32
torch with its own threads, batches of 32 in the given order: padded to the longest of the batch, and to 128 tokens.
bfloat16 is tried in a process of its own, since it kills processes on machines that announce AMX and cannot run it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from material import DOMAINS, rated_sentences
from timing import ONCE, QUICK, Took, clock, load_average, median, settled, two_ratios

from headstart.backbones.backbone import Backbone
from headstart.backbones.load import load
from headstart.data.arrays import as_task
from headstart.features.cache.cache import MACHINE, Cache
from headstart.features.engines.select import Wish
from headstart.features.extract import Extraction
from headstart.features.feature_set import look
from headstart.listener import Logged
from headstart.methods.model import answer
from headstart.methods.plan import Plan
from headstart.methods.table import fit_model
from headstart.preprocessing.spec import TextPreprocess
from headstart.tasks.task import Array

NAME = "bundled:minilm"
BF16 = {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_BF16", "DNNL_MAX_CPU_ISA": "AVX512_CORE_BF16"}


def sentences(count: int) -> tuple[list[str], list[str]]:
    """Texts of the four domains in equal parts, shuffled, and the sign of each rating."""
    rows = [row for domain in DOMAINS for row in rated_sentences(domain)[: count // len(DOMAINS)]]
    rows = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))]
    return [text for _, _, text in rows], ["positive" if rating > 0 else "negative" for _, rating, _ in rows]


def plain(backbone: Backbone, texts: Sequence[str], *, pad_to: int | None) -> Array:
    """Features by the plain way, batches of 32 padded to the longest text or to `pad_to` tokens."""
    from tokenizers import Tokenizer

    preprocess, module = backbone.preprocess, backbone.module
    if not isinstance(preprocess, TextPreprocess) or module is None:
        raise TypeError(f"{backbone.name} takes no texts")
    tokenizer = Tokenizer.from_str(preprocess.tokenizer_json)
    tokenizer.enable_truncation(pad_to or preprocess.max_length)
    tokenizer.enable_padding(pad_id=preprocess.pad_id, length=pad_to)
    parts = []
    with torch.inference_mode():
        for at in range(0, len(texts), 32):
            encoded = tokenizer.encode_batch(list(texts[at : at + 32]))
            ids = torch.tensor([row.ids for row in encoded])
            mask = torch.tensor([row.attention_mask for row in encoded])
            parts.append(module(ids, mask).numpy())
    return np.concatenate(parts)


def features(texts: Sequence[str], backbone: Backbone, extraction: Extraction) -> Array:
    """Features by headstart."""
    values = look(as_task(list(texts)), backbone, extraction, Logged()).values
    assert values is not None
    return values


def bfloat16(engine: Any, count: int) -> None:
    """Print as JSON in how many test rows the same head says the same of float32 and of bfloat16 features."""
    texts, labels = sentences(count)
    backbone = load(NAME)
    seen = {}
    for precision in ("float32", "bfloat16"):
        extraction = Extraction(engine=engine, precision=precision)
        seen[precision] = look(as_task(texts, labels), backbone, extraction, Logged())
    half = np.arange(count // 2)
    answers = []
    for run in seen.values():
        model = fit_model(run.take(half), backbone, Plan("logistic"))
        answers.append(answer(model, run.take(half + count // 2)).argmax(1))
    agree = float(np.mean(answers[0] == answers[1]))
    sys.stdout.write(json.dumps({"engine": seen["bfloat16"].engine["precision"], "agree": agree}) + "\n")


def show_bfloat16(engine: str, count: int) -> None:
    """Try it in a child process and print what became of it."""
    command = [sys.executable, __file__, "--child", engine, str(count)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=os.environ | BF16)
    told = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 and done.stdout else {}
    if told.get("engine") != "bfloat16":
        why = "float32 was used in its place" if told else f"the process ended with {done.returncode}"
        sys.stdout.write(f"{engine} bfloat16: not measured, it does not run here ({why})\n")
        return
    sys.stdout.write(
        f"{engine} bfloat16, oneDNN held below AMX: a head fitted on each predicts the same in {told['agree']:.1%} of "
        f"{count - count // 2} test rows   goal >= 97 %\n"
    )


def main() -> None:
    count, sample = (400, 200) if QUICK else (5000, 1000)
    texts, _ = sentences(count)
    backbone = load(NAME)
    with TemporaryDirectory() as folder:
        machine = Path(folder) / "machine"
        choice = settled(backbone, Wish(), machine)
        sys.stdout.write(f"{NAME}, {len(texts)} texts, {choice}: {choice.why}\n")
        load_average()
        ours, longest = [], []
        for turn in range(1 if ONCE else 3):
            cold = Path(folder) / f"cold {turn}"
            shutil.copytree(machine / MACHINE, cold / MACHINE)
            took, values = clock(lambda cold=cold: features(texts, backbone, Extraction(cache=Cache(cold))))
            ours.append(took)
            longest.append(clock(lambda: plain(backbone, texts[:sample], pad_to=None)))
        exact = longest[0][1]
        to_128, _ = clock(lambda: plain(backbone, texts[:sample], pad_to=128))
        scale = count / sample
        rest = median([took for took, _ in longest])
        two_ratios(
            f"plain, padded to the longest ({sample} texts timed) / ours",
            Took(rest.wall * scale, rest.cpu * scale),
            median(ours),
            ">= 2.5",
        )
        two_ratios(
            f"plain, padded to 128 ({sample} texts timed) / ours",
            Took(to_128.wall * scale, to_128.cpu * scale),
            median(ours),
            ">= 6",
        )
        sys.stdout.write(f"{choice}: largest difference {np.abs(values[:sample] - exact).max():.1e}   goal <= 1e-5\n")
        by_torch = features(texts[:sample], backbone, Extraction(engine="torch", precision="float32"))
        sys.stdout.write(f"torch float32: largest difference {np.abs(by_torch - exact).max():.1e}   goal <= 1e-5\n")
    for engine in ("torch", "openvino"):
        show_bfloat16(engine, 200 if QUICK else 2000)


if __name__ == "__main__":
    if "--child" in sys.argv:
        at = sys.argv.index("--child")
        bfloat16(sys.argv[at + 1], int(sys.argv[at + 2]))
    else:
        main()
