"""The modules that turn a language or vision model's output into one row of features, or of logits, an input."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

__all__ = [
    "PictureClassifier",
    "PictureEncoder",
    "TextClassifier",
    "TextEncoder",
    "Topped",
    "WordVectors",
    "masked_mean",
    "pooled",
]


def masked_mean(hidden: Tensor, mask: Tensor) -> Tensor:
    """The mean of hidden (N, L, D) over the tokens where mask (N, L) is 1; zeros where a row has no token."""
    real = mask.unsqueeze(-1).bool()
    return hidden.masked_fill(~real, 0.0).sum(1) / real.sum(1).clamp(min=1)


def pooled(hidden: Tensor, mask: Tensor, pool: str) -> Tensor:
    """hidden (N, L, D) as one row an input, over the tokens where mask (N, L) is 1.

    pool   "mean"; "max"; "cls", the first token; "last", the last real token, wherever the padding stands; "weighted",
           the mean weighted by the place (Muennighoff, 2022); "sqrt", the sum divided by the root of the length
    """
    if pool == "mean":
        return masked_mean(hidden, mask)
    if pool == "cls":
        return hidden[:, 0]
    real = mask.unsqueeze(-1).bool()
    if pool == "max":
        return hidden.masked_fill(~real, -torch.inf).amax(1).masked_fill(~real.any(1), 0.0)
    places = torch.arange(hidden.shape[1], device=hidden.device)
    if pool == "last":
        last = (places * mask).amax(1)
        return hidden.gather(1, last[:, None, None].expand(-1, 1, hidden.shape[2]))[:, 0]
    if pool not in ("weighted", "sqrt"):
        raise ValueError(f"pooling {pool!r}: expected mean, max, cls, last, weighted or sqrt")
    weights = (places + 1) * mask if pool == "weighted" else mask
    total = weights.sum(1, keepdim=True).clamp(min=1).to(hidden.dtype)
    summed = (hidden.masked_fill(~real, 0.0) * weights.unsqueeze(-1)).sum(1)
    return summed / (total if pool == "weighted" else total.sqrt())


class TextEncoder(nn.Module):
    """A transformer for text: (input_ids, attention_mask), each (N, L) int64 -> (N, D).

    pool   "mean" over the real tokens, "cls": the first token, or another of `pooled`, or several joined by "+"
    """

    def __init__(self, model: Any, pool: str) -> None:
        super().__init__()
        self.model = model
        self.pool = pool

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        hidden: Tensor = self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return torch.cat([pooled(hidden, attention_mask, pool) for pool in self.pool.split("+")], 1)


class PictureEncoder(nn.Module):
    """A transformers vision model: (N, 3, H, W) -> (N, D).

    pool   "pooler": the model's own pooled output; "cls": the first token; "mean" over tokens or positions
    """

    def __init__(self, model: Any, pool: str) -> None:
        super().__init__()
        self.model = model
        self.pool = pool

    def forward(self, pixel_values: Tensor) -> Tensor:
        output = self.model(pixel_values=pixel_values)
        if self.pool == "pooler":
            return torch.flatten(output.pooler_output, 1)
        hidden: Tensor = output.last_hidden_state
        if self.pool == "cls":
            return hidden[:, 0]
        return hidden.mean(1) if hidden.ndim == 3 else hidden.mean((2, 3))


class TextClassifier(nn.Module):
    """A transformers model for the classification of texts: (input_ids, attention_mask), each (N, L) -> logits."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        logits: Tensor = self.model(input_ids=input_ids, attention_mask=attention_mask).logits
        return logits


class PictureClassifier(nn.Module):
    """A transformers model for the classification of pictures: (N, 3, H, W) -> logits."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixel_values: Tensor) -> Tensor:
        logits: Tensor = self.model(pixel_values=pixel_values).logits
        return logits


class Topped(nn.Module):
    """An encoder with a classifier on it: the inputs of the encoder -> (N, L)."""

    def __init__(self, encoder: nn.Module, top: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.top = top

    def forward(self, *inputs: Tensor) -> Tensor:
        logits: Tensor = self.top(self.encoder(*inputs))
        return logits


class WordVectors(nn.Module):
    """One vector a token, averaged: (input_ids, attention_mask), each (N, L) int64 -> (N, D)."""

    def __init__(self, vocabulary: int, width: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        return masked_mean(self.embedding(input_ids), attention_mask)
