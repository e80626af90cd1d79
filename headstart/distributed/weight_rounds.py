"""Rounds on weights of a backbone: the server's side.

1. The exact head of all rows but the held-out ones (`server.py`) is what all begin with, on the backbone as it came,
   as a linear probe before fine-tuning (Kumar et al., 2022).
2. Rounds: all clients get the weights that learn, train them, and the server averages by Flower's strategies as it does
   with heads (`averaging.py`): to these the weights are one vector.
3. The temperature is that of the least loss on the held-out rows of all clients; for each half that of the other half.
4. In FedBN (Li et al., 2021) each client uses its own BatchNorm. So that there is a model for new rows, the saved one
   has the mean of these, weighed by rows, which the clients send once, after the last round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from headstart.backbones.backbone import Backbone
from headstart.backbones.load import load
from headstart.distributed.agreement import Agreement
from headstart.distributed.averaging import BOUND, averaged_round, remind, strategy_of
from headstart.distributed.choosing import least_supported, summed_losses
from headstart.distributed.clients import Rounds
from headstart.distributed.moved_client import HALVES, HELD, Sent
from headstart.distributed.moving_weights import Base, Layout, Weights, assembled, first_weights, head_of
from headstart.errors import BackboneError, DataError
from headstart.heads.head import Head
from headstart.heads.module import HeadModule
from headstart.heads.sums import Sums, merged
from headstart.methods.moved import moved_backbone
from headstart.tasks.kind import kind_named
from headstart.tasks.task import Array
from headstart.training.initial import Scale

if TYPE_CHECKING:
    from headstart.distributed.server import Server

__all__ = ["ByRounds", "agreed_backbone", "movable_backbone", "weights_by_rounds"]


class ByRounds(NamedTuple):
    """The model that all rows but the held-out ones make, and what the clients are sent to test it."""

    head: Head
    backbone: Backbone
    sent: Sent


def agreed_backbone(agreement: Agreement) -> Backbone | None:
    """BackboneError where it has other weights here than at the clients."""
    backbone = load(agreement.backbone) if agreement.backbone else None
    if backbone is not None and backbone.fingerprint != agreement.weights:
        raise BackboneError(f"{agreement.backbone} has other weights here than at the clients: give all the same")
    return backbone


def movable_backbone(agreement: Agreement, rounds: Rounds, file: Path) -> Backbone:
    """The backbone whose weights learn. DataError, naming the key, where there is none, or none of its weights can."""
    words = f"{file}: [rounds] train = {rounds.train!r} moves weights of a backbone"
    backbone = agreed_backbone(agreement)
    if backbone is None or backbone.module is None:
        raise DataError(f"{words}, and a {agreement.modality} has none: use train = 'head'")
    if not backbone.stages:
        raise DataError(f"{words}, and {agreement.backbone} has none to move: use train = 'head'")
    if not 0 <= rounds.stages <= len(backbone.stages):
        raise DataError(
            f"{file}: [rounds] stages = {rounds.stages}: {agreement.backbone} has {len(backbone.stages)} stages"
        )
    return backbone


def weights_by_rounds(
    server: Server, agreement: Agreement, backbone: Backbone, sums: Sequence[Sums], head: Head
) -> ByRounds:
    """sums: of each fold; head: the exact one of all folds but that which is held out."""
    rounds, file = Rounds(**agreement.rounds), server.federation.file
    base, module = _begun(agreement, [part for fold, part in enumerate(sums) if fold != HELD], head)
    try:
        first = first_weights(backbone, module, rounds, agreement.seed)
    except (ValueError, ImportError) as error:
        raise DataError(f"{file}: [rounds] train = {rounds.train!r}: {error}") from error
    if rounds.strategy == "fedbn" and not first.own:
        raise DataError(
            f"{file}: [rounds] strategy = 'fedbn' keeps BatchNorm at each client, and what learns of "
            f"{agreement.backbone} has none: use 'fedavg'"
        )
    layout, strategy = Layout.of(first.shared), strategy_of(rounds)
    vector = layout.vector(first.shared)
    sent = Sent(base, first, np.ones(HALVES + 1))
    for number in range(1, rounds.rounds + 1):
        given = sent._replace(weights=first._replace(shared=layout.arrays(vector))).arrays()
        words = f"{layout.size} weights and their rows"
        compute = partial(averaged_round, server, agreement, given, [strategy], vector[None], number, words=words)
        step = server.step(f"round {number}", compute)
        vector = np.asarray(step.arrays["weights"])[0]
        remind([strategy], step.arrays)
    sent = sent._replace(weights=first._replace(shared=layout.arrays(vector)))
    sent = sent._replace(temperatures=_temperatures(server, agreement, sent))
    own = _mean_own(server, agreement, sent) if first.own else {}
    network = assembled(backbone, base, rounds, Weights(sent.weights.shared, own))
    made = replace(head_of(network, base, agreement.kind, rounds), temperature=float(sent.temperatures[-1]))
    return ByRounds(made, moved_backbone(network, backbone, rounds.train), sent)


def _begun(agreement: Agreement, sums: Sequence[Sums], head: Head) -> tuple[Base, HeadModule]:
    """What is fixed, and the head that learns on from the exact one."""
    kind, values = kind_named(agreement.kind), Scale(0.0, 1.0)
    if not kind.has_classes:
        every = merged(sums)
        center = float(every.answers[0] / every.weight)
        spread = float(np.sqrt(max(every.squares[0] / every.weight - center**2, 0.0)))
        values = Scale(center, spread or 1.0)
    module = values.scaled(HeadModule.like(head))
    return Base(module.mean.numpy(), module.scale.numpy(), module.linear.out_features, values), module


def _temperatures(server: Server, agreement: Agreement, sent: Sent) -> Array:
    """(3,) for the halves of held-out rows, each by the other, and for new rows by both."""
    kind = kind_named(agreement.kind)
    if not kind.has_classes:
        return np.ones(HALVES + 1)
    curves = summed_losses(server, agreement, "losses", sent.arrays(), HALVES)
    places = (curves[1], curves[0], curves.sum(axis=0))
    return np.array([least_supported(losses, kind, len(agreement.classes)) for losses in places])


def _mean_own(server: Server, agreement: Agreement, sent: Sent) -> dict[str, Array]:
    """The mean over clients of what is their own, weighed by rows."""
    layout = Layout.of(sent.weights.own)

    def checked(vector: Array) -> None:
        if vector.shape != (1 + layout.size,):
            raise ValueError(
                f"it sent {vector.size} numbers, where {layout.size} of BatchNorm and their rows are {1 + layout.size}"
            )
        if not np.isfinite(vector).all() or vector[0] <= 0 or np.abs(vector).max() > 2.0**BOUND:
            raise ValueError("it sent numbers of BatchNorm that are NaN, infinite or too large")

    step = server.step("norms", lambda: server.added("norms", agreement, sent.arrays(), checked, BOUND))
    total = np.asarray(step.arrays["total"])
    return layout.arrays(total[1:] / total[0])
