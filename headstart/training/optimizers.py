"""Optimisers and schedules by name, and the learning rate of each stage."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from headstart.finetuning.stage import Stage
from headstart.losses.penalty import Helper
from headstart.messages import nearest_hint
from headstart.network import HEAD, Network
from headstart.training.options import Training

__all__ = ["OPTIMIZERS", "SCHEDULES", "learning", "named", "schedule", "set_rates", "skips"]

OPTIMIZERS: dict[str, tuple[Callable[..., torch.optim.Optimizer], dict[str, Any]]] = {
    "sgd": (torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
    "adam": (torch.optim.Adam, {}),
    "adamw": (torch.optim.AdamW, {}),
    "adagrad": (torch.optim.Adagrad, {}),
    "adadelta": (torch.optim.Adadelta, {}),
    "rmsprop": (torch.optim.RMSprop, {}),
}
_FUSED = ("sgd", "adam", "adamw")
"""Those that torch has a single kernel for on a GPU, which also leaves out a step that is not finite."""

SCHEDULES = ("cosine", "one-cycle", "constant")
_WARM_UP = 0.1
_CYCLE = 0.3


def learning(network: Network, stage: Stage, training: Training, helper: Helper | None = None) -> torch.optim.Optimizer:
    """The optimiser of what the stage opens, and of the helper of a loss; vectors (biases, norms) do not decay (He et
    al., 2019, section 3.1)."""
    kind, options = OPTIMIZERS[training.optimizer]
    groups: list[dict[str, Any]] = []
    opened = network.open(stage.train, stage.only)
    body = [name for name in opened if name != HEAD]
    for name, weights in opened.items():
        below = 0 if name == HEAD else len(body) - 1 - body.index(name)
        rate = stage.head_lr if name == HEAD else stage.lr * stage.decay**below
        groups += _groups(weights, training.lr * rate, training.weight_decay)
    if helper is not None:
        groups += _groups(list(helper.module.parameters()), training.lr * helper.rate, training.weight_decay)
    on_cuda = any(weights.is_cuda for group in groups for weights in group["params"])
    fused = {"fused": True} if on_cuda and training.optimizer in _FUSED else {}
    return kind(groups, lr=training.lr, **options, **fused)


def skips(optimizer: torch.optim.Optimizer) -> bool:
    """Whether its kernels leave everything as it is where `found_inf`, a number on the device, is 1."""
    return bool(optimizer.param_groups[0].get("fused"))


def _groups(weights: list[nn.Parameter], rate: float, decay: float) -> list[dict[str, Any]]:
    matrices, vectors = ([w for w in weights if (w.ndim > 1) is many] for many in (True, False))
    both = ((matrices, decay), (vectors, 0.0))
    return [{"params": some, "lr": rate, "initial_lr": rate, "weight_decay": by} for some, by in both if some]


def schedule(name: str, done: float) -> float:
    """The share of the learning rate when `done` of the run (0 to 1) is over.

    cosine      rises over the first tenth, then half a cosine to 0 (Loshchilov and Hutter, 2017)
    one-cycle   from a tenth up to 1 over three tenths, then half a cosine to 0 (Smith, 2018)
    """
    if name == "constant":
        return 1.0
    rise, lowest = (_WARM_UP, 0.05) if name == "cosine" else (_CYCLE, 0.1)
    if done < rise:
        return lowest + (1 - lowest) * done / rise
    return 0.5 * (1 + math.cos(math.pi * (done - rise) / (1 - rise)))


def set_rates(optimizer: torch.optim.Optimizer, share: float) -> None:
    """Each group of weights learns at this share of its own rate."""
    for group in optimizer.param_groups:
        group["lr"] = group["initial_lr"] * share


def named(training: Training) -> Training:
    """The same, if its optimiser and its schedule are there. Raises ValueError that names the nearest."""
    for what, names in (("optimizer", list(OPTIMIZERS)), ("schedule", list(SCHEDULES))):
        name = getattr(training, what)
        if name not in names:
            raise ValueError(
                f"{what} {name!r} is unknown{nearest_hint(name, names)}; expected one of {', '.join(names)}"
            )
    return training
