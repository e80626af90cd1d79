"""The server's side of one exact round, the same in a simulation and over TLS.

    1. describe    the clients tell what they have, the server says what all agree on
    2. sums        of the rows of each fold; from them one head a fold, fitted without that fold, and one of all
    3. losses      of held-out rows at each temperature, summed: from them the kind of head, and its temperature
    4. evaluate    each client tests the heads on its own rows, each of which is held out once

A client that does not answer, or whose answer is no sum of that shape, is left out of what follows, by name. Under
secure aggregation (`secure_sum.py`) the server sees sums over clients in 2 and 3, and cannot tell who lies.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from headstart.distributed.agreement import Agreement, Description, agree
from headstart.distributed.clients import Federation
from headstart.distributed.journal import Journal, Step
from headstart.distributed.owner import TEMPERATURES
from headstart.distributed.payload import arrays_of, heads_record, record, text_of
from headstart.distributed.privacy import made_definite
from headstart.distributed.recording import Recording
from headstart.distributed.secure_sum import secure_sum
from headstart.errors import DataError
from headstart.evidence.evidence import Evidence
from headstart.heads.facts import FitterFacts
from headstart.heads.from_sums import FROM_SUMS, fit_sums
from headstart.heads.head import Head
from headstart.heads.sums import Sums
from headstart.listener import Listener
from headstart.tasks.kind import kind_named
from headstart.tasks.task import Array

if TYPE_CHECKING:
    from flwr.serverapp import Grid

__all__ = ["Outcome", "Server", "heads_of"]

_ROUNDING = float(np.finfo(np.float32).eps)


class Outcome(NamedTuple):
    """head       of the rows of all clients that are `members`
    agreement  what they agreed on
    evidence   by client
    left_out   by client, why
    sums       of each fold
    """

    head: Head
    agreement: Agreement
    evidence: dict[str, Evidence]
    left_out: dict[str, str]
    sums: list[Sums]


@dataclass
class Server:
    """It, with the nodes (id: name of the client) behind a grid."""

    federation: Federation
    grid: Grid
    nodes: dict[int, str]
    journal: Journal
    listener: Listener
    left_out: dict[str, str] = field(default_factory=dict)

    def run(self) -> Outcome:
        """All four steps, but for those that the journal holds. DataError where fewer than two clients are left."""
        agreement = self.agreed()
        sums = self._sums(agreement)
        heads = self._heads(agreement, sums)
        evidence = self.evidence(agreement, heads[:-1])
        return Outcome(heads[-1], agreement, evidence, dict(self.left_out), sums)

    def _members(self) -> dict[int, str]:
        return {node: name for node, name in self.nodes.items() if name not in self.left_out}

    def leave_out(self, name: str, why: str) -> None:
        """Of all that follows."""
        if name not in self.left_out:
            self.left_out[name] = why
            self.listener.say(f"{name} is left out: {why}")

    def _step(self, name: str, compute: Callable[[], Step]) -> Step:
        """A step of the journal, or one that is done now; who is left out is part of it."""
        step = self.journal.read(name)
        if step is None:
            step = compute()
            step = self.journal.write(name, Step(step.arrays, {**step.texts, "left out": json.dumps(self.left_out)}))
        else:
            self.listener.say(f"{name}: as it was learnt before the server was stopped")
        for client, why in json.loads(step.texts["left out"]).items():
            self.leave_out(client, why)
        return step

    def agreed(self) -> Agreement:
        """What the clients agree on."""

        def compute() -> Step:
            replies = self._ask("query.describe", {}, {})
            descriptions: dict[str, Description] = {}
            for name, (_, text) in replies.items():
                try:
                    descriptions[name] = Description.from_json(text("description"))
                except DataError as error:
                    self.leave_out(name, str(error))
            federation = self.federation
            made, left_out = agree(descriptions, head=federation.head, folds=federation.folds, seed=federation.seed)
            for name, why in left_out.items():
                self.leave_out(name, why)
            return Step({}, {"agreement": made.to_json()})

        return Agreement.from_json(self._step("describe", compute).texts["agreement"])

    def _sums(self, agreement: Agreement) -> list[Sums]:
        """Of each fold, over all clients."""
        columns = kind_named(agreement.kind).outputs(max(1, len(agreement.classes)))
        empty = Sums.none(agreement.width, columns)
        size = len(empty.vector())

        def checked(vector: Array) -> list[Sums]:
            if vector.shape != (size * agreement.folds,):
                raise ValueError(
                    f"it sent {vector.size} numbers, where {agreement.folds} sums over {agreement.width} features "
                    f"and {columns} answers are {size * agreement.folds}"
                )
            parts = np.split(vector, agreement.folds)
            return [Sums.from_vector(part, agreement.width, columns, rounding=_ROUNDING) for part in parts]

        step = self._step("sums", lambda: self._added("sums", agreement, {}, checked))
        folds = checked(np.asarray(step.arrays["total"]))
        privacy, kind = self.federation.privacy, kind_named(agreement.kind)
        return folds if privacy is None else [made_definite(fold, privacy, kind) for fold in folds]

    def _heads(self, agreement: Agreement, sums: list[Sums]) -> list[Head]:
        """One a fold, fitted and chosen without it, and one of all. Of several candidates that of the least log loss on
        the held-out rows is taken; the temperature is that of the same loss."""
        names = _candidates(agreement, private=self.federation.privacy is not None)
        fitted = {name: heads_of(agreement, sums, name) for name in names}
        first = fitted[names[0]]
        if not kind_named(agreement.kind).has_classes:
            return first
        if self.federation.privacy is not None:
            return [_by_residuals(head) for head in first]
        curves = {name: self._losses(agreement, heads, name) for name, heads in fitted.items()}
        chosen = []
        for place in range(agreement.folds + 1):
            rest = {name: np.delete(curve, place, axis=0).sum(axis=0) for name, curve in curves.items()}
            best = min(names, key=lambda name: float(rest[name].min()))
            head = fitted[best][place]
            scores = {name: float(curve.min()) for name, curve in rest.items()}
            account = {**head.facts.account, "summed log loss": scores}
            chosen.append(replace(head, temperature=_least(rest[best]), facts=FitterFacts(account=account)))
        return chosen

    def _losses(self, agreement: Agreement, heads: list[Head], name: str) -> Array:
        """(F + 1, T) the log loss of the rows of each fold at each temperature, and a row of zeros behind."""
        shape = (agreement.folds, len(TEMPERATURES))

        def checked(vector: Array) -> None:
            if vector.shape != (shape[0] * shape[1],) or not np.isfinite(vector).all() or vector.min() < 0:
                raise ValueError(f"it sent {vector.size} numbers that are no log losses; expected {shape}")

        given = heads_record(heads[:-1])
        step = self._step(f"losses of {name}", lambda: self._added("losses", agreement, given, checked))
        return np.vstack([np.asarray(step.arrays["total"]).reshape(shape), np.zeros(shape[1])])

    def evidence(self, agreement: Agreement, heads: list[Head]) -> dict[str, Evidence]:
        """By client, of heads each of which was fitted without a fold."""

        def compute() -> Step:
            replies = self._ask("evaluate", {"agreement": agreement.to_json()}, heads_record(heads))
            return Step({}, {name: text("evidence") for name, (_, text) in replies.items()})

        told = self._step("evidence", compute).texts
        return {name: Evidence.from_json(json.loads(text)) for name, text in told.items() if name != "left out"}

    def _added(
        self, what: str, agreement: Agreement, arrays: Mapping[str, Array], check: Callable[[Array], object]
    ) -> Step:
        """The sum over clients of what each tells."""
        words = {"what": what, "agreement": agreement.to_json()}
        if self.federation.secure:
            return self._securely(words, arrays)
        vectors = []
        for name, (sent, _) in self._ask("train.plain", words, arrays).items():
            try:
                vector = np.asarray(sent.get("vector", np.zeros(0)), dtype=np.float64)
                check(vector)
                vectors.append(vector)
            except ValueError as error:
                self.leave_out(name, str(error))
        self._need_two()
        return Step({"total": np.sum(vectors, axis=0)}, {})

    def _securely(self, words: dict[str, str], arrays: Mapping[str, Array]) -> Step:
        """By SecAgg+; of each client the server learns what bounds its numbers, a power of two."""
        bound = 40  # of losses, far above what they can be
        if words["what"] == "sums":
            told = self._ask("train.plain", words | {"what": "bound"}, {})
            bound = int(max(float(sent["vector"][0]) for sent, _ in told.values())) if told else 0
        while True:
            self._need_two()
            grid, members = Recording(self.grid), self._members()
            try:
                total, _ = secure_sum(grid, members, words, arrays, bound=bound, timeout=self.federation.timeout)
            except DataError:
                failed = grid.failed_first(members)
                if not failed:
                    raise
                for node in failed:  # who fails before all keys are shared ends the protocol: again without them
                    self.leave_out(members[node], grid.failed[node])
                continue
            for node, why in grid.failed.items():
                self.leave_out(members[node], why)
            return Step({"total": total}, {})

    def _ask(
        self, kind: str, words: Mapping[str, str], arrays: Mapping[str, Array]
    ) -> dict[str, tuple[dict[str, Array], Callable[[str], str]]]:
        """The answers by client, arrays and a look-up of texts; who gives none is left out."""
        from flwr.app import Message

        grid, members = Recording(self.grid), self._members()
        messages = [Message(record(arrays, words), node, kind, ttl=self.federation.timeout) for node in members]
        replies = grid.send_and_receive(messages, timeout=self.federation.timeout)
        answers = {}
        for reply in replies:
            if not reply.has_error():
                content = reply.content
                name = members[reply.metadata.src_node_id]
                answers[name] = (arrays_of(content), lambda text, content=content: text_of(content, text))
        for node, why in grid.failed.items():
            self.leave_out(members[node], why)
        return {name: answers[name] for name in members.values() if name in answers}

    def _need_two(self) -> None:
        if len(self._members()) < 2:
            reasons = "; ".join(f"{name}: {why}" for name, why in self.left_out.items())
            raise DataError(f"fewer than 2 clients can learn together ({reasons})")


def _least(losses: Array) -> float:
    """The temperature of the least loss, by the parabola through the three points about it."""
    at = int(np.argmin(losses))
    if not 0 < at < len(losses) - 1:
        return float(TEMPERATURES[at])
    before, here, after = losses[at - 1 : at + 2]
    bend = before - 2 * here + after
    shift = 0.0 if bend <= 0 else (before - after) / (2 * bend)
    step = np.log(TEMPERATURES[1] / TEMPERATURES[0])
    return float(TEMPERATURES[at] * np.exp(shift * step))


def _candidates(agreement: Agreement, *, private: bool) -> list[str]:
    """Names of heads: the one that was named, else those that answer such a task."""
    if agreement.head != "auto":
        return [agreement.head]
    kind = kind_named(agreement.kind)
    return ["ridge"] if private else [name for name in ("ridge", "lda", "prototypes") if kind in FROM_SUMS[name].kinds]


def heads_of(agreement: Agreement, sums: list[Sums], name: str) -> list[Head]:
    """One a fold, without it, and one of all."""
    parts = [sums[:fold] + sums[fold + 1 :] for fold in range(agreement.folds)]
    return [fit_sums(part, name, kind=agreement.kind, scale=agreement.scale) for part in [*parts, sums]]


def _by_residuals(head: Head) -> Head:
    """With private sums: answers coded +1 and -1 whose residuals are normal with the held-out variance v have log odds
    2 y / v; the temperature is v / 2. LDA has log odds already; those of prototypes are left as they are."""
    losses = head.facts.account.get("losses", {}) if head.name == "ridge" else {}
    return replace(head, temperature=max(min(losses.values()) ** 2 / 2, 1e-3)) if losses else head
