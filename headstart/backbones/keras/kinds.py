"""The layers of Keras that are known here: what of their options counts, the module of torch, where weights go.

A layer of another kind, such as a Lambda layer or one of the user's own, has code that nobody runs here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from headstart.backbones.keras import arrays
from headstart.backbones.keras.modules import (
    ACTIVATIONS,
    BGR,
    Affine,
    Convolution,
    Joined,
    LastAxis,
    LayerScale,
    Norm,
    Pool,
    Reshape,
)
from headstart.tasks.task import Array

__all__ = ["KINDS", "Kind", "Shape", "Unsupported"]

Shape = tuple[int, ...]
"""Of one input, without the row: (C, H, W) or (D,)."""


class Kind(NamedTuple):
    """options   from a layer's configuration and the shapes of its inputs to JSON that `build` takes
    build     from these to the module
    weights   from these and the layer's arrays, as Keras orders them, to tensors by name in the module"""

    options: Callable[[dict[str, Any], Sequence[Shape]], dict[str, Any]]
    build: Callable[[dict[str, Any]], nn.Module]
    weights: Callable[[dict[str, Any], Sequence[Array]], dict[str, Array]] | None = None


class Unsupported(ValueError):
    """A layer, or an option of one, that is not known here."""


def _pair(value: Any) -> list[int]:
    return [int(value)] * 2 if isinstance(value, int) else [int(part) for part in value]


def _activation(config: dict[str, Any], key: str = "activation") -> str:
    value = config.get(key) or "linear"
    name = value.get("class_name", value.get("config")) if isinstance(value, dict) else value
    if name not in ACTIVATIONS:
        raise Unsupported(f"activation {name!s:.60}")
    return str(name)


def _last(config: dict[str, Any]) -> None:
    if config.get("data_format", "channels_last") != "channels_last":
        raise Unsupported("data_format channels_first")


def _padding(config: dict[str, Any]) -> bool:
    if config.get("padding", "valid") not in ("same", "valid"):
        raise Unsupported(f"padding {config['padding']!r}")
    return bool(config.get("padding") == "same")


def _conv_options(config: dict[str, Any], shapes: Sequence[Shape]) -> dict[str, Any]:
    _last(config)
    return {
        "channels": shapes[0][0],
        "filters": config.get("filters", 0),
        "kernel": _pair(config["kernel_size"]),
        "stride": _pair(config["strides"]),
        "dilation": _pair(config.get("dilation_rate", 1)),
        "groups": config.get("groups", 1),
        "multiplier": config.get("depth_multiplier", 1),
        "same": _padding(config),
        "bias": bool(config.get("use_bias", True)),
        "activation": _activation(config),
    }


def _conv(options: dict[str, Any], depthwise: bool, filters: int, *, bias: bool) -> nn.Conv2d:
    channels = options["channels"]
    return nn.Conv2d(
        channels,
        channels * options["multiplier"] if depthwise else filters,
        tuple(options["kernel"]),
        stride=tuple(options["stride"]),
        dilation=tuple(options["dilation"]),
        groups=channels if depthwise else options["groups"],
        bias=bias,
    )


def _convolution(options: dict[str, Any], *, depthwise: bool = False) -> nn.Module:
    layer = _conv(options, depthwise, options["filters"], bias=options["bias"])
    return Convolution([layer], same=options["same"], activation=options["activation"])


def _separable(options: dict[str, Any]) -> nn.Module:
    depthwise = _conv(options, True, 0, bias=False)
    pointwise = nn.Conv2d(depthwise.out_channels, options["filters"], 1, bias=options["bias"])
    return Convolution([depthwise, pointwise], same=options["same"], activation=options["activation"])


def _dense_options(config: dict[str, Any], shapes: Sequence[Shape]) -> dict[str, Any]:
    return {
        "inputs": _width(shapes[0]),
        "units": config["units"],
        "bias": bool(config.get("use_bias", True)),
        "activation": _activation(config),
    }


def _dense(options: dict[str, Any]) -> nn.Module:
    layer = nn.Linear(options["inputs"], options["units"], bias=options["bias"])
    return LastAxis(layer, options["activation"])


def _width(shape: Shape) -> int:
    """How many channels, or columns."""
    return shape[0] if len(shape) == 3 else shape[-1]


