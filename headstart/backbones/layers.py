"""A network read at some of its layers: what a module puts out, pooled to one row an input; nothing above it runs.

    texts     h (N, L, D), the real tokens T of a row:  mean_T h,  max_T h,  h_0 (cls),  h_max(T) (last)
    sounds    h (N, L, D), or maps (N, D, L, bands) averaged over bands (max: the largest), of the L of each clip;
              thirds: the means of its first, second and last third beside each other, so that order counts
    pictures  maps (N, D, H, W): mean or max over the places; tokens (N, L, D): likewise without those that stand for
              the whole picture, of which the first is cls

Layers below the last are more general than what they were trained for last (Yosinski et al., 2014), so that a middle
one often transfers best. Several are read in one pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from headstart.backbones.encoders import masked_mean, pooled
from headstart.backbones.layer_name import POOLINGS
from headstart.backbones.sound.encoder import SoundEncoder
from headstart.backbones.sound.front_end import prefix_mask
from headstart.backbones.stages import stages_of

__all__ = ["WHOLE", "Layers", "Read", "first_tensor", "is_channels_last", "tokens_of_whole"]

_STAND_FOR_WHOLE = ("cls_token", "dist_token", "distillation_token", "reg_token", "register_tokens")


class Read(NamedTuple):
    """after   the module whose output is pooled, by its name in the network; "" for the network's own output
    pool    of `POOLINGS`; "" with the network's own output
    """

    after: str
    pool: str


WHOLE = Read("", "")


class _Reached(Exception):
    """Everything that was to be read is there."""


_PASS: ContextVar[tuple[dict[str, Tensor], int] | None] = ContextVar("_PASS", default=None)
"""What this thread's pass has read so far, by module, and after how many it may end."""


class Layers(nn.Module):
    """The inputs of the network -> (N, sum of widths), the reads beside each other.

    without   names of modules and weights of the network that no read needs: they are not kept

    AttributeError where the network has no module or weight of such a name, ValueError for a pooling that is unknown.
    """

    def __init__(self, network: nn.Module, reads: Sequence[Read], without: Sequence[str] = ()) -> None:
        super().__init__()
        wrong = [read.pool for read in reads if (read.pool not in POOLINGS) != (read == WHOLE)]
        if wrong or not reads:
            raise ValueError(f"poolings {wrong}: expected some of {', '.join(POOLINGS)}")
        self._groups = [[name for name, _ in _under(network, prefixes)] for _, prefixes in stages_of(network)]
        for name in without:
            _drop(network, name)
        self.network = network
        self.reads = tuple(reads)
        self._last = is_channels_last(network)
        for path in sorted({read.after for read in reads} - {""}):
            network.get_submodule(path).register_forward_hook(partial(_take, path))

    def forward(self, *inputs: Tensor) -> Tensor:
        return torch.cat(self.rows(*inputs), 1)

    def rows(self, *inputs: Tensor) -> list[Tensor]:
        """The reads one by one, (N, width) each."""
        paths = {read.after for read in self.reads}
        outputs: dict[str, Tensor] = {}
        token = _PASS.set((outputs, len(paths)))  # of the whole network there is one more than hooks give
        try:
            with suppress(_Reached):
                outputs[""] = self.network(*inputs)
        finally:
            _PASS.reset(token)
        lacking = paths - outputs.keys()
        if lacking:
            raise AttributeError(f"{', '.join(sorted(lacking))}: not reached, or not as one tensor of numbers")
        return [self._row(read, outputs[read.after], inputs) for read in self.reads]

    def parameter_groups(self) -> list[list[str]]:
        """Names of parameters by stage: the network's stages, as far as they are kept."""
        names = {name for name, _ in self.network.named_parameters()}
        groups = [[f"network.{name}" for name in group if name in names] for group in self._groups]
        return [group for group in groups if group]

    def _row(self, read: Read, output: Tensor, inputs: tuple[Tensor, ...]) -> Tensor:
        if read == WHOLE:
            return output
        if isinstance(self.network, SoundEncoder) and not self.network.of_pictures:
            return _of_sound(output, read.pool, self.network.counts(read.after, inputs[1]))
        if len(inputs) > 1 and not isinstance(self.network, SoundEncoder):
            return _of_tokens(output, read.pool, inputs[1])
        return _of_picture(output, read.pool, tokens_of_whole(self.network), channels_last=self._last)


