"""From parts to a backbone: frozen, measured, fingerprinted, and able to make itself again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from headstart.backbones import column_network, onnx, sentence, small, timm, torchhub, torchvision, transformers
from headstart.backbones.backbone import Backbone, Classifier, PretrainedClassifier
from headstart.backbones.encoders import TextEncoder, WordVectors
from headstart.backbones.fingerprint import fingerprint
from headstart.backbones.keras import graph
from headstart.backbones.layers import Layers, Read
from headstart.backbones.parts import Parts
from headstart.backbones.randomness import Undrawn, seeded
from headstart.backbones.sound import networks, picture
from headstart.backbones.sound import transformers as sound_transformers
from headstart.backbones.stages import stages_of
from headstart.backbones.weights import fill
from headstart.errors import BackboneError
from headstart.linalg.torch_threads import one_torch_thread
from headstart.preprocessing import table_preprocess  # noqa: F401 - registers it
from headstart.preprocessing.spec import Preprocess

__all__ = ["ARCHITECTURES", "assemble", "build", "filled"]


def build(spec: dict[str, Any]) -> nn.Module:
    """The architecture of a spec, with weights drawn from torch's generator: each architecture's own initialisation.

    `BackboneError` where the spec is not one of ours.
    """
    hub = str(spec.get("hub")) if isinstance(spec, dict) else "None"
    if hub not in ARCHITECTURES:
        raise BackboneError(f"architecture of hub {hub!r}: expected one of {', '.join(ARCHITECTURES)}.")
    keys, builder = ARCHITECTURES[hub]
    if spec.keys() != {"hub", *keys}:
        raise BackboneError(f"architecture of hub {hub!r}: keys {sorted(spec)}; expected {sorted({'hub', *keys})}.")
    try:
        return builder(spec)
    except (AssertionError, AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise BackboneError(f"architecture of hub {hub!r} cannot be built: {error}") from error


def filled(spec: dict[str, Any], tensors: dict[str, Tensor], where: str) -> nn.Module:
    """The architecture of a spec with these weights; `BackboneError` as of `build` and `fill`."""
    with seeded(0), Undrawn():
        module = build(spec)
    with one_torch_thread():
        fill(module, tensors, where)
    return module


def assemble(parts: Parts) -> Backbone:
    """The backbone of these parts. Their module becomes its own: float32, eval mode, no gradients."""
    module = parts.module.float().eval().requires_grad_(False)

    def random(seed: int) -> Backbone:
        with seeded(seed):
            twin = build(parts.spec)
        name = f"{parts.name.partition('?')[0]}?weights=random&seed={seed}"
        return assemble(parts._replace(name=name, module=twin, classifier=None))

    return Backbone(
        name=parts.name,
        modality=parts.preprocess.modality,
        module=module,
        dim=_width(parts.name, module, parts.preprocess),
        preprocess=parts.preprocess,
        fingerprint=fingerprint(module, parts.preprocess, parts.spec),
        spec=parts.spec,
        stages=stages_of(module),
        licence=parts.licence,
        random=None if parts.spec.get("hub") in UNDRAWN else random,
        classifier=_pretrained(parts._replace(module=nn.Identity())),
    )


def _pretrained(parts: Parts) -> PretrainedClassifier | None:
    whole = parts.classifier
    return None if whole is None else PretrainedClassifier(whole.labels, whole.content, partial(_classifier, parts))


def _classifier(parts: Parts) -> Classifier | None:
    """The whole network of these parts, whose own module is not looked at."""
    classifier = parts.classifier.read() if parts.classifier else None
    if classifier is None:
        return None
    count = len(classifier.labels)
    spec = {**parts.spec, "classifier": count}
    full_parts = parts._replace(name=f"{parts.name}+classifier", spec=spec, module=classifier.module, classifier=None)
    backbone = replace(assemble(full_parts), random=None)
    if backbone.dim != count:
        raise BackboneError(f"{parts.name}: the classifier gives {backbone.dim} logits for {count} labels: damaged.")
    return Classifier(backbone, classifier.labels, classifier.head, classifier.engine)


def _width(name: str, module: nn.Module, preprocess: Preprocess) -> int:
    """The number of features, from one input of the size that the preprocessing says."""
    inputs = preprocess.measured()
    try:
        with torch.inference_mode(), one_torch_thread():
            features = module(*inputs)
    except (RuntimeError, IndexError, AssertionError, TypeError, ValueError, AttributeError) as error:
        shape = tuple(inputs[0].shape)
        raise BackboneError(f"{name}: the network does not accept its own input of shape {shape}: {error}") from error
    if not isinstance(features, Tensor) or features.ndim != 2:
        output = tuple(features.shape) if isinstance(features, Tensor) else type(features).__name__
        raise BackboneError(f"{name}: gives {output} for one input; expected features of shape (1, D).")
    return int(features.shape[1])


def _words(spec: dict[str, Any]) -> nn.Module:
    return WordVectors(spec["vocabulary"], spec["width"])


def _sentence(spec: dict[str, Any]) -> nn.Module:
    base = build(spec["base"])
    if not isinstance(base, TextEncoder):
        raise ValueError("dense layers stand on an encoder of texts")
    return sentence.SentenceEncoder(base, spec["dense"])


def _layers(spec: dict[str, Any]) -> nn.Module:
    return Layers(build(spec["base"]), [Read(*read) for read in spec["reads"]], spec["without"])


ARCHITECTURES: dict[str, tuple[tuple[str, ...], Callable[[dict[str, Any]], nn.Module]]] = {
    "timm": (("architecture", "args"), timm.build),
    "hf": (("modality", "config", "pool"), transformers.build),
    "words": (("vocabulary", "width"), _words),
    "small": (small.KEYS, small.build),
    "torchvision": (torchvision.KEYS, torchvision.build),
    "keras": (graph.KEYS, graph.build),
    "sentence": (sentence.KEYS, _sentence),
    "onnx": (onnx.KEYS, onnx.build),
    "torchhub": (torchhub.KEYS, torchhub.build),
    "layers": (("base", "reads", "without"), _layers),
    "sound": (networks.KEYS, networks.build),
    "spectrogram": (picture.KEYS, picture.picture_builder(build)),
    "hf-sound": (sound_transformers.KEYS, sound_transformers.build),
    "columns": (("inputs", "width", "depth"), column_network.build),
}
"""By the hub of a spec, its other keys, and what builds the network of one."""

UNDRAWN = frozenset({"onnx"})
"""Hubs whose networks have no weights that could be drawn."""