def _channel_axis(config: dict[str, Any], shape: Shape) -> None:
    axis = config.get("axis", -1)
    axis = axis[0] if isinstance(axis, list | tuple) and len(axis) == 1 else axis
    if axis not in (-1, len(shape)):
        raise Unsupported(f"axis {axis}")


def _norm_options(config: dict[str, Any], shapes: Sequence[Shape]) -> dict[str, Any]:
    _channel_axis(config, shapes[0])
    if config.get("renorm") or config.get("rms_scaling"):
        raise Unsupported("renorm or rms_scaling")
    return {
        "channels": _width(shapes[0]),
        "map": len(shapes[0]) == 3,
        "epsilon": float(config["epsilon"]),
        "momentum": float(config.get("momentum", 0.99)),
        "scale": bool(config.get("scale", True)),
        "center": bool(config.get("center", True)),
    }


def _batch_norm(options: dict[str, Any]) -> nn.Module:
    norm = nn.BatchNorm2d if options["map"] else nn.BatchNorm1d
    return norm(options["channels"], eps=options["epsilon"], momentum=1 - options["momentum"])


def _layer_norm(options: dict[str, Any]) -> nn.Module:
    return LastAxis(nn.LayerNorm(options["channels"], eps=options["epsilon"]), "linear")


def _normalization(config: dict[str, Any], shapes: Sequence[Shape]) -> dict[str, Any]:
    _channel_axis(config, shapes[0])
    if config.get("invert"):
        raise Unsupported("invert")
    known = ("mean", "variance") if config.get("mean") is not None else ()
    return {"channels": _width(shapes[0])} | {key: np.ravel(config[key]).astype(float).tolist() for key in known}


def _normalization_module(options: dict[str, Any]) -> nn.Module:
    module = Norm(options["channels"])
    if "mean" in options:
        module.mean.copy_(torch.tensor(options["mean"]))
        module.variance.copy_(torch.tensor(options["variance"]))
    return module


def _pool_options(config: dict[str, Any], shapes: Sequence[Shape]) -> dict[str, Any]:
    _last(config)
    size = _pair(config["pool_size"])
    return {"size": size, "stride": _pair(config.get("strides") or size), "same": _padding(config)}


def _pool(maximum: bool) -> Callable[[dict[str, Any]], nn.Module]:
    return lambda options: Pool(tuple(options["size"]), tuple(options["stride"]), same=options["same"], maximum=maximum)


def _global(config: dict[str, Any], shapes: Sequence[Shape]) -> dict[str, Any]:
    _last(config)
    return {"keep": bool(config.get("keepdims", False))}


def _global_pool(pool: type[nn.Module]) -> Callable[[dict[str, Any]], nn.Module]:
    return lambda options: nn.Sequential(pool(1), *([] if options["keep"] else [nn.Flatten()]))


def _zero_padding(config: dict[str, Any], shapes: Sequence[Shape]) -> dict[str, Any]:
    _last(config)
    padding = config["padding"]
    rows, columns = [padding] * 2 if isinstance(padding, int) else padding
    (top, bottom), (left, right) = _pair(rows), _pair(columns)
    return {"padding": [left, right, top, bottom]}


def _relu_options(config: dict[str, Any], shapes: Sequence[Shape]) -> dict[str, Any]:
    top, slope = config.get("max_value"), float(config.get("negative_slope") or 0)
    if config.get("threshold") or (top is not None and slope):
        raise Unsupported("threshold, or max_value with negative_slope")
    return {"top": top if top is None else float(top), "slope": slope}


def _relu(options: dict[str, Any]) -> nn.Module:
    if options["top"] is not None:
        return nn.Hardtanh(0.0, options["top"])
    return nn.LeakyReLU(options["slope"]) if options["slope"] else nn.ReLU()


def _dropout_options(config: dict[str, Any], shapes: Sequence[Shape]) -> dict[str, Any]:
    rows = config.get("noise_shape")
    return {"rate": float(config.get("rate", config.get("drop_path_rate", 0))), "rows": rows is not None}


def _dropout(options: dict[str, Any]) -> nn.Module:
    return _of_rows(options) if options["rows"] else nn.Dropout(options["rate"])


def _of_rows(options: dict[str, Any]) -> nn.Module:
    from torchvision.ops import StochasticDepth

    module: nn.Module = StochasticDepth(options["rate"], "row")
    return module


