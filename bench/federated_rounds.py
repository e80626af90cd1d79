"""Rounds of gradient descent on the head against the one exact round, and heads of a client's own about both.

    OMP_NUM_THREADS=1 python bench/federated_rounds.py [auto-mpg penguins sentences digits] [--rows 150]
    OMP_NUM_THREADS=1 python bench/federated_rounds.py sentences --train lora --rows 60 --rounds 3 --epochs 1 --folds 3

Data, clients and held-out rows are those of `bench/federated.py`; every strategy with the settings that `[rounds]` has
if nothing is given. In brackets: 95 % intervals, of gains paired.

--train   weights of the backbone instead: after rounds of FedAvg (of FedBN: --strategy) on LoRA matrices or on the last
          stage, on the one fold that each client holds out, beside the heads of one exact round and of FedAvg, the
          same training on a client's own rows and the probe on these
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from federated import TASKS

from headstart.distributed.agreement import Agreement
from headstart.distributed.clients import STRATEGIES, TRAINED, Federation, Rounds, read_federation, rounds_of
from headstart.distributed.federate import Owners, Working, app_of
from headstart.distributed.in_process import InProcess
from headstart.distributed.moved_client import HELD, MovedClient, Sent
from headstart.distributed.owner import ALONE, TUNED, Member
from headstart.distributed.personal import personal_of
from headstart.distributed.server import Server
from headstart.evidence.evidence import Evidence, of_answers
from headstart.evidence.held_out import HeldOut
from headstart.evidence.verdict import figure, signed, spread
from headstart.heads.head import Head
from headstart.linalg.blas import one_thread
from headstart.listener import SILENT
from headstart.methods.plan import Plan
from headstart.tasks.task import Array

EXACT = "exact"
SHOWN = (EXACT, *STRATEGIES)


def learnt(federation: Federation, owners: Owners) -> tuple[Agreement, list[Head]]:
    """What the clients agree on, and the heads: one a fold, and one of all rows."""
    grid = InProcess({client.name: app_of(client, owners) for client in federation.clients})
    kept: dict[str, Any] = {}

    def evidence(agreement: Agreement, heads: list[Head]) -> dict[str, tuple[Evidence, Evidence]]:
        kept.update(agreement=agreement, heads=heads)
        return {}

    try:
        with Working(None, federation) as journal, one_thread():
            server = Server(federation, grid, dict(grid.names), journal, SILENT)
            server.evidence = evidence  # type: ignore[method-assign]
            server.run()
    finally:
        grid.close()
    return kept["agreement"], kept["heads"]


def tested(member: Member, answers: Array, others: dict[str, Array]) -> Evidence:
    held_out = HeldOut.of(member.rows.task)._replace(group=member.rows.blocks, folds=member.agreement.folds)
    return of_answers(held_out, answers, others)


def cell(evidence: Evidence) -> str:
    score = evidence.metrics[evidence.headline]
    return f"{figure(score.value)} {spread(score)}"


def gain(evidence: Evidence, over: str) -> str:
    each = evidence.assessment.gains[over]
    return f"{signed(each.value)} {spread(each.interval)}"


def rows_of(task: str, file: Path) -> tuple[list[str], list[str]]:
    """A line a client of the table of strategies, and one of that of own heads."""
    federation = read_federation(file)
    owners = Owners(federation, SILENT)
    made = {
        name: learnt(replace(federation, rounds=None if name == EXACT else Rounds(strategy=name)), owners)
        for name in SHOWN
    }
    scores, own = [], []
    for client in federation.clients:
        alone = owners(client)[0].under(made[EXACT][0]).alone()[ALONE]
        cells, about = [], []
        for name, (agreement, heads) in made.items():
            member = owners(client)[0].under(agreement)
            kind = member.rows.task.kind
            shared = kind.probabilities(member.out_of_fold(heads[:-1]), 1.0)
            cells.append(cell(tested(member, shared, {ALONE: alone})))
            if name in (EXACT, "fedavg"):
                answers = kind.probabilities(personal_of(member, heads).out_of_fold, 1.0)
                evidence = tested(member, np.asarray(answers), {ALONE: alone, name: shared})
                about += [cell(evidence), gain(evidence, name), gain(evidence, ALONE)]
        scores.append("| " + " | ".join([f"{task}: {client.name}", *cells]) + " |")
        own.append("| " + " | ".join([f"{task}: {client.name}", *about]) + " |")
    return scores, own


def moved(federation: Federation, owners: Owners) -> tuple[Agreement, Sent]:
    """What the clients agree on, and what they are sent to test."""
    grid = InProcess({client.name: app_of(client, owners) for client in federation.clients})
    kept: dict[str, Any] = {}

    def tested(agreement: Agreement, given: dict[str, Array]) -> dict[str, tuple[Evidence, Evidence]]:
        kept.update(agreement=agreement, sent=Sent.of(given))
        return {}

    try:
        with Working(None, federation) as journal, one_thread():
            server = Server(federation, grid, dict(grid.names), journal, SILENT)
            server.tested = tested  # type: ignore[method-assign, assignment]
            server.run()
    finally:
        grid.close()
    return kept["agreement"], kept["sent"]


def of_weights(task: str, file: Path, asked: argparse.Namespace) -> Iterator[str]:
    """A line a client."""
    federation = replace(read_federation(file), folds=asked.folds)
    owners = Owners(federation, SILENT)
    how = {name: value for name in ("rounds", "epochs") if (value := getattr(asked, name)) is not None}
    heads = {
        EXACT: learnt(federation, owners)[1][HELD],
        "fedavg": learnt(replace(federation, rounds=Rounds(strategy="fedavg")), owners)[1][HELD],
    }
    moving = replace(federation, rounds=rounds_of(strategy=asked.strategy, train=asked.train, **how))
    agreement, sent = moved(moving, owners)
    for client in federation.clients:
        part = MovedClient(owners(client)[0].under(agreement))
        features, kind = part.member.features[part.held], part.member.rows.task.kind
        rows, plan = part.member.rows, Plan("probe")
        others = {ALONE: part.member.probed(rows.take(part.learn), rows.take(part.held), plan), TUNED: part.tuned()}
        others |= {
            name: np.asarray(kind.probabilities(head.logits(features) / head.temperature, 1.0))
            for name, head in heads.items()
        }
        task_held = part.member.rows.task.take(part.held)
        held_out = HeldOut.of(task_held)._replace(group=part.member.rows.blocks[part.held])
        evidence = of_answers(held_out, part.answers(part.model(sent), sent), others)
        beside = [evidence.baselines[name][evidence.headline] for name in (ALONE, TUNED, EXACT, "fedavg")]
        cells = [f"{task}: {client.name}", f"{len(part.held)}"]
        cells += [f"{figure(each.value)} {spread(each)}" for each in beside] + [cell(evidence)]
        cells += [gain(evidence, name) for name in (ALONE, TUNED, "fedavg")]
        yield "| " + " | ".join(cells) + " |"


OF_WEIGHTS = (
    "| client | held out | probe alone | same training alone | one exact round | head, fedavg | {} | gain over probe | "
    "gain over training alone | gain over head, fedavg |\n|---|--:|" + "---|" * 8
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*", default=[*TASKS], metavar="TASK")
    parser.add_argument("--rows", type=int, default=150, help="of each domain and of each maker")
    parser.add_argument("--train", choices=TRAINED[1:], help="weights of the backbone, in place of a head")
    parser.add_argument("--strategy", choices=STRATEGIES, default="fedavg", help="with --train")
    parser.add_argument("--rounds", type=int, help="with --train")
    parser.add_argument("--epochs", type=int, help="with --train")
    parser.add_argument("--folds", type=int, default=5, help="with --train; one is held out")
    asked = parser.parse_args()
    if asked.train:
        sys.stdout.write(OF_WEIGHTS.format(f"{asked.train}, {asked.strategy}") + "\n")
        for task in asked.tasks:
            with tempfile.TemporaryDirectory() as place:
                for line in of_weights(task, TASKS[task](Path(place), asked.rows), asked):
                    sys.stdout.write(line + "\n")
                    sys.stdout.flush()
        return
    tables: tuple[list[str], list[str]] = ([], [])
    for task in asked.tasks:
        with tempfile.TemporaryDirectory() as place:
            for table, lines in zip(tables, rows_of(task, TASKS[task](Path(place), asked.rows)), strict=True):
                table += lines
                sys.stderr.write("\n".join(lines) + "\n")
    sys.stdout.write(f"| client | {' | '.join(SHOWN)} |\n|---|{'---|' * len(SHOWN)}\n" + "\n".join(tables[0]) + "\n\n")
    head = "own head | gain over federated | gain over backbone alone"
    sys.stdout.write(f"| client | exact: {head} | fedavg: {head} |\n|---|{'---|' * 6}\n" + "\n".join(tables[1]) + "\n")


if __name__ == "__main__":
    main()
