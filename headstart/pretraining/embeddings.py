"""What embeddings without labels tell of themselves: in how many directions they lie, how near two views of a row are,
and how evenly all of them are spread.

effective rank   exp(-sum_i p_i log p_i),  p_i = s_i / sum_j s_j,  s the singular values of the centred embeddings
                 (Roy and Vetterli, 2007, "The effective rank")
alignment        mean |u_i - v_i|^2,   u and v two views of each row, of length 1
uniformity       log mean_{i < j} exp(-2 |u_i - u_j|^2)
                 (Wang and Isola, 2020, "Understanding Contrastive Representation Learning through Alignment and
                 Uniformity on the Hypersphere", sections 4.1.1 and 4.1.2, alpha = 2 and t = 2; less is better of both)
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["alignment", "effective_rank", "neighbour_accuracy", "spread", "uniformity"]

_NEIGHBOURS = 5
_TEMPERATURE = 0.07


def effective_rank(embeddings: Tensor) -> float:
    """Of (N, D): from 1 to min(N - 1, D); 1 where all are alike."""
    s = torch.linalg.svdvals((embeddings - embeddings.mean(0)).double())
    total = float(s.sum())
    if not total:
        return 1.0
    p = s / total
    return math.exp(-float(torch.special.xlogy(p, p).sum()))


def alignment(first: Tensor, other: Tensor) -> float:
    """Of two views (N, D) of the same rows: 0 to 4."""
    u, v = functional.normalize(first, dim=1), functional.normalize(other, dim=1)
    return float((u - v).square().sum(1).mean())


def uniformity(embeddings: Tensor) -> float:
    """Of (N, D), N at least 2: 0 where all are alike, down to -8."""
    return math.log(float((-2 * _distances(embeddings)).exp().mean()))


def spread(embeddings: Tensor) -> float:
    """The mean squared distance between two of (N, D), of length 1: 0 to about 2."""
    return float(_distances(embeddings).mean())


def neighbour_accuracy(embeddings: Tensor, codes: Tensor) -> float:
    """The share of rows (N, D) whose class, of codes (N,), the others near it tell: each of the nearest 5 by the cosine
    s counts exp(s / 0.07) (Wu et al., 2018, section 3.4)."""
    u = functional.normalize(embeddings, dim=1)
    itself = torch.eye(len(u), dtype=torch.bool)
    s, near = (u @ u.T).masked_fill(itself, -torch.inf).topk(min(_NEIGHBOURS, len(u) - 1), dim=1)
    votes = functional.one_hot(codes[near], int(codes.max()) + 1) * (s / _TEMPERATURE).exp().unsqueeze(2)
    return float((votes.sum(1).argmax(1) == codes).float().mean())


def _distances(embeddings: Tensor) -> Tensor:
    """(N (N - 1) / 2,) squared, between embeddings of length 1."""
    return torch.pdist(functional.normalize(embeddings.double(), dim=1)).square()
