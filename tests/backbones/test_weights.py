import io

import pytest
import torch
from safetensors.torch import save
from torch import nn

from headstart.backbones.weights import fill, parse_weights, read_weights
from headstart.errors import BackboneError, MissingWeights


def pickled(value):
    file = io.BytesIO()
    torch.save(value, file)
    return file.getvalue()


def test_both_formats_give_the_tensors():
    tensors = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.tensor(7)}
    for data, name in ((save(tensors), "x.safetensors"), (pickled(tensors), "x.bin")):
        read = parse_weights(data, name)
        assert read.keys() == tensors.keys()
        assert all(torch.equal(read[key], tensors[key]) for key in tensors)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"", "x.safetensors"),
        (b"\xff" * 40, "x.safetensors"),
        (b"", "x.bin"),
        (b"no", "x.bin"),
        (pickled({"a": torch.ones(9)})[:-30], "x.bin"),
        (pickled(nn.Linear(1, 1)), "x.bin"),
        (pickled(print), "x.bin"),
    ],
)
def test_what_is_no_file_of_weights_is_refused(data, name):
    with pytest.raises(BackboneError, match=rf"{name}: not a readable file of weights .*fetch it again"):
        parse_weights(data, name)


@pytest.mark.parametrize("value", [{"a": 1}, [torch.ones(1)], {"state_dict": {"a": torch.ones(1)}}])
def test_anything_but_tensors_by_name_is_refused(value):
    with pytest.raises(BackboneError, match=r"x.bin: expected a dictionary of tensors; save the model's state_dict"):
        parse_weights(pickled(value), "x.bin")


def test_safetensors_come_first(tmp_path):
    (tmp_path / "pytorch_model.bin").write_bytes(b"never read")
    (tmp_path / "model.safetensors").write_bytes(save({"a": torch.ones(1)}))
    assert list(read_weights(tmp_path)) == ["a"]
    (tmp_path / "model.safetensors").unlink()
    (tmp_path / "pytorch_model.bin").unlink()
    with pytest.raises(MissingWeights, match=r"no model.safetensors and no pytorch_model.bin in this folder"):
        read_weights(tmp_path)


def test_filling_copies_and_says_all_that_is_wrong():
    module = nn.Linear(2, 1)
    state = {"weight": torch.tensor([[1.0, 2.0]], dtype=torch.float16), "bias": torch.zeros(1)}
    fill(module, state, "x")
    state["bias"] += 1
    assert (module.weight.dtype, module.weight.tolist(), module.bias.item()) == (torch.float32, [[1.0, 2.0]], 0.0)
    wrong = {"weight": torch.ones(2, 1), "a": torch.ones(1), "b": torch.ones(1)}
    with pytest.raises(BackboneError) as error:
        fill(module, wrong, "x")
    assert str(error.value) == (
        "x: the weights do not fit the architecture: bias is missing; a is not of this architecture; "
        "b is not of this architecture, and 1 more."
    )
