"""Pictures: the networks of torchvision (Marcel and Rodriguez, 2010), with weights from a file or torchvision's folder.

The classifier is left off, and so are auxiliary ones. The preprocessing is that of the weights' own `transforms`.
"""

from __future__ import annotations

import hashlib
import re
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from headstart.backbones.options import seed_of, side_of, weights_file
from headstart.backbones.parts import Parts
from headstart.backbones.randomness import Undrawn, seeded
from headstart.backbones.weights import fill, parse_weights
from headstart.errors import BackboneError, MissingWeights
from headstart.messages import nearest
from headstart.preprocessing.spec import PicturePreprocess

__all__ = ["ABOUT", "KEYS", "OPTIONS", "build", "from_name"]

ABOUT = "torchvision:NAME or torchvision:NAME?weights=FILE, pictures, for example torchvision:resnet50"
KEYS = ("architecture", "args")
OPTIONS = ("weights", "seed", "size")
_CONTAINERS = {"features", "encoder", "layers", "classifier", "heads", "trunk_output", "blocks"}
"""Modules whose children are stages; any other child of a network is one stage."""

_AUXILIARY = ("aux1.", "aux2.", "AuxLogits.")
_OLD_DENSE = re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.([12])\.")
_SIZED = {"vit": "image_size", "maxvit": "input_size"}
_ALLOWED = {"image_size", "input_size", "transform_input", "aux_logits", "init_weights"}


def build(spec: dict[str, Any]) -> nn.Module:
    """The network of {"hub": "torchvision", "architecture", "args"} without classifier: (N, 3, H, W) -> (N, D)."""
    import torchvision.models as models

    if spec["architecture"] not in _networks() or spec["args"].keys() - _ALLOWED:
        raise BackboneError(f"torchvision cannot build {spec['architecture']!r} with {sorted(spec['args'])}.")
    network: nn.Module = models.get_model(spec["architecture"], weights=None, **spec["args"])
    last = _classifier(network)
    parent, _, child = last.rpartition(".")
    # SqueezeNet's classifier is a convolution over the map, of which the mean is left.
    setattr(network.get_submodule(parent), child, nn.Identity() if _linears(network) else nn.AdaptiveAvgPool2d(1))
    # As a value of its own: the names of the parameters, so that a copy of the network does not hold on to this one.
    network.__dict__["parameter_groups"] = partial(list, _groups(network))
    return network


def from_name(name: str, options: dict[str, str]) -> Parts:
    """Of "resnet50", or "resnet50.IMAGENET1K_V2" with the tag of torchvision's weights.

    weights   a file: torchvision's own, or a state_dict of this network with any number of classes; "random" with
              seed; without it, torchvision's file in its folder on this machine
    size      pixels of a side, where it is not that of the weights
    """
    architecture, _, tag = name.partition(".")
    full = f"torchvision:{name}"
    weights = _enum(architecture, tag, options.get("weights", ""))
    preprocess = _preprocess(full, weights.transforms(), options)
    args: dict[str, Any] = {"transform_input": True, "aux_logits": False, "init_weights": False}
    if architecture not in ("inception_v3", "googlenet"):
        key = _SIZED.get(architecture.partition("_")[0])
        sized = preprocess.size if key == "input_size" else preprocess.size[0]
        args = {key: sized} if key else {}
    spec = {"hub": "torchvision", "architecture": architecture, "args": args}
    seed = seed_of(full, options)
    if seed is not None:
        with seeded(seed):
            return Parts(f"{full}?weights=random&seed={seed}", spec, build(spec), preprocess)
    if "weights" in options:
        file = weights_file(full, options["weights"])
    else:
        full, file = f"torchvision:{architecture}.{weights.name}", _own_file(f"torchvision:{name}", weights)
    with seeded(0), Undrawn():
        module = build(spec)
    fill(module, _tensors(file, architecture), f"{full}: {file}")
    query = f"?weights={file}" if "weights" in options else ""
    return Parts(full + query, spec, module, preprocess, str(weights.meta.get("license") or "BSD-3-Clause"))


