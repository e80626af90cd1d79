"""Rounds of gradient descent on a linear head: the server's side, by Flower's own strategies.

    fedavg    w_(t+1) = sum_k n_k w_k / n, over clients k with n_k rows (McMahan et al., 2017)
    fedprox   the same, of clients that are held near w_t (Li et al., 2020)
    fedadam   Adam on the server, with fedavg's step in the place of a gradient (Reddi et al., 2021); Flower's corrects
              the bias of Adam's means as Kingma and Ba (2015) do, which Reddi et al. leave out
    fedbn     fedavg of the weights, while the statistics of features stay at the client (Li et al., 2021)

There is a strategy for each fold, whose rows it never sees, and one for all rows; a message brings the weights of all
of them. After each round the weights, and what the strategies remember, are written to the journal. Under secure
aggregation the server sees the clients' sum alone, and hands that to the strategy as one answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from headstart.distributed.agreement import Agreement
from headstart.distributed.clients import Rounds
from headstart.distributed.journal import Step
from headstart.distributed.local_steps import Moments
from headstart.heads.facts import FitterFacts
from headstart.heads.head import Head
from headstart.tasks.kind import kind_named
from headstart.tasks.task import Array

if TYPE_CHECKING:
    from flwr.serverapp.strategy import FedAvg

    from headstart.distributed.server import Server

__all__ = ["BOUND", "averaged", "averaged_round", "heads_by_rounds", "remind", "strategy_of"]

BOUND = 32
"""The exponent of what bounds rows times weights: 2^24 rows, and weights as `local_steps` lets them be."""
_REMEMBERED = ("m_t", "v_t")


class _Start(NamedTuple):
    """What all problems begin with: "mean", "scale", "centre", "spread" as in `local_steps.trained`."""

    arrays: Mapping[str, Array]
    shape: tuple[int, int, int]


def heads_by_rounds(server: Server, agreement: Agreement) -> list[Head]:
    """One head a fold, from rounds without it, and one of all rows."""
    rounds = Rounds(**agreement.rounds)
    start = _start(server, agreement)
    weights = np.zeros(start.shape)
    strategies = [strategy_of(rounds) for _ in range(start.shape[0])]
    for number in range(1, rounds.rounds + 1):
        compute = partial(_round, server, agreement, start, strategies, weights, number)
        step = server.step(f"round {number}", compute)
        weights = np.asarray(step.arrays["weights"])
        remind(strategies, step.arrays)
    return [_head(agreement, rounds, start, weights[place], place) for place in range(start.shape[0])]


def strategy_of(rounds: Rounds) -> FedAvg:
    """Flower's, which averages whatever clients it is given."""
    from flwr.serverapp.strategy import FedAdam, FedAvg, FedProx

    few = {"min_train_nodes": 1, "min_available_nodes": 1}
    if rounds.strategy == "fedprox":
        return FedProx(proximal_mu=rounds.mu, **few)
    if rounds.strategy == "fedadam":
        return FedAdam(eta=rounds.server_lr, eta_l=rounds.lr, **few)
    return FedAvg(**few)


def averaged(strategy: FedAvg, weights: Array, answers: Sequence[tuple[float, Array]], number: int) -> Array:
    """What a strategy makes of (rows, weights) of clients that began at `weights`; these where nobody has rows."""
    from flwr.app import Array as Travelling
    from flwr.app import ArrayRecord, Message, MetricRecord, RecordDict
    from flwr.serverapp.strategy.fedopt import FedOpt

    replies = []
    for rows, own in answers:
        if rows > 0:
            content = RecordDict()
            content["arrays"] = ArrayRecord({"weights": Travelling(np.ascontiguousarray(own))})
            content["metrics"] = MetricRecord({"num-examples": float(rows)})
            replies.append(Message(content, 0, "train"))
    if not replies:
        return weights
    if isinstance(strategy, FedOpt):
        strategy.current_arrays = {"weights": weights}
    arrays, _ = strategy.aggregate_train(number, replies)
    return np.asarray(arrays["weights"].numpy())


