"""The network: cells attend along their column, then along their row, and rows end in answers.

    h_rc = W_x cell_rc        g_r = W_y [answer_r, smoothers_r]
    x <- x + attention(x, x_context)        along each column, and along the answers' own
    x <- x + attention(x, x)                along each row
    x <- x + MLP(x)                         three steps a layer, each on normalised x

as in TabPFN 2 (Hollmann et al., 2025) and nanoTabPFN. Rows look at the context's rows only, so that no answer depends
on the other rows asked; no column and no row has a place, so that their order changes nothing. Unlike those, g begins
from closed-form smoothers (`smoothers`), and the logits from what these say: an untrained network answers as they do.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from headstart.table_prior.cells import CELL, cells_of
from headstart.table_prior.smoothers import SMOOTHERS, Smoothed, smoothed

__all__ = ["BINS", "CLASSES", "Design", "TablePrior", "bin_centres"]

CLASSES = 10
BINS = 64
WIDEST = 4.0


class Design(NamedTuple):
    """width   of a cell; heads of its attentions; layers of them
    depth   layers over rows alone, of this many times the width
    """

    width: int = 64
    heads: int = 4
    layers: int = 3
    depth: int = 2
    wide: int = 2

    @property
    def row_width(self) -> int:
        """Of a row after the layers of cells."""
        return self.width * self.wide


def bin_centres() -> Tensor:
    """(BINS,) of the standardised answer of a regression, closer where answers are dense."""
    u = torch.linspace(-1.0, 1.0, BINS)
    return WIDEST * (0.4 * u + 0.6 * u.pow(3))


class Attention(nn.Module):
    """Attention of (N, L, D) to the first `context` of its L places, over normalised values."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.ask, self.tell = nn.Linear(width, width, bias=False), nn.Linear(width, 2 * width, bias=False)
        self.out = _silent(nn.Linear(width, width))

    def forward(self, x: Tensor, context: int) -> Tensor:
        n, length, width = x.shape
        h = self.norm(x)
        q = self.ask(h).view(n, length, self.heads, -1).transpose(1, 2)
        k, v = self.tell(h[:, :context]).view(n, context, 2, self.heads, -1).permute(2, 0, 3, 1, 4)
        a = F.scaled_dot_product_attention(q, k, v)
        moved: Tensor = self.out(a.transpose(1, 2).reshape(n, length, width))
        return x + moved


class Perceptron(nn.Module):
    """Two linear layers with a GELU between them, over normalised values."""

    def __init__(self, width: int, times: int = 2) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.rise, self.fall = nn.Linear(width, times * width), _silent(nn.Linear(times * width, width))

    def forward(self, x: Tensor) -> Tensor:
        moved: Tensor = self.fall(F.gelu(self.rise(self.norm(x))))
        return x + moved


class CellLayer(nn.Module):
    """Along columns, along rows, and each cell for itself: (B, R, C + 1, D), the answers' place last."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.down, self.across = Attention(width, heads), Attention(width, heads)
        self.each = Perceptron(width)

    def forward(self, x: Tensor, context: int) -> Tensor:
        b, rows, places, width = x.shape
        x = self.across(x.reshape(b * rows, places, width), places).view(b, rows, places, width)
        x = x.transpose(1, 2).reshape(b * places, rows, width)
        x = self.down(x, context)
        cells: Tensor = self.each(x)
        return cells.view(b, places, rows, width).transpose(1, 2)


class RowLayer(nn.Module):
    """Rows alone: (B, R, D)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.down, self.each = Attention(width, heads), Perceptron(width)

    def forward(self, x: Tensor, context: int) -> Tensor:
        rows: Tensor = self.each(self.down(x, context))
        return rows