def _joined(how: str) -> Kind:
    def options(config: dict[str, Any], shapes: Sequence[Shape]) -> dict[str, Any]:
        if how == "concatenate":
            _channel_axis(config, shapes[0])
        return {"scale": float(config["scale"])} if how == "scaled" else {}

    return Kind(options, lambda options: Joined(how, options.get("scale", 1.0)))


def _nothing(config: dict[str, Any], shapes: Sequence[Shape]) -> dict[str, Any]:
    return {}


def _rescaling(config: dict[str, Any], shapes: Sequence[Shape]) -> dict[str, Any]:
    return {key: np.asarray(config.get(key, 0.0), float).tolist() for key in ("scale", "offset")}


def _reshape(config: dict[str, Any], shapes: Sequence[Shape]) -> dict[str, Any]:
    return {"shape": [int(size) for size in config["target_shape"]]}


_ACTIVATED: Callable[[dict[str, Any]], nn.Module] = lambda options: LastAxis(nn.Identity(), **options)  # noqa: E731
_VARIED = ["GaussianNoise", "GaussianDropout", "ActivityRegularization", "RandomFlip", "RandomRotation", "RandomZoom"]
_VARIED += ["RandomTranslation", "RandomContrast", "RandomBrightness"]
_SAME = Kind(_nothing, lambda options: nn.Identity())
KINDS: dict[str, Kind] = {
    "BGR": Kind(_nothing, lambda options: BGR()),
    "Conv2D": Kind(_conv_options, _convolution, arrays.convolution(False)),
    "DepthwiseConv2D": Kind(_conv_options, partial(_convolution, depthwise=True), arrays.convolution(True)),
    "SeparableConv2D": Kind(_conv_options, _separable, arrays.separable),
    "Dense": Kind(_dense_options, _dense, arrays.dense),
    "BatchNormalization": Kind(_norm_options, _batch_norm, arrays.batch_norm),
    "LayerNormalization": Kind(_norm_options, _layer_norm, arrays.layer_norm),
    "Normalization": Kind(_normalization, _normalization_module, arrays.normalization),
    "LayerScale": Kind(
        lambda config, shapes: {"channels": config["projection_dim"], "initial": float(config["init_values"])},
        lambda options: LayerScale(options["channels"], options["initial"]),
        arrays.layer_scale,
    ),
    "Activation": Kind(lambda config, shapes: {"activation": _activation(config)}, _ACTIVATED),
    "Softmax": Kind(lambda config, shapes: {"activation": "softmax"}, _ACTIVATED),
    "ReLU": Kind(_relu_options, _relu),
    "LeakyReLU": Kind(
        lambda config, shapes: {"top": None, "slope": float(config.get("negative_slope", config.get("alpha", 0.3)))},
        _relu,
    ),
    "ELU": Kind(lambda config, shapes: {"alpha": float(config.get("alpha", 1))}, lambda options: nn.ELU(**options)),
    "MaxPooling2D": Kind(_pool_options, _pool(True)),
    "AveragePooling2D": Kind(_pool_options, _pool(False)),
    "GlobalAveragePooling2D": Kind(_global, _global_pool(nn.AdaptiveAvgPool2d)),
    "GlobalMaxPooling2D": Kind(_global, _global_pool(nn.AdaptiveMaxPool2d)),
    "ZeroPadding2D": Kind(_zero_padding, lambda options: nn.ZeroPad2d(tuple(options["padding"]))),
    "Flatten": Kind(_nothing, lambda options: Reshape(None)),
    "Reshape": Kind(_reshape, lambda options: Reshape(options["shape"])),
    "Rescaling": Kind(_rescaling, lambda options: Affine(options["scale"], options["offset"])),
    "Dropout": Kind(_dropout_options, _dropout),
    "SpatialDropout2D": Kind(_dropout_options, lambda options: nn.Dropout2d(options["rate"])),
    "StochasticDepth": Kind(_dropout_options, _of_rows),
    "CustomScaleLayer": _joined("scaled"),
    **{how.title(): _joined(how) for how in ("add", "subtract", "multiply", "average", "maximum", "minimum")},
    "Concatenate": _joined("concatenate"),
    **dict.fromkeys(_VARIED, _SAME),
}
"""By the name of their class in Keras; what only varies inputs in training does nothing here."""
