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
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from headstart.backbones.backbone import Backbone
from headstart.distributed.agreement import Agreement, Description, agree
from headstart.distributed.averaging import heads_by_rounds
from headstart.distributed.choosing import by_residuals, candidates, heads_of, settled, without_each
from headstart.distributed.clients import Federation
from headstart.distributed.journal import Journal, Step
from headstart.distributed.moved_client import HELD
from headstart.distributed.payload import arrays_of, heads_record, record, text_of
from headstart.distributed.privacy import made_definite
from headstart.distributed.recording import Recording
from headstart.distributed.secure_sum import secure_sum
from headstart.distributed.weight_rounds import movable_backbone, weights_by_rounds
from headstart.errors import DataError
from headstart.evidence.evidence import Evidence
from headstart.heads.head import Head
from headstart.heads.sums import Sums
from headstart.listener import Listener
from headstart.tasks.kind import kind_named
from headstart.tasks.task import Array

if TYPE_CHECKING:
    from flwr.serverapp import Grid

__all__ = ["Outcome", "Server"]

_ROUNDING = float(np.finfo(np.float32).eps)
_TOLD = ("evidence", "personal")
_OF_LOSSES = 40
"""The exponent of what bounds summed log losses, far above what they can be."""


class Outcome(NamedTuple):
    """head       of the rows of all clients that are `members`
    agreement  what they agreed on
    evidence   by client, of the head of all
    personal   by client, of its own head about that one
    left_out   by client, why
    sums       of each fold
    backbone   where its weights have moved
    """

    head: Head
    agreement: Agreement
    evidence: dict[str, Evidence]
    personal: dict[str, Evidence]
    left_out: dict[str, str]
    sums: list[Sums]
    backbone: Backbone | None = None


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
        agreement, sums, backbone = self.agreed(), list[Sums](), None
        if (rounds := agreement.how) is not None and rounds.moves_weights:
            before = movable_backbone(agreement, rounds, self.federation.file)
            sums = self._sums(agreement)
            made = weights_by_rounds(self, agreement, before, sums, self._exact_heads(agreement, sums)[HELD])
            head, backbone = made.head, made.backbone
            evidence = self.tested(agreement, made.sent.arrays())
        else:
            sums = sums if agreement.rounds else self._sums(agreement)
            heads = self._heads(agreement, sums)
            head, evidence = heads[-1], self.evidence(agreement, heads)
        shared, personal = ({name: each[place] for name, each in evidence.items()} for place in range(2))
        return Outcome(head, agreement, shared, personal, dict(self.left_out), sums, backbone)

    def _members(self) -> dict[int, str]:
        return {node: name for node, name in self.nodes.items() if name not in self.left_out}

    def leave_out(self, name: str, why: str) -> None:
        """Of all that follows."""
        if name not in self.left_out:
            self.left_out[name] = why
            self.listener.say(f"{name} is left out: {why}")

    def step(self, name: str, compute: Callable[[], Step]) -> Step:
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
            rounds = {} if federation.rounds is None else asdict(federation.rounds)
            return Step({}, {"agreement": replace(made, rounds=rounds).to_json()})

        return Agreement.from_json(self.step("describe", compute).texts["agreement"])

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

        step = self.step("sums", lambda: self.added("sums", agreement, {}, checked))
        folds = checked(np.asarray(step.arrays["total"]))
        privacy, kind = self.federation.privacy, kind_named(agreement.kind)
        return folds if privacy is None else [made_definite(fold, privacy, kind) for fold in folds]

    def _heads(self, agreement: Agreement, sums: list[Sums]) -> list[Head]:
        """One a fold, fitted and chosen without it, and one of all. Of several candidates that of the least log loss on
        the held-out rows is taken; the temperature is that of the same loss."""
        values = not kind_named(agreement.kind).has_classes
        if agreement.rounds:
            heads = heads_by_rounds(self, agreement)
            return heads if values else settled(self, agreement, {str(agreement.rounds["strategy"]): heads})
        return self._exact_heads(agreement, sums)

    def _exact_heads(self, agreement: Agreement, sums: list[Sums]) -> list[Head]:
        """The same, of one round."""
        values = not kind_named(agreement.kind).has_classes
        names = candidates(agreement, private=self.federation.privacy is not None)
        if values:
            return heads_of(agreement, sums, names[0])
        if self.federation.privacy is not None:
            return [by_residuals(agreement, part, names[0]) for part in without_each(agreement, sums)]
        return settled(self, agreement, {name: heads_of(agreement, sums, name) for name in names})

    def evidence(self, agreement: Agreement, heads: list[Head]) -> dict[str, tuple[Evidence, Evidence]]:
        """By client, of the head of all and of its own about that one; heads: one a fold, fitted without it, and one of
        all."""
        return self.tested(agreement, heads_record(heads))

    def tested(self, agreement: Agreement, given: Mapping[str, Array]) -> dict[str, tuple[Evidence, Evidence]]:
        """The same of what is given."""

        def compute() -> Step:
            replies = self._ask("evaluate", {"agreement": agreement.to_json()}, given)
            return Step(
                {}, {f"of {name}": json.dumps([text(part) for part in _TOLD]) for name, (_, text) in replies.items()}
            )

        told = self.step("evidence", compute).texts
        evidence = {}
        for name, text in told.items():
            if name.startswith("of "):
                shared, personal = (Evidence.from_json(json.loads(each)) for each in json.loads(text))
                evidence[name.removeprefix("of ")] = (shared, personal)
        return evidence

    def added(
        self,
        what: str,
        agreement: Agreement,
        arrays: Mapping[str, Array],
        check: Callable[[Array], object],
        bound: int | None = None,
    ) -> Step:
        """The sum over clients of what each tells; bound as in `parts`."""
        bound = _OF_LOSSES if what == "losses" else bound
        return Step({"total": np.sum(self.parts(what, agreement, arrays, check, bound=bound), axis=0)}, {})

    def parts(
        self,
        what: str,
        agreement: Agreement,
        arrays: Mapping[str, Array],
        check: Callable[[Array], object],
        more: Mapping[str, str] | None = None,
        bound: int | None = None,
    ) -> list[Array]:
        """What each client tells, where `check` does not raise ValueError; under secure aggregation their sum alone.

        more    further words for the clients
        bound   the exponent of what bounds their numbers; None: they are asked for it
        """
        words = {"what": what, "agreement": agreement.to_json(), **(more or {})}
        if self.federation.secure:
            return [self._securely(words, arrays, bound)]
        vectors = []
        for name, (sent, _) in self._ask("train.plain", words, arrays).items():
            try:
                vector = np.asarray(sent.get("vector", np.zeros(0)), dtype=np.float64)
                check(vector)
                vectors.append(vector)
            except ValueError as error:
                self.leave_out(name, str(error))
        self._need_two()
        return vectors

    def _securely(self, words: dict[str, str], arrays: Mapping[str, Array], bound: int | None) -> Array:
        """By SecAgg+; of each client the server learns what bounds its sums, a power of two."""
        if bound is None:
            told = self._ask("train.plain", words | {"what": f"bound of {words['what']}"}, {})
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
            return total

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
