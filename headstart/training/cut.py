"""The cut: the boundary in a backbone below which nothing learns, found by trying, not by the names of layers.

The modules that hold no learning weight are called in some order. The one furthest up whose output is all that the
rest needs is where the cut goes: with that output put in by hand, and nonsense for everything before it, the backbone
still gives the same features. What is found is checked so on two batches of different size, for any network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from headstart.preprocessing.preprocess import Preprocess

__all__ = ["Cut", "find_cut"]

_SIZES = ((2, 5), (3, 7))
"""Rows, and tokens of each, of the two batches that are tried."""

_LEAST = 0.25
"""The share of the arithmetic from which a cut is worth its file."""

_FOREIGN = (RuntimeError, TypeError, ValueError, AttributeError, IndexError, AssertionError)
"""What a network may raise when a module gives it nonsense: then the cut does not go there."""


class Shape(NamedTuple):
    """The shape of an output: numbers, with None for the rows of a batch and -1 for its tokens."""

    sizes: tuple[int | None, ...]

    def of(self, rows: int, tokens: int) -> list[int]:
        """In a batch of so many rows and tokens."""
        return [rows if size is None else tokens if size == -1 else size for size in self.sizes]

    @property
    def in_rows(self) -> bool:
        """Whether the rows of a batch come first, and only there."""
        return self.sizes[:1] == (None,) and None not in self.sizes[1:]


class Cut(NamedTuple):
    """Where a backbone is cut.

    place   the module whose output crosses, "" for the backbone itself
    shape   of that output
    below   the shapes of the outputs of other modules under the cut, which need not run
    nested  whether the output comes in a tuple
    form    of the inputs
    """

    place: str
    shape: Shape
    below: dict[str, Shape]
    nested: frozenset[str]
    form: Preprocess

    @contextmanager
    def above(self, backbone: nn.Module) -> Iterator[Callable[..., Tensor]]:
        """A function from (what crosses, the backbone's inputs) to features, that runs what is above the cut only.

        The inputs tell how many rows and tokens there are; their values matter only above. Meanwhile the backbone
        itself does not work.
        """
        above = _Above(self, backbone)
        replaced = {path: partial(above.dead, path) for path in self.below} | {self.place: above.crossed}
        modules = {path: backbone.get_submodule(path) for path in replaced}
        try:
            for path, module in modules.items():
                module.__dict__["forward"] = replaced[path]  # the class's own comes back when this goes
            yield above.run if self.place else _whole
        finally:
            for module in modules.values():
                module.__dict__.pop("forward", None)


class _Above:
    """A backbone of which what is above a cut runs: what crosses now, and of how many rows and tokens."""

    crossing: Tensor
    size: tuple[int, int]

    def __init__(self, cut: Cut, backbone: nn.Module) -> None:
        self.cut, self.backbone = cut, backbone

    def run(self, activation: Tensor, *inputs: Tensor) -> Tensor:
        self.crossing, self.size = activation, (len(inputs[0]), self.cut.form.measure(inputs))
        features: Tensor = self.backbone(*inputs)
        return features

    def crossed(self, *args: Any, **options: Any) -> Any:
        """In place of the module whose output crosses."""
        return (self.crossing,) if self.cut.place in self.cut.nested else self.crossing

    def dead(self, path: str, *args: Any, **options: Any) -> Any:
        """In place of a module below: its shape, and nothing that could be used."""
        shape = self.cut.below[path].of(*self.size)
        nonsense = torch.full([1] * len(shape), torch.nan, device=self.crossing.device).expand(shape)
        return (nonsense,) if path in self.cut.nested else nonsense


class Below(nn.Module):
    """The part of a backbone up to a cut, as a backbone of its own: inputs to what crosses, (N, ...)."""

    def __init__(self, backbone: nn.Module, cut: Cut) -> None:
        super().__init__()
        self.backbone = backbone
        self._place = cut.place

    def forward(self, *inputs: Tensor) -> Tensor:
        """What crosses the cut; nothing above it runs."""
        if not self._place:
            features: Tensor = self.backbone(*inputs)
            return features
        handle = self.backbone.get_submodule(self._place).register_forward_hook(_stop, prepend=True)
        try:
            self.backbone(*inputs)
        except _Reached as reached:
            return reached.output
        finally:
            handle.remove()
        raise RuntimeError(f"{self._place} was not reached")


class _Reached(Exception):
    def __init__(self, output: Tensor) -> None:
        self.output = output


def _stop(module: nn.Module, args: Any, output: Any) -> None:
    raise _Reached(output[0] if isinstance(output, tuple) else output)


def _whole(activation: Tensor, *inputs: Tensor) -> Tensor:
    """Where everything is below the cut, what crosses are the features."""
    return activation


def find_cut(backbone: nn.Module, example: tuple[Tensor, ...], form: Preprocess) -> Cut | None:
    """The highest cut below everything that learns; None where there is none, or nothing to save.

    example   the inputs of one row, the longest that there will be
    form      what says how they are made larger, and what of them matters above a cut
    """
    modes = [(module, module.training) for module in backbone.modules()]
    backbone.eval()
    try:
        return _found(backbone, [form.resized(example, *size) for size in _SIZES], form, example)
    finally:
        for module, mode in modes:
            module.training = mode


def _found(
    backbone: nn.Module, batches: list[tuple[Tensor, ...]], form: Preprocess, longest: tuple[Tensor, ...]
) -> Cut | None:
    frozen = list(_frozen(backbone, ""))
    runs = [_recorded(backbone, frozen, inputs) for inputs in batches]
    if [path for path, _ in runs[0].calls] != [path for path, _ in runs[1].calls]:
        return None
    once = [path for path, _ in runs[0].calls]
    shapes = {
        path: shape
        for (path, smaller), (_, larger) in zip(runs[0].calls, runs[1].calls, strict=True)
        if once.count(path) == 1 and (shape := _shape(smaller, larger)) is not None
    }
    nested = frozenset(path for path, output in runs[0].calls if isinstance(output, tuple))
    order = [path for path in once if path in shapes]
    for place in reversed(order):
        if not any(True for _ in backbone.get_submodule(place).parameters()) or not shapes[place].in_rows:
            continue
        below = {path: shapes[path] for path in order[: order.index(place)]}
        cut = Cut(place, shapes[place], below, nested, form)
        if all(_holds(backbone, cut, run, inputs) for run, inputs in zip(runs, batches, strict=True)):
            return cut if _fits(backbone, cut, longest) and _saves(backbone, cut, batches[0]) else None
    return None


def _fits(backbone: nn.Module, cut: Cut, longest: tuple[Tensor, ...]) -> bool:
    """Whether what crosses has the shape of the cut for the longest input too. It need not where both batches that were
    tried are shorter than the least that a network computes."""
    if cut.form.shape is not None or -1 in cut.shape.sizes:
        return True
    with torch.no_grad():
        crossing = Below(backbone, cut)(*longest)
    return list(crossing.shape) == cut.shape.of(len(longest[0]), cut.form.measure(longest))


def _saves(backbone: nn.Module, cut: Cut, inputs: tuple[Tensor, ...]) -> bool:
    """Whether a fair share of the arithmetic is below the cut."""
    from torch.utils.flop_counter import FlopCounterMode  # brings triton with it

    with torch.no_grad():
        with FlopCounterMode(display=False) as whole:
            backbone(*inputs)
        with FlopCounterMode(display=False) as below:
            Below(backbone, cut)(*inputs)
    return bool(below.get_total_flops() >= _LEAST * whole.get_total_flops())


class _Recorded(NamedTuple):
    """One pass: what frozen modules put out before anything that learns was used, and the features."""

    calls: list[tuple[str, Any]]
    features: Tensor


class _Record:
    """What modules put out, until one is called whose weights learn."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.learning = False

    def begun(self, module: nn.Module, args: Any) -> None:
        self.learning = True

    def ended(self, path: str, module: nn.Module, args: Any, output: Any) -> None:
        if not self.learning and not _learns(output):
            self.calls.append((path, output))


def _recorded(backbone: nn.Module, frozen: list[str], inputs: tuple[Tensor, ...]) -> _Recorded:
    record = _Record()
    handles = [
        backbone.get_submodule(path).register_forward_hook(partial(record.ended, path), prepend=True) for path in frozen
    ]
    handles += [
        module.register_forward_pre_hook(record.begun)
        for module in backbone.modules()
        if any(weights.requires_grad for weights in module.parameters(recurse=False))
    ]
    try:
        # Gradients tell what came of weights whose layer was never called; what they would be made of is not kept.
        with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(_nothing, torch.as_tensor):
            features = backbone(*inputs).detach()
        return _Recorded(record.calls, features)
    finally:
        for handle in handles:
            handle.remove()


def _nothing(saved: object) -> None:
    """In place of a tensor that only a backward pass would need."""


def _learns(output: Any) -> bool:
    if isinstance(output, tuple):
        return any(map(_learns, output))
    return isinstance(output, Tensor) and output.requires_grad


def _holds(backbone: nn.Module, cut: Cut, run: _Recorded, inputs: tuple[Tensor, ...]) -> bool:
    """Whether the features come out the same from what crosses alone."""
    output = dict(run.calls)[cut.place]
    crossing = output[0] if isinstance(output, tuple) else output
    with cut.above(backbone) as above, torch.no_grad():
        try:
            features = above(crossing, *cut.form.blank(inputs))
        except _FOREIGN:
            return False
    if features.shape != run.features.shape:
        return False
    return bool((features - run.features).abs().max() <= 1e-4 * run.features.abs().max())  # never so where one is NaN


def _frozen(module: nn.Module, path: str) -> Iterator[str]:
    """The outermost modules without a learning weight."""
    if not any(weights.requires_grad for weights in module.parameters()):
        yield path
        return
    for name, child in module.named_children():
        yield from _frozen(child, f"{path}.{name}" if path else name)


def _shape(smaller: Any, larger: Any) -> Shape | None:
    """What two batches of different size have in common; None where the output is no single tensor of them."""
    pair = [output[0] if isinstance(output, tuple) and len(output) == 1 else output for output in (smaller, larger)]
    if not all(isinstance(output, Tensor) and output.is_floating_point() for output in pair):
        return None
    first, second = (tuple(output.shape) for output in pair)
    if len(first) != len(second):
        return None
    sizes: list[int | None] = []
    for a, b in zip(first, second, strict=True):
        if a == b:
            sizes.append(a)
        elif (a, b) == (_SIZES[0][0], _SIZES[1][0]):
            sizes.append(None)
        elif (a, b) == (_SIZES[0][1], _SIZES[1][1]):
            sizes.append(-1)
        else:
            return None
    return Shape(tuple(sizes))
