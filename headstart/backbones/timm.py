"""Pictures: the networks of timm (Wightman, 2019, https://github.com/huggingface/pytorch-image-models)."""

from __future__ import annotations

import csv
import re
from functools import partial
from importlib.util import find_spec
from math import floor
from pathlib import Path
from typing import Any

from torch import nn

from headstart.backbones.classifier import named
from headstart.backbones.hub import repository
from headstart.backbones.inverted_residual import PLAIN, InvertedResiduals
from headstart.backbones.parts import Labelled, Parts, Whole
from headstart.backbones.randomness import seeded
from headstart.backbones.weights import files_hash, read_weights
from headstart.errors import BackboneError
from headstart.messages import nearest
from headstart.preprocessing.config_file import read_config
from headstart.preprocessing.spec import PicturePreprocess

__all__ = ["build", "from_folder", "from_name", "imagenet_labels", "picture_preprocess", "random_weights"]

_SYNSETS = "imagenet_synsets.txt"
RESERVED = {"checkpoint_path", "pretrained", "pretrained_cfg", "pretrained_cfg_overlay", "cache_dir", "features_only"}


def build(spec: dict[str, Any]) -> nn.Module:
    """The network of {"hub": "timm", "architecture", "args"} without classifier: (N, 3, H, W) -> (N, D)."""
    if not spec["args"] and spec["architecture"] in PLAIN:
        return InvertedResiduals(PLAIN[spec["architecture"]])
    module: nn.Module = _create(spec["architecture"], {**spec["args"], "num_classes": 0})
    return module


def from_name(name: str) -> Parts:
    """Pretrained: "resnet50", "resnet50.a1_in1k" (with timm's tag), or "owner/name" of a hub repository of timm's."""
    if "/" in name:
        return from_folder(repository(name, hub="timm"), f"timm:{name}")
    architecture, config = _registered(name)
    if not config.get("hf_hub_id"):
        raise BackboneError(f"timm:{name}: no weights on the hub; give a folder, or say timm:{name}?weights=random.")
    folder = repository(config["hf_hub_id"], hub="timm")
    return _pretrained(f"timm:{architecture}.{config['tag']}", _spec(architecture, config, {}), config, folder)


def random_weights(name: str, seed: int) -> Parts:
    """The same network as `from_name` with random weights; needs nothing but timm."""
    architecture, config = _registered(name)
    spec = _spec(architecture, config, {})
    with seeded(seed):
        module = build(spec)
    return Parts(f"timm:{name}?weights=random&seed={seed}", spec, module, picture_preprocess(config))


def from_folder(folder: Path, name: str) -> Parts:
    """A folder in timm's hub format: config.json ("architecture", "pretrained_cfg", "model_args") and weights."""
    file = read_config(folder)
    architecture, registered = _registered(str(file.get("architecture")))
    try:
        config = {**registered, **file.get("pretrained_cfg", file)}
        config["num_classes"] = file.get("num_classes", config["num_classes"])
        config["tag"] = file.get("pretrained_cfg", file).get("tag")  # timm's default tag says nothing of these weights
        config |= {key: file[key] for key in ("label_names", "label_descriptions") if key in file}
        spec = _spec(architecture, config, dict(file.get("model_args", {})))
        return _pretrained(name, spec, config, folder)
    except (TypeError, ValueError, KeyError, ZeroDivisionError) as error:
        raise BackboneError(f"{folder / 'config.json'}: not timm's hub format ({error!r}); fetch it again.") from error


def imagenet_labels(subset: str) -> tuple[str, ...]:
    """The labels of a subset that timm knows, such as "imagenet-1k": "tench, Tinca tinca, n01440764" and so on.

    Words and identifiers are WordNet's (Miller, 1995; Deng et al., 2009). Those of ImageNet-1k are read without timm
    being imported, which takes seconds.
    """
    if subset == "imagenet-1k" and (package := find_spec("timm")) and package.submodule_search_locations:
        files = Path(package.submodule_search_locations[0]) / "data" / "_info"
        lemmas = (files / "imagenet_synset_to_lemma.txt").read_text("utf-8").splitlines()
        described = dict(csv.reader(lemmas, delimiter="\t"))
        return tuple(f"{described[name]}, {name}" for name in (files / _SYNSETS).read_text("utf-8").splitlines())
    from timm.data import ImageNetInfo

    info = ImageNetInfo(subset)
    return tuple(f"{info.label_name_to_description(name)}, {name}" for name in info.label_names())