def first_tensor(output: Any) -> Tensor | None:
    """A module's output, or the first of several; None where that is no tensor of numbers."""
    some = output[0] if isinstance(output, tuple | list) and output else output
    return some if isinstance(some, Tensor) and some.is_floating_point() else None


def is_channels_last(network: nn.Module) -> bool:
    """Whether maps are (N, H, W, D), as some of timm's networks say that theirs are."""
    return str(getattr(network, "output_fmt", "NCHW")) == "NHWC"


def tokens_of_whole(network: nn.Module) -> int:
    """How many tokens at the beginning stand for the whole picture."""
    return sum(
        weights.shape[1] if weights.ndim == 3 else 1
        for name, weights in network.named_parameters()
        if name.rpartition(".")[2] in _STAND_FOR_WHOLE
    )


def _take(path: str, module: nn.Module, args: Any, output: Any) -> None:
    """The hook of a module that is read. Per thread, for lanes share the network."""
    under_way, tensor = _PASS.get(), first_tensor(output)
    if under_way is None or tensor is None:
        return
    outputs, count = under_way
    outputs[path] = tensor
    if len(outputs) == count:
        raise _Reached


def _of_tokens(hidden: Tensor, pool: str, mask: Tensor) -> Tensor:
    """(N, L, D) and the mask (N, L) of real tokens -> (N, D)."""
    return pooled(hidden, mask, pool)


def _of_sound(output: Tensor, pool: str, counts: Tensor | None) -> Tensor:
    """(N, L, D) or (N, D, L, bands), and how many of L are of each clip -> (N, D)."""
    if output.ndim == 4:
        output = (output.amax(3) if pool == "max" else output.mean(3)).transpose(1, 2)
    if counts is None:
        counts = torch.full((len(output),), output.shape[1], device=output.device)
    if pool == "thirds":
        return _thirds(output, counts)
    return _of_tokens(output, pool, prefix_mask(counts, output.shape[1]))


def _thirds(states: Tensor, counts: Tensor) -> Tensor:
    """(N, L, D) -> (N, 3 D); of fewer than three places some count in two thirds."""
    ends = [(counts * third).div(3, rounding_mode="floor") for third in range(4)]
    before = [prefix_mask(begin, states.shape[1]) for begin in ends[:3]]
    until = [prefix_mask(torch.maximum(end, begin + 1), states.shape[1]) for begin, end in pairwise(ends)]
    return torch.cat([masked_mean(states, to & ~since) for since, to in zip(before, until, strict=True)], 1)


def _of_picture(output: Tensor, pool: str, whole: int, *, channels_last: bool) -> Tensor:
    """(N, D, H, W), (N, H, W, D), (N, L, D) or (N, D) -> (N, D)."""
    if output.ndim == 2:
        return output
    if output.ndim == 3 and pool == "cls":
        return output[:, 0]
    places, axes = output[:, whole:] if output.ndim == 3 else output, _axes(output.ndim, channels_last=channels_last)
    return places.amax(axes) if pool == "max" else places.mean(axes)


def _axes(dimensions: int, *, channels_last: bool) -> tuple[int, ...]:
    """Those of the places."""
    if dimensions == 3:
        return (1,)
    return (1, 2) if channels_last else (2, 3)


def _under(network: nn.Module, prefixes: Sequence[str]) -> list[tuple[str, nn.Parameter]]:
    return [(name, weights) for name, weights in network.named_parameters() if name.startswith(tuple(prefixes))]


def _drop(network: nn.Module, name: str) -> None:
    """A module becomes one that does nothing, a weight None."""
    parent, _, child = name.rpartition(".")
    owner = network.get_submodule(parent)
    if child in owner._modules:
        setattr(owner, child, nn.Identity())
    elif child in owner._parameters:
        owner.register_parameter(child, None)
    else:
        raise AttributeError(f"the network has no module or weight {name!r}")
