"""Rounds of gradient descent on a head: each strategy against its formula, whoever fails, and from where it stopped."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
from faulty_clients import dies, not_a_number, too_short
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as drawn

from headstart.distributed.averaging import averaged, strategy_of
from headstart.distributed.clients import Rounds, read_federation
from headstart.distributed.local_steps import descended
from headstart.tasks import CLASSIFICATION, REGRESSION
from tests.distributed.conftest import NAMES

NUMBERS = st.floats(-3, 3, width=32).map(float)
ANSWERS = st.lists(st.tuples(st.integers(1, 500), drawn(np.float64, (4, 2), elements=NUMBERS)), min_size=1, max_size=5)
START = drawn(np.float64, (4, 2), elements=NUMBERS)


def rounds(strategy, **changes):
    return Rounds(**{"strategy": strategy, "rounds": 3, "epochs": 1, "lr": 1.0, "batch": 0} | changes)


@settings(max_examples=30, deadline=None)
@given(START, ANSWERS)
def test_fedavg_weighs_clients_by_their_rows(start, answers):
    want = sum(rows * own for rows, own in answers) / sum(rows for rows, _ in answers)
    for name in ("fedavg", "fedprox", "fedbn"):
        got = averaged(strategy_of(rounds(name)), start, answers, 1)
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12)


@settings(max_examples=20, deadline=None)
@given(START, st.lists(ANSWERS, min_size=1, max_size=3), st.floats(0.01, 1))
def test_fedadam_is_adam_on_the_step_of_fedavg(start, every, step):
    """Reddi et al. (2021), algorithm 2, with the correction of Kingma and Ba (2015) that Flower applies."""
    strategy, weights = strategy_of(rounds("fedadam", server_lr=step)), start
    x, m, v = start.copy(), np.zeros_like(start), np.zeros_like(start)
    for number, answers in enumerate(every, start=1):
        weights = averaged(strategy, weights, answers, number)
        delta = sum(rows * own for rows, own in answers) / sum(rows for rows, _ in answers) - x
        m, v = 0.9 * m + 0.1 * delta, 0.99 * v + 0.01 * delta**2
        corrected = step * np.sqrt(1 - 0.99 ** (number + 1)) / (1 - 0.9 ** (number + 1))
        x = x + corrected * m / (np.sqrt(v) + 1e-3)
        np.testing.assert_allclose(weights, x, rtol=1e-9, atol=1e-9)


def problem(kind, seed):
    random = np.random.default_rng(seed)
    z = random.normal(size=(20, 3)) / np.sqrt(3)
    targets = random.integers(0, 3, 20) if kind.has_classes else random.normal(size=20)
    return z, kind.truth(targets, 3), random.normal(size=(4, 3 if kind.has_classes else 1))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([CLASSIFICATION, REGRESSION]), st.integers(0, 7), st.integers(1, 3))
def test_fedprox_without_its_pull_is_fedavg_and_with_much_of_it_stays(seed, kind, batch, epochs):
    z, truth, start = problem(kind, seed)

    def after(strategy, mu):
        how = rounds(strategy, mu=mu, batch=batch, epochs=epochs, lr=0.1)
        return descended(z, truth, start, kind, how, np.random.default_rng(seed))

    plain = after("fedavg", 5.0)
    np.testing.assert_array_equal(after("fedprox", 0.0), plain)
    if epochs * (20 // (batch or 20)) > 1:
        assert np.linalg.norm(after("fedprox", 5.0) - start) < np.linalg.norm(plain - start)


@pytest.mark.parametrize("kind", [CLASSIFICATION, REGRESSION])
def test_a_step_goes_down_the_gradient_of_the_loss_and_the_pull(kind):
    torch = pytest.importorskip("torch")
    z, truth, start = problem(kind, 3)
    how = rounds("fedprox", mu=0.7, epochs=2, lr=0.3)
    rows, t = torch.tensor(np.hstack([z, np.ones((20, 1))])), torch.tensor(truth)
    begin = torch.tensor(start)
    w = begin.clone()
    for _ in range(2):
        w = w.detach().requires_grad_(True)
        y = rows @ w
        losses = -(t * y.log_softmax(1)).sum(1) if kind.has_classes else (y - t).square().sum(1) / 2
        (losses.mean() + 0.35 * (w - begin).square().sum()).backward()
        w = w - 0.3 * w.grad
    got = descended(z, truth, start, kind, how, np.random.default_rng(0))
    np.testing.assert_allclose(got, w.detach().numpy(), rtol=1e-10, atol=1e-12)


def learnt(serve, **options):
    server = serve(**options)
    server.evidence = lambda *_: {}
    return server.run()


def members_of(owned, owners, outcome):
    clients = read_federation(owned / "clients.toml").clients
    return {client.name: owners(client)[0].under(outcome.agreement) for client in clients}


def pooled_descent(members, of_round):
    """Features of all, and the logits of softmax regression after a step a round on the pooled rows of some clients."""
    features = {name: member.features.astype(np.float64) for name, member in members.items()}
    every = np.concatenate(list(features.values()))
    mean, deviation = every.mean(axis=0), every.std(axis=0) * np.sqrt(every.shape[1])
    z = {name: np.hstack([(x - mean) / deviation, np.ones((len(x), 1))]) for name, x in features.items()}
    w = np.zeros((every.shape[1] + 1, 2))
    for names in of_round:
        rows = np.concatenate([z[name] for name in names])
        truth = np.eye(2)[np.concatenate([members[name].rows.task.targets for name in names])]
        odds = np.exp(rows @ w)
        w = w - rows.T @ (odds / odds.sum(axis=1, keepdims=True) - truth) / len(rows)
    return every, np.concatenate(list(z.values())) @ w


@pytest.mark.parametrize("secure", [False, True])
def test_whole_batches_of_one_epoch_descend_as_on_the_pooled_rows(serve, owned, owners, secure):
    outcome = learnt(serve, rounds=rounds("fedavg"), secure=secure)
    assert outcome.left_out == {}
    features, logits = pooled_descent(members_of(owned, owners, outcome), [NAMES] * 3)
    np.testing.assert_allclose(outcome.head.logits(features), logits, rtol=0, atol=1e-6)


def test_fedbn_leaves_the_statistics_of_features_at_the_client(serve, owned, owners):
    outcome = learnt(serve, rounds=rounds("fedbn", rounds=1))
    steps, count = 0.0, 0
    for member in members_of(owned, owners, outcome).values():
        x, t = member.features.astype(np.float64), np.eye(2)[member.rows.task.targets]
        z = (x - x.mean(axis=0)) / x.std(axis=0) / np.sqrt(x.shape[1])
        steps, count = steps - np.hstack([z, np.ones((len(z), 1))]).T @ (0.5 - t), count + len(x)
        fold, rest = x[member.fold == 0], x[member.fold != 0]
        own = (fold - rest.mean(axis=0)) / rest.std(axis=0) / np.sqrt(x.shape[1])
        logits = own @ outcome.head.arrays["weight.0"] + outcome.head.arrays["bias.0"]
        answers = member.out_of_fold([outcome.head] * member.agreement.folds)[member.fold == 0]
        np.testing.assert_allclose(answers * outcome.head.temperature, logits, atol=1e-6)
    np.testing.assert_allclose(outcome.head.arrays["weight.0"], (steps / count)[:-1], atol=1e-6)


def in_round(number, make):
    """A client whose answer in a round is another one."""

    def wrap(app):
        def call(message, context):
            texts = message.content.config_records.get("texts", {})
            if texts.get("what") != "round" or texts["round"] != str(number):
                return app(message, context)
            return make(message, lambda: app(message, context))

        return call

    return wrap


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (dies, "the line is dead"),
        (too_short, "it sent 7 numbers in round 2"),
        (not_a_number, "in round 2 that are NaN"),
    ],
)
def test_who_fails_in_a_round_is_left_out_by_name_and_the_others_go_on(serve, owned, owners, make, words):
    outcome = learnt(serve, rounds=rounds("fedavg"), apps={"south": in_round(2, make)})
    assert list(outcome.left_out) == ["south"]
    assert words in outcome.left_out["south"]
    features, logits = pooled_descent(members_of(owned, owners, outcome), [NAMES, ("north", "west"), ("north", "west")])
    np.testing.assert_allclose(outcome.head.logits(features), logits, rtol=0, atol=1e-6)


def test_steps_that_are_too_long_are_told_in_words(serve):
    server = serve(rounds=rounds("fedprox", lr=1e9, mu=1.0, rounds=9))
    with pytest.raises(Exception, match=r"weights grow without bound at lr = 1e\+09: name a smaller one"):
        server.run()


@pytest.mark.parametrize("strategy", ["fedavg", "fedadam"])
def test_a_server_that_was_killed_in_a_round_goes_on_there(serve, tmp_path, strategy):
    class Killed(BaseException):
        pass

    def kills(message, answer):
        raise Killed

    how = {"rounds": rounds(strategy, rounds=4), "folder": tmp_path / "kept"}
    with pytest.raises(Killed):
        serve(apps={"south": in_round(3, kills)}, **how).run()
    asked = []

    def counts(app):
        def call(message, context):
            asked.append(message.content.config_records["texts"].get("round", ""))
            return app(message, context)

        return call

    again = learnt(serve, apps={"north": counts}, **how)
    assert [number for number in asked if number] == ["3", "4"]
    whole = learnt(serve, rounds=rounds(strategy, rounds=4))
    np.testing.assert_array_equal(again.head.arrays["weight.0"], whole.head.arrays["weight.0"])
    assert asdict(rounds(strategy, rounds=4)) == again.agreement.rounds
    assert set(NAMES) == {name for name in NAMES if name not in again.left_out}
