"""All real pairs of two tasks: what a source is worth, by every way to draw on it, and what the guard makes of it.

    python bench/pairs.py [--seeds 5] [--pairs TEXT] [--methods NAME ...] [--resume FILE] [--markdown]

Digits at 28 x 28 and 8 x 8, four domains of rated sentences, Twemoji and other renderings of other things, cars by
origin (`pairs_data`). A seed draws up to 500 source rows, up to 400 target rows to learn from, 20 of them with labels,
and up to 1,000 target rows to test on. Score: accuracy; R2 of cars. Columns:

source-only, target-only, pooled    without adaptation; of the target the 20 labels, where any
a step, such as coral     learns from the source and target rows without labels, or with the 20 where it needs some
auto, auto-20             the guard without target labels, and with the 20
oracle                    the head learnt from all target training rows with all their labels

"-": the way refuses the pair; why is printed at the end. Every result is written to a file of JSON lines as it is made
(.data/pairs.jsonl); with --resume those that it holds are not made again. One thread.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from pairs_data import PAIRS, Draw, draw
from pairs_table import Result, lines, markdown
from sklearn.metrics import r2_score
from threadpoolctl import threadpool_limits

from headstart.adaptation.domain_pair import DomainPair, SourceSide
from headstart.adaptation.guard import choose
from headstart.adaptation.learn import fit_strategy
from headstart.adaptation.strategies import STRATEGIES
from headstart.adaptation.strategy import Strategy
from headstart.features.feature_set import FeatureSet
from headstart.heads.head import Head, shaped
from headstart.tasks import REGRESSION
from headstart.tasks.task import Array

PLAIN = ("source-only", "target-only", "pooled")
STEPS = tuple(name for name, row in STRATEGIES.items() if row.strategy.align is not None)
COLUMNS = (*PLAIN, *STEPS, "auto", "auto-20", "oracle")
REFUSED = (ValueError, ImportError)
FILE = Path(__file__).resolve().parent.parent / ".data" / "pairs.jsonl"


class Said(NamedTuple):
    """A head for target features, and how it came about: the way that the guard took, or that labels were needed."""

    head: Head
    how: str


class Trial:
    """One pair as one seed draws it. Everything that fits or chooses is in `fitted`."""

    def __init__(self, source: FeatureSet, target: FeatureSet, seed: int) -> None:
        self.target, self.seed = target, seed
        self.rows: Draw = draw(source, target, seed)
        self.source = source.take(self.rows.source)

    @cached_property
    def bare(self) -> DomainPair:
        """Without target labels."""
        return SourceSide(self.source, self.seed).pair(self.target.take(self.rows.train), None)

    def labelled(self, rows: Array) -> DomainPair:
        """The same with the labels of these target rows."""
        answers = np.asarray(self.target.task.targets)[self.rows.train]
        unknown = np.nan if self.bare.kind == REGRESSION else -1
        known = np.where(np.isin(self.rows.train, rows), answers, unknown)
        return replace(self.bare, domains=self.bare.domains._replace(known=known))

    def fitted(self, name: str) -> Said:
        """The head of a column. Raises ValueError where its way cannot be gone."""
        some = self.labelled(self.rows.known)
        if name == "oracle":
            return Said(fit_strategy(self.labelled(self.rows.train), Strategy(source=False, target=True)), "")
        if name in ("auto", "auto-20"):
            on = some if name == "auto-20" else self.bare
            chosen = choose(on)
            return Said(fit_strategy(on, chosen.strategy, chosen.base), f"{chosen.name} {chosen.base}")
        way = STRATEGIES[name].strategy
        if way.target:
            return Said(fit_strategy(some, way), "")
        try:
            return Said(fit_strategy(self.bare, way), "")
        except ValueError:
            return Said(fit_strategy(some, way), "with 20 labels")

    def score(self, head: Head) -> float:
        """On the test rows: accuracy, or R2."""
        test = self.target.take(self.rows.test)
        encoder, truth = self.bare.encoder, np.asarray(test.task.targets)
        rows = np.asarray(test.values) if encoder is None else encoder.transform(cast(Any, test.task.inputs))
        said = head.predict(shaped(rows, self.bare.form))
        return float(r2_score(truth, said) if head.kind == REGRESSION else np.mean(said.argmax(axis=1) == truth))

    def result(self, pair: str, name: str) -> Result:
        """One score, or why there is none. What is raised and is no refusal is a bug, and said to be one."""
        began = time.perf_counter()
        score, how = None, ""
        try:
            said = self.fitted(name)
            score, how = self.score(said.head), said.how
        except np.linalg.LinAlgError as error:
            how = f"BUG: {error!r}"
        except REFUSED as error:
            how = str(error)
        except Exception as error:
            how = f"BUG: {error!r}"
        return Result(pair, self.seed, name, score, how, round(time.perf_counter() - began, 3), self.metric)

    @property
    def metric(self) -> str:
        return "R2" if self.target.task.kind == REGRESSION else "accuracy"


def results(pairs: list[str], seeds: int, columns: tuple[str, ...], done: set[Any]) -> Iterator[Result]:
    """Of every pair, seed and column that is not done yet."""
    for pair in pairs:
        for seed in range(seeds):
            missing = [name for name in columns if (pair, seed, name) not in done]
            if missing:
                trial = Trial(*PAIRS[pair](), seed)
                yield from (trial.result(pair, name) for name in missing)


def main() -> None:
    asked = options()
    pairs = [name for name in PAIRS if asked.pairs in name]
    columns = tuple(name for name in COLUMNS if asked.methods is None or name in asked.methods)
    unknown = set(asked.methods or ()) - set(COLUMNS)
    if not pairs or unknown:
        raise SystemExit(f"expected --pairs in a name of {', '.join(PAIRS)}, --methods of {', '.join(COLUMNS)}")
    file: Path = asked.resume or FILE
    kept = [Result(**json.loads(line)) for line in file.read_text().splitlines()] if asked.resume else []
    file.parent.mkdir(parents=True, exist_ok=True)
    done = {(one.pair, one.seed, one.method) for one in kept}
    torch.set_num_threads(1)
    with file.open("a" if asked.resume else "w", encoding="utf-8") as out, threadpool_limits(1):
        for one in results(pairs, asked.seeds, columns, done):
            kept.append(one)
            out.write(json.dumps(one._asdict()) + "\n")
            out.flush()
            shown = "-" if one.score is None else f"{one.score:.3f}"
            sys.stderr.write(f"{one.pair}, seed {one.seed}: {one.method} {shown} in {one.seconds:.1f} s {one.how}\n")
    wanted = [one for one in kept if one.pair in pairs and one.method in columns and one.seed < asked.seeds]
    sys.stdout.write("\n".join((markdown if asked.markdown else lines)(wanted)) + "\n")


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", default="", help="only those with this in their name")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--methods", nargs="+", help="only these columns")
    parser.add_argument("--resume", type=Path, metavar="FILE", help="go on with these results")
    parser.add_argument("--markdown", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
