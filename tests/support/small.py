"""Small networks and rows for the tests of the weight tier."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from PIL import Image
from torch import nn

from headstart.backbones.encoders import TextEncoder
from headstart.backbones.stages import stages_of
from headstart.heads.module import HeadModule
from headstart.network import Network
from headstart.preprocessing.spec import PicturePreprocess, TextPreprocess
from headstart.tasks import CLASSIFICATION
from headstart.training.feed import Data

RESNET = "timm:test_resnet?weights=random"


def bright(row, size=40):
    """A picture of noise in which one of three channels is brighter."""
    pixels = np.random.default_rng(row).integers(0, 120, (size, size, 3)).astype(np.uint8)
    pixels[:, :, row % 3] += 100
    return Image.fromarray(pixels)


def noise(count, bright=0.0, seed=0, size=32):
    """Pictures of noise (count, 3, size, size) in which one channel, that of the class, is brighter."""
    x = torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(seed))
    x[torch.arange(count), torch.arange(count) % 3] += bright
    return x


def form_of(inputs):
    """The preprocessing of what a module takes: of pictures, or of ids and a mask."""
    if len(inputs) > 1:
        return TextPreprocess(tokenizer_json="", max_length=8, pad_id=0)
    size = tuple(inputs[0].shape[-2:])
    scale = {"mean": (0.0,) * 3, "std": (1.0,) * 3}
    return PicturePreprocess(size=size, resize=size[0], interpolation="bilinear", **scale)


class Rows:
    """Tensors as inputs, a row each."""

    def __init__(self, *inputs):
        self.inputs = inputs
        self.preprocess = form_of(inputs)

    def __len__(self):
        return len(self.inputs[0])

    def batch(self, rows, draw):
        return tuple(one[rows] for one in self.inputs)

    def above(self, rows, draw):
        return self.batch(rows, draw)

    def length(self, row):
        return 0

    def part(self, module, width, place):
        return None


class Killed(Exception):
    """In place of a signal, at a place that a test chooses."""


class Interrupted(Rows):
    """Rows that end the run after so many batches."""

    def __init__(self, *inputs, left):
        super().__init__(*inputs)
        self.left = left

    def batch(self, rows, draw):
        self.left -= 1
        if self.left < 0:
            raise Killed
        return super().batch(rows, draw)


def data_of(inputs, train, val):
    """Rows of three classes in turn and of equal weight; those of `train` learn, those of `val` validate."""
    count = len(inputs)
    return Data(inputs, torch.arange(count) % 3, torch.ones(count), CLASSIFICATION, np.array(train), np.array(val))


def network_of(backbone, classes=3, spread=0.0):
    """A backbone and a head whose weights are noise of this spread; of none, a head that answers nothing."""
    torch.manual_seed(0)
    network = Network(backbone, HeadModule.fresh(np.zeros(backbone.dim), np.ones(backbone.dim), classes))
    if spread:
        nn.init.normal_(network.head.linear.weight, std=spread)
    return network


def on_module(backbone, module):
    """A network of three classes on a module, whose stages are found as for any backbone."""
    torch.manual_seed(0)
    head = HeadModule.fresh(np.zeros(1), np.ones(1), 3)
    return Network(replace(backbone, module=module, stages=stages_of(module)), head)


def text_model(name):
    """bert or gpt2, of three layers of 16 and random weights."""
    from transformers import BertConfig, BertModel, GPT2Config, GPT2Model

    if name == "gpt2":
        return TextEncoder(GPT2Model(GPT2Config(vocab_size=50, n_embd=16, n_layer=3, n_head=2, n_positions=20)), "mean")
    small = {"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 32}
    model = BertModel(BertConfig(vocab_size=50, **small))
    model.pooler = None
    return TextEncoder(model, "mean")
