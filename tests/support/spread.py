"""A network that is not finite in few bits, and that holds only so many pictures at once."""

import torch
from torch import nn

FULL = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")


class Spread(nn.Module):
    """sqrt(E x^2 - (E x)^2) of each channel: in few bits the difference is below 0 where a picture is nearly even.

    most   pictures at once; `FULL` is raised for more. sizes: how many there were, pass by pass
    """

    def __init__(self, most):
        super().__init__()
        self.weight, self.most, self.sizes = nn.Parameter(torch.ones(1)), most, []

    def forward(self, pixels):
        self.sizes.append(len(pixels))
        if len(pixels) > self.most:
            raise FULL
        x = self.weight * pixels
        return (x.square().mean((2, 3)) - x.mean((2, 3)).square()).sqrt()
