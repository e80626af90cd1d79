"""Options of a training that mean nothing are refused in words."""

from __future__ import annotations

import pytest

from headstart.training.optimizers import named
from headstart.training.options import Training

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize("name", ["epochs", "batch", "patience", "views"])
@pytest.mark.parametrize("value", [0, -3])
def test_what_is_counted_is_one_or_more(name, value):
    with pytest.raises(ValueError, match=f"{name} = {value}: expected 1 or more"):
        Training(**{name: value})


@pytest.mark.parametrize("name", ["clip", "micro", "weight_decay", "disk", "mixup", "hidden", "seed"])
@pytest.mark.parametrize("value", [-1, NAN])
def test_amounts_are_not_negative(name, value):
    with pytest.raises(ValueError, match=f"{name} = {value}: expected 0 or more"):
        Training(**{name: value})


@pytest.mark.parametrize("name", ["dropout", "ema"])
@pytest.mark.parametrize("value", [-0.1, 1.0, NAN])
def test_shares_are_less_than_one(name, value):
    with pytest.raises(ValueError, match=f"{name} = {value}: expected 0 or more, and less than 1"):
        Training(**{name: value})


@pytest.mark.parametrize("value", [0.0, -1e-3, NAN, INF])
def test_a_rate_is_a_positive_number(value):
    with pytest.raises(ValueError, match=rf"lr = {value}: expected a positive number, such as 1e-4"):
        Training(lr=value)


def test_precisions_are_three():
    with pytest.raises(ValueError, match="precision = 'half': expected auto, float32 or bfloat16"):
        Training(precision="half")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"optimizer": "adamv"}, "optimizer 'adamv' is unknown; nearest: adam"),
        ({"optimizer": "x"}, "optimizer 'x' is unknown; expected one of sgd, adam"),
        ({"schedule": "cosin"}, "schedule 'cosin' is unknown; nearest: cosine; expected one of cosine, one-cycle"),
    ],
)
def test_names_that_there_are_not_come_with_the_nearest(options, why):
    with pytest.raises(ValueError, match=why):
        named(Training(**options))


def test_the_defaults_are_fine():
    assert named(Training()) == Training()
