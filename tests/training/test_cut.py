"""The cut against the whole network, in every family of backbones, and against networks that only look like a chain."""

from __future__ import annotations

import pytest
import timm
import torch
from small import form_of, on_module, text_model
from torch import nn

from headstart.finetuning.gradual import Gradual
from headstart.finetuning.lora import LoRA
from headstart.finetuning.stage import Stage
from headstart.network import HEAD
from headstart.training.cut import Below, find_cut
from headstart.training.optimizers import learning
from headstart.training.options import Training

SWIN = {"img_size": 64, "embed_dim": 24, "depths": (1, 1, 2, 1), "num_heads": (1, 2, 4, 8)}
PICTURES = {
    "vgg11": (32, {"mlp_ratio": 0.01}),
    "resnet50": (40, {}),
    "resnetv2_50": (40, {}),
    "inception_v3": (80, {}),
    "efficientnet_b0": (40, {}),
    "vit_tiny_patch16_224": (32, {"img_size": 32, "depth": 4}),
    "convnext_atto": (40, {}),
    "densenet121": (40, {}),
    "swin_tiny_patch4_window7_224": (64, SWIN),
}
TEXTS = ["bert", "gpt2"]


@pytest.fixture(scope="module", params=[*PICTURES, *TEXTS])
def case(request, backbone):
    """A network of each family, and a batch for it."""
    torch.manual_seed(0)
    if request.param in TEXTS:
        ids, mask = torch.randint(5, 50, (4, 9)), torch.ones(4, 9, dtype=torch.int64)
        mask[1, 6:] = mask[2, 3:] = mask[3, 4] = 0
        return on_module(backbone, text_model(request.param)), (ids, mask)
    size, options = PICTURES[request.param]
    return on_module(backbone, timm.create_model(request.param, num_classes=0, **options)), (
        torch.rand(4, 3, size, size),
    )


def cut_of(module, inputs):
    return find_cut(module, inputs, form_of(inputs))


def untouched(module):
    return not any("forward" in vars(one) for one in module.modules())


def close(one, other):
    torch.testing.assert_close(one, other, atol=1e-5 * float(other.detach().abs().max()), rtol=1e-5)


def gradients(network, features):
    network.zero_grad()
    pull = torch.linspace(-1, 1, features.numel()).view(features.shape)
    if features.requires_grad:
        (features * pull).sum().backward()
    return {name: weights.grad for name, weights in network.named_parameters() if weights.grad is not None}


def crossing(network, cut, inputs):
    with torch.no_grad(), network.asked():
        return Below(network.backbone, cut)(*inputs)


def agrees(network, cut, inputs):
    """Features and gradients from the cut are those of the whole; train mode, dropout and all."""
    before = {name: value.clone() for name, value in network.state_dict().items()}
    torch.manual_seed(3)
    whole = network.backbone(*inputs)
    expected = gradients(network, whole)
    network.load_state_dict(before)
    activation = crossing(network, cut, inputs)
    assert not activation.requires_grad
    blank = (torch.full_like(inputs[0], torch.nan),) if inputs[0].is_floating_point() else inputs
    torch.manual_seed(3)
    with cut.above(network.backbone) as above:
        features = above(activation, *blank)
        found = gradients(network, features)
    close(features, whole)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        close(found[name], value)
    assert untouched(network)


@pytest.mark.parametrize("top", [0, 1, 2])
def test_what_is_above_the_cut_is_the_whole_network(case, top):
    network, inputs = case
    network.open(network.top(top))
    cut = cut_of(network.backbone, inputs)
    assert cut is not None
    assert (cut.place == "") == (top == 0)
    agrees(network, cut, inputs)


def test_the_backbone_works_afterwards_and_after_an_exception(case):
    network, inputs = case
    network.open(network.top(1))
    network.eval()
    with torch.no_grad():
        whole = network.backbone(*inputs)
    modes = [module.training for module in network.modules()]
    cut = cut_of(network.backbone, inputs)
    assert modes == [module.training for module in network.modules()]
    hooks = [len(module._forward_hooks) + len(module._forward_pre_hooks) for module in network.modules()]
    with pytest.raises(ZeroDivisionError), cut.above(network.backbone):
        raise ZeroDivisionError
    with pytest.raises(Exception), cut.above(network.backbone) as above:  # noqa: B017, PT011 - each family has its own
        above(torch.zeros(1, 2, 3, 4, 5), *inputs)
    crossing(network, cut, inputs)
    assert untouched(network)
    assert hooks == [len(module._forward_hooks) + len(module._forward_pre_hooks) for module in network.modules()]
    with torch.no_grad():
        assert torch.equal(network.backbone(*inputs), whole)


def test_nothing_is_found_where_the_lowest_stage_learns(case):
    network, inputs = case
    network.open(network.stages)
    assert cut_of(network.backbone, inputs) is None
    network.open((network.stages[0], HEAD))
    assert cut_of(network.backbone, inputs) is None


def test_what_crosses_belongs_to_its_row_alone(case):
    """Rows are put together anew in each epoch."""
    network, inputs = case
    network.open(network.top(1))
    cut = cut_of(network.backbone, inputs)
    assert cut.shape.sizes[0] is None
    assert None not in cut.shape.sizes[1:]
    alone = torch.cat([crossing(network, cut, tuple(one[row : row + 1] for one in inputs)) for row in range(4)])
    close(alone, crossing(network, cut, inputs))


