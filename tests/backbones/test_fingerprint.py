import pytest
import torch
from torch import nn

from headstart.backbones.fingerprint import fingerprint
from headstart.preprocessing.spec import PicturePreprocess

PICTURES = PicturePreprocess(size=(8, 8), resize=9, interpolation="bilinear", mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
SPEC = {"hub": "test", "args": {"depth": 1, "width": 2}}


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))


def test_it_is_the_same_for_the_same_content():
    first = fingerprint(network(), PICTURES, SPEC)
    assert first == fingerprint(network(), PICTURES, {"args": {"width": 2, "depth": 1}, "hub": "test"})
    assert len(bytes.fromhex(first)) == 32


def test_the_memory_layout_of_a_tensor_does_not_matter():
    module, transposed = network(), network()
    transposed[0].weight.data = module[0].weight.data.T.contiguous().T
    assert fingerprint(module, None, SPEC) == fingerprint(transposed, None, SPEC)


def one_bit(module):
    module[0].weight.data.view(torch.int32)[0, 0] ^= 1


def a_buffer(module):
    module[1].num_batches_tracked += 1


def two_swapped(module):
    module[1].running_mean, module[1].running_var = module[1].running_var, module[1].running_mean


@pytest.mark.parametrize("change", [one_bit, a_buffer, two_swapped, nn.Module.double])
def test_any_tensor_changes_it(change):
    module = network()
    change(module)
    assert fingerprint(module, PICTURES, SPEC) != fingerprint(network(), PICTURES, SPEC)


def test_architecture_and_preprocessing_change_it():
    seen = {
        fingerprint(network(), PICTURES, SPEC),
        fingerprint(network(), None, SPEC),
        fingerprint(network(), PICTURES, {**SPEC, "args": {}}),
        fingerprint(None, PICTURES, SPEC),
        fingerprint(nn.Sequential(*network(), nn.Flatten()), PICTURES, {"hub": "x"}),
    }
    assert len(seen) == 5
