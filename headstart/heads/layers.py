"""What may stand below the linear layers of a head: an affine map, radial functions about landmarks, trees."""

from __future__ import annotations

import numpy as np

from headstart.linalg.distances import expanded
from headstart.linalg.gaussian import kernel
from headstart.tasks.task import Array

__all__ = ["LEAF", "deepest", "grown", "leads_on", "radial"]

LEAF = -1


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


def leads_on(trees: Array, width: int) -> bool:
    """Whether each inner node asks one of `width` features and leads on to later nodes: a row then ends in a leaf."""
    feature, children = trees[:, :, 0], trees[:, :, 2:4]
    place = np.arange(trees.shape[1])[:, None]
    inner = feature != LEAF
    whole = (feature == np.round(feature)) & (children == np.round(children)).all(axis=2)
    onward = ((children > place) & (children < trees.shape[1])).all(axis=2)
    return bool((~inner | (whole & onward & (feature >= 0) & (feature < width))).all())


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
