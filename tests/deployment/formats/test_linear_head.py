"""A head folded into one linear layer answers as the head itself."""

import numpy as np
import pytest

from headstart.deployment.formats.linear_head import affine
from headstart.heads.head import Head
from headstart.tasks import CLASSIFICATION, REGRESSION


def arrays(*, turned=False, outputs=3, seed=0):
    rng = np.random.default_rng(seed)
    width = 4 if turned else 5
    made = {"mean": rng.normal(size=width), "scale": rng.uniform(0.5, 2, width)}
    made |= {"weight.0": rng.normal(size=(width, outputs)).astype(np.float32), "bias.0": rng.normal(size=outputs)}
    return made | ({"turn": rng.normal(size=(5, 4)), "shift": rng.normal(size=4)} if turned else {})


@pytest.mark.parametrize("turned", [False, True])
def test_one_layer_gives_the_logits_over_the_temperature(turned):
    head = Head(name="ridge", kind=CLASSIFICATION, arrays=arrays(turned=turned), temperature=2.5)
    x = np.random.default_rng(1).normal(size=(20, 5))
    layer = affine(head)
    np.testing.assert_allclose(x @ layer.weight + layer.bias, head.logits(x) / 2.5, rtol=1e-10, atol=1e-10)


def test_the_values_of_a_regression_know_no_temperature():
    head = Head(name="ridge", kind=REGRESSION, arrays=arrays(outputs=1), temperature=3.0)
    x = np.random.default_rng(1).normal(size=(20, 5))
    layer = affine(head)
    np.testing.assert_allclose((x @ layer.weight + layer.bias)[:, 0], head.predict(x), rtol=1e-10)


def test_a_decision_rule_leaves_the_layer_as_it_is():
    plain = arrays()
    layer = affine(Head(name="ridge", kind=CLASSIFICATION, arrays=plain | {"utility": np.array([1.0, 2.0, 3.0])}))
    same = affine(Head(name="ridge", kind=CLASSIFICATION, arrays=plain))
    np.testing.assert_array_equal(layer.weight, same.weight)


def test_what_is_more_than_one_layer_is_none():
    rooted = Head(name="ridge", kind=CLASSIFICATION, arrays=arrays(), form="root")
    lengths = Head(name="ridge", kind=CLASSIFICATION, arrays=arrays() | {"unit": np.ones(1)})
    assert affine(rooted) is None
    assert affine(lengths) is None
