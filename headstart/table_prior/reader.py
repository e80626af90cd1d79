"""A context that is read once, for a graph that is asked many times: what `answers` computes, with all that depends on
the context alone computed before."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from headstart.table_prior.answers import read_problem
from headstart.table_prior.cells import Cells, cells_of
from headstart.table_prior.smoothers import Smoothed, kernels, solved
from headstart.table_prior.weights import checked_design, network_of

__all__ = ["ContextReader"]


class ContextReader(nn.Module):
    """(N, K) rows asked -> what `answered` says of them, or `embedded` where the head stands on row embeddings.

    Arguments as of these two. In the graph there is no factorisation: what the smoothers solve is solved here.
    """

    context: Tensor
    answers: Tensor
    mean: Tensor

    def __init__(self, context: Tensor, answers: Tensor, network: Tensor, design: Tensor, *, embeds: bool) -> None:
        super().__init__()
        self.model, self.symbols = network_of(checked_design(design[1:].tolist()), network), int(design[0])
        self.embeds, self.problems, self.count = embeds, answers.shape[1], len(context)
        self.register_buffer("context", context.float())
        self.register_buffer("answers", answers)
        targets = nn.functional.one_hot(answers.long(), self.symbols).flatten(1) if self.symbols else answers
        targets = targets.float()[None]
        self.register_buffer("mean", targets.mean(1, keepdim=True))
        y = targets - self.mean
        variance = y.square().sum((1, 2)).clamp_min(1e-9)
        with torch.no_grad():
            parts = [solved(kernel, y) for kernel in kernels(cells_of(self.context[None], self.count), self.count)]
        for number, part in enumerate(parts):
            self.register_buffer(f"weights_{number}", part.weights)
            self.register_buffer(f"left_out_{number}", part.left_out)
        self.register_buffer("errors", torch.stack([part.error / variance for part in parts], 1))

    def forward(self, x: Tensor) -> Tensor:
        cells = cells_of(torch.cat([self.context, x.float()])[None], self.count)
        smooth = self._smoothed(cells)
        parts = [
            read_problem(self.model, cells.told, self.answers[:, e], smooth._replace(values=values), self.symbols)
            for e, values in enumerate(self._by_problem(smooth.values))
        ]
        if self.embeds:
            return torch.cat([both for part in parts for both in (part.rows, part.answers)], 1).to(x.dtype)
        return torch.cat([*(part.answers for part in parts), *(part.start for part in parts)], 1).to(x.dtype)

    def _smoothed(self, cells: Cells) -> Smoothed:
        """The smoothers' values (1, R, S, E symbols) of all problems side by side, and their errors."""
        values = []
        for number, kernel in enumerate(kernels(cells, self.count)):
            weights, left_out = (self.get_buffer(f"{name}_{number}") for name in ("weights", "left_out"))
            values.append(torch.cat([left_out, kernel[:, self.count :] @ weights], 1) + self.mean)
        return Smoothed(torch.stack(values, 2), self.get_buffer("errors"))

    def _by_problem(self, values: Tensor) -> list[Tensor]:
        return list(values.chunk(self.problems, 3))
