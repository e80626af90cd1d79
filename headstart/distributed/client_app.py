"""Flower's ClientApp of an owner: what it is asked, and what it answers. It is the same in a simulation and over TLS.

    query.name        who it is
    query.describe    what the others may know of its data
    train.plain       an answer as it is: "bound", "sums" or "losses"
    train             the same by secure aggregation (`secure_sum.py`)
    evaluate          how good heads are on its own rows, each held out

An answer holds sums and scores, never a row. What is wrong with the data is told as an error, in words.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from headstart.distributed.agreement import Agreement
from headstart.distributed.owner import Member, Owner
from headstart.distributed.payload import arrays_of, heads_from, record, text_of
from headstart.distributed.privacy import Release
from headstart.distributed.secure_sum import asked, exponent, masked_answer
from headstart.errors import HeadstartError
from headstart.tasks.task import Array

if TYPE_CHECKING:
    from flwr.app import Context, Message
    from flwr.clientapp import ClientApp

__all__ = ["REFUSED", "client_app"]

REFUSED = 400
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
            words = {name: text_of(message.content, name) for name in ("what", "agreement")}
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
            heads = heads_from(arrays_of(message.content), member.agreement.head, member.agreement.kind)
            return record(texts={"evidence": json.dumps(member.evidence(heads).to_json(), allow_nan=False)})

        return _answered(message, answer)

    return app


def told(owner: Owner, release: Release | None, words: Mapping[str, object], arrays: Mapping[str, Array]) -> Array:
    """What an owner tells, as one vector: "sums", "bound" (the exponent of what bounds these) or "losses"."""
    member = owner.under(Agreement.from_json(str(words["agreement"])))
    if words["what"] == "losses":
        return member.losses(heads_from(arrays, member.agreement.head, member.agreement.kind)).ravel()
    vector = _sums(member, release)
    return np.array([float(exponent(vector))]) if words["what"] == "bound" else vector


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
