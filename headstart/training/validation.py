"""What the rows that are held out of a training say of a network."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from headstart.heads.calibrate import calibrate
from headstart.losses.supervised import Supervised
from headstart.tasks.task import Array
from headstart.training.batches import Batches
from headstart.training.feed import Data
from headstart.training.sampler import parts
from headstart.training.step import Features

__all__ = ["logits", "mean_loss", "validation_losses"]


def logits(network: Features, inputs: Batches, rows: Array, batch: int = 32) -> Tensor:
    """(N, C) of rows as they are in prediction."""
    with torch.no_grad():
        return torch.cat([network(*inputs.batch(some, None)) for some in parts(rows, batch)])


def validation_losses(network: Features, inputs: Batches, data: Data) -> list[float]:
    """Of the validation rows, each times its weight; their mean is the validation loss.

    At the temperature that suits them best, since the fitted model is calibrated too: a network that learns grows too
    sure of itself long before its answers get worse.
    """
    rows = data.val
    if not len(rows):
        return []
    out, targets, weights = logits(network, inputs, rows).cpu(), data.targets[rows], data.weights[rows]
    if data.kind.parts:
        return _of_tasks(out, targets, weights, data)
    if data.kind.has_classes and bool(out.isfinite().all()):
        out = out / calibrate(out.double().numpy(), targets.numpy(), data.kind, weights.numpy()).temperature
    losses: list[float] = (Supervised().each(out, targets, data.kind) * weights / weights.mean()).tolist()
    return losses


def _of_tasks(out: Tensor, targets: Tensor, weights: Tensor, data: Data) -> list[float]:
    """The same of several tasks: the sum over them, each at its own temperature. A task counts by its rows that are
    known, of which there may be none."""
    out = out.clone()
    for place, part in enumerate(data.kind.parts):
        task_out, by = out[:, part.outputs], weights[:, place].numpy()
        if part.kind.has_classes and by.any() and bool(task_out.isfinite().all()):
            answers = targets[:, part.columns].numpy()
            truth = (answers if part.kind.several else answers[:, 0]).astype(part.kind.dtype)
            task_out /= calibrate(task_out.double().numpy(), truth, part.kind, by).temperature
    mean = weights.mean(0)
    each = Supervised().each(out, targets, data.kind) * weights / torch.where(mean > 0, mean, 1.0)
    losses: list[float] = each.sum(1).tolist()
    return losses


def mean_loss(losses: list[float]) -> float:
    """Of rows; infinite where there are none, or it is not finite."""
    value = float(np.mean(losses)) if losses else math.inf
    return value if math.isfinite(value) else math.inf
