"""Flower's ClientApp of an owner: what it is asked, and what it answers. It is the same in a simulation and over TLS.

    query.name        who it is
    query.describe    what the others may know of its data
    train.plain       an answer as it is, see `told`
    train             the same by secure aggregation (`secure_sum.py`)
    evaluate          how good heads are on its own rows, each held out, and its own head about these

An answer holds sums, weights and scores, never a row. What is wrong with the data is told as an error, in words.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from headstart.distributed.agreement import Agreement
from headstart.distributed.fitted import conclude
from headstart.distributed.local_steps import moments_of, trained
from headstart.distributed.moved_client import MovedClient, Sent
from headstart.distributed.owner import Member, Owner
from headstart.distributed.payload import arrays_of, heads_from, record, text_of
from headstart.distributed.personal import personal_of
from headstart.distributed.privacy import Release
from headstart.distributed.secure_sum import asked, exponent, masked_answer
from headstart.errors import HeadstartError
from headstart.tasks.task import Array

if TYPE_CHECKING:
    from flwr.app import Context, Message
    from flwr.clientapp import ClientApp

__all__ = ["REFUSED", "client_app"]

REFUSED = 400
_FAR = 40.0
"""The code of an error that is meant to be read."""


def client_app(owner_of: Callable[[Context], tuple[Owner, Release | None]]) -> ClientApp:
    """The app of whoever `owner_of` tells from a node's context; what it sends is private where there is a release."""
    from flwr.app import Message as Reply
    from flwr.client.mod import secaggplus_mod
    from flwr.clientapp import ClientApp

    app = ClientApp()

    @app.query("name")  # type: ignore[untyped-decorator]
    def name(message: Message, context: Context) -> Message:
        return Reply(record(texts={"name": str(context.node_config["client"])}), reply_to=message)

    @app.query("describe")  # type: ignore[untyped-decorator]
    def describe(message: Message, context: Context) -> Message:
        return _answered(message, lambda: record(texts={"description": owner_of(context)[0].describe().to_json()}))

    @app.train("plain")  # type: ignore[untyped-decorator]
    def plain(message: Message, context: Context) -> Message:
        def answer() -> object:
            words = {name: text_of(message.content, name) for name in ("what", "agreement", "round")}
            vector = told(*owner_of(context), words, arrays_of(message.content))
            return record({"vector": vector})

        return _answered(message, answer)

    @app.train(mods=[secaggplus_mod])  # type: ignore[untyped-decorator]
    def masked(message: Message, context: Context) -> Message:
        words, arrays = asked(message)
        vector = told(*owner_of(context), words, arrays)
        if not np.isfinite(vector).all():
            raise ValueError(f"{int((~np.isfinite(vector)).sum())} of {len(vector)} numbers are NaN or infinite")
        return Reply(masked_answer(vector, message), reply_to=message)

    @app.evaluate()  # type: ignore[untyped-decorator]
    def evaluate(message: Message, context: Context) -> Message:
        def answer() -> object:
            member = owner_of(context)[0].under(Agreement.from_json(text_of(message.content, "agreement")))
            given, backbone = arrays_of(message.content), member.owner.backbone
            if member.agreement.moves_weights:
                evidence, personal, head, backbone = MovedClient(member).tested(Sent.of(given))
            else:
                heads = heads_from(given, member.agreement.head, member.agreement.kind)
                own = personal_of(member, heads)
                evidence, personal = member.evidence(heads[:-1], own.out_of_fold)
                head = own.head
            if member.owner.personal is not None:
                conclude(member.agreement, head, personal, backbone).save(member.owner.personal, overwrite=True)
            texts = {"evidence": evidence.to_json(), "personal": personal.to_json()}
            return record(texts={name: json.dumps(told, allow_nan=False) for name, told in texts.items()})

        return _answered(message, answer)

    return app


def told(owner: Owner, release: Release | None, words: Mapping[str, object], arrays: Mapping[str, Array]) -> Array:
    """What an owner tells, as one vector: "sums", "moments", "losses", "round" (its weights after the steps of one),
    "norms" (its BatchNorm), or "bound of" sums or moments: the exponent of what bounds these."""
    member = owner.under(Agreement.from_json(str(words["agreement"])))
    what = str(words["what"])
    if "base/sizes" in arrays:
        return _of_weights(MovedClient(member), what, Sent.of(arrays), words)
    if what == "losses":
        return member.losses(heads_from(arrays, member.agreement.head, member.agreement.kind)).ravel()
    if what == "round":
        return trained(member, arrays, int(str(words["round"])))
    if what.startswith("bound of ") and release is not None:
        return np.array([_FAR])  # says nothing of the rows, and releases nothing
    vector = moments_of(member) if what.endswith("moments") else _sums(member, release)
    return np.array([float(exponent(vector))]) if what.startswith("bound of ") else vector


def _of_weights(client: MovedClient, what: str, sent: Sent, words: Mapping[str, object]) -> Array:
    if what == "round":
        return client.round(sent, int(str(words["round"])))
    return client.norms(sent) if what == "norms" else client.losses(sent).ravel()


def _sums(member: Member, release: Release | None) -> Array:
    if release is None:
        return np.concatenate([sums.vector() for sums in member.sums()])
    return release.of(member)


def _answered(message: Message, answer: Callable[[], object]) -> Message:
    """The reply to a message; an error that is meant to be read is told in its own words."""
    from flwr.app import Error
    from flwr.app import Message as Reply

    try:
        return Reply(answer(), reply_to=message)
    except (HeadstartError, ValueError) as error:
        return Reply(Error(REFUSED, str(error)), reply_to=message)
