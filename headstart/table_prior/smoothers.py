"""Kernel smoothers in closed form, each row left out of its own answer: what the network begins from.

    f = K (K + lambda I)^-1 y        f_-i = y_i - [(K + lambda I)^-1 y]_i / [(K + lambda I)^-1]_ii

with the kernels of a linear function, of smooth ones (Gaussian, two widths), of sums of functions of one column each
(a mean of Laplace kernels over columns, as a generalised additive model) and of steps in several columns at once (a
Laplace kernel on ranks, the limit of Mondrian forests: Balog et al., 2016). lambda is the one of three whose left-out
squared error is the least. The formula of leaving out is that of Craven and Wahba (1979).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from headstart.table_prior.cells import Cells

__all__ = ["SMOOTHERS", "Smoothed", "Solved", "kernels", "smoothed", "solved"]

SMOOTHERS = 6
STRENGTHS = (0.03, 0.2, 1.0)
_BLOCK = 8


class Smoothed(NamedTuple):
    """values   (B, R, S, K) of S smoothers and K answers: left out in the context, predicted elsewhere
    errors   (B, S) mean squared error of the left-out ones over the variance of the answers
    """

    values: Tensor
    errors: Tensor


def smoothed(cells: Cells, answers: Tensor) -> Smoothed:
    """From the cells of tables and the answers (B, n, K) float32 of their context, whose mean is taken off first."""
    context = answers.shape[1]
    mean = answers.mean(1, keepdim=True)
    y = answers - mean
    variance = y.square().sum((1, 2)).clamp_min(1e-9)
    values, errors = [], []
    for kernel in kernels(cells, context):
        f, error = _fitted(kernel, y)
        values.append(f + mean)
        errors.append(error / variance)
    return Smoothed(torch.stack(values, 2), torch.stack(errors, 1))


def kernels(cells: Cells, context: int) -> Iterator[Tensor]:
    """(B, R, n) each, from all rows to the context, with a mean diagonal of about 1."""
    z, ranks = cells.scaled, cells.ranks
    columns = z.shape[2]
    linear = z @ z[:, :context].transpose(1, 2) / columns
    yield linear
    squares = z.square().sum(2) / columns
    distances = (squares[:, :, None] + squares[:, None, :context] - 2 * linear).clamp_min(0.0)
    unit = _typical(distances[:, :context])
    yield (-distances / unit).exp()
    yield (-4.0 * distances / unit).exp()
    additive, taxicab = _by_column(ranks, context)
    yield additive
    unit = _typical(taxicab[:, :context])
    yield (-taxicab / unit).exp()
    yield (-3.0 * taxicab / unit).exp()


def _typical(distances: Tensor) -> Tensor:
    return distances.mean((1, 2), keepdim=True).clamp_min(1e-6)


def _by_column(ranks: Tensor, context: int) -> tuple[Tensor, Tensor]:
    """The mean over columns of exp(-2 |r - r'|), and of |r - r'|: (B, R, n) each."""
    columns = ranks.shape[2]
    additive = ranks.new_zeros(len(ranks), ranks.shape[1], context)
    taxicab = torch.zeros_like(additive)
    for start in range(0, columns, _BLOCK):
        part = ranks[:, :, start : start + _BLOCK]
        apart = (part[:, :, None] - part[:, None, :context]).abs()
        taxicab += apart.sum(3)
        additive += (-2.0 * apart).exp().sum(3)
    return additive / columns, taxicab / columns


class Solved(NamedTuple):
    """At the best strength (B, n, K) the weights of the context's rows in other answers, (B, n, K) the answers that
    leave a row out, and (B,) their squared error summed over the context."""

    weights: Tensor
    left_out: Tensor
    error: Tensor


def _fitted(kernel: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """(B, R, K) values at the best strength, and (B,) their squared error summed over the context."""
    context = y.shape[1]
    best = solved(kernel[:, :context], y)
    return torch.cat([best.left_out, kernel[:, context:] @ best.weights], 1), best.error


def solved(inner: Tensor, y: Tensor) -> Solved:
    """From the kernel among the rows of the context (B, n, n)."""
    identity = torch.eye(y.shape[1], dtype=inner.dtype, device=inner.device)
    best = Solved(y, y, y.new_full((len(y),), torch.inf))
    for strength in STRENGTHS:
        root = torch.linalg.cholesky(inner + strength * identity)
        inverse = torch.cholesky_inverse(root)
        weights = inverse @ y
        left_out = y - weights / inverse.diagonal(dim1=1, dim2=2)[:, :, None]
        error = (left_out - y).square().sum((1, 2))
        better = error < best.error
        chosen = better[:, None, None]
        best = Solved(
            torch.where(chosen, weights, best.weights),
            torch.where(chosen, left_out, best.left_out),
            torch.where(better, error, best.error),
        )
    return best
