import numpy as np
import pytest
import torch
from torch import nn

from headstart.backbones.load import load
from headstart.network import Network, TunedHead


@pytest.fixture(scope="session")
def backbone():
    return load("timm:test_resnet?weights=random")


@pytest.fixture
def network(backbone):
    torch.manual_seed(0)
    made = Network(backbone, TunedHead(np.zeros(backbone.dim), np.ones(backbone.dim), 3))
    nn.init.normal_(made.head.linear.weight, std=0.1)
    return made
