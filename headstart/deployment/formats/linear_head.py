"""A head of one linear layer with everything folded into it: standardisation, rotation and temperature.

logits / T = ((x turn + shift - mean) / scale) W / T + b / T = x W' + b'
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from headstart.artefact import Model
from headstart.heads.arrays import UTILITY
from headstart.heads.head import Head
from headstart.tasks.task import Array

__all__ = ["Affine", "affine", "linear_head_of"]

_LINEAR = {"mean", "scale", "turn", "shift", "weight.0", "bias.0", UTILITY}

_PROBES = ("ridge", "logistic", "prototypes", "lda")
"""Methods that are called as their head, which is one linear layer."""


class Affine(NamedTuple):
    """weight (D, C) and bias (C,), float64: logits at temperature 1 (regression: values) are x weight + bias."""

    weight: Array
    bias: Array


def affine(head: Head) -> Affine | None:
    """The head as one linear layer on its features; None where it is more than that."""
    arrays = head.arrays
    if head.form != "plain" or not set(arrays) <= _LINEAR:
        return None
    temperature = head.temperature if head.kind.has_classes else 1.0
    below = arrays["weight.0"].astype(np.float64) / arrays["scale"][:, None] / temperature
    bias = arrays["bias.0"] / temperature - arrays["mean"] @ below
    if "turn" not in arrays:
        return Affine(below, np.asarray(bias))
    return Affine(arrays["turn"] @ below, np.asarray(bias + arrays["shift"] @ below))


def linear_head_of(model: Model, what: str) -> Affine:
    """The head of a model as one linear layer; ValueError, which names `what` cannot hold it, where there is none."""
    if model.beside:
        raise ValueError(
            f"{what} holds one network, and this model averages the answers of {len(model.members)}: export it to "
            "ONNX (--onnx), or fit with one backbone"
        )
    head = affine(model.head)
    if head is None:
        rooted = model.head.form != "plain"
        name = model.head.name if model.head.name in _PROBES else "logistic"
        raise ValueError(
            f"{what} holds a head of one linear layer on the features, and this model has the head {model.head.name!r}"
            f"{' on the square roots of the features' if rooted else ''}: fit with --method {name} --option root=no, "
            "which stands on the features as they are, or with --method head or fine-tune; or export it to ONNX "
            "(--onnx)"
        )
    return head
