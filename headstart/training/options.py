"""How to train: the options that every method that moves weights has."""

from __future__ import annotations

import math
from dataclasses import dataclass

from headstart.checks import at_least, share_below_one

__all__ = ["Training"]


@dataclass(frozen=True, kw_only=True)
class Training:
    """How to train.

    epochs      at most, in each stage; of a method that starts from the probe 6 unless they are given
    batch       rows a step; every step of an epoch has about as many, so that none is of a single row
    lr          the learning rate of the backbone's last stage
    optimizer   sgd, adam, adamw, adagrad, adadelta or rmsprop
    schedule    cosine (with warm-up), one-cycle or constant
    validation  share of the rows that is held out to say when a stage ends, at most a half. 0: none, each stage lasts
                all its epochs, the last weights are kept, and the temperature is 1
    patience    epochs without a better validation loss after which a stage ends, once it is worse by the margin
    margin      a stage ends with its last weights unless the validation loss of earlier ones, those that it began with
                included, is lower by so many standard errors of the paired difference; 0: the lowest counts
    clip        largest norm of the gradient; 0 for no limit
    micro       rows that go through the network at once; gradients of a batch are added up. 0: the whole batch
    augment     whether training rows are varied, see `batches`
    views       in how many forms each row is varied where the lower stages do not learn, so that what they make of
                each form is computed once; each epoch draws among them
    disk        at most so many GB for that; where it takes more, or at 0, the lower stages run in every epoch
    refit       with at most so many rows, train a second time, on all of them, for as many epochs as validation found
                best; 0: never
    mixup       a of Beta(a, a), by which two rows are mixed (Zhang et al., 2018): the inputs of pictures, the features
                of texts. 0: none
    dropout     share of what the head's last layer sees that is left out in a step
    hidden      width of a hidden layer of the head, for methods that do not start from the probe; 0: none
    ema         decay of the moving average of the weights that is validated and kept; 0: none
    statistics  of BatchNorm: source, those that the backbone came with; or batch, those of the rows in each step, whose
                moving mean is kept. From random weights always batch
    precision   float32, bfloat16 (autocast), or auto: bfloat16 on a GPU, and on a CPU for long trainings where it is
                measured to be faster and to agree, see `precision.py`
    deterministic   on a GPU, whether only algorithms are used that give the same bits each time, where torch has them;
                without them it is somewhat faster. On a CPU it is always so
    journal     at least so many seconds between two points from which a killed run goes on
    """

    epochs: int = 15
    batch: int = 16
    lr: float = 1e-4
    optimizer: str = "adamw"
    schedule: str = "cosine"
    weight_decay: float = 0.01
    validation: float = 0.2
    patience: int = 5
    margin: float = 1.0
    clip: float = 1.0
    micro: int = 0
    augment: bool = True
    views: int = 4
    disk: float = 8.0
    refit: int = 1000
    mixup: float = 0.0
    dropout: float = 0.0
    hidden: int = 0
    ema: float = 0.0
    statistics: str = "source"
    precision: str = "auto"
    deterministic: bool = True
    journal: float = 10.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch", "patience", "views"):
            at_least(name, getattr(self, name), 1)
        for name in ("clip", "micro", "weight_decay", "disk", "mixup", "hidden", "refit", "margin", "journal", "seed"):
            at_least(name, getattr(self, name), 0)
        for name in ("dropout", "ema"):
            share_below_one(name, getattr(self, name))
        if not 0 <= self.validation <= 0.5:
            raise ValueError(f"validation = {self.validation}: expected 0 to 0.5")
        if self.statistics not in ("source", "batch"):
            raise ValueError(f"statistics = {self.statistics!r}: expected source or batch")
        if self.precision not in ("auto", "float32", "bfloat16"):
            raise ValueError(f"precision = {self.precision!r}: expected auto, float32 or bfloat16")
        if not (math.isfinite(self.lr) and self.lr > 0):
            raise ValueError(f"lr = {self.lr}: expected a positive number, such as 1e-4")