def _start(server: Server, agreement: Agreement) -> _Start:
    """The moments of the rows of all clients, of each problem."""
    kind, folds, width = kind_named(agreement.kind), agreement.folds, agreement.width
    columns = kind.outputs(max(1, len(agreement.classes)))

    def checked(vector: Array) -> list[Moments]:
        size = 1 + 2 * width + 2 * columns
        if vector.shape != (folds * size,):
            raise ValueError(f"it sent {vector.size} numbers, where moments of {folds} folds are {folds * size}")
        return [Moments.from_vector(part, width, columns) for part in np.split(vector, folds)]

    step = server.step("moments", lambda: server.added("moments", agreement, {}, checked))
    vectors = np.asarray(step.arrays["total"]).reshape(folds, -1)
    every = vectors.sum(axis=0)
    problems = [Moments.from_vector(vector, width, columns) for vector in [*(every - vectors), every]]
    standards = [moments.standard(agreement.scale) for moments in problems]
    values = [moments.values(kind) for moments in problems]
    arrays = {
        "mean": np.stack([standard.mean for standard in standards]),
        "scale": np.stack([standard.scale for standard in standards]),
        "centre": np.stack([centre for centre, _ in values]),
        "spread": np.stack([spread for _, spread in values]),
    }
    return _Start(arrays, (folds + 1, width + 1, columns))


def _round(
    server: Server, agreement: Agreement, start: _Start, strategies: Sequence[FedAvg], weights: Array, number: int
) -> Step:
    """The weights that the clients' answers make, and what the strategies remember."""
    problems, height, columns = start.shape
    words = f"{problems} heads of {height} x {columns} weights and their rows"
    return averaged_round(
        server, agreement, {"weights": weights, **start.arrays}, strategies, weights, number, words=words
    )


def averaged_round(
    server: Server,
    agreement: Agreement,
    given: Mapping[str, Array],
    strategies: Sequence[FedAvg],
    weights: Array,
    number: int,
    *,
    words: str,
) -> Step:
    """The weights (P, ...) that the clients make in a round of what they are given, each its rows and so many times its
    weights for each of P problems; and what the strategies, one a problem, remember. words: what was asked for."""
    shape, size = weights[0].shape, 1 + weights[0].size

    def checked(vector: Array) -> Array:
        if vector.shape != (len(weights) * size,):
            raise ValueError(
                f"it sent {vector.size} numbers in round {number}, where {words} are {len(weights) * size}"
            )
        table = vector.reshape(len(weights), size)
        if not np.isfinite(table).all() or (table[:, 0] < 0).any() or np.abs(table).max() > 2.0**BOUND:
            raise ValueError(f"it sent numbers in round {number} that are NaN, infinite or too large")
        return table

    more = {"round": str(number)}
    tables = [checked(vector) for vector in server.parts("round", agreement, given, checked, more, bound=BOUND)]
    made = []
    for place, strategy in enumerate(strategies):
        answers = [(round(float(table[place, 0])), table[place, 1:].reshape(shape)) for table in tables]
        own = [(rows, total / max(rows, 1)) for rows, total in answers]
        made.append(averaged(strategy, weights[place], own, number))
    server.listener.progress("rounds", number, int(agreement.rounds["rounds"]))
    return Step({"weights": np.stack(made), **_memory(strategies)}, {})


def _memory(strategies: Sequence[FedAvg]) -> dict[str, Array]:
    """Adam's means (P, D + 1, C) of the strategies that have any."""
    memory = {}
    for name in _REMEMBERED:
        means = [getattr(strategy, name, None) for strategy in strategies]
        if all(means):
            memory[name] = np.stack([each["weights"] for each in means if each])
    return memory


def remind(strategies: Sequence[FedAvg], arrays: Mapping[str, Array]) -> None:
    """Let strategies remember what they did after a round."""
    for name in _REMEMBERED:
        for place, strategy in enumerate(strategies):
            if name in arrays:
                setattr(strategy, name, {"weights": arrays[name][place]})


def _head(agreement: Agreement, rounds: Rounds, start: _Start, weights: Array, place: int) -> Head:
    spread, centre = start.arrays["spread"][place], start.arrays["centre"][place]
    arrays = {
        "mean": start.arrays["mean"][place],
        "scale": start.arrays["scale"][place],
        "weight.0": (weights[:-1] * spread).astype(np.float32),
        "bias.0": weights[-1] * spread + centre,
    }
    account = {"rounds": asdict(rounds)}
    return Head(
        name=rounds.strategy, kind=kind_named(agreement.kind), arrays=arrays, facts=FitterFacts(account=account)
    )
