"""The head of a saved model as a module: the same answers for every head that there can be, or a refusal by name."""

import warnings
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from headstart.heads.arrays import BELOW, CONTEXT
from headstart.heads.head import Head
from headstart.heads.module import FORMS, HeadModule

LEAF = -1
LAYERS = [(), ("landmarks", "gamma"), ("trees",)]


def arrays(*widths):
    rng = np.random.default_rng(0)
    found = {"mean": rng.normal(size=widths[0]), "scale": rng.uniform(0.5, 2, widths[0])}
    for k, (before, after) in enumerate(pairwise(widths)):
        found |= {
            f"weight.{k}": rng.normal(size=(before, after)).astype(np.float32),
            f"bias.{k}": rng.normal(size=after),
        }
    return found


def grown(rng, count, width, nodes=7):
    """Trees whose nodes ask and lead on at random, or are leaves."""
    trees = np.zeros((count, nodes, 5))
    trees[:, :, 0] = LEAF
    for tree in trees:
        for node in range(nodes - 1):
            if rng.random() < 0.7:
                left, right = rng.integers(node + 1, nodes, 2)
                tree[node, :4] = rng.integers(width), rng.normal(), left, right
        tree[:, 4] = rng.normal(size=nodes)
    return trees


def any_head(seed, turned, unit, below, widths, form):
    """A head of these parts; the first of the widths is that of the features."""
    rng = np.random.default_rng(seed)
    width, inner, outputs = widths[0], widths[1] if turned else widths[0], 2
    found = {"mean": rng.normal(size=inner), "scale": rng.uniform(0.5, 2, inner)}
    if turned:
        found |= {"turn": rng.normal(size=(width, inner)), "shift": rng.normal(size=inner)}
    if unit:
        found["unit"] = np.ones(1)
    first = inner
    if "landmarks" in below:
        first = 6
        found |= {"landmarks": rng.normal(size=(first, inner)).astype(np.float32), "gamma": np.array([0.3])}
    if "trees" in below:
        first = 3
        found["trees"] = grown(rng, 3 * 4, inner)
    for layer, (before, after) in enumerate(pairwise([first, *widths[2:], outputs])):
        found[f"weight.{layer}"] = rng.normal(size=(before, after)).astype(np.float32)
        found[f"bias.{layer}"] = rng.normal(size=after)
    return Head(name="any", kind="classification", arrays=found, temperature=rng.uniform(0.3, 3), form=form)


def module_of(head):
    """Its torch form."""
    tensors = {name: torch.tensor(value) for name, value in head.arrays.items()}
    return HeadModule.stored(tensors, head.form, head.temperature)


@given(
    seed=st.integers(0, 2**32 - 1),
    turned=st.booleans(),
    unit=st.booleans(),
    below=st.sampled_from(LAYERS),
    widths=st.lists(st.integers(1, 8), min_size=2, max_size=4),
    form=st.sampled_from(FORMS),
    single=st.booleans(),
)
def test_it_is_the_head_whatever_stands_in_it(seed, turned, unit, below, widths, form, single):
    head = any_head(seed, turned, unit, below, widths, form)
    features = np.random.default_rng(seed + 1).normal(size=(6, widths[0]))
    features = features.astype(np.float32) if single else features
    module = module_of(head)
    expected = head.logits(features) / head.temperature
    with torch.inference_mode():
        found = module(torch.tensor(features)).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-9, rtol=1e-9)
    np.testing.assert_allclose(module.logits(features), expected, atol=1e-9, rtol=1e-9)


def test_each_part_that_a_head_may_have_changes_its_answers():
    """So that none is left out of what is compared above; a context is compared in test_incontext.py."""
    features = np.random.default_rng(3).normal(size=(6, 4))
    tried = {name: any_head(0, name == "turn", name == "unit", group if name in ("landmarks", "trees") else (), [4, 4],
                            "plain") for group in BELOW if group is not CONTEXT for name in group[:1]}  # fmt: skip
    plain = any_head(0, False, False, (), [4, 4], "plain")
    for name, head in tried.items():
        assert set(head.arrays) >= {name}
        assert not np.allclose(head.logits(features), plain.logits(features))
        np.testing.assert_allclose(module_of(head).logits(features), head.logits(features) / head.temperature)