def _networks() -> list[str]:
    import torchvision.models as models

    names: list[str] = models.list_models(module=models)
    return [name for name in names if not name.startswith("quantized")]


def _enum(architecture: str, tag: str, file: str) -> Any:
    """torchvision's description of weights: of this tag, else those that the file has the name of, else its default."""
    import torchvision.models as models

    names = _networks()
    if architecture not in names:
        near = nearest(architecture, names, count=3) or "none"
        raise BackboneError(f"torchvision:{architecture}: torchvision has no such network; nearest: {near}.")
    entries = models.get_model_weights(architecture)
    if tag:
        if tag not in entries.__members__:
            raise BackboneError(
                f"torchvision:{architecture}: no weights tagged {tag!r}; expected {', '.join(entries.__members__)}."
            )
        return entries[tag]
    return next((entry for entry in entries if file and _file_name(entry) == Path(file).name), entries.DEFAULT)


def _preprocess(name: str, transforms: Any, options: dict[str, str]) -> PicturePreprocess:
    (crop,), (resize,) = transforms.crop_size, transforms.resize_size
    side = side_of(name, options, crop)
    return PicturePreprocess(
        size=(side, side),
        resize=max(side, round(resize * side / crop)),
        interpolation=transforms.interpolation.value,
        mean=tuple(transforms.mean),
        std=tuple(transforms.std),
    )


def _own_file(name: str, weights: Any) -> Path:
    """torchvision's own file where it keeps it on this machine; `MissingWeights` says how to fetch it."""
    from torch.hub import get_dir

    folder = Path(get_dir()) / "checkpoints"
    file = folder / _file_name(weights)
    if not file.is_file():
        raise MissingWeights(
            f"{name}: {file.name} is not on this machine. Looked in {folder}. On a machine with a network: "
            f"`curl -LO {weights.url}`; then copy that file here and say {name}?weights=path/to/{file.name}."
        )
    return file


def _tensors(file: Path, architecture: str) -> dict[str, Tensor]:
    """The file's tensors, without those of its classifiers. A name of torchvision's says the hash of the content."""
    data = file.read_bytes()
    digest = re.search(r"-([0-9a-f]{8,})\.pth$", file.name)
    if digest and not hashlib.sha256(data).hexdigest().startswith(digest[1]):
        raise BackboneError(f"{file}: its SHA-256 does not begin with {digest[1]}: half a file? Fetch it again.")
    tensors = {_OLD_DENSE.sub(r"\1\2.", name): tensor for name, tensor in parse_weights(data, str(file)).items()}
    import torchvision.models as models

    with Undrawn():
        last = _classifier(models.get_model(architecture, weights=None, **_unfilled(architecture)))
    return {name: tensor for name, tensor in tensors.items() if not name.startswith((*_AUXILIARY, f"{last}."))}


def _unfilled(architecture: str) -> dict[str, bool]:
    return {"init_weights": False} if architecture in ("inception_v3", "googlenet") else {}


def _file_name(weights: Any) -> str:
    return str(weights.url).rpartition("/")[2]


def _linears(network: nn.Module) -> list[str]:
    return [path for path, module in network.named_modules() if isinstance(module, nn.Linear)]


def _classifier(network: nn.Module) -> str:
    """The path of the layer that tells the classes apart: the last linear one."""
    return (_linears(network) or ["classifier"])[-1]


def _groups(network: nn.Module) -> list[list[str]]:
    """The names of the parameters, stage by stage."""
    groups: dict[str, list[str]] = {}
    for name, _ in network.named_parameters():
        parts = name.split(".")
        depth = 1
        while depth < len(parts) - 1 and parts[depth - 1] in _CONTAINERS:
            depth += 1
        # A token or position of a network's own belongs to what stands before its layers.
        own = depth == len(parts) or parts[depth - 1] in _CONTAINERS
        groups.setdefault("" if own else ".".join(parts[:depth]), []).append(name)
    first, *others = [names for key, names in groups.items() if key] or [[]]
    return [[*first, *groups.get("", [])], *others]
