"""In-context answers as a function of arrays: rows asked, the context and its answers, and the network's weights.

    classification   log p_e(s | row)  for each of E problems and S symbols, then the same of the smoothers: (N, 2 E S)
    regression       the mean of p(value | row), and that of the smoothers: (N, 2), in standard deviations of the
                     context's values

A problem gives each class a symbol below 10: in another order in each, or for more classes several to one symbol, as
an error-correcting code (Dietterich and Bakiri, 1995). The linear layer above is `heads.incontext`'s.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from headstart.table_prior.cells import cells_of
from headstart.table_prior.network import CLASSES, TablePrior
from headstart.table_prior.smoothers import Smoothed, smoothed
from headstart.table_prior.weights import checked_design, network_of

__all__ = ["Reading", "answered", "embedded", "read_problem"]


def answered(x: Tensor, context: Tensor, answers: Tensor, network: Tensor, design: Tensor) -> Tensor:
    """(N, 2 E S) or (N, 2), see above.

    x         (N, K) rows asked; context (n, K) rows known; both float, NaN where a cell is missing
    answers   (n, E) symbols, or (n, 1) standardised values
    network   (P,) its parameters
    design    (6,) S, or 0 for values, and the numbers of `Design`
    """
    parts = _read(x, context, answers, network, design)
    return torch.cat([*(part.answers for part in parts), *(part.start for part in parts)], 1).to(x.dtype)


def embedded(x: Tensor, context: Tensor, answers: Tensor, network: Tensor, design: Tensor) -> Tensor:
    """(N, E (D + S)) or (N, D + 1): the rows asked after the last layer beside the answers, problem by problem."""
    parts = _read(x, context, answers, network, design)
    return torch.cat([both for part in parts for both in (part.rows, part.answers)], 1).to(x.dtype)


class Reading(NamedTuple):
    """rows (N, D) after the last layer, answers (N, S) or (N, 1) and those of the smoothers, of one problem."""

    rows: Tensor
    answers: Tensor
    start: Tensor


def _read(x: Tensor, context: Tensor, answers: Tensor, network: Tensor, design: Tensor) -> list[Reading]:
    model, symbols = network_of(checked_design(design[1:].tolist()), network), int(design[0])
    with torch.no_grad():
        cell_inputs, smooth = _looked(x, context, answers, symbols)
        return [
            read_problem(model, cell_inputs, answers[:, e], Smoothed(smooth.values[e], smooth.errors), symbols)
            for e in range(answers.shape[1])
        ]


def _looked(x: Tensor, context: Tensor, answers: Tensor, symbols: int) -> tuple[Tensor, Smoothed]:
    """What is told of the cells (1, R, K, CELL), and the smoothers' values (E, 1, R, S, symbols) of every problem at
    once: their kernels are those of the rows, whatever the answers."""
    cells = cells_of(torch.cat([context, x]).float()[None], len(context))
    problems = answers.shape[1]
    targets = F.one_hot(answers.long(), symbols).float().flatten(1) if symbols else answers.float()
    smooth = smoothed(cells, targets[None])
    values = smooth.values.view(1, smooth.values.shape[1], -1, problems, max(1, symbols)).permute(3, 0, 1, 2, 4)
    return cells.told, Smoothed(values, smooth.errors)


def _told(answers: Tensor, symbols: int) -> Tensor:
    return F.one_hot(answers.long(), CLASSES).float()[None] if symbols else answers.float()[None, :, None]


def read_problem(model: TablePrior, cell_inputs: Tensor, answers: Tensor, smooth: Smoothed, symbols: int) -> Reading:
    """Of one problem, from what is told of the cells (1, R, K, CELL), its answers (n,) and the smoothers' values."""
    rows = model.embedded(cell_inputs, _told(answers, symbols), smooth, regresses=not symbols)
    both = model.logits_of(rows, smooth, symbols)[0], model.start_of(smooth, len(answers), symbols)[0]
    if symbols:
        return Reading(rows[0], *(logits.log_softmax(1) for logits in both))
    return Reading(rows[0], *((logits.softmax(1) * model.centres).sum(1, keepdim=True) for logits in both))
