"""What an objective of pretraining is: how rows are varied, what goes through the network, and what that costs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, NamedTuple

from torch import Tensor, nn

from headstart.backbones.backbone import Backbone
from headstart.preprocessing.preprocess import Preprocess
from headstart.pretraining.views import Views
from headstart.tasks import IMAGE, Modality

__all__ = ["Encoded", "EveryView", "Learner", "Objective"]


class Encoded(NamedTuple):
    """Rows that have just gone through the encoder.

    features  what the encoder made of them: (N, V, D) where it sees views
    inputs    what the views of these rows are made of
    encoder   that encoder, which learns
    done      how much of the training is over, 0 to 1
    rows      (N,) their numbers in the training
    """

    features: Tensor
    inputs: tuple[Tensor, ...]
    encoder: nn.Module
    done: float
    rows: Tensor


class Learner(nn.Module):
    """What learns beside the encoder and is not kept, such as a projector. Called with `Encoded`: the mean cost of its
    rows."""

    def stepped(self, encoder: nn.Module) -> None:
        """The weights have moved: what follows them does so. By default there is nothing."""


class EveryView(nn.Module):
    """A backbone asked of every view: (N, V, ...) -> (N, V, D).

    takes   how many of the inputs the backbone takes; the others are for the learner
    """

    def __init__(self, module: nn.Module, takes: int) -> None:
        super().__init__()
        self.module = module
        self.takes = takes

    def forward(self, *inputs: Tensor) -> Tensor:
        views = inputs[: self.takes]
        features: Tensor = self.module(*(view.flatten(0, 1) for view in views))
        return features.reshape(*views[0].shape[:2], -1)


class Objective(ABC):
    """Of a paper: a frozen dataclass whose fields are its options.

    modality   of the inputs that it is for
    takes      how many of the inputs of a step the backbone takes
    advice     what to type instead where the embeddings collapse
    """

    modality: ClassVar[Modality] = IMAGE
    takes: ClassVar[int] = 1
    advice: ClassVar[str] = "--method vicreg, whose loss keeps the embeddings apart"

    @abstractmethod
    def views(self, backbone: Backbone, variation: Any) -> Views:
        """How a row becomes what the encoder sees. DataError or ValueError where rows or options do not suit."""

    @abstractmethod
    def learner(self, encoder: nn.Module, dim: int) -> Learner:
        """What learns beside the encoder, drawn from torch's generator.

        encoder   as `encoder` made it
        dim       of the features of the backbone
        """

    def form(self, preprocess: Preprocess) -> Preprocess:
        """How inputs are prepared while it learns. By default as the backbone has them prepared."""
        return preprocess

    def encoder(self, module: nn.Module) -> nn.Module:
        """What goes through in each step; its `module` is the backbone's, which is kept."""
        return EveryView(module, self.takes)

    def suits(self, backbone: Backbone) -> None:  # noqa: B027 - any backbone will do
        """BackboneError where the backbone lacks what the objective needs. By default any does."""