class TablePrior(nn.Module):
    """Tables (B, R, C), whose first n rows are the context, and their answers (B, n) -> logits of the other rows."""

    centres: Tensor

    def __init__(self, design: Design) -> None:
        super().__init__()
        self.design = design
        width, rows = design.width, design.row_width
        self.cell = nn.Linear(CELL, width)
        self.answer = nn.ModuleList(nn.Linear(size + SMOOTHERS * (size + 1) + 1, width) for size in (CLASSES, 1))
        self.cells = nn.ModuleList(CellLayer(width, design.heads) for _ in range(design.layers))
        self.widen = nn.Linear(2 * width, rows)
        self.rows = nn.ModuleList(RowLayer(rows, design.heads * 2) for _ in range(design.depth))
        self.last = nn.LayerNorm(rows)
        self.logits = nn.ModuleList(_silent(nn.Linear(rows, size)) for size in (CLASSES, BINS))
        self.trust = nn.Parameter(torch.tensor([[3.0, 1.0], [3.0, 1.0]]))
        self.register_buffer("centres", bin_centres(), persistent=False)

    def forward(self, x: Tensor, answers: Tensor, classes: int) -> Tensor:
        """(B, R - n, classes) logits of a classification, whose answers are codes int64; classes 0: (B, R - n, BINS)
        of a regression, whose answers are standardised."""
        cells = cells_of(x, answers.shape[1])
        coded = F.one_hot(answers, CLASSES).to(x.dtype) if classes else answers[:, :, None]
        with torch.no_grad():
            smooth = smoothed(cells, coded[..., : max(1, classes)])
        return self.asked(cells.told, coded, smooth, classes)

    def asked(self, cell_inputs: Tensor, answers: Tensor, smooth: Smoothed, classes: int) -> Tensor:
        """The same from what is told of cells and of answers (B, n, `CLASSES` or 1), and what the smoothers say."""
        return self.logits_of(self.embedded(cell_inputs, answers, smooth, regresses=not classes), smooth, classes)

    def logits_of(self, embedded: Tensor, smooth: Smoothed, classes: int) -> Tensor:
        """(B, Q, K) of embedded rows (B, Q, D)."""
        start = self.start_of(smooth, smooth.values.shape[1] - embedded.shape[1], classes)
        logits: Tensor = self.logits[int(not classes)](embedded)
        return start + (logits[..., :classes] if classes else logits)

    def embedded(self, cell_inputs: Tensor, answers: Tensor, smooth: Smoothed, *, regresses: bool) -> Tensor:
        """(B, R - n, D) the rows asked after the last layer."""
        (b, rows, _, _), (context, size) = cell_inputs.shape, answers.shape[1:]
        values = F.pad(smooth.values, (0, size - smooth.values.shape[3]))
        padded = torch.cat([answers, answers.new_ones(b, context, 1)], 2)
        padded = F.pad(padded, (0, 0, 0, rows - context))
        errors = smooth.errors[:, None].expand(b, rows, SMOOTHERS)
        g = self.answer[int(regresses)](torch.cat([padded, values.flatten(2), errors], 2))
        x = torch.cat([self.cell(cell_inputs), g[:, :, None]], 2)
        for layer in self.cells:
            x = layer(x, context)
        wide = self.widen(torch.cat([x[:, :, -1], x[:, :, :-1].mean(2)], 2))
        for layer in self.rows:
            wide = layer(wide, context)
        last: Tensor = self.last(wide[:, context:])
        return last

    def settle(self, device: torch.device) -> None:
        """Make what is no parameter anew, of a network that was built without memory."""
        self.centres = bin_centres().to(device)

    def start_of(self, smooth: Smoothed, context: int, classes: int) -> Tensor:
        """Logits of what the smoothers say, each weighted by how well it answers rows that it leaves out."""
        sharp, scale = self.trust[int(not classes)]
        weights = (-sharp.exp() * smooth.errors).softmax(1)[:, None, :, None]
        f = (weights * smooth.values).sum(2)
        if classes:
            start: Tensor = scale * f[:, context:].clamp(0.02, 1.0).log()
            return start
        spread = (weights[:, 0, :, 0] * smooth.errors).sum(1).clamp(0.003, 1.0)[:, None, None]
        start = -0.5 * scale * (self.centres - f[:, context:]).square() / (spread + 0.01)
        return start


def _silent(layer: nn.Linear) -> nn.Linear:
    """The layer with all weights 0: what it adds to is at first as it was."""
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
