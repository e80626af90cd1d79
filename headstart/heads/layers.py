"""What may stand below the linear layers of a head: an affine map, radial functions about landmarks, trees."""

from __future__ import annotations

import numpy as np

from headstart.data.task import Array

__all__ = ["LEAF", "grown", "radial", "squared_distances"]

LEAF = -1


def squared_distances(x: Array, landmarks: Array) -> Array:
    """|x_i - l_j|^2: (N, K) and (L, K) -> (N, L) float64."""
    x, landmarks = np.asarray(x, np.float64), np.asarray(landmarks, np.float64)
    apart = np.square(x).sum(axis=1)[:, None] - 2 * (x @ landmarks.T) + np.square(landmarks).sum(axis=1)
    return np.asarray(np.maximum(apart, 0.0))


def radial(x: Array, landmarks: Array, gamma: float) -> Array:
    """exp(-gamma |x_i - l_j|^2): (N, K) and (L, K) -> (N, L) float64."""
    return np.asarray(np.exp(-gamma * squared_distances(x, landmarks)))


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
