"""What an exported model costs: its size, its answers in 8 bits, and how fast onnxruntime answers beside `predict`.

    OMP_NUM_THREADS=1 python bench/export.py [CASE...]

Prints Markdown: of each case the file in float32 and in 8 bits, the largest difference from the model, the score on
held-out rows in float32 and the paired difference in 8 bits with its interval; then seconds a row of `predict` without
a cache over those of the file on one thread, both from the files or words on, the best of three turns each.

    emoji       10 subcategories of Twemoji, 200 pictures to learn from, 50 to test on, lite0
    amazon      sentences of products, 200 and 200, MiniLM or WordLlama
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import onnxruntime
from material import demo_data, emoji_folder

import headstart as hs
from headstart.data.roles import Roles
from headstart.deployment.formats.feeds import batches
from headstart.deployment.formats.graph import graph_of
from headstart.listener import SILENT
from headstart.tasks.task import Task

ROWS, TURNS = 50, 3


class Case(NamedTuple):
    """data     makes what is learnt from and what is tested on
    backbone  by name
    """

    data: Callable[[Path], tuple[Path, Path]]
    backbone: str


def pictures(folder: Path) -> tuple[Path, Path]:
    every = emoji_folder(folder / "every", at_least=25, at_most=25, train=20)
    kept = sorted(path.name for path in (every / "train").iterdir())[:10]
    for side in ("train", "test"):
        for name in kept:
            (folder / side).mkdir(exist_ok=True)
            (every / side / name).rename(folder / side / name)
    return folder / "train", folder / "test"


def sentences(folder: Path) -> tuple[Path, Path]:
    import pandas as pd

    demo_data.sentiment_csv(folder / "both.csv", train=200, test=200)
    both = pd.read_csv(folder / "both.csv")
    for side in ("train", "test"):
        both[both["split"] == side].drop(columns=["split", "review"]).to_csv(folder / f"{side}.csv", index=False)
    return folder / "train.csv", folder / "test.csv"


CASES = {
    "emoji": Case(pictures, "bundled:efficientnet-lite0"),
    "amazon": Case(sentences, "bundled:minilm"),
    "amazon, words": Case(sentences, "bundled:wordllama"),
}


def seconds(answer: Callable[[], Any]) -> float:
    start = time.perf_counter()
    answer()
    return time.perf_counter() - start


def speed(fitted: hs.Transfer, file: Path, task: Task) -> float:
    """Seconds of predict over those of the file, of the same rows."""
    threads = onnxruntime.SessionOptions()
    threads.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(file, threads, providers=["CPUExecutionProvider"])
    readings = graph_of(fitted.model_).readings

    def by_file() -> None:
        for _, feeds in batches(task, readings):
            session.run(None, feeds)

    def by_predict() -> None:
        fitted.answers(fitted.look(task, listener=SILENT))

    turns = [(seconds(by_predict), seconds(by_file)) for _ in range(TURNS)]
    return min(predict for predict, _ in turns) / min(file for _, file in turns)


def row_of(name: str, case: Case, folder: Path) -> str:
    train, test = case.data(folder)
    fitted = hs.Transfer(case.backbone, engine="torch", cache=False)
    rows = hs.read(train)
    labels = [rows.classes[code] for code in rows.targets]
    fitted.fit(list(rows.inputs), labels)
    whole = hs.export(fitted, folder / "float.onnx", check_on=test)
    small = hs.export(fitted, folder / "int8.onnx", check_on=test, int8=True).facts
    cost, sizes = small["int8"], (small["bytes_float"] / 1e6, small["bytes"] / 1e6)
    gain, before = cost["gain"], cost["float"]["value"]
    task = hs.read(test, roles=Roles(modality=fitted.model_.modality), need_target=False).take(range(ROWS))
    ratios = [speed(fitted, folder / f"{form}.onnx", task) for form in ("float", "int8")]
    return (
        f"| {name} | {case.backbone} | {sizes[0]:.1f} | {sizes[1]:.1f} | {whole.parity.largest:.1e} | {cost['metric']} "
        f"{before:.3f} | {gain['value']:+.3f} [{gain['low']:+.3f}, {gain['high']:+.3f}] | {cost['same']:.1%} | "
        f"{ratios[0]:.2f} | {ratios[1]:.2f} |"
    )


def main(names: list[str]) -> None:
    print(
        "| data | backbone | MB float32 | MB int8 | largest difference | float32 | int8, better by | same answer |",
        end="",
    )
    print(" predict / file | predict / int8 file |\n|---|---|--:|--:|--:|--:|--:|--:|--:|--:|", flush=True)
    for name in names or CASES:
        with tempfile.TemporaryDirectory() as folder:
            print(row_of(name, CASES[name], Path(folder)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
