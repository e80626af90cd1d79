"""Random functions of a table's columns: what the answer of a synthetic task is, before noise.

sums of functions of one column, random networks, oblivious trees, Gaussian processes (random Fourier features:
Rahimi and Recht, 2007), and products; alone, or two of them added
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from headstart.table_prior.causes import activated, standardised
from headstart.table_prior.chance import Chance

__all__ = ["FUNCTIONS", "random_function"]

_KINDS = 8


def random_function(chance: Chance, x: Tensor, answers: int) -> Tensor:
    """(B, R, K) standardised scores of columns (B, R, C), of which some matter more than others."""
    relevance = _relevance(chance, x)
    names = list(FUNCTIONS)
    score = FUNCTIONS[names[chance.whole(0, len(names))]](chance, x, relevance, answers)
    if chance.share(0.0, 1.0) < 0.3:
        other = FUNCTIONS[names[chance.whole(0, len(names))]](chance, x, relevance, answers)
        score = standardised(score) + chance.scale(0.2, 1.0) * standardised(other)
    return standardised(score)


def _relevance(chance: Chance, x: Tensor) -> Tensor:
    """(B, 1, C) weights of columns: 0 for those that do not matter, the largest 1."""
    tasks, _, columns = x.shape
    weights = (chance.share(0.0, 1.5) * chance.normal(tasks, 1, columns)).exp()
    matter = chance.uniform(tasks, 1, columns) < chance.uniform(tasks, 1, 1).clamp_min(0.15)
    weights = weights * (matter | (weights == weights.amax(2, keepdim=True)))
    return weights / weights.amax(2, keepdim=True)


def _sums(chance: Chance, x: Tensor, relevance: Tensor, answers: int) -> Tensor:
    tasks, _, columns = x.shape
    if chance.share(0.0, 1.0) < 0.5:
        kinds = chance.among(_KINDS, tasks, 1, columns)
        x = activated(x * chance.scales(0.5, 2.0, tasks, 1, columns) + 0.5 * chance.normal(tasks, 1, columns), kinds)
    return (x * relevance) @ chance.normal(tasks, columns, answers)


def _network(chance: Chance, x: Tensor, relevance: Tensor, answers: int) -> Tensor:
    tasks, _, columns = x.shape
    width = chance.whole(4, 33)
    h = standardised((x * relevance) @ chance.normal(tasks, columns, width))
    for _ in range(chance.whole(1, 3)):
        h = h * chance.scale(0.5, 2.5) + 0.5 * chance.normal(tasks, 1, width)
        h = activated(h, chance.among(_KINDS, tasks, 1, 1).expand(-1, -1, width))
        h = standardised(h @ chance.normal(tasks, width, width))
    return h @ chance.normal(tasks, width, answers)


def _trees(chance: Chance, x: Tensor, relevance: Tensor, answers: int) -> Tensor:
    """Every question of one depth of a tree is the same: is this column above what a row drawn has in it."""
    tasks, rows, _ = x.shape
    trees, depth = chance.whole(1, 17), chance.whole(1, 5)
    columns = torch.multinomial(relevance[:, 0] + 1e-6, trees * depth, replacement=True, generator=chance.generator)
    drawn = x.gather(2, columns[:, None].expand(-1, rows, -1))
    thresholds = drawn.gather(1, chance.among(rows, tasks, 1, trees * depth))
    bits = (drawn > thresholds).view(tasks, rows, trees, depth)
    leaf = (bits * 2 ** torch.arange(depth, device=x.device)).sum(3)
    values = chance.normal(tasks, trees * 2**depth, answers)
    place = leaf + torch.arange(trees, device=x.device) * 2**depth
    score = values.gather(1, place.view(tasks, -1, 1).expand(-1, -1, answers))
    return score.view(tasks, rows, trees, answers).sum(2)


def _process(chance: Chance, x: Tensor, relevance: Tensor, answers: int) -> Tensor:
    tasks, _, columns = x.shape
    waves = 48
    norm = relevance.square().sum(2, keepdim=True).sqrt()
    w = chance.normal(tasks, columns, waves) * chance.scales(0.2, 2.5, tasks, 1, 1)
    if chance.share(0.0, 1.0) < 0.3:
        w = w / chance.normal(tasks, 1, waves).abs().clamp_min(0.2)
    phase = 2 * torch.pi * chance.uniform(tasks, 1, waves)
    return ((x * relevance / norm) @ w + phase).cos() @ chance.normal(tasks, waves, answers)


def _products(chance: Chance, x: Tensor, relevance: Tensor, answers: int) -> Tensor:
    tasks, rows, _ = x.shape
    terms = chance.whole(1, 6)
    columns = torch.multinomial(relevance[:, 0] + 1e-6, 2 * terms, replacement=True, generator=chance.generator)
    pairs = x.gather(2, columns[:, None].expand(-1, rows, -1)).view(tasks, rows, terms, 2).clamp(-3, 3)
    return pairs.prod(3) @ chance.normal(tasks, terms, answers)


FUNCTIONS: dict[str, Callable[[Chance, Tensor, Tensor, int], Tensor]] = {
    "sums": _sums,
    "network": _network,
    "trees": _trees,
    "process": _process,
    "products": _products,
}
"""By name: from columns and how much each matters to scores."""
