"""transformers' own classification network with headstart's backbone and head in it, where its structure can hold them.

Whether it can is measured, not looked up: the input z of the layer that gives the logits is compared with the features
f that the head was fitted on, on the backbone's probe batch.

    z = f                      the layer becomes the head (ViT, Swin, ConvNeXt; T texts read at their last token)
    z = (f, other)             the layer has weights 0 for what the head does not see (DINOv2: class token, patch mean)
    z = act(V f + v)           act is ReLU or GELU, f bounded by a layer norm: V = 1 and v so large that act does
                               nothing, which the layer's bias takes off again (DistilBERT, DeBERTa, ELECTRA at "cls")
    no bias in the layer       the norm below it gets the shift c with c W = b (GPT-2)
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from headstart.backbones.backbone import Backbone
from headstart.backbones.checkpoint import configured, quiet
from headstart.backbones.encoders import pooled
from headstart.backbones.layers import Layers
from headstart.backbones.randomness import seeded
from headstart.deployment.formats.linear_head import Affine
from headstart.preprocessing.spec import TextPreprocess
from headstart.tasks.task import Array

__all__ = ["network_with", "transformer_of"]

_ALIKE = 1e-4
_MARGIN = 8.0
"""What lies this far above 0 goes through GELU unchanged, in float32."""


class Seen(NamedTuple):
    """What a module was given and gave in one pass, and where in the order of calls."""

    module: nn.Module
    given: Tensor
    gave: Tensor


def network_with(backbone: Backbone, head: Affine, settings: dict[str, Any]) -> Any:
    """A transformers model for classification, float32 in eval mode, that computes the logits of this head.

    settings   of its configuration, such as num_labels and id2label

    ValueError, which says what to do instead, where the architecture has no such network, or its own head stands on
    something else than these features.
    """
    from transformers import AutoModelForImageClassification, AutoModelForSequenceClassification

    spec = transformer_of(backbone).spec
    text = isinstance(backbone.preprocess, TextPreprocess)
    loader = AutoModelForSequenceClassification if text else AutoModelForImageClassification
    config = configured(spec["config"] | settings, "the stored architecture")
    if type(config) not in loader._model_mapping:
        raise ValueError(f"transformers has no {loader.__name__} for {config.model_type!r}: {_INSTEAD}")
    with seeded(0), quiet():
        network = loader.from_config(config).float().eval().requires_grad_(False)
    _fill(network, backbone)
    _Fitting(network, backbone, _probe(backbone)).place(head)
    return network


class Transformer(NamedTuple):
    """A backbone's network of transformers.

    spec     {"hub": "hf", "modality", "config", "pool"}; pool is how its states become the features
    encoder  `TextEncoder` or `PictureEncoder`
    """

    spec: dict[str, Any]
    encoder: Any


def transformer_of(backbone: Backbone) -> Transformer:
    """What is inside of "hf:NAME", and of "hf:NAME@POOLING", which reads the last layer. ValueError for any other."""
    module, spec = backbone.module, backbone.spec
    if isinstance(module, Layers) and len(module.reads) == 1 and spec["base"].get("hub") == "hf":
        return Transformer(spec["base"] | {"pool": module.reads[0].pool or spec["base"]["pool"]}, module.network)
    if spec.get("hub") == "hf":
        return Transformer(spec, module)
    raise ValueError(
        f"a transformers folder holds a network of transformers, and this model has the backbone {backbone.name}: fit "
        "on one with --backbone hf:OWNER/NAME, or export it to ONNX (--onnx)"
    )


_INSTEAD = "export it to ONNX (--onnx), which holds any network and head"


def _fill(network: Any, backbone: Backbone) -> None:
    """Put the backbone's weights into the network; ValueError where it has no place for some of them."""
    body = getattr(network, network.base_model_prefix)
    lacking = body.load_state_dict(transformer_of(backbone).encoder.model.state_dict(), strict=False)
    if unused := sorted(lacking.unexpected_keys):
        part = unused[0].rpartition(".")[0]
        raise ValueError(f"{type(network).__name__} has no {part}, on which this model's head stands: {_INSTEAD}")
    if missing := [name for name in lacking.missing_keys if not name.startswith("pooler.")]:
        raise ValueError(f"{type(network).__name__} has weights that this backbone lacks, {missing[0]}: {_INSTEAD}")


def _probe(backbone: Backbone) -> tuple[Tensor, ...]:
    preprocess: Any = backbone.preprocess
    return tuple(preprocess.tensors(*map(torch.from_numpy, preprocess.probe())))


