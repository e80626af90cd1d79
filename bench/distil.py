"""What a teacher and pictures without labels are worth to a student, and what an epoch of distillation costs.

    python bench/distil.py gain --seeds 5          # lite0 tuned on 12 kinds of Twemoji, 25 a kind -> mobilenetv2
    python bench/distil.py gain --teacher top --methods top+distil      # what is frozen is computed once: much faster
    python bench/distil.py gain --teacher top --student small:conv4-64 --methods scratch+distil   # a student far weaker
    python bench/distil.py cost                    # what epochs cost beside those of the student alone, in one run

`gain` prints a table in Markdown: balanced accuracy on the labelled pictures that nobody learnt from, the mean over the
seeds, and the mean paired difference to the same student without a teacher with its 95 % interval (Student's t over the
seeds). Every seed draws other labelled pictures. The 800 pictures without a label are drawn from all kinds, those that
are tested left out.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.metrics import balanced_accuracy_score
from tuning import between

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "examples"))
from demo_data import emoji_folder

from headstart import Transfer
from headstart.methods.plan import Plan
from headstart.methods.table import without_teacher

KINDS, EACH, BARE = 12, 25, 800
TEACHER, STUDENT = "bundled:efficientnet-lite0", "bundled:mobilenetv2"


class Rows(NamedTuple):
    """Pictures to learn from and to test on with their kinds, and pictures without a label."""

    train: list[str]
    kinds: list[str]
    test: list[str]
    truth: list[str]
    bare: list[str]


def drawn(folder: Path, seed: int) -> Rows:
    """Of the kinds that have most pictures, so many of each to learn from; the rest of them is tested on."""
    rng = np.random.default_rng(seed)
    paths = {kind.name: sorted(map(str, kind.iterdir())) for kind in sorted(folder.iterdir())}
    largest = sorted(paths, key=lambda kind: (-len(paths[kind]), kind))[:KINDS]
    train, test = [], []
    for kind in largest:
        order = [paths[kind][place] for place in rng.permutation(len(paths[kind]))]
        train += [(path, kind) for path in order[:EACH]]
        test += [(path, kind) for path in order[EACH:]]
    apart = {path for path, _ in train + test}
    others = [path for kind in paths for path in paths[kind] if path not in apart]
    bare = [others[place] for place in rng.permutation(len(others))[:BARE]]
    return Rows(*map(list, zip(*train, strict=True)), *map(list, zip(*test, strict=True)), bare)


def score(model: Transfer, rows: Rows) -> float:
    """Balanced accuracy on what nobody learnt from."""
    return float(balanced_accuracy_score(rows.truth, model.predict(rows.test)))


def gain(folder: Path, args: argparse.Namespace) -> None:
    """The table described above; all methods move what the first does."""
    scores: dict[str, list[float]] = {}
    options = dict(pair.split("=") for pair in args.option)
    plan = without_teacher(Plan(args.methods[0], options=options))
    for seed in range(args.seeds):
        rows = drawn(folder, seed)
        began = time.perf_counter()
        teacher = Transfer(TEACHER, args.teacher, seed=seed).fit(rows.train, rows.kinds)
        alone = Transfer(args.student, plan.method, seed=seed, options=dict(plan.options)).fit(rows.train, rows.kinds)
        scores.setdefault("teacher", []).append(score(teacher, rows))
        scores.setdefault("no-teacher", []).append(score(alone, rows))
        for method in args.methods:
            for bare, name in ((rows.bare, f"{method}, {len(rows.bare)} without a label"), (None, method)):
                student = Transfer(args.student, method, seed=seed, options=dict(options))
                student.fit(rows.train, rows.kinds, teacher=teacher, unlabelled=bare)
                scores.setdefault(name, []).append(score(student, rows))
        latest = ", ".join(f"{name} {values[-1]:.3f}" for name, values in scores.items())
        sys.stderr.write(f"seed {seed}, {len(rows.test)} tested: {latest} in {time.perf_counter() - began:.0f} s\n")
    sys.stdout.write("| model | balanced accuracy | over the student without a teacher |\n|---|--:|---|\n")
    without = np.array(scores["no-teacher"])
    for name, values in scores.items():
        apart = np.array(values) - without
        low, high = between(apart)
        words = "" if name == "no-teacher" else f"{apart.mean():+.3f} [{low:+.3f}, {high:+.3f}]"
        sys.stdout.write(f"| {name} | {np.mean(values):.3f} | {words} |\n")


def cost(folder: Path, epochs: int, turns: int) -> None:
    """Processor seconds of epochs on the same rows, by turns, the least of them; the teacher was asked before."""
    rows = drawn(folder, 0)
    some = rows.train[: 4 * EACH], rows.kinds[: 4 * EACH]
    teacher = Transfer(TEACHER, "probe").fit(*some)
    teacher.predict(some[0])
    options: dict[str, Any] = {"epochs": epochs, "validation": 0}
    seconds: dict[str, list[float]] = {}
    for turn in range(turns):
        for name, more in (("lp-ft", {}), ("distil", {"teacher": teacher})):
            began = time.process_time()
            Transfer(STUDENT, name, options=options).fit(*some, **more)
            seconds.setdefault(name, []).append(time.process_time() - began)
            sys.stderr.write(f"turn {turn}: {name} {seconds[name][-1]:.1f} s\n")
    least = {name: min(values) for name, values in seconds.items()}
    ratio = least["distil"] / least["lp-ft"]
    sys.stdout.write(f"distil {least['distil']:.1f} s / lp-ft {least['lp-ft']:.1f} s = {ratio:.3f}   goal <= 1.1\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=("gain", "cost"), default="cost")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--teacher", default="lp-ft")
    parser.add_argument("--student", default=STUDENT)
    parser.add_argument("--methods", nargs="+", default=["distil"])
    parser.add_argument("--option", nargs="*", default=[])
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = emoji_folder(Path(place) / "emoji", at_least=2, at_most=200)
        if args.what == "cost":
            cost(folder, args.epochs, args.turns)
        else:
            gain(folder, args)


if __name__ == "__main__":
    main()
