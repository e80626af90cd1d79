"""Pictures: the networks of keras.applications, each with the preprocessing and the size that it was trained with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from headstart.backbones.keras.convert import POOLINGS, convert, tensors
from headstart.backbones.keras.flatten import Flat, flatten
from headstart.backbones.keras.graph import build
from headstart.backbones.keras.hdf5 import arrays_of, configuration
from headstart.backbones.keras.kinds import Unsupported
from headstart.backbones.options import seed_of, side_of, weights_file
from headstart.backbones.parts import Parts
from headstart.backbones.pixel_scales import FLIPPED, scaled
from headstart.backbones.randomness import Undrawn, seeded
from headstart.backbones.weights import fill
from headstart.errors import BackboneError, MissingWeights
from headstart.messages import nearest

__all__ = ["ABOUT", "APPLICATIONS", "OPTIONS", "Application", "application_named", "from_name"]

ABOUT = "keras:NAME?weights=FILE, pictures, a network of keras.applications, for example keras:VGG16"
OPTIONS = ("weights", "seed", "size", "pooling")
_PATIENCE = 600.0
_KERNELS = "{}_weights_tf_dim_ordering_tf_kernels_notop.h5"
_B_SIDES = (224, 240, 260, 300, 380, 456, 528, 600)


class Application(NamedTuple):
    """mode   how it scales pixels, see `pixel_scales`       side   of its pictures in pixels
    file   of its weights without classifier, as Keras names it"""

    mode: str
    side: int
    file: str


APPLICATIONS: dict[str, Application] = {
    **{name: Application("caffe", 224, _KERNELS.format(name.lower())) for name in ("VGG16", "VGG19")},
    **{f"ResNet{n}": Application("caffe", 224, _KERNELS.format(f"resnet{n}")) for n in (50, 101, 152)},
    **{f"ResNet{n}V2": Application("tf", 224, _KERNELS.format(f"resnet{n}v2")) for n in (50, 101, 152)},
    "InceptionV3": Application("tf", 299, _KERNELS.format("inception_v3")),
    "InceptionResNetV2": Application("tf", 299, _KERNELS.format("inception_resnet_v2")),
    "Xception": Application("tf", 299, _KERNELS.format("xception")),
    "MobileNet": Application("tf", 224, "mobilenet_1_0_224_tf_no_top.h5"),
    "MobileNetV2": Application("tf", 224, "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5"),
    **{
        f"MobileNetV3{size}": Application(
            "none", 224, f"weights_mobilenet_v3_{size.lower()}_224_1.0_float_no_top_v2.h5"
        )
        for size in ("Small", "Large")
    },
    **{f"EfficientNetB{n}": Application("none", side, f"efficientnetb{n}_notop.h5") for n, side in enumerate(_B_SIDES)},
    **{
        f"EfficientNetV2{size}": Application("none", side, f"efficientnetv2-{size.lower()}_notop.h5")
        for size, side in (("B0", 224), ("B1", 240), ("B2", 260), ("B3", 300), ("S", 384), ("M", 480), ("L", 480))
    },
    **{f"DenseNet{n}": Application("torch", 224, _KERNELS.format(f"densenet{n}")) for n in (121, 169, 201)},
    **{
        f"ConvNeXt{size}": Application("none", 224, f"convnext_{size.lower()}_notop.h5")
        for size in ("Tiny", "Small", "Base", "Large", "XLarge")
    },
}


def application_named(name: str) -> Application | None:
    """The application whose model Keras gives this name, such as mobilenetv2_1.00_224; None for another one."""
    plain = name.lower().replace("_", "").replace("-", "").partition("1.00")[0]
    return next((row for key, row in APPLICATIONS.items() if key.lower() == plain), None)


def from_name(name: str, options: dict[str, str]) -> Parts:
    """Of a network of `APPLICATIONS`, without its classifier.

    weights   a file of Keras: .weights.h5, .h5 or .keras, with the classifier or without; "random" with seed; without
              it Keras's own file in its folder on this machine
    size      pixels of a side
    pooling   of the last map: avg (as it is by default), max or flatten
    """
    full = f"keras:{name}"
    if name not in APPLICATIONS:
        near = nearest(name, APPLICATIONS, count=3) or "none"
        raise BackboneError(f"{full}: not one of the networks of keras.applications known here; nearest: {near}.")
    application = APPLICATIONS[name]
    side, pooling = side_of(full, options, application.side), options.get("pooling", "avg")
    if pooling not in POOLINGS:
        raise BackboneError(f"{full}: pooling={pooling}; expected {', '.join(POOLINGS)}.")
    seed = seed_of(full, options)
    file = None if seed is not None else _file(full, options.get("weights"), application)
    preprocess = scaled(application.mode, (side, side))
    try:
        flat = _described(file, full, application) or flatten(
            _configuration(name, side, pooling if pooling != "flatten" else "")
        )
        converted = convert(flat, (side, side), pooling=pooling, flip=application.mode == FLIPPED)
    except Unsupported as error:
        raise BackboneError(f"{full}: this version of Keras builds it with {error}.") from error
    query = "&".join(f"{key}={value}" for key, value in options.items())
    full = f"{full}?{query}" if query else full
    if file is None:
        with seeded(seed or 0):
            return Parts(full, converted.spec, build(converted.spec), preprocess, "Apache-2.0")
    with seeded(0), Undrawn():
        module = build(converted.spec)
    fill(module, tensors(converted, arrays_of(file, converted.layers, full), f"{full}: {file}"), f"{full}: {file}")
    return Parts(full, converted.spec, module, preprocess, "Apache-2.0")


def _file(full: str, given: str | None, application: Application) -> Path:
    if given is not None:
        return weights_file(full, given)
    folder = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "models"
    if not (folder / application.file).is_file():
        name = full.partition(":")[2]
        raise MissingWeights(
            f"{full}: {application.file} is not on this machine. Looked in {folder}. On a machine with a network: "
            f'`python -c "import keras; keras.applications.{name}(include_top=False)"`; then copy that file from '
            f"~/.keras/models here and say {full}?weights=path/to/{application.file}."
        )
    return folder / application.file


def _described(file: Path | None, full: str, application: Application) -> Flat | None:
    """What a file with weights says itself about how the network is built; None where it does not, or of another."""
    model = None if file is None else configuration(file, full)
    flat = None if model is None else flatten(model)
    return flat if flat is not None and application_named(flat.models[0]) == application else None


@lru_cache(maxsize=8)
def _configuration(name: str, side: int, pooling: str) -> dict[str, Any]:
    """What Keras builds under this name, asked of a process of its own."""
    if find_spec("keras") is None:
        raise BackboneError(
            f"keras:{name}: Keras says how this network is built: pip install 'headstart[keras]' (TensorFlow is not "
            "needed). A .keras file says so itself: file:MODEL.keras."
        )
    child = Path(__file__).with_name("child.py")
    ended = subprocess.run(
        [sys.executable, "-P", str(child), name, str(side), pooling],
        capture_output=True,
        timeout=_PATIENCE,
        check=False,
    )
    if ended.returncode:
        last = ended.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["no reason given"]
        raise BackboneError(f"keras:{name}: Keras does not build it with {side} pixels a side: {last[0][:300]}.")
    model: dict[str, Any] = json.loads(ended.stdout)
    return model