def picture_preprocess(config: dict[str, Any]) -> PicturePreprocess:
    """From timm's pretrained_cfg. A squashing network sees the whole picture, without timm's own trim of its border."""
    height, width = config["input_size"][-2:]
    if config["interpolation"] not in ("bilinear", "bicubic") or config["crop_mode"] not in ("center", "squash"):
        wanted = f"interpolation {config['interpolation']!r}, crop_mode {config['crop_mode']!r}"
        raise BackboneError(f"timm: {wanted} is not supported; expected bilinear or bicubic, center or squash.")
    return PicturePreprocess(
        size=(int(height), int(width)),
        resize=floor(min(height, width) / config["crop_pct"]),
        interpolation=config["interpolation"],
        mean=_three(config["mean"]),
        std=_three(config["std"]),
        squash=config["crop_mode"] == "squash",
    )


def _pretrained(name: str, spec: dict[str, Any], config: dict[str, Any], folder: Path) -> Parts:
    preprocess = picture_preprocess(config)
    module = _whole(name, spec, config, folder)
    module.reset_classifier(0)
    labels, content = partial(_labels, config), partial(files_hash, folder)
    classifier = Whole(labels, content, partial(_classifier, name, spec, config, folder))
    return Parts(name, spec, module, preprocess, str(config.get("license") or ""), classifier)


def _classifier(name: str, spec: dict[str, Any], config: dict[str, Any], folder: Path) -> Labelled | None:
    labels = _labels(config)
    return None if labels is None else Labelled(_whole(name, spec, config, folder), labels)


def _labels(config: dict[str, Any]) -> tuple[str, ...] | None:
    """What the pretrained_cfg says of its labels; ImageNet's where it is one of timm's weights that end on ImageNet."""
    from timm.data import infer_imagenet_subset

    count, names, described = config["num_classes"], config.get("label_names"), config.get("label_descriptions")
    if isinstance(names, dict):  # number of the logit -> name, where not each has one
        names = [names.get(str(index), "") for index in range(count)]
    if isinstance(names, list | tuple):
        described = described if isinstance(described, dict) else {}
        return named([f"{described[name]}, {name}" if str(name) in described else name for name in names], count)
    subset = infer_imagenet_subset(config) if re.search(r"in(1|12|21|22)k", str(config.get("tag"))) else None
    return imagenet_labels(subset) if subset else None


def _whole(name: str, spec: dict[str, Any], config: dict[str, Any], folder: Path) -> Any:
    """The network with its weights and its classifier."""
    overlay = {key: config.get(key) for key in ("num_classes", "label_offset", "classifier", "first_conv")}
    overlay |= {"input_size": tuple(config["input_size"]), "state_dict": read_weights(folder)}
    args = {**spec["args"], "num_classes": config["num_classes"]}
    try:
        with seeded(0):
            module = _create(spec["architecture"], args, overlay=overlay)
    except (RuntimeError, KeyError) as error:
        raise BackboneError(f"{name}: the weights in {folder} do not fit {spec['architecture']}: {error}") from error
    module.pretrained_cfg.pop("state_dict", None)
    return module


def _create(architecture: str, args: dict[str, Any], *, overlay: dict[str, Any] | None = None) -> Any:
    """timm's own constructor. With an overlay of its pretrained_cfg that holds a state_dict, filled from that."""
    import timm

    if not timm.is_model(architecture) or RESERVED & args.keys():
        raise BackboneError(f"timm cannot build {architecture!r} with {sorted(args)}; unknown, or not an option here.")
    return timm.create_model(architecture, overlay is not None, pretrained_cfg_overlay=overlay, **args)


def _spec(architecture: str, config: dict[str, Any], args: dict[str, Any]) -> dict[str, Any]:
    channels = args.get("in_chans", config["input_size"][0])
    if channels != 3:
        raise BackboneError(f"timm:{architecture}: takes {channels} channels; expected 3 (RGB).")
    args = {key: value for key, value in args.items() if key not in ("num_classes", "in_chans")}
    if config.get("fixed_input_size"):
        args.setdefault("img_size", list(config["input_size"][-2:]))
    return {"hub": "timm", "architecture": architecture, "args": args}


def _registered(name: str) -> tuple[str, dict[str, Any]]:
    """The architecture and timm's own pretrained_cfg of a name with or without tag."""
    import timm

    architecture, _, tag = name.partition(".")
    architectures = timm.list_models()
    if architecture not in architectures:
        near = nearest(architecture, architectures, count=3) or "none"
        raise BackboneError(
            f"timm:{name}: timm has no network of this name; nearest: {near}. timm.list_models() lists them all."
        )
    tags = [weights_name.partition(".")[2] for weights_name in timm.list_pretrained(f"{architecture}.*")]
    if tag and tag not in tags:
        raise BackboneError(f"timm:{name}: no weights tagged {tag!r}; expected one of {', '.join(tags) or 'none'}.")
    return architecture, timm.get_pretrained_cfg(name).to_dict()


def _three(values: Any) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])
