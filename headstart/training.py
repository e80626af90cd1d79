"""How to train: the options that every method that moves weights has."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Training"]


@dataclass(frozen=True, kw_only=True)
class Training:
    """How to train.

    epochs      at most, in each stage
    batch       rows a step; every step of an epoch has about as many, so that none is of a single row
    lr          the learning rate of the backbone's last stage
    optimizer   sgd, adam, adamw, adagrad, adadelta or rmsprop
    schedule    cosine (with warm-up), one-cycle or constant
    patience    epochs without a better validation loss after which a stage ends
    clip        largest norm of the gradient; 0 for no limit
    micro       rows that go through the network at once; gradients of a batch are added up. 0: the whole batch
    augment     whether training rows are varied, see `batches`
    """

    epochs: int = 15
    batch: int = 16
    lr: float = 1e-4
    optimizer: str = "adamw"
    schedule: str = "cosine"
    weight_decay: float = 0.01
    patience: int = 5
    clip: float = 1.0
    micro: int = 0
    augment: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch", "patience"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} = {getattr(self, name)}: expected 1 or more")
        for name in ("clip", "micro", "weight_decay"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} = {getattr(self, name)}: expected 0 or more")
        if not (math.isfinite(self.lr) and self.lr > 0):
            raise ValueError(f"lr = {self.lr}: expected a positive number, such as 1e-4")
