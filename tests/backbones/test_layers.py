"""A network read at its layers gives what transformers, timm and loops in plain Python give there."""

from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy

import pytest
import timm
import torch
from torch import nn

from headstart.backbones.layers import WHOLE, Layers, Read
from headstart.backbones.load import load
from headstart.features.engines.folding import fold
from headstart.features.quiet import quiet

LAST = "model.encoder.layer.5"


@pytest.fixture(scope="module")
def minilm():
    return load("bundled:minilm").module


@pytest.fixture(scope="module")
def tokens():
    """Five texts of other lengths, with padding behind them."""
    ids = torch.randint(1000, 20000, (5, 12), generator=torch.Generator().manual_seed(0))
    mask = (torch.arange(12) < torch.tensor([12, 7, 1, 3, 10])[:, None]).long()
    return ids, mask


@pytest.fixture(scope="module")
def pixels():
    return torch.randn(2, 3, 160, 160, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def states(minilm, tokens):
    """Of transformers' own network: (7, N, L, D)."""
    from transformers import BertConfig, BertModel

    config = BertConfig(**{k: v for k, v in load("bundled:minilm").spec["config"].items() if k != "model_type"})
    theirs = BertModel(config, add_pooling_layer=False).eval()
    theirs.load_state_dict(minilm.model.state_dict())
    ids, mask = tokens
    with torch.no_grad():
        return torch.stack(theirs(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states)


def pooled_in_a_loop(hidden, mask, pool):
    rows = []
    for row, real in zip(hidden, mask, strict=True):
        some = [token for token, is_real in zip(row, real, strict=True) if is_real]
        each = {"mean": sum(some) / len(some), "cls": row[0], "last": some[-1]}
        rows.append(torch.stack(some).max(0).values if pool == "max" else each[pool])
    return torch.stack(rows)


@pytest.mark.parametrize("pool", ["mean", "max", "cls", "last"])
@pytest.mark.parametrize("layer", [0, 2, 6])
def test_layers_of_texts_are_the_hidden_states_of_transformers(minilm, tokens, states, layer, pool):
    after = "model.embeddings" if layer == 0 else f"model.encoder.layer.{layer - 1}"
    with torch.no_grad():
        ours = Layers(deepcopy(minilm), [Read(after, pool)])(*tokens)
    torch.testing.assert_close(ours, pooled_in_a_loop(states[layer], tokens[1], pool), rtol=1e-4, atol=1e-4)


def test_a_text_without_a_token_is_zeros(minilm):
    ids, mask = torch.ones(1, 4, dtype=torch.int64), torch.zeros(1, 4, dtype=torch.int64)
    words = load("bundled:wordllama").module
    for pool in ("mean", "max"):
        assert Layers(deepcopy(words), [Read("embedding", pool)])(ids, mask).abs().max() == 0


@pytest.mark.parametrize(("name", "ends"), [("test_resnet", ["layer1", "layer3"]), ("test_convnext", ["stages.1"])])
def test_stages_of_pictures_are_timms_intermediates(name, ends, pixels):
    network = timm.create_model(name, num_classes=0).eval()
    stages = {"test_resnet": {"layer1": 1, "layer3": 3}, "test_convnext": {"stages.1": 1}}[name]
    with torch.no_grad():
        maps = network.forward_intermediates(pixels, intermediates_only=True)
        for end in ends:
            expected = maps[stages[end]]
            mean, largest = (Layers(deepcopy(network), [Read(end, pool)])(pixels) for pool in ("mean", "max"))
            torch.testing.assert_close(mean, expected.mean((2, 3)), rtol=1e-4, atol=1e-5)
            torch.testing.assert_close(largest, expected.flatten(2).max(2).values, rtol=1e-4, atol=1e-5)


def test_tokens_that_stand_for_the_whole_picture_are_not_averaged(pixels):
    network = timm.create_model("test_vit", num_classes=0).eval()
    with torch.no_grad():
        [(places, whole)] = network.forward_intermediates(
            pixels, indices=[2], intermediates_only=True, output_fmt="NLC", return_prefix_tokens=True
        )
        reads = [Read("blocks.2", pool) for pool in ("mean", "max", "cls")]
        ours = Layers(deepcopy(network), reads)(pixels)
    expected = torch.cat([places.mean(1), places.max(1).values, whole[:, 0]], 1)
    assert whole.shape[1] == 1
    torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-5)


def test_maps_with_channels_last(pixels):
    network = timm.create_model("swin_tiny_patch4_window7_224", num_classes=0, img_size=160, depths=(1, 1, 1, 1)).eval()
    with torch.no_grad():
        [maps] = network.forward_intermediates(pixels, indices=[1], intermediates_only=True)
        ours = Layers(deepcopy(network), [Read("layers.1", "mean")])(pixels)
    assert maps.shape[2:] == (20, 20)
    torch.testing.assert_close(ours, maps.mean((2, 3)), rtol=1e-4, atol=1e-5)


def test_several_reads_in_one_pass_are_each_of_them(minilm, tokens):
    reads = [Read("model.encoder.layer.1", "mean"), Read(LAST, "max"), Read("model.encoder.layer.1", "cls"), WHOLE]
    calls = []
    network = deepcopy(minilm)
    network.model.encoder.layer[0].register_forward_hook(lambda *_: calls.append(1))
    with torch.no_grad():
        together = Layers(network, reads)(*tokens)
        assert len(calls) == 1
        apart = [Layers(deepcopy(minilm), [read])(*tokens) for read in reads]
    torch.testing.assert_close(together, torch.cat(apart, 1), rtol=0, atol=0)
    torch.testing.assert_close(apart[-1], minilm(*tokens), rtol=0, atol=0)


def test_nothing_above_the_highest_read_runs(minilm, tokens):
    network = deepcopy(minilm)
    calls = []
    for number, layer in enumerate(network.model.encoder.layer):
        layer.register_forward_hook(lambda *_, number=number: calls.append(number))
    with torch.no_grad():
        Layers(network, [Read("model.encoder.layer.2", "mean"), Read("model.embeddings", "max")])(*tokens)
    assert calls == [0, 1, 2] or calls == [0, 1]  # the hook of the layer itself comes after the one that ends the pass


def test_lanes_share_a_network(minilm, tokens):
    layers = Layers(deepcopy(minilm), [Read("model.encoder.layer.3", "mean")]).eval()
    ids, mask = tokens

    def of_row(row):
        with torch.inference_mode():
            return layers(ids[row : row + 1], mask[row : row + 1])

    alone = [of_row(row) for row in range(5)]
    with ThreadPoolExecutor(4) as lanes:
        for row, features in zip(list(range(5)) * 8, lanes.map(of_row, list(range(5)) * 8), strict=True):
            torch.testing.assert_close(features, alone[row], rtol=1e-5, atol=1e-6)


def test_a_copy_and_a_trace_answer_alike(minilm, tokens):
    layers = Layers(deepcopy(minilm), [Read("model.encoder.layer.3", "last")]).eval().requires_grad_(False)
    with torch.no_grad():
        expected = layers(*tokens)
        torch.testing.assert_close(deepcopy(layers)(*tokens), expected)
        with quiet():
            traced = torch.jit.trace(lambda *inputs: layers(*inputs), tokens, check_trace=False)
        shorter = [tensor[:2, :7] for tensor in tokens]
        torch.testing.assert_close(traced(*shorter), layers(*shorter), rtol=1e-5, atol=1e-5)


def test_it_learns_up_to_the_layer(minilm, tokens):
    without = ["model.encoder.layer.4", "model.encoder.layer.5"]
    layers = Layers(deepcopy(minilm).requires_grad_(True), [Read("model.encoder.layer.3", "mean")], without)
    layers(*tokens).square().sum().backward()
    assert all(weights.grad is not None for weights in layers.parameters())
    assert sum(weights.numel() for weights in minilm.parameters()) - sum(
        w.numel() for w in layers.parameters()
    ) == 2 * (4 * (384 * 384 + 384) + 2 * 384 * 1536 + 1536 + 384 + 4 * 384)


def test_norms_that_are_read_are_not_folded_away(pixels):
    """On a GPU norms become part of the convolutions before them; the last map of this network is a norm's."""
    for name in ("bundled:mobilenetv2@max", "bundled:mobilenetv2@4"):
        layers = load(name).module
        with torch.no_grad():
            expected = layers(pixels)
            copy = deepcopy(layers)
            fold(copy, (pixels,))
            torch.testing.assert_close(copy(pixels), expected, rtol=1e-3, atol=1e-4)


def test_a_module_that_is_not_called_is_named():
    network = nn.Sequential(nn.Conv2d(3, 2, 1), nn.ModuleDict({"never": nn.Conv2d(2, 2, 1)}))
    network.forward = lambda pixels: network[0](pixels)
    with pytest.raises(AttributeError, match=r"1\.never: not reached"):
        Layers(network, [Read("1.never", "mean")])(torch.zeros(1, 3, 4, 4))


def test_what_is_refused():
    network = nn.Sequential(nn.Conv2d(3, 2, 1), nn.Conv2d(2, 2, 1))
    with pytest.raises(ValueError, match=r"poolings \['average'\]: expected some of mean, max, cls, last"):
        Layers(network, [Read("0", "average")])
    with pytest.raises(ValueError, match="poolings"):
        Layers(network, [Read("0", "")])
    with pytest.raises(AttributeError, match="no module or weight '7'"):
        Layers(network, [Read("0", "mean")], ["7"])
    with pytest.raises(AttributeError, match="5"):
        Layers(network, [Read("5", "mean")])
