"""Pictures: a model of one's own that Keras saved, as model.keras or model.h5: without its classifier a backbone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from headstart.backbones.keras.applications import application_named
from headstart.backbones.keras.convert import POOLINGS, Converted, convert, tensors
from headstart.backbones.keras.flatten import Flat, flatten
from headstart.backbones.keras.graph import build
from headstart.backbones.keras.hdf5 import arrays_of, configuration
from headstart.backbones.keras.kinds import Unsupported
from headstart.backbones.options import side_of, weights_file
from headstart.backbones.parts import Parts
from headstart.backbones.pixel_scales import FLIPPED, mode_of, scaled
from headstart.backbones.randomness import Undrawn, seeded
from headstart.backbones.weights import fill
from headstart.errors import BackboneError

__all__ = ["OPTIONS", "SUFFIXES", "from_file"]

SUFFIXES = (".keras", ".h5", ".hdf5")
OPTIONS = ("preprocess", "size", "pooling")
_SCALING = ("Rescaling", "Normalization")


def from_file(path: str, options: dict[str, str]) -> Parts:
    """The parts of a file of a whole model; no code of the file is run, so that Lambda layers are refused.

    preprocess   of `pixel_scales.MODES`; not needed where the model scales its pixels itself, or has a network of
                 keras.applications in it
    size         pixels of a side, where the model takes any
    pooling      of the last map, where it ends in one: avg (as it is by default), max or flatten
    """
    name = f"file:{path}"
    file = weights_file(name, path)
    model = configuration(file, name)
    if model is None:
        raise BackboneError(
            f"{name}: holds weights alone, and not how the network is built: say keras:NAME?weights={path} for one of "
            "keras.applications, or save the whole model: model.save('model.keras')."
        )
    pooling = options.get("pooling", "avg")
    if pooling not in POOLINGS:
        raise BackboneError(f"{name}: pooling={pooling}; expected {', '.join(POOLINGS)}.")
    try:
        flat = flatten(model)
        mode, size = mode_of(name, options, _own_mode(flat)), _size(name, flat, options)
        converted = convert(flat, size, pooling=pooling, flip=mode == FLIPPED)
    except (Unsupported, KeyError, TypeError, IndexError, AttributeError) as error:
        raise BackboneError(f"{name}: a Keras model with {_words(error)}; that is not supported.") from error
    query = "&".join(f"{key}={value}" for key, value in options.items())
    full = f"{name}?{query}" if query else name
    return Parts(full, converted.spec, _filled(converted, file, name), scaled(mode, size))


def _filled(converted: Converted, file: Path, name: str) -> Any:
    with seeded(0), Undrawn():
        module = build(converted.spec)
    fill(module, tensors(converted, arrays_of(file, converted.layers, name), name), name)
    return module


def _own_mode(flat: Flat) -> str | None:
    """How the model wants its pixels to be scaled, as far as its layers say it."""
    first = next((layer for layer in flat.layers if layer.kind not in _NOTHING), None)
    if first is not None and first.kind in _SCALING:
        return "none"
    rows = [row for row in map(application_named, flat.models) if row is not None]
    return rows[0].mode if len(rows) == 1 else None


_NOTHING = ("RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation", "RandomContrast", "RandomBrightness")


def _size(name: str, flat: Flat, options: dict[str, str]) -> tuple[int, int]:
    height, width = flat.side
    if height and width:
        if "size" in options:
            raise BackboneError(f"{name}: the model takes pictures of {height} x {width}; leave size out.")
        return height, width
    side = side_of(name, options, 224)
    return side, side


def _words(error: Exception) -> str:
    return str(error) if isinstance(error, Unsupported) else f"a description that lacks something ({error!r})"
