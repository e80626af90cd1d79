"""How pixels are scaled before a network, where a file does not say it: by one of the ways that are known by name."""

from __future__ import annotations

from headstart.errors import BackboneError
from headstart.preprocessing.spec import PicturePreprocess

__all__ = ["FLIPPED", "MODES", "mode_of", "scaled"]

FLIPPED = "caffe"
"""Takes blue, green and red; a network is told so, since a preprocessing has no order of colours."""

_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_CAFFE = (123.68 / 255, 116.779 / 255, 103.939 / 255)
_BYTE = 1 / 255
_SCALES: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "caffe": (_CAFFE, (_BYTE, _BYTE, _BYTE)),
    "tf": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    "torch": _IMAGENET,
    "unit": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
    "none": ((0.0, 0.0, 0.0), (_BYTE, _BYTE, _BYTE)),
}
MODES = tuple(_SCALES)
"""How Keras scales pixels before a network: blue, green and red less their means (caffe), to [-1, 1] (tf), to [0, 1]
and standardised (torch), to [0, 1] (unit), or not at all (none)."""


def scaled(mode: str, size: tuple[int, int]) -> PicturePreprocess:
    """Of one of `MODES`. The order of the colours is the network's own matter, see `convert`."""
    mean, std = _SCALES[mode]
    return PicturePreprocess(size=size, resize=min(size), interpolation="bilinear", mean=mean, std=std, squash=True)


def mode_of(name: str, options: dict[str, str], otherwise: str | None) -> str:
    """What a name says, else this; `BackboneError` where neither does: it is never guessed."""
    mode = options.get("preprocess", otherwise)
    if mode is None:
        raise BackboneError(
            f"{name}: the model does not say how its pixels are scaled. Say it: {name}?preprocess=MODE, with caffe "
            "(VGG, ResNet), tf (to -1 and 1), torch (ImageNet's mean and deviation), unit (x / 255) or none."
        )
    if mode not in MODES:
        raise BackboneError(f"{name}: preprocess={mode}; expected {', '.join(MODES)}.")
    return mode