class _Fitting:
    """A network, what its modules do on some inputs, and what the backbone does."""

    def __init__(self, network: Any, backbone: Backbone, inputs: tuple[Tensor, ...]) -> None:
        module: Any = backbone.module
        self.network, self.name, self.pool = network, type(network).__name__, transformer_of(backbone).spec["pool"]
        self.mask = inputs[1] if isinstance(backbone.preprocess, TextPreprocess) else None
        with torch.inference_mode():
            self.features: Tensor = module(*inputs)
        record = _Record()
        hooks = [part.register_forward_hook(record) for part in network.modules()]
        names = ("input_ids", "attention_mask") if self.mask is not None else ("pixel_values",)
        with torch.inference_mode():
            network(**dict(zip(names, inputs, strict=True)))
        for hook in hooks:
            hook.remove()
        self.seen = record.seen

    def place(self, head: Affine) -> None:
        """Write the head into the layer that gives the logits."""
        last = next(each for each in reversed(self.seen) if isinstance(each.module, nn.Linear))
        layer: Any = last.module
        z = self._row(last.given)
        at = self._columns(z)
        shift = np.zeros(0)
        if at is None:
            hidden = self._opened(last)
            z, at, shift = hidden
        weight = np.zeros((len(head.bias), layer.in_features))
        weight[:, at : at + len(head.weight)] = head.weight.T
        bias = head.bias - (shift @ head.weight if len(shift) else 0.0)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(weight))
            if layer.bias is not None:
                layer.bias.copy_(torch.from_numpy(bias))
            else:
                self._shift_below(last.given, weight, bias)

    def _row(self, given: Tensor) -> Tensor:
        """(N, D) what the last layer is given of each input; of a layer that sees all tokens, of the last token."""
        if given.ndim == 2 or self.mask is None:
            return given
        return pooled(given, self.mask, "last")

    def _columns(self, z: Tensor) -> int | None:
        """From which column of z on it is the features; None where it is not."""
        width = self.features.shape[1]
        if z.ndim != 2 or len(z) != len(self.features):
            return None
        starts = range(0, z.shape[1] - width + 1, width)
        return next((start for start in starts if _alike(z[:, start : start + width], self.features)), None)

    def _opened(self, last: Seen) -> tuple[Tensor, int, Array]:
        """Let the dense layer below the last one pass the features on; ValueError where it cannot."""
        place = next(number for number, each in enumerate(self.seen) if each is last)
        dense = next((each for each in reversed(self.seen[:place]) if isinstance(each.module, nn.Linear)), None)
        bound = self._bound()
        margin = None if dense is None else self._margin(dense, last)
        if dense is None or bound is None or margin is None:
            raise ValueError(self._other_features())
        layer: Any = dense.module
        shift = bound + margin
        with torch.no_grad():
            layer.weight.copy_(torch.eye(layer.in_features))
            layer.bias.copy_(torch.from_numpy(shift))
        return dense.given, 0, shift

    def _margin(self, dense: Seen, last: Seen) -> float | None:
        """How far above 0 the activation between two layers changes nothing; None unless it is ReLU or GELU and the
        dense layer is given the features."""
        square = dense.given.shape[-1:] == dense.gave.shape[-1:] == self.features.shape[1:]
        if not square or dense.module.bias is None or self._columns(dense.given) != 0:
            return None
        margins = ((nn.functional.relu, 0.0), (nn.functional.gelu, _MARGIN))
        return next((margin for activation, margin in margins if _alike(last.given, activation(dense.gave))), None)

    def _bound(self) -> Array | None:
        """(D,) what no feature can exceed: |x| <= |gamma| sqrt(D) + |beta| behind a layer norm; None without one."""
        for each in self.seen:
            norm = each.module
            if not isinstance(norm, nn.LayerNorm) or norm.weight is None or each.gave.ndim != 3:
                continue
            if _alike(each.gave[:, 0], self.features):
                gamma, beta = (weights.detach().double().abs().numpy() for weights in (norm.weight, norm.bias))
                return np.asarray(gamma * np.sqrt(norm.normalized_shape[-1]) + beta)
        return None

    def _shift_below(self, given: Tensor, weight: Array, bias: Array) -> None:
        """Let the norm below a layer without bias add c, with weight c = bias; ValueError where there is none."""
        shift = np.linalg.lstsq(weight, bias, rcond=None)[0]
        below = (each.module for each in reversed(self.seen) if _is_norm(each) and _alike(each.gave, given))
        norm: Any = next(below, None)
        if norm is None or not np.allclose(weight @ shift, bias, rtol=1e-9, atol=1e-9):
            raise ValueError(
                f"the classification layer of {self.name} has no bias, and no norm below it that could hold this "
                f"model's: {_INSTEAD}"
            )
        norm.bias += torch.from_numpy(shift).to(norm.bias.dtype)

    def _other_features(self) -> str:
        own = {"pooler": "the pooler's output", "cls": "the first token", "last": "the last token"}
        return (
            f"the classification head of {self.name} does not stand on the features of this model "
            f"({own.get(self.pool, f'the {self.pool} of all tokens or places')}), so it cannot answer as this model "
            f"does: {_INSTEAD}"
        )


def _is_norm(each: Seen) -> bool:
    return isinstance(each.module, nn.LayerNorm) and each.module.bias is not None


class _Record:
    """A hook of modules: the calls in which each was given one tensor first and gave one, in their order."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []

    def __call__(self, module: nn.Module, given: tuple[Any, ...], gave: Any) -> None:
        if given and isinstance(given[0], Tensor) and isinstance(gave, Tensor):
            self.seen.append(Seen(module, given[0], gave))


def _alike(some: Tensor, others: Tensor) -> bool:
    if some.shape != others.shape:
        return False
    scale = float(others.abs().max().clamp_min(1e-12))
    return float((some - others).abs().max()) <= _ALIKE * scale