@pytest.mark.parametrize("below", LAYERS, ids=["linear", "kernel", "trees"])
def test_it_stays_as_it_was_fitted_in_a_backbone_of_another_precision(below):
    head = any_head(1, True, True, below, [4, 3, 5], "root")
    features = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    module = module_of(head)
    with torch.inference_mode():
        expected = module(features)
        for moved in (module_of(head).float(), module_of(head).half(), module_of(head).to(torch.bfloat16)):
            assert torch.equal(moved(features), expected)
    assert expected.dtype == torch.float64


def test_a_network_with_trees_on_it_is_traced_for_any_number_of_rows():
    head = any_head(2, True, False, ("trees",), [4, 3], "plain")
    module = module_of(head)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*torch.jit.trace", category=Warning)
        traced = torch.jit.trace(module, torch.zeros(2, 4), check_trace=False)
        rows = torch.randn(9, 4, generator=torch.Generator().manual_seed(0))
        assert torch.equal(traced(rows), module(rows))


def test_no_rows_and_many_rows():
    head = any_head(2, False, False, ("trees",), [4, 4], "plain")
    features = np.random.default_rng(0).normal(size=(2500, 4)).astype(np.float32)
    features.setflags(write=False)
    np.testing.assert_allclose(module_of(head).logits(features), head.logits(features) / head.temperature)
    assert module_of(head).logits(features[:0]).shape == (0, 2)


def test_it_changes_none_of_the_given_tensors():
    given = {name: torch.tensor(value) for name, value in arrays(5, 3).items()}
    before = {name: value.clone() for name, value in given.items()}
    HeadModule.stored(given, "plain", 2.0).float()
    assert all(torch.equal(given[name], before[name]) for name in given)


def test_tensors_that_lack_or_do_not_fit_are_refused():
    whole = {name: torch.tensor(value) for name, value in arrays(5, 3).items()}
    for name in whole:
        with pytest.raises(KeyError, match=name):
            HeadModule.stored({key: value for key, value in whole.items() if key != name}, "plain", 1.0)
    for name, wrong in (("bias.0", torch.zeros(4)), ("mean", torch.zeros(1)), ("scale", torch.ones(5, 1))):
        with pytest.raises(RuntimeError, match=r"size mismatch: .* has the shape .*, expected"):
            HeadModule.stored({**whole, name: wrong}, "plain", 1.0)
    with pytest.raises(ValueError, match=r"temperature = 0.0: expected a number above 0"):
        HeadModule.stored(whole, "plain", 0.0)
    with pytest.raises(ValueError, match="form = 'cube': expected 'plain' or 'root'"):
        HeadModule.stored(whole, "cube", 1.0)


@pytest.mark.parametrize("name", ["centre", "gamma", "shift", "bias.1", "weights", "landmark", "turn2"])
def test_a_tensor_that_no_head_could_use_is_refused_by_its_name(name):
    whole = {key: torch.tensor(value) for key, value in arrays(5, 3).items()} | {name: torch.ones(3)}
    with pytest.raises(ValueError, match=f"it holds {name}, which no head here can use: expected only mean, scale"):
        HeadModule.stored(whole, "plain", 1.0)
    with pytest.raises(ValueError, match=f"the mine head holds {name}: expected only mean, scale"):
        Head(name="mine", kind="classification", arrays={key: value.numpy() for key, value in whole.items()})


def test_landmarks_and_trees_at_once_are_refused():
    whole = any_head(0, False, False, ("landmarks", "gamma"), [4, 4], "plain").arrays
    with pytest.raises(ValueError, match="the mine head holds trees: expected only"):
        Head(name="mine", kind="classification", arrays=whole | {"trees": np.zeros((1, 1, 5))})


@pytest.mark.parametrize(("place", "value"), [(2, 0), (3, 99), (0, 9), (3, 1.5)])
def test_trees_that_lead_nowhere_are_refused(place, value):
    tensors = {
        name: torch.tensor(a) for name, a in any_head(2, False, False, ("trees",), [4, 4], "plain").arrays.items()
    }
    inner = int(torch.nonzero(tensors["trees"][0, :, 0] >= 0)[0])
    tensors["trees"][0, inner, place] = value
    with pytest.raises(ValueError, match="trees hold a node that leads nowhere"):
        HeadModule.stored(tensors, "plain", 1.0)
    tensors["trees"] = tensors["trees"][1:]
    with pytest.raises(ValueError, match="11 trees for 3 functions: expected as many for each"):
        HeadModule.stored(tensors, "plain", 1.0)
