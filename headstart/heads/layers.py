"""What may stand below the linear layers of a head: radial functions about landmarks, trees, answers in context."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext

import numpy as np

from headstart.heads.arrays import EMBEDS
from headstart.linalg.blas import FEW
from headstart.linalg.distances import expanded
from headstart.linalg.gaussian import kernel
from headstart.tasks.task import Array

__all__ = ["LEAF", "SYMBOLS", "deepest", "grown", "in_context", "leads_on", "misread", "radial"]

LEAF = -1
SYMBOLS = 10
"""Classes that the network of a context tells apart."""


def radial(x: Array, landmarks: Array, gamma: float) -> Array:
    """exp(-gamma |x_i - l_j|^2): (N, K) and (L, K) -> (N, L) float64."""
    return kernel(expanded(np.asarray(x, np.float64), np.asarray(landmarks, np.float64)), gamma)


def grown(x: Array, trees: Array, outputs: int) -> Array:
    """The summed leaves of boosted trees: (N, K) -> (N, outputs), tree t adding to output t % outputs.

    trees   (T, M, 5): feature (`LEAF` for a leaf), threshold, left and right node, value, for each of at most M
            nodes, the root first. A row goes left where its feature, as float32, is at most the threshold
    """
    x = np.asarray(x, np.float32)
    feature, threshold = trees[:, :, 0].astype(np.int64), trees[:, :, 1]
    children, value = trees[:, :, 2:4].astype(np.int64), trees[:, :, 4]
    which, rows = np.arange(len(trees)), np.arange(len(x))[:, None]
    node = np.zeros((len(x), len(trees)), np.int64)
    while (inner := feature[which, node] != LEAF).any():
        left = x[rows, feature[which, node]] <= threshold[which, node]
        node = np.where(inner, children[which, node, np.where(left, 0, 1)], node)
    return np.asarray(value[which, node].reshape(len(x), -1, outputs).sum(axis=1))


def in_context(x: Array, arrays: Mapping[str, Array]) -> Array:
    """What the network of the arrays answers for rows (N, K), or with "embeds" what it makes of them; float64. See
    `answered` and `embedded` in `table_prior.answers`."""
    import torch

    from headstart.linalg.torch_threads import one_torch_thread
    from headstart.table_prior.answers import answered, embedded

    names = ("context", "answers", "network", "design")
    tensors = [torch.from_numpy(np.array(array)) for array in (x, *(arrays[name] for name in names))]
    read = embedded if EMBEDS in arrays else answered
    few = (len(x) + len(arrays["context"])) * x.shape[1] < FEW
    with one_torch_thread() if few else nullcontext():
        return np.asarray(read(*tensors).double().numpy())


def leads_on(trees: Array, width: int) -> bool:
    """Whether each inner node asks one of `width` features and leads on to later nodes: a row then ends in a leaf."""
    feature, children = trees[:, :, 0], trees[:, :, 2:4]
    place = np.arange(trees.shape[1])[:, None]
    inner = feature != LEAF
    integral = (feature == np.round(feature)) & (children == np.round(children)).all(axis=2)
    onward = ((children > place) & (children < trees.shape[1])).all(axis=2)
    return bool((~inner | (integral & onward & (feature >= 0) & (feature < width))).all())


def deepest(trees: Array) -> int:
    """How many questions lead to the deepest leaf of trees that lead on."""
    depth = np.zeros(trees.shape[:2], np.int64)
    which = np.arange(len(trees))
    for node in range(trees.shape[1]):
        inner = which[trees[:, node, 0] != LEAF]
        for child in (2, 3):
            below = trees[inner, node, child].astype(np.int64)
            depth[inner, below] = np.maximum(depth[inner, below], depth[inner, node] + 1)
    return int(depth.max(initial=0))


def misread(arrays: Mapping[str, Array]) -> str:
    """Why the network of a head could not read its context, in words; "" where it can."""
    from headstart.table_prior.weights import checked_design, size_of

    symbols, *numbers = np.asarray(arrays["design"]).tolist()
    try:
        size = size_of(checked_design(numbers))
    except ValueError as error:
        return str(error)
    answers, count = np.asarray(arrays["answers"]), len(arrays["network"])
    if count != size:
        return f"network holds {count} numbers, expected {size} by its design"
    if symbols not in range(SYMBOLS + 1):
        return f"design names {symbols} symbols, expected a whole number up to {SYMBOLS}"
    if symbols and not np.isin(answers, np.arange(symbols)).all():
        return f"answers hold what is none of {symbols:.0f} symbols"
    outputs = int(symbols or 1)
    width = answers.shape[1] * (outputs + (checked_design(numbers).row_width if EMBEDS in arrays else outputs))
    first = len(arrays["weight.0"])
    return "" if first == width else f"weight.0 has {first} rows, expected {width} by the answers"