@pytest.mark.parametrize("name", ["vit_tiny_patch16_224", "resnet50"])
def test_the_cut_moves_down_as_gradual_unfreezing_goes_on(backbone, name):
    size, options = PICTURES[name]
    network = on_module(backbone, timm.create_model(name, num_classes=0, **options))
    inputs = (torch.rand(2, 3, size, size),)
    order = [path for path, _ in network.backbone.named_modules()]
    found = []
    for stage in Gradual(stages=99)(network, progress=None):
        learning(network, stage, Training())
        cut = cut_of(network.backbone, inputs)
        found.append(-1 if cut is None else order.index(cut.place))
    assert found[-1] == -1
    deep = [place for place in found if place >= 0]  # further down there is too little below to be worth a file
    assert deep == sorted(set(deep), reverse=True)
    assert found == deep + [-1] * (len(found) - len(deep))
    assert len(deep) >= 2
    assert len(found) == len(network.stages) - 1


@pytest.mark.parametrize("name", ["resnet50", "efficientnet_b0", "convnext_atto", *TEXTS])
def test_adapters_in_the_last_stage_leave_a_cut(backbone, name):
    torch.manual_seed(0)
    if name in TEXTS:
        module, inputs = text_model(name), (torch.randint(5, 50, (2, 9)), torch.ones(2, 9, dtype=torch.int64))
    else:
        size, options = PICTURES[name]
        module, inputs = timm.create_model(name, num_classes=0, **options), (torch.rand(2, 3, size, size),)
    network = on_module(backbone, module)
    stages = LoRA(stages=1)(network, progress=None)
    learning(network, next(stages), Training())
    for path, weights in network.named_parameters():
        if ".lora_B" in path:
            nn.init.normal_(weights, std=0.1)
    cut = cut_of(network.backbone, inputs)
    assert cut is not None
    agrees(network, cut, inputs)
    assert not list(stages)


# Networks that only look like a chain -------------------------------------------------------------------------------


class Toy(nn.Module):
    """first, middle, last; what is done between them differs."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.middle, self.last = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        x = x.mean((2, 3))
        x = torch.cat([x, x[:, :1]], 1)
        return self.chain(x)

    def chain(self, x):
        return self.last(self.middle(self.first(x)))


class Around(Toy):
    """The last layer also reads the first one's output."""

    def chain(self, x):
        first = self.first(x)
        return self.last(self.middle(first) + 1e-6 * first)


class FromInputs(Toy):
    """The last layer also reads the inputs."""

    def chain(self, x):
        return self.last(self.middle(self.first(x)) + 1e-6 * x)


class Nested(Toy):
    """The first layer hides in a wrapper with the middle one, and goes around it."""

    def __init__(self):
        super().__init__()
        self.block = Pair()

    def chain(self, x):
        y, early = self.block(x)
        return self.last(y + early)


class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        early = self.one(x)
        return self.two(early), early


class Twice(Toy):
    """The middle layer is called twice: its two outputs are not one."""

    def chain(self, x):
        return self.last(self.middle(self.middle(self.first(x))))


class Uncalled(Toy):
    """The first layer's weight is used, but the layer is never called."""

    def chain(self, x):
        return self.last(self.middle(nn.functional.linear(x, self.first.weight)))


class Turned(Toy):
    """The rows of a batch come second."""

    def chain(self, x):
        return self.last(self.middle(self.first(x).unsqueeze(0))[0])


def opened(module, *names):
    module.requires_grad_(False).eval()
    for name in names:
        module.get_submodule(name).requires_grad_(True)
    return module, (torch.rand(1, 3, 8, 8),)


def test_a_chain_is_cut_below_what_learns():
    assert cut_of(*opened(Toy(), "last")).place == "middle"
    assert cut_of(*opened(Toy(), "middle")).place == "first"
    assert cut_of(*opened(Toy(), "first")) is None
    assert cut_of(*opened(Toy())).place == ""


@pytest.mark.parametrize(("kind", "place"), [(Around, "first"), (FromInputs, None), (Nested, None), (Twice, "first")])
def test_what_goes_around_a_place_forbids_a_cut_there(kind, place):
    cut = cut_of(*opened(kind(), "last"))
    assert (cut and cut.place) == place


def test_weights_that_learn_and_are_used_without_their_layer_are_above():
    assert cut_of(*opened(Uncalled(), "first")) is None


def test_a_batch_whose_rows_come_second_is_not_cut_there():
    assert cut_of(*opened(Turned(), "last")).place == "first"


class Pointed(nn.Module):
    """A text network whose last layer reads the ids again."""

    def __init__(self):
        super().__init__()
        self.words, self.middle, self.last = nn.Embedding(9, 4), nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, ids, mask):
        hidden = self.middle(self.words(ids))
        return self.last(hidden * mask.unsqueeze(-1) + ids.unsqueeze(-1)).mean(1)


def test_what_is_above_may_read_the_ids():
    torch.manual_seed(0)
    module, _ = opened(Pointed(), "last")
    inputs = (torch.randint(0, 9, (3, 4)), torch.ones(3, 4, dtype=torch.int64))
    cut = cut_of(module, inputs)
    assert cut.place == "middle"
    activation = Below(module, cut)(*inputs)
    with cut.above(module) as above:
        found = above(activation, *inputs)
    close(found, module(*inputs))


def test_a_place_that_is_never_reached_says_so():
    module, inputs = opened(Toy(), "last")
    cut = cut_of(module, inputs)
    module.chain = lambda x: x
    with pytest.raises(RuntimeError, match="middle was not reached"):
        Below(module, cut)(*inputs)


def test_layers_that_draw_at_random_in_training_do_not_hide_the_cut(backbone):
    network = on_module(backbone, timm.create_model("resnet50", num_classes=0, drop_path_rate=0.5, drop_rate=0.5))
    network.open(Stage(train=network.top(1)).train)
    assert any(module.training for module in network.modules())
    cut = cut_of(network.backbone, (torch.rand(1, 3, 40, 40),))
    assert cut.place.startswith("layer3")
