"""A client where weights of a backbone learn in rounds: its training, what stays with it, and its held-out rows.

To train for each fold would cost as many trainings, so one fold of a client's rows, the first, is held out of all
rounds, and the other folds are learnt from. The held-out rows are in two halves; the answers to one half are at the
temperature of the least loss on the other half, over all clients.

In FedBN what a client keeps of a round lies in a journal in its cache, so that a server which was killed in the next
round, and a process that is started for each message, finds it there.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from blake3 import blake3

from headstart.backbones.backbone import Backbone
from headstart.distributed.clients import Rounds
from headstart.distributed.journal import Journal, Step
from headstart.distributed.moving_weights import (
    Base,
    Layout,
    Rows,
    Weights,
    assembled,
    first_weights,
    head_of,
    trained_weights,
    training_of,
    tune_of,
)
from headstart.distributed.owner import SHARED, TEMPERATURES, TUNED, Member, varied
from headstart.distributed.personal import Folded, Personal, own_head
from headstart.errors import DataError
from headstart.evidence.evidence import Evidence, of_answers
from headstart.evidence.held_out import HeldOut
from headstart.features.cache.cache import RUNS
from headstart.heads.calibrate import row_log_losses
from headstart.heads.head import Head
from headstart.losses.supervised import Supervised
from headstart.methods.moved import moved_backbone
from headstart.tasks.task import Array
from headstart.training.device import settle
from headstart.training.initial import Scale, first_head
from headstart.training.recipe import Tuning
from headstart.training.validation import logits

__all__ = ["HALVES", "HELD", "MovedClient", "MovedModel", "Sent"]

HELD = 0
"""The fold that is held out."""
HALVES = 2


class Sent(NamedTuple):
    """What the server sends: what is fixed, the weights that learn, and those of each client's own where the client has
    none yet; and the temperatures (3,) for the two halves of held-out rows and for new ones, 1 before these are known.
    """

    base: Base
    weights: Weights
    temperatures: Array

    def arrays(self) -> dict[str, Array]:
        """As they travel."""
        named = {
            f"{part}/{name}": array for part, some in self.weights._asdict().items() for name, array in some.items()
        }
        return {**named, **self.base.arrays(), "temperatures": self.temperatures}

    @classmethod
    def of(cls, arrays: Mapping[str, Array]) -> Sent:
        """The inverse of `arrays`."""
        parts = (
            {name.partition("/")[2]: array for name, array in arrays.items() if name.startswith(f"{part}/")}
            for part in Weights._fields
        )
        return cls(Base.of(arrays), Weights(*parts), arrays["temperatures"])


class MovedModel(NamedTuple):
    """A backbone that has moved, the head on it, in the units of the targets, and the features (N, D) of a client's
    rows."""

    backbone: Backbone
    head: Head
    features: Array


class Tested(NamedTuple):
    """Evidence of the federated weights, and of the client's own head about them; and that head and its backbone."""

    shared: Evidence
    personal: Evidence
    head: Head
    backbone: Backbone


