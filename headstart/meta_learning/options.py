"""How to meta-train: the options that every learner has beside its own."""

from __future__ import annotations

from dataclasses import dataclass

from headstart.checks import at_least
from headstart.training.optimizers import named
from headstart.training.options import Training

__all__ = ["MetaTraining"]


@dataclass(frozen=True, kw_only=True)
class MetaTraining:
    """How to meta-train.

    epochs     at most; after each, validation episodes say whether it was the best
    steps      of an epoch
    tasks      episodes a step; their gradients are averaged
    asked      rows of each class that an episode of meta-training asks
    stages     of the backbone, the last so many learn, and what is below is computed once; 0: all. Of a learner that
               moves weights in an episode, and from random weights, all learn
    lr         of the backbone's last stage; 0: 1e-4 from pretrained weights, 1e-3 from random ones
    decay      each stage below learns so much slower than the one above it
    optimizer, schedule, weight_decay, clip   as of a training
    checked    validation episodes, the same after each epoch
    patience   epochs without a better validation after which it ends
    journal    at least so many seconds between two points from which a killed run goes on
    """

    epochs: int = 10
    steps: int = 40
    tasks: int = 1
    asked: int = 5
    stages: int = 1
    lr: float = 0.0
    decay: float = 1.0
    optimizer: str = "adam"
    schedule: str = "cosine"
    weight_decay: float = 0.0
    clip: float = 1.0
    checked: int = 60
    patience: int = 4
    journal: float = 10.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "steps", "tasks", "asked", "checked", "patience"):
            at_least(name, getattr(self, name), 1)
        for name in ("stages", "lr"):
            at_least(name, getattr(self, name), 0)
        named(self.training)

    @property
    def training(self) -> Training:
        """The same in terms of a training, for its optimisers and schedules."""
        return Training(
            epochs=self.epochs,
            batch=self.tasks,
            lr=self.lr or 1e-4,
            optimizer=self.optimizer,
            schedule=self.schedule,
            weight_decay=self.weight_decay,
            clip=self.clip,
            patience=self.patience,
            augment=False,
            journal=self.journal,
            precision="float32",
            seed=self.seed,
        )
