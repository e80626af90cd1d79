from itertools import pairwise

import numpy as np
import pytest
import torch

from headstart.backbones.stored_head import FORMS, StoredHead
from headstart.heads.head import Head


def arrays(*widths):
    rng = np.random.default_rng(0)
    found = {"mean": rng.normal(size=widths[0]), "scale": rng.uniform(0.5, 2, widths[0])}
    for k, (before, after) in enumerate(pairwise(widths)):
        found |= {
            f"weight.{k}": rng.normal(size=(before, after)).astype(np.float32),
            f"bias.{k}": rng.normal(size=after),
        }
    return found


@pytest.mark.parametrize("widths", [(5, 3), (5, 7, 3), (5, 7, 4, 3)])
@pytest.mark.parametrize("form", FORMS)
def test_it_is_the_head_that_was_fitted(widths, form):
    head = Head(name="h", kind="classification", arrays=arrays(*widths), temperature=1.7, form=form)
    module = StoredHead({name: torch.tensor(value) for name, value in head.arrays.items()}, form, 1.7)
    features = np.random.default_rng(1).normal(size=(6, 5))
    with torch.inference_mode():
        found = module(torch.tensor(features))
        single = module.float()(torch.tensor(features, dtype=torch.float32))
    np.testing.assert_allclose(found.numpy(), head.logits(features) / 1.7, rtol=1e-12)
    np.testing.assert_allclose(single.softmax(1).numpy(), head.predict(features), atol=1e-5)


def test_it_changes_none_of_the_given_tensors():
    given = {name: torch.tensor(value) for name, value in arrays(5, 3).items()}
    before = {name: value.clone() for name, value in given.items()}
    StoredHead(given, "plain", 2.0).float()
    assert all(torch.equal(given[name], before[name]) for name in given)


def test_tensors_that_lack_or_do_not_fit_are_refused():
    whole = {name: torch.tensor(value) for name, value in arrays(5, 3).items()}
    for name in whole:
        with pytest.raises(KeyError, match=name):
            StoredHead({key: value for key, value in whole.items() if key != name}, "plain", 1.0)
    with pytest.raises(RuntimeError, match="size mismatch"):
        StoredHead({**whole, "bias.0": torch.zeros(4)}, "plain", 1.0)
    with pytest.raises(ValueError, match=r"temperature = 0.0: expected a number above 0"):
        StoredHead(whole, "plain", 0.0)
