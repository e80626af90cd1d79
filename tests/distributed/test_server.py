"""One exact round: the head of all rows, whoever fails, and from where it was stopped."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from faulty_clients import dies, not_a_number, too_short
from flwr.app import Error, Message
from flwr.common.secure_aggregation.secaggplus_constants import RECORD_KEY_CONFIGS, Key, Stage

from headstart.distributed.clients import read_federation
from headstart.distributed.payload import record
from headstart.errors import DataError
from headstart.heads.discriminant import Discriminant
from headstart.heads.fitter import pose
from headstart.heads.prototypes import Prototypes
from headstart.heads.ridge import Ridge
from headstart.tasks import CLASSIFICATION

POOLED = {"ridge": Ridge, "lda": Discriminant, "prototypes": Prototypes}


def pooled(owned, owners, outcome, names=("north", "south", "west")):
    """The head of the rows of these clients together, in memory, at the strength that the federation chose."""
    clients = [client for client in read_federation(owned / "clients.toml").clients if client.name in names]
    members = [owners(client)[0].under(outcome.agreement) for client in clients]
    features = np.concatenate([member.features for member in members]).astype(np.float64)
    targets = np.concatenate([member.rows.task.targets for member in members])
    strength = outcome.head.facts.account.get("relative_strength")
    options = {} if strength is None else {"strengths": (strength,)}
    folds = np.arange(len(targets)) % 3
    problem = pose(features, targets, kind=CLASSIFICATION, classes=2, folds=folds, scale="each")
    return features, POOLED[outcome.head.name](**options).propose(problem).finish()


def same(outcome, features, head):
    want = head.logits(features)
    np.testing.assert_allclose(outcome.head.logits(features), want, rtol=0, atol=1e-6 * np.abs(want).max())


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("head", ["ridge", "lda", "prototypes"])
def test_the_head_is_that_of_all_rows_together(serve, owned, owners, head, secure):
    server = serve(head=head, secure=secure)
    server.evidence = lambda *_: {}
    outcome = server.run()
    assert outcome.left_out == {}
    same(outcome, *pooled(owned, owners, outcome))


def test_of_several_heads_the_least_held_out_log_loss_is_taken(serve):
    server = serve()
    server.evidence = lambda *_: {}
    head = server.run().head
    losses = head.facts.account["summed log loss"]
    assert set(losses) == {"ridge", "lda", "prototypes"}
    assert head.name == min(losses, key=losses.get)


def in_the_place_of_sums(make):
    """A client whose sums are another answer."""

    def wrap(app):
        def call(message, context):
            if message.metadata.message_type != "train.plain":
                return app(message, context)
            return make(message, lambda: app(message, context))

        return call

    return wrap


def nothing(message, answer):
    return Message(record(), reply_to=message)


def refuses(message, answer):
    return Message(Error(400, "I do not want to"), reply_to=message)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (dies, "ConnectionResetError: the line is dead"),
        (too_short, "it sent 7 numbers, where 3 sums over"),
        (not_a_number, "numbers are NaN or infinite"),
        (nothing, "it sent 0 numbers"),
        (refuses, "I do not want to"),
    ],
)
def test_who_fails_is_left_out_by_name_and_the_others_go_on(serve, owned, owners, make, words):
    server = serve({"south": in_the_place_of_sums(make)}, head="lda")
    server.evidence = lambda *_: {}
    outcome = server.run()
    assert list(outcome.left_out) == ["south"]
    assert words in outcome.left_out["south"]
    same(outcome, *pooled(owned, owners, outcome, ("north", "west")))


def test_who_comes_late_is_left_out(serve, owned, owners):
    woken = threading.Event()

    def sleeps(message, answer):
        woken.wait(60)
        return answer()

    server = serve({"west": in_the_place_of_sums(sleeps)}, head="lda", timeout=2.0)
    server.evidence = lambda *_: {}
    try:
        outcome = server.run()
    finally:
        woken.set()
    assert outcome.left_out == {"west": "no answer in time"}
    same(outcome, *pooled(owned, owners, outcome, ("north", "south")))


def test_who_sends_nan_does_not_spoil_a_secure_sum(serve, owned, owners, monkeypatch):
    from headstart.distributed.owner import Member

    sums = Member.sums

    def broken(self):
        told = sums(self)
        if self.owner.name == "south":
            told[0].total[0] = np.nan
        return told

    monkeypatch.setattr(Member, "sums", broken)
    server = serve(head="lda", secure=True)
    server.evidence = lambda *_: {}
    outcome = server.run()
    assert "NaN" in outcome.left_out["south"]
    same(outcome, *pooled(owned, owners, outcome, ("north", "west")))


def test_who_dies_before_all_keys_are_shared_is_left_out_of_a_secure_sum(serve, owned, owners):
    def wrap(app):
        def call(message, context):
            if message.content.config_records.get(RECORD_KEY_CONFIGS, {}).get(Key.STAGE) == Stage.SHARE_KEYS:
                raise ConnectionResetError("the line is dead")
            return app(message, context)

        return call

    server = serve({"south": wrap}, head="lda", secure=True)
    server.evidence = lambda *_: {}
    outcome = server.run()
    assert outcome.left_out == {"south": "ConnectionResetError: the line is dead"}
    same(outcome, *pooled(owned, owners, outcome, ("north", "west")))


def test_fewer_than_two_are_refused(serve):
    server = serve({"south": in_the_place_of_sums(dies), "west": in_the_place_of_sums(too_short)})
    with pytest.raises(DataError, match=r"fewer than 2 clients can learn together \(.*south: .*west: "):
        server.run()


def test_a_server_that_was_killed_goes_on(serve, tmp_path):
    class Killed(BaseException):
        pass

    def kills(message, answer):
        if "losses" in message.content.config_records["texts"]["what"]:
            raise Killed
        return answer()

    server = serve({"south": in_the_place_of_sums(kills)}, head="lda", folder=tmp_path / "kept")
    with pytest.raises(Killed):
        server.run()
    asked = []

    def counts(message, answer):
        asked.append(message.content.config_records["texts"]["what"])
        return answer()

    again = serve({"south": in_the_place_of_sums(counts)}, head="lda", folder=tmp_path / "kept")
    again.evidence = lambda *_: {}
    outcome = again.run()
    assert asked == ["losses"]
    fresh = serve(head="lda")
    fresh.evidence = lambda *_: {}
    np.testing.assert_allclose(outcome.head.arrays["weight.0"], fresh.run().head.arrays["weight.0"], rtol=1e-5)
