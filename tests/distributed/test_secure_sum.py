"""The sum by SecAgg+: right to many digits, without anybody's own numbers, and with clients that fail."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("flwr")

from flwr.app import Message
from flwr.client.mod import secaggplus_mod
from flwr.clientapp import ClientApp
from flwr.common import bytes_to_ndarray
from flwr.common.secure_aggregation.secaggplus_constants import RECORD_KEY_CONFIGS, Key, Stage

from headstart.distributed.in_process import InProcess
from headstart.distributed.secure_sum import asked, bits_for, decoded, encoded, exponent, masked_answer, secure_sum
from headstart.errors import DataError

VECTORS = {name: 1e4 * np.random.default_rng(seed).standard_normal(50) for seed, name in enumerate("abcd")}


def app_of(name, sent, dies_in=None):
    app = ClientApp()

    @app.train(mods=[secaggplus_mod])
    def train(message, context):
        words, arrays = asked(message)
        assert words["what"] == "sums"
        np.testing.assert_array_equal(arrays["given"], [1.0, 2.0])
        return Message(masked_answer(VECTORS[name], message), reply_to=message)

    def watched(message, context):
        stage = message.content.config_records[RECORD_KEY_CONFIGS][Key.STAGE]
        if stage == dies_in:
            raise ConnectionError("gone")
        reply = app(message, context)
        sent.append((name, stage, reply.content))
        return reply

    return watched


def summed(sent, **dies):
    grid = InProcess({name: app_of(name, sent, dies.get(name)) for name in VECTORS})
    bound = max(exponent(vector) for vector in VECTORS.values())
    try:
        return secure_sum(grid, grid.names, {"what": "sums"}, {"given": np.array([1.0, 2.0])}, bound=bound, timeout=60)
    finally:
        grid.close()


def test_the_sum_is_right_to_twelve_digits_and_nobody_shows_a_number():
    sent = []
    total, names = summed(sent)
    assert names == list("abcd")
    np.testing.assert_allclose(total, np.sum(list(VECTORS.values()), axis=0), rtol=0, atol=1e-12 * 1e5)
    masked = [content for _, stage, content in sent if stage == Stage.COLLECT_MASKED_VECTORS]
    assert len(masked) == 4
    for content in masked:
        assert all(len(arrays) == 0 for arrays in content.array_records.values())


def test_the_masked_numbers_of_a_client_tell_nothing():
    sent = []
    summed(sent)
    masked = {name: content for name, stage, content in sent if stage == Stage.COLLECT_MASKED_VECTORS}
    numbers = (
        bytes_to_ndarray(masked["a"].config_records[RECORD_KEY_CONFIGS][Key.MASKED_PARAMETERS][1]).astype(float).ravel()
    )
    assert numbers.std() > 2**32 / 6  # of uniform numbers below 2**32 it is 2**32 / 3.46; unmasked: below 2**29
    coarse = encoded(VECTORS["a"], 20, 29)
    assert abs(np.corrcoef(numbers, coarse.ravel())[0, 1]) < 0.5


def test_who_dies_in_between_is_not_in_the_sum():
    total, names = summed([], b=Stage.COLLECT_MASKED_VECTORS)
    assert names == ["a", "c", "d"]
    want = VECTORS["a"] + VECTORS["c"] + VECTORS["d"]
    np.testing.assert_allclose(total, want, rtol=0, atol=1e-12 * 1e5)


def test_too_many_dead_are_refused_by_name():
    with pytest.raises(DataError, match=r"fewer clients than secure aggregation needs .*b: ConnectionError: gone"):
        summed([], b=Stage.SETUP, c=Stage.SETUP, d=Stage.SETUP)


@pytest.mark.parametrize("clients", [2, 3, 4, 5, 100])
def test_two_words_a_number_hold_it(clients):
    bits = bits_for(clients)
    assert clients * 2**bits <= 2**31
    vector = np.array([0.0, 1.0, -1.0, np.pi, 1e-9, -7.99])
    back = decoded(encoded(vector, 3, bits), 3, bits)
    np.testing.assert_allclose(back, vector, atol=1e-14)
    assert np.abs(encoded(vector, 3, bits)).max() <= 1
    assert exponent(vector) == 3


def test_the_exponent_bounds():
    assert exponent(np.zeros(3)) == 0
    assert exponent(np.array([-5.0])) == 3
    assert 2.0 ** exponent(np.array([0.1])) >= 0.1
