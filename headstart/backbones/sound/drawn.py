"""Networks of sounds by their sizes, with random weights, or with those of a file in a public layout.

    wavenet:10x3-64    10 layers in each of 3 stacks, 64 channels   `wavenet`
    cbhg:128           128 units                                    `tacotron`
    tacotron2:512      512 units                                    `tacotron`

With "?weights=FILE" behind it the sizes are those of the file: a WaveNet whose tensors are called first_conv, and
conv_layers.0.conv, .conv1x1_out and .conv1x1_skip; a Tacotron 2 whose tensors are called encoder.convolutions.0.0.conv,
.0.1 and encoder.lstm; each alone or under "state_dict", as their public implementations for torch save them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from headstart.backbones.parts import Parts
from headstart.backbones.randomness import seeded
from headstart.backbones.sound import tacotron, wavenet
from headstart.backbones.sound.networks import build
from headstart.backbones.weights import fill, nested_weights, parse_weights
from headstart.errors import BackboneError, MissingWeights
from headstart.preprocessing.sound import SoundPreprocess

__all__ = ["ABOUT", "from_name"]

_RATE, _SECONDS = 16000, 30
_Sizes = dict[str, int]


class _Kind(NamedTuple):
    """about   an example of a name, and what it is
    form      of what stands behind the colon
    sizes     from the numbers in it
    renamed   the weights of a file by the names that they have here; None where no layout is known
    of        sizes from those weights
    """

    about: str
    form: re.Pattern[str]
    sizes: Callable[..., _Sizes]
    renamed: Callable[[dict[str, Tensor]], dict[str, Tensor]] | None = None
    of: Callable[[dict[str, Tensor]], _Sizes] | None = None


def _wavenet(layers: int, stacks: int, channels: int) -> _Sizes:
    return {
        **{"residual": channels, "gate": 2 * channels, "skip": channels},
        **{"layers": layers * stacks, "stacks": stacks, "kernel": 2, "classes": 256},
    }


def _cbhg(width: int) -> _Sizes:
    return {"width": width, "bank": 16, "highways": 4}


def _tacotron2(width: int) -> _Sizes:
    return {"width": width, "layers": 3, "kernel": 5}


def _of_wavenet(weights: dict[str, Tensor]) -> _Sizes:
    conv, skip = weights["conv_layers.0.conv.weight"], weights["conv_layers.0.conv1x1_skip.weight"]
    residual, classes, _ = weights["first_conv.weight"].shape
    layers = 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("conv_layers."))
    sizes = {"residual": residual, "gate": conv.shape[0], "skip": skip.shape[0], "layers": layers}
    return sizes | {"stacks": max(1, round(layers / 10)), "kernel": conv.shape[2], "classes": classes}


def _of_tacotron2(weights: dict[str, Tensor]) -> _Sizes:
    width, _, kernel = weights["convolutions.0.conv.weight"].shape
    layers = 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("convolutions."))
    return {"width": width, "layers": layers, "kernel": kernel}


_KINDS = {
    "wavenet": _Kind(
        "wavenet:10x3-64 (layers x stacks - channels), sounds, a WaveNet with random weights, or ?weights=FILE",
        re.compile(r"(\d{1,2})x(\d{1,2})-(\d{1,4})"),
        _wavenet,
        wavenet.renamed,
        _of_wavenet,
    ),
    "cbhg": _Kind(
        "cbhg:128 (units), sounds, the encoder of Tacotron with random weights", re.compile(r"(\d{1,4})"), _cbhg
    ),
    "tacotron2": _Kind(
        "tacotron2:512 (units), sounds, the encoder of Tacotron 2 with random weights, or ?weights=FILE",
        re.compile(r"(\d{1,4})"),
        _tacotron2,
        tacotron.renamed,
        _of_tacotron2,
    ),
}

ABOUT = {hub: kind.about for hub, kind in _KINDS.items()}
"""By hub, an example of a name and what it is."""


def from_name(hub: str, name: str, file: str | None = None) -> Parts:
    """The parts of "wavenet:10x3-64" and the like; with the weights of a file where one is named."""
    kind = _KINDS[hub]
    match = kind.form.fullmatch(name)
    numbers = [int(number) for number in match.groups()] if match else [0]
    if 0 in numbers:
        raise BackboneError(f"{hub}:{name}: expected {kind.about}; each number is at least 1.")
    if file is None:
        return _parts(hub, f"{hub}:{name}?weights=random&seed=0", kind.sizes(*numbers), {})
    if kind.renamed is None or kind.of is None:
        raise BackboneError(f"{hub}:{name}?weights={file}: no layout of files is known for {hub}; expected none.")
    weights = kind.renamed(_read(file))
    try:
        sizes = kind.of(weights)
    except (KeyError, ValueError) as error:
        raise BackboneError(f"{file}: not the weights of {hub}: {error} is missing or of another shape.") from error
    if hub == "wavenet":
        sizes["stacks"] = numbers[1]  # which of its layers begins a stack does not show in the weights
    return _parts(hub, f"{hub}:{name}?weights={file}", sizes, weights)


def _parts(hub: str, name: str, sizes: _Sizes, weights: dict[str, Tensor]) -> Parts:
    spec: dict[str, Any] = {"hub": "sound", "network": hub, "sizes": sizes}
    try:
        with seeded(0):
            module = build(spec)
    except ValueError as error:
        raise BackboneError(f"{name}: {error}.") from error
    if weights:
        own = {key: value for key, value in module.state_dict().items() if key.startswith("inputs.")}
        fill(module, own | weights, name)
    preprocess = SoundPreprocess(rate=_RATE, max_samples=_SECONDS * _RATE, min_samples=_RATE // 40)
    return Parts(name, spec, module, preprocess, "Apache-2.0" if not weights else "")


def _read(file: str) -> dict[str, Tensor]:
    path = Path(file)
    if not path.is_file():
        raise MissingWeights(f"{file}: no such file; expected weights as safetensors, or as torch saves a state dict.")
    data = path.read_bytes()
    if path.suffix == ".safetensors":
        return parse_weights(data, file)
    try:
        return nested_weights(data, file, "state_dict")
    except BackboneError:
        return parse_weights(data, file)
