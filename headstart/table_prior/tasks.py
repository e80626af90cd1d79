"""Synthetic tasks: the prior that the network is fitted to. One seed, one batch of tables of one shape.

inputs -> columns -> scores -> answers      or a causal model -> columns and scores -> answers     or classes -> columns
classes: the largest of K noisy scores, or one noisy score cut at random places; values: a noisy score, sometimes warped
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from headstart.table_prior.causes import by_class, causal, plain_inputs, standardised
from headstart.table_prior.chance import Chance
from headstart.table_prior.columns import damaged, in_levels, warped
from headstart.table_prior.functions import random_function

__all__ = ["Batch", "Shape", "draw", "draw_shape"]


class Shape(NamedTuple):
    """B tasks of R rows, the first `context` of which are known, and C columns; classes 0: regression."""

    tasks: int
    rows: int
    context: int
    columns: int
    classes: int


class Batch(NamedTuple):
    """x (B, R, C) float32, NaN where a cell is missing; answers (B, R) codes int64, or values standardised by those of
    the context; counted (B, R - n) whether the context has the class of the row (of values: whether within reach)."""

    x: Tensor
    answers: Tensor
    counted: Tensor
    shape: Shape


def draw_shape(
    chance: Chance, *, cells: int = 16_000, largest: int = 400, widest: int = 64, regression: float = 0.3
) -> Shape:
    """A shape whose tables have about so many cells together: contexts of 12 to `largest` rows, 1 to `widest` columns,
    2 classes as often as 3 to 10."""
    context = round(chance.scale(12, largest))
    queries = round(min(max(16, context * chance.share(0.3, 1.0)), 96))
    columns = min(widest, max(1, round(math.exp(2.0 + 0.8 * float(chance.normal(1))))))
    classes = 2 if chance.share(0.0, 1.0) < 0.5 else min(10, 3 + int(-2.5 * math.log(chance.share(1e-6, 1.0))))
    classes = min(classes, max(2, context // 4))
    if chance.share(0.0, 1.0) < regression:
        classes = 0
    rows = context + queries
    return Shape(max(1, cells // (rows * (columns + 4))), rows, context, columns, classes)


def draw(chance: Chance, shape: Shape) -> Batch:
    """The tables of a shape."""
    tasks, rows, _, columns, classes = shape
    if classes and chance.share(0.0, 1.0) < 0.3:
        x, codes = by_class(chance, tasks, rows, columns, classes)
        return _classification(chance, warped(chance, x), codes, shape)
    by_score = bool(classes) and chance.share(0.0, 1.0) < (0.7 if classes > 2 else 0.3)
    answers = classes if by_score else 1
    if chance.share(0.0, 1.0) < 0.4:
        z, scores = causal(chance, tasks, rows, columns, answers)
        x = warped(chance, z)
    else:
        x, scores = _of_inputs(chance, shape, answers)
    noisy = _noisy(chance, scores)
    if not classes:
        return _regression(chance, _given(chance, x), noisy, shape)
    codes = _argmax(chance, noisy) if by_score else _cut(chance, noisy[..., 0], classes)
    return _classification(chance, x, codes, shape)


def _given(chance: Chance, x: Tensor) -> Tensor:
    """Columns in another order, damaged."""
    order = chance.uniform(len(x), 1, x.shape[2]).argsort(2).expand(-1, x.shape[1], -1)
    return damaged(chance, x.gather(2, order))


def _classification(chance: Chance, x: Tensor, codes: Tensor, shape: Shape) -> Batch:
    tasks, _, context, _, classes = shape
    x = _given(chance, x)
    codes = chance.uniform(tasks, classes).argsort(1).gather(1, codes)
    present = torch.zeros(tasks, classes, dtype=torch.bool, device=x.device).scatter_(1, codes[:, :context], True)
    return Batch(x, codes, present.gather(1, codes[:, context:]), shape)


def _of_inputs(chance: Chance, shape: Shape, answers: int) -> tuple[Tensor, Tensor]:
    tasks, rows, _, columns, _ = shape
    levels, groups = chance.whole(3, 7), 0
    if columns > 3 and chance.share(0.0, 1.0) < 0.35:
        groups = chance.whole(0, columns // levels + 1)
    plain = columns - groups * levels
    z = plain_inputs(chance, tasks, rows, plain + groups)
    x = standardised(warped(chance, z[..., :plain]))
    function_inputs = x if chance.share(0.0, 1.0) < 0.6 else standardised(z[..., :plain])
    if groups:
        stands, hot = in_levels(chance, standardised(z[..., plain:]), levels)
        function_inputs, x = torch.cat([function_inputs, stands], 2), torch.cat([x, hot], 2)
    return x, random_function(chance, function_inputs, answers)


def _noisy(chance: Chance, scores: Tensor) -> Tensor:
    """Scores with noise of a strength that differs by table, sometimes with heavy tails."""
    tasks, rows, answers = scores.shape
    noise = chance.normal(tasks, rows, answers)
    if chance.share(0.0, 1.0) < 0.2:
        noise = noise * (0.6 * chance.normal(tasks, rows, answers)).exp()
    return scores + chance.scales(0.02, 1.5, tasks, 1, 1) * noise


def _argmax(chance: Chance, scores: Tensor) -> Tensor:
    """(B, R) the largest of K scores, some classes favoured."""
    return (scores + chance.scale(0.05, 0.8) * chance.normal(len(scores), 1, scores.shape[2])).argmax(2)


def _cut(chance: Chance, score: Tensor, classes: int) -> Tensor:
    """(B, R) between which of K - 1 random quantiles the score is."""
    parts = (chance.share(0.1, 1.2) * chance.normal(len(score), classes)).exp()
    shares = (parts / parts.sum(1, keepdim=True)).cumsum(1)[:, :-1]
    ranks = (score.argsort(1).argsort(1) + 0.5) / score.shape[1]
    return (ranks[..., None] > shares[:, None]).sum(2)


def _regression(chance: Chance, x: Tensor, scores: Tensor, shape: Shape) -> Batch:
    y, context = scores[..., 0], shape.context
    if chance.share(0.0, 1.0) < 0.3:
        y = standardised(scores)[..., 0]
        y = (chance.share(0.3, 1.2) * y).exp() if chance.share(0.0, 1.0) < 0.6 else y * y.abs()
    if chance.share(0.0, 1.0) < 0.1:
        y = (y * chance.scale(1.0, 4.0)).round()
    mean = y[:, :context].mean(1, keepdim=True)
    y = (y - mean) / y[:, :context].std(1, correction=0, keepdim=True).clamp_min(1e-3)
    return Batch(x, y, y[:, context:].abs() < 6.0, shape)
