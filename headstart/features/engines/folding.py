"""Batch norms made part of the convolutions before them, in a network that does not learn: as exact as rounding is.

    gamma (w * x + b - mean) / sqrt(var + eps) + beta  =  (s w) * x + s (b - mean) + beta,   s = gamma / sqrt(var + eps)

(Jacob et al., 2018, section 3.2). A GPU spends a good part of a convolutional network in reading and writing what a
norm sees. Which norm follows which convolution is seen in one pass: no name and no order of modules is relied on. Where
the network then answers otherwise, it is left as it was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

__all__ = ["fold"]

_ROUNDING = 1e-3


class _Pair(NamedTuple):
    """A convolution, and by its name the norm that sees what it gives and nothing else."""

    convolution: nn.Conv2d
    name: str
    norm: nn.BatchNorm2d


def fold(module: nn.Module, inputs: tuple[Tensor, ...]) -> int:
    """In place, of a network in eval mode and float32; how many norms went.

    inputs   some that the network takes, to see what follows what and whether it answers as before
    """
    if not any(isinstance(part, nn.BatchNorm2d) for part in module.modules()):
        return 0
    with torch.inference_mode(False), torch.no_grad():  # in inference mode a tensor does not know that it was changed
        return _folded(module, inputs)


def _folded(module: nn.Module, inputs: tuple[Tensor, ...]) -> int:
    with _Watch(module) as watch:
        before: Tensor = module(*inputs)
    pairs = watch.pairs()
    weights = [(pair.convolution, pair.convolution.weight, pair.convolution.bias) for pair in pairs]
    for pair in pairs:
        _join(module, pair)
    if not pairs or _answers(module, inputs, before):
        return len(pairs)
    for (convolution, weight, bias), pair in zip(weights, pairs, strict=True):
        convolution.weight, convolution.bias = weight, bias
        module.set_submodule(pair.name, pair.norm)
    return 0


class _Watch:
    """What follows what in one pass."""

    def __init__(self, module: nn.Module) -> None:
        self._names = {part: name for name, part in module.named_modules()}
        self._calls: Counter[nn.Module] = Counter()
        self._outputs: dict[int, tuple[nn.Conv2d, Tensor, int]] = {}  # held, so that no number is given twice
        self._pairs: list[_Pair] = []

    def __enter__(self) -> _Watch:
        self._hooks = [
            part.register_forward_hook(self._after_convolution)
            for part in self._names
            if isinstance(part, nn.Conv2d) and "weight" in part._parameters
        ]
        self._hooks += [
            part.register_forward_pre_hook(self._before_norm)
            for part in self._names
            if isinstance(part, nn.BatchNorm2d) and part.track_running_stats and _rest(part) is not None
        ]
        return self

    def __exit__(self, *error: object) -> None:
        for hook in self._hooks:
            hook.remove()
        self._outputs = {}

    def pairs(self) -> list[_Pair]:
        """Those whose parts were called once."""
        return [pair for pair in self._pairs if self._calls[pair.convolution] == self._calls[pair.norm] == 1]

    def _after_convolution(self, part: Any, args: Any, output: Tensor) -> None:
        self._calls[part] += 1
        self._outputs[id(output)] = (part, output, output._version)

    def _before_norm(self, part: Any, args: Any) -> None:
        self._calls[part] += 1
        convolution, output, version = self._outputs.pop(id(args[0]), (None, None, -1))
        if convolution is not None and output is not None and output._version == version:
            self._pairs.append(_Pair(convolution, self._names[part], part))


def _rest(norm: nn.BatchNorm2d) -> nn.Module | None:
    """What is left of a norm: nothing, or the activation that ours and timm's have in them; None where that is not
    known."""
    if type(norm) is nn.BatchNorm2d:
        return nn.Identity()
    without: Callable[[], nn.Module] | None = getattr(norm, "without_norm", None)
    if without is not None:
        return without()
    drop, act = getattr(norm, "drop", None), getattr(norm, "act", None)
    return nn.Sequential(drop, act) if isinstance(drop, nn.Module) and isinstance(act, nn.Module) else None


def _join(module: nn.Module, pair: _Pair) -> None:
    convolution, norm, rest = pair.convolution, pair.norm, _rest(pair.norm)
    mean, variance = norm.running_mean, norm.running_var
    if mean is None or variance is None or rest is None:
        return
    convolution.weight, convolution.bias = fuse_conv_bn_weights(
        convolution.weight, convolution.bias, mean, variance, norm.eps, norm.weight, norm.bias
    )
    module.set_submodule(pair.name, rest.eval())


def _answers(module: nn.Module, inputs: tuple[Tensor, ...], before: Tensor) -> bool:
    """Whether it still gives what it gave, but for rounding."""
    try:
        after: Tensor = module(*inputs)
    except (AttributeError, TypeError):  # its own code looks into a norm that is not there any more
        return False
    return bool((after - before).abs().max() <= _ROUNDING * before.abs().max())
