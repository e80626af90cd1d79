"""Inputs of synthetic tables: factors, clusters, independent columns, and nodes of random structural causal models.

A structural causal model (Pearl, 2009; as a prior of tables: Mueller et al., 2022, Hollmann et al., 2023) draws its
causes, and lets each node of a later layer be a random function of some of the layer before, and of noise of its own.
Columns and the answer are nodes of any layer: a column may be a cause of the answer, its effect, or neither. And
classes that are the cause of all columns: mixtures of Gaussians, one or a few for each class.
"""

from __future__ import annotations

import torch
from torch import Tensor

from headstart.table_prior.chance import Chance

__all__ = ["activated", "by_class", "causal", "plain_inputs", "standardised"]

_KINDS = 8


def standardised(x: Tensor) -> Tensor:
    """(B, R, C), each column of each table with mean 0 and standard deviation 1, or constant 0."""
    x = torch.nan_to_num(x, nan=0.0, posinf=1e6, neginf=-1e6).clamp(-1e6, 1e6)
    x = x - x.mean(1, keepdim=True)
    return x / x.square().mean(1, keepdim=True).sqrt().clamp_min(1e-6)


def activated(x: Tensor, kinds: Tensor) -> Tensor:
    """(B, R, H) each node by one of eight functions, numbered (B, 1, H)."""
    functions = (
        x.tanh(), x, x.relu(), (2 * x).sin(), x.abs(), (-x.square()).exp(), x.clamp(-2, 2).square(),
        (x > 0).to(x.dtype),
    )  # fmt: skip
    y = torch.zeros_like(x)
    for number, function in enumerate(functions):
        y = torch.where(kinds == number, function, y)
    return y


def plain_inputs(chance: Chance, tasks: int, rows: int, columns: int) -> Tensor:
    """(B, R, C) of correlated factors, clusters or independent columns."""
    kind = chance.whole(0, 3)
    if kind == 0:
        return chance.normal(tasks, rows, columns)
    if kind == 1:
        count = chance.whole(1, max(2, columns + 1))
        factors = chance.normal(tasks, rows, count)
        noise = chance.scale(0.05, 1.0)
        return standardised(factors @ chance.normal(tasks, count, columns)) + noise * chance.normal(
            tasks, rows, columns
        )
    count = chance.whole(2, 9)
    centres = chance.scale(0.5, 3.0) * chance.normal(tasks, count, columns)
    of_cluster = chance.among(count, tasks, rows, 1).expand(-1, -1, columns)
    spread = (0.5 * chance.normal(tasks, count, columns)).exp().gather(1, of_cluster)
    return centres.gather(1, of_cluster) + spread * chance.normal(tasks, rows, columns)


def causal(chance: Chance, tasks: int, rows: int, columns: int, answers: int) -> tuple[Tensor, Tensor]:
    """(B, R, C) columns and (B, R, K) answers, standardised nodes of one model a table."""
    layers = chance.whole(2, 5)
    width = max((columns + answers) // 3 + 1, chance.whole(4, 17))
    h = plain_inputs(chance, tasks, rows, width)
    noise = chance.scale(0.01, 0.5)
    nodes = [h]
    for _ in range(layers):
        weights = chance.normal(tasks, width, width) * (chance.uniform(tasks, width, width) < chance.share(0.2, 0.9))
        h = standardised(h @ weights + 0.3 * chance.normal(tasks, 1, width))
        h = standardised(activated(h, chance.among(_KINDS, tasks, 1, width)))
        h = h + noise * chance.normal(tasks, 1, width).exp() * chance.normal(tasks, rows, width)
        nodes.append(h)
    every = torch.cat(nodes, 2)
    place = chance.uniform(tasks, every.shape[2])
    first_causes = torch.arange(every.shape[2], device=place.device) < width
    of_answers = (place + 2.0 * first_causes * (chance.share(0.0, 1.0) < 0.7)).argsort(1)[:, :answers]
    of_columns = place.scatter(1, of_answers, 9.0).argsort(1)[:, :columns]
    return _nodes(every, of_columns), _nodes(every, of_answers)


def by_class(chance: Chance, tasks: int, rows: int, columns: int, classes: int) -> tuple[Tensor, Tensor]:
    """(B, R, C) columns and (B, R) the class of each row, which they follow from; some columns do not.

    A class has up to three clusters in a space of few dimensions, which is turned into columns.
    """
    weights = (chance.share(0.0, 1.0) * chance.normal(tasks, classes)).exp()
    codes = torch.multinomial(weights, rows, replacement=True, generator=chance.generator)
    parts, hidden = chance.whole(1, 4), chance.whole(1, columns + 2)
    cluster = codes * parts + chance.among(parts, tasks, rows)
    of_cluster = cluster[..., None].expand(-1, -1, hidden)
    centres = chance.scale(0.5, 4.0) * chance.normal(tasks, classes * parts, hidden)
    spread = (chance.share(0.0, 0.7) * chance.normal(tasks, classes * parts, hidden)).exp()
    z = centres.gather(1, of_cluster) + spread.gather(1, of_cluster) * chance.normal(tasks, rows, hidden)
    x = z[..., :columns] if hidden >= columns else z @ chance.normal(tasks, hidden, columns)
    x = standardised(x) + chance.scale(0.02, 1.0) * chance.normal(tasks, rows, columns)
    bare = chance.uniform(tasks, 1, columns) < chance.share(0.0, 0.6) * chance.uniform(tasks, 1, 1)
    x = torch.where(bare, plain_inputs(chance, tasks, rows, columns), x)
    wrong = chance.uniform(tasks, rows) < chance.scale(1e-3, 0.15)
    return standardised(x), torch.where(wrong, chance.among(classes, tasks, rows), codes)


def _nodes(every: Tensor, which: Tensor) -> Tensor:
    """(B, R, K) these (B, K) of all nodes (B, R, H)."""
    return standardised(every.gather(2, which[:, None].expand(-1, every.shape[1], -1)))