@dataclass(frozen=True)
class MovedClient:
    """A member of a federation, and its part in the rounds."""

    member: Member

    @cached_property
    def rounds(self) -> Rounds:
        how = self.member.agreement.how
        if how is None:
            raise ValueError("there are no rounds to take part in")
        return how

    @property
    def backbone(self) -> Backbone:
        """ValueError where there is none."""
        if self.member.owner.backbone is None:
            raise ValueError(f"train = {self.rounds.train!r} moves weights of a backbone, and it has none")
        return self.member.owner.backbone

    @cached_property
    def learn(self) -> Array:
        """The numbers of the rows to learn from."""
        return np.flatnonzero(self.member.fold != HELD)

    @cached_property
    def held(self) -> Array:
        """Those of the rows held out. DataError where there are none."""
        rows = np.flatnonzero(self.member.fold == HELD)
        if not len(rows) or not len(self.learn):
            raise DataError(f"{len(self.member.rows)} rows are too few to hold some of them out")
        return rows

    @cached_property
    def half(self) -> Array:
        """(H,) in which half each held-out row is; rows that belong together are in one."""
        blocks = np.unique(self.member.rows.blocks[self.held], return_inverse=True)[1]
        return np.asarray(blocks % HALVES)

    def round(self, sent: Sent, number: int) -> Array:
        """(1 + K,) how many rows it has, and so many times the weights after a round; in FedBN its own are kept."""
        given = sent.weights._replace(own=self._own(sent, number - 1))
        learnt = self._trained(sent.base, given, number, self.rounds)
        if learnt.own:
            self._journal.write(f"own {number}", Step(learnt.own, {}))
        rows = len(self.learn)
        return np.concatenate([[float(rows)], rows * Layout.of(learnt.shared).vector(learnt.shared)])

    def norms(self, sent: Sent) -> Array:
        """(1 + K,) how many rows it has, and so many times what it keeps in FedBN."""
        own, rows = self._own(sent, self.rounds.rounds), len(self.learn)
        return np.concatenate([[float(rows)], rows * Layout.of(own).vector(own)])

    def losses(self, sent: Sent) -> Array:
        """(2, T) the log loss of the rows of each half, summed, at each of `TEMPERATURES`."""
        kind, targets = self.member.rows.task.kind, np.asarray(self.member.rows.task.targets)[self.held]
        model = self.model(sent)
        answers, total = model.head.logits(model.features[self.held]), np.zeros((HALVES, len(TEMPERATURES)))
        for half in range(HALVES):
            rows = np.flatnonzero(self.half == half)
            for place, temperature in enumerate(TEMPERATURES if len(rows) else ()):
                some = answers[rows] / temperature
                total[half, place] = row_log_losses(some, targets[rows], kind, np.ones(len(rows)))[0].sum()
        return total

    def model(self, sent: Sent) -> MovedModel:
        """The federated weights as this client uses them, in FedBN with what it keeps; at temperature 1."""
        weights = sent.weights._replace(own=self._own(sent, self.rounds.rounds))
        return self._assembled(sent.base, weights)

    def tested(self, sent: Sent) -> Tested:
        """What the held-out rows say."""
        task, seed, model = self.member.rows.task, self.member.agreement.seed, self.model(sent)
        kind, others = task.kind, self.alone()
        shared = self.answers(model, sent)
        about = [self._about(model, temperature) for temperature in sent.temperatures.tolist()]
        own = np.empty((len(self.held), kind.outputs(self.member.classes)))
        for half, personal in enumerate(about[:HALVES]):
            rows = self.half == half
            own[rows] = personal.head.logits(model.features[self.held[rows]])
        held_out = HeldOut.of(task.take(self.held))._replace(group=self.member.rows.blocks[self.held])
        words = f"one held-out split at each client, a fold of {self.member.agreement.folds}"
        evidence = (
            of_answers(held_out, shared, others, seed=seed),
            of_answers(held_out, kind.probabilities(own, 1.0), others | {SHARED: shared}, seed=seed),
        )
        first, second = (replace(each, n_train=len(self.learn), protocol=words) for each in evidence)
        return Tested(first, second, about[-1].head, model.backbone)

    def _about(self, model: MovedModel, temperature: float) -> Personal:
        """The client's own head about the federated one at a temperature. How far it moves is chosen on rows that the
        federated weights have learnt from, which speaks for less than is best."""
        learn, task = self.learn, self.member.rows.task
        fold = self.member.fold[learn] - 1 - HELD
        rows = Folded(model.features[learn], np.asarray(task.targets)[learn], fold, task.kind, self.member.classes)
        head = replace(model.head, temperature=temperature)
        return own_head(rows, [head] * self.member.agreement.folds)

    def answers(self, model: MovedModel, sent: Sent) -> Array:
        """To the held-out rows, each at the temperature for its half."""
        out = model.head.logits(model.features[self.held]) / np.asarray(sent.temperatures)[self.half][:, None]
        return np.asarray(self.member.rows.task.kind.probabilities(out, 1.0))

    def alone(self) -> dict[str, Array]:
        """Answers to the held-out rows by its own others: without transfer, by the probe, and by the same training."""
        return self.member.alone_without(self.learn, self.held) | {TUNED: self.tuned()}

    def tuned(self) -> Array:
        """Those of the same training, at temperature 1; of one that fails the shares of the answers."""
        learnt, kind = self.member.rows.take(self.learn), self.member.rows.task.kind
        if varied(learnt):
            try:
                model = self._tuned_alone()
                return np.asarray(kind.probabilities(model.head.logits(model.features[self.held]), 1.0))
            except ValueError as error:
                owner = self.member.owner
                owner.how[1].say(f"{owner.name}: the same training on its rows alone fails: {error}")
        return self.member.constant(learnt, len(self.held))

    def _tuned_alone(self) -> MovedModel:
        """Rounds of one client, from the probe on its own rows."""
        rows, targets = self.member.rows, np.asarray(self.member.rows.task.targets)
        values = Scale.of(targets[self.learn], rows.task.kind)
        rounds = replace(self.rounds, strategy=self.rounds.strategy if self.rounds.strategy == "fedbn" else "fedavg")
        tuning = Tuning(tune_of(rounds), Supervised(), training_of(rounds, len(self.learn), self.member.agreement.seed))
        head = first_head(rows, self.learn, tuning, None, values)
        base = Base(head.mean.numpy(), head.scale.numpy(), head.linear.out_features, values, head.form)
        weights = first_weights(self.backbone, head, rounds, self.member.agreement.seed)
        for number in range(1, rounds.rounds + 1):
            weights = self._trained(base, weights, number, rounds)
        return self._assembled(base, weights)

    def _trained(self, base: Base, given: Weights, number: int, rounds: Rounds) -> Weights:
        owner, agreement, rows = self.member.owner, self.member.agreement, self.member.rows
        name = int.from_bytes(blake3(owner.name.encode()).digest(4), "little")
        seed = int(np.random.default_rng([agreement.seed, number, name]).integers(2**31))
        self.held  # noqa: B018 - too few rows are refused before the first round
        device, training, _ = settle(training_of(rounds, len(self.learn), seed), owner.how[0])
        some = Rows(owner.batches, np.asarray(rows.task.targets), rows.task.kind, self.learn)
        return trained_weights(self.backbone, base, rounds, given, some, training, device)

    def _assembled(self, base: Base, weights: Weights) -> MovedModel:
        network, owner = assembled(self.backbone, base, self.rounds, weights), self.member.owner
        network.to(settle(training_of(self.rounds, 1), owner.how[0])[0])
        every = np.arange(len(self.member.rows))
        features = logits(network.backbone, owner.batches, every).float().cpu().numpy()
        network.cpu()
        head = head_of(network, base, self.member.agreement.kind, self.rounds)
        return MovedModel(moved_backbone(network, self.backbone, self.rounds.train), head, features)

    def _own(self, sent: Sent, number: int) -> dict[str, Array]:
        """What is this client's own after a round."""
        if not sent.weights.own or not number:
            return sent.weights.own
        step = self._journal.read(f"own {number}")
        return sent.weights.own if step is None else dict(step.arrays)

    @cached_property
    def _journal(self) -> Journal:
        owner, asked = self.member.owner, self.member.agreement.to_json()
        cache = owner.how[0].cache
        folder = Path(tempfile.gettempdir()) if cache is None else cache.folder
        key = blake3(f"{asked} {owner.name} {owner.personal}".encode()).hexdigest(length=16)
        return Journal(folder / RUNS / f"federated-{key}", asked)
